import type * as z from 'zod';

import type { ParamValue } from '../core/distributions.js';
import type { JsonValue } from '../core/json.js';
import type { StudyDirection } from '../core/study-direction.js';
import type { DataConfig } from '../core/sweep-config.js';

/** Where tensors are computed. `auto`: what is fastest for the size of the model, of those that load. */
export type BackendChoice = 'auto' | 'node' | 'wasm' | 'cpu';

/** What a sweep fixes for all its trials. Plain data: it can be sent to a worker process. */
export interface TrainingRequest {
  /** `type` of the trainer. */
  readonly trainer: string;
  /** Fixed settings by their YAML names, checked by the trainer's schema (`TfjsObjectiveConfig.settings`). */
  readonly settings: Readonly<Record<string, JsonValue>>;
  /** As configured, but `path` is absolute. */
  readonly data: DataConfig;
  readonly backend: BackendChoice;
  /** The study's metrics. The first is reported at every epoch and, unless `monitor` is set, decides about early stopping. */
  readonly metrics: readonly TrainingMetric[];
  /** For a final training: what is fitted, and whether the held-out test part is judged too. Absent: `train`, no test. */
  readonly fitOn?: 'train' | 'train+validation' | undefined;
  readonly judgeTest?: boolean | undefined;
}

export interface TrainingMetric {
  readonly name: string;
  readonly goal: StudyDirection;
}

/** What a trainer is given for one trial, by whoever runs the worker process. */
export interface TrainingContext {
  /** Hyper-parameters of this trial; each wins over the fixed setting of its name. */
  readonly params: Readonly<Record<string, ParamValue>>;
  /** Of this trial, the same when it is retried (study seed and logical index). */
  readonly seed: number;
  /** Absolute; exists. The model is saved below it, in `model/`. */
  readonly trialDir: string;
  /** Absolute; made when the first checkpoint is written. A trial that finds a complete one goes on from it. */
  readonly checkpointDir: string;
  /** Aborted: the trainer saves a checkpoint within a batch's time and throws an `AbortError`. */
  readonly signal: AbortSignal;
  /**
   * Least time between two checkpoints, which are then written within a long epoch too. Absent: one at the end of an epoch, as long
   * as that takes at most 2 % of the time, and one every minute.
   */
  readonly checkpointEveryMs?: number | undefined;
  /** JSON file in which `backend: auto` keeps its choice per model size, so that all workers and later runs choose alike. */
  readonly backendChoices?: string | undefined;
  /**
   * The first metric after an epoch; `step` counts epochs from 1. Throws `TrialPruned` where the pruner says so. `replayed`: a
   * value of the interrupted attempt that this one goes on from, to be recorded where it is missing, not to be pruned for.
   */
  report(step: number, value: number, options?: { readonly replayed?: boolean }): Promise<void>;
  /** One line for the trial's `log.txt`. */
  log(line: string): void;
  onCheckpoint(checkpoint: CheckpointInfo): void;
}

/** A checkpoint that is complete on disk. */
export interface CheckpointInfo {
  /** Its file. */
  readonly path: string;
  /** Whole epochs behind it. */
  readonly step: number;
  readonly bytes: number;
  /** Time that the training stood still for it. */
  readonly milliseconds: number;
}

export interface TrainingResult {
  /** Every metric of the kept epoch by name: `val_accuracy`, `val_loss`, …; `test_…` where `judgeTest` was set. */
  readonly values: Readonly<Record<string, number>>;
  /** Epochs trained, those before a resume included. */
  readonly epochs: number;
  /** The epoch, from 1, whose weights and values are kept. */
  readonly bestEpoch: number;
  readonly resumedFromEpoch?: number | undefined;
  /** `node`, `wasm` or `cpu`. */
  readonly backend: string;
  /** Why that backend. */
  readonly backendReason: string;
  /** Size of the model in words, for which that backend was chosen. */
  readonly backendKey: string;
  /** Folder with `model.json`, `weights.bin` and `preprocessing.json`. */
  readonly modelPath: string;
  /** Number of weights, those of normalisation included. */
  readonly parameters: number;
}

/** A metric that a trainer can report. */
export interface MetricDescription {
  readonly name: string;
  readonly goal: StudyDirection;
  readonly summary: string;
}

/**
 * A kind of model that can be trained. Fits `TrainerEntry` of the configuration but for `metrics`, of which that takes the names.
 * A file that declares one must not load TensorFlow.js when it is imported: the configuration is checked without it.
 */
export interface Trainer {
  readonly type: string;
  /** One line, for people and editors. */
  readonly summary: string;
  /** Settings by their YAML names, with defaults. Each may be fixed in `objective:` or searched in `parameters:`. */
  readonly schema: z.ZodObject;
  /** Keys of `data:` beyond those that every trainer has. */
  readonly data: z.ZodObject;
  readonly metrics: readonly MetricDescription[];
  /**
   * Trains one trial from its start or its last checkpoint and saves the model.
   * @throws UsageError for wrong data or settings, TrialPruned from `context.report`, an `AbortError` once `context.signal` is aborted.
   */
  train(request: TrainingRequest, context: TrainingContext): Promise<TrainingResult>;
}
