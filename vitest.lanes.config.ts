import { defineConfig } from 'vitest/config';

/** Heavier tests, a folder per lane, one file at a time: they use whole machines, servers and kills. */
export default defineConfig({
  test: {
    include: ['test/lanes/**/*.test.ts', 'bench/**/*.test.ts'],
    testTimeout: 10 * 60_000,
    hookTimeout: 10 * 60_000,
    maxWorkers: 1,
    fileParallelism: false,
  },
});
