import type { TrainingRequest } from '../training/trainer.js';
import type { CheckpointInfo, TrialOutcome, TrialTask } from './objective.js';

/** What a worker process runs. */
export type WorkerObjective =
  | { readonly type: 'tfjs'; readonly request: TrainingRequest; readonly backendChoices: string | undefined }
  | { readonly type: 'module'; readonly path: string; readonly exportName: string };

/** From the pool to a worker. `run` counts the trials of the worker. */
export type ToWorker =
  | { readonly kind: 'prepare'; readonly objective: WorkerObjective }
  | { readonly kind: 'run'; readonly run: number; readonly task: TrialTask }
  | { readonly kind: 'verdict'; readonly run: number; readonly report: number; readonly verdict: 'continue' | 'prune' }
  | { readonly kind: 'stop' };

/** From a worker to the pool; whatever a trial's code sends after its end carries the number of a run that is over. */
export type FromWorker =
  /** The trial's code is about to run: an end of the process from now on is the trial's. */
  | { readonly kind: 'started'; readonly run: number }
  | {
      readonly kind: 'report';
      readonly run: number;
      readonly report: number;
      readonly step: number;
      readonly value: number;
      readonly replayed: boolean;
    }
  | { readonly kind: 'checkpoint'; readonly run: number; readonly info: CheckpointInfo }
  | { readonly kind: 'log'; readonly run: number; readonly line: string }
  | { readonly kind: 'ended'; readonly run: number; readonly outcome: TrialOutcome };
