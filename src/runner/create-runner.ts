import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import type { SweepConfig } from '../core/sweep-config.js';
import type { TrainingRequest } from '../training/trainer.js';
import { CommandRunner } from './command-runner.js';
import type { TrialRunner } from './objective.js';
import { WorkerPool } from './worker-pool.js';

export interface RunnerOptions {
  readonly jobs: number;
  readonly projectRoot: string;
  /** Finds a file that the configuration names. */
  readonly resolvePath: (path: string) => string;
  readonly study8: string;
  /** Where choices that hold for the whole study are kept. */
  readonly studyDir: string;
  /** Of a final training: what is fitted, and that the held-out test part is judged. */
  readonly final?: Pick<TrainingRequest, 'fitOn' | 'judgeTest'> | undefined;
}

/** The runner for a configuration's objective, its processes started. */
export function createRunner(config: SweepConfig, options: RunnerOptions): TrialRunner {
  const { objective } = config;
  const { jobs, projectRoot, resolvePath, study8, studyDir } = options;
  if (objective.type === 'command') return new CommandRunner({ objective, projectRoot, study8, jobs });
  const threads = Math.max(1, Math.floor(availableParallelism() / jobs));
  if (objective.type === 'module') {
    return new WorkerPool({
      jobs,
      threads,
      description: `${objective.path} in ${jobs} processes`,
      objective: { type: 'module', path: resolvePath(objective.path), exportName: objective.export },
    });
  }
  return new WorkerPool({
    jobs,
    threads,
    description: `${objective.trainer} in ${jobs} processes`,
    objective: {
      type: 'tfjs',
      backendChoices: join(studyDir, 'backends.json'),
      request: {
        trainer: objective.trainer,
        settings: objective.settings,
        data: { ...objective.data, path: resolvePath(objective.data.path) },
        backend: config.backend,
        metrics: config.metrics.map(({ name, goal }) => ({ name, goal })),
        ...options.final,
      },
    },
  });
}
