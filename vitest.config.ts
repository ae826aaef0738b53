import { defineConfig } from 'vitest/config';

/** Default tests: unit, contract and end to end, on parts that are embedded. Lanes have their own configuration. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/lanes/**'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // Processes of their own, seen by the end-to-end tests only; and types without code.
      exclude: [
        'src/cli/main.ts',
        'src/**/{*-worker,worker-main,*-agent,*-thread}.ts',
        '**/*.d.ts',
        'src/dashboard/web/**',
      ],
      reporter: ['json-summary', 'html'],
      reportOnFailure: true,
      reportsDirectory: 'coverage',
    },
  },
});
