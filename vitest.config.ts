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
      // What other tests run: processes of their own (end to end), servers (services), clusters, the native library; types without code.
      exclude: [
        'src/cli/main.ts',
        'src/cli/{actions,commands,completion,display}/**',
        'src/**/{*-worker,worker-main,*-agent,*-thread}.ts',
        'src/storage/rdb/engines/{server,mysql,postgres}-*.ts',
        'src/launch/{slurm,ray,ray-jobs-api,kubernetes}.ts',
        'src/tracking/mlflow-*.ts',
        'src/training/native/**',
        '**/*.d.ts',
        'src/dashboard/web/**',
      ],
      reporter: ['json-summary', 'html'],
      reportOnFailure: true,
      reportsDirectory: 'coverage',
    },
  },
});
