import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Short files that take long, most of them for the contract that they run. */
const LONG =
  /\/(google-drive-contract|sampler-contract|encryption|stage-faults|github-destination|every-trainer|resume|processes)\.test\.ts$/;

/** Large files first, as everywhere, but before them those that take long all the same: then both workers end together. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => Number(LONG.test(b.moduleId)) - Number(LONG.test(a.moduleId)));
  }
}

/** Default tests: unit, contract and end to end, on parts that are embedded. Lanes have their own configuration. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/lanes/**'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
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
