import type { ParamValue } from '../core/distributions.js';
import type { JsonValue } from '../core/json.js';
import type { StudyDirection } from '../core/study-direction.js';

/** One trial to be run. */
export interface TrialTask {
  readonly trialId: number;
  readonly number: number;
  readonly logicalIndex: number;
  /** Retries before this run. */
  readonly attempt: number;
  readonly studyName: string;
  readonly params: Readonly<Record<string, ParamValue>>;
  /** Absolute; exists. */
  readonly trialDir: string;
  /** Absolute; exists, with the checkpoint of an earlier run where there is one. */
  readonly checkpointDir: string;
  /** The same for every retry of the trial. */
  readonly seed: number;
  readonly metrics: readonly { readonly name: string; readonly direction: StudyDirection }[];
  /** Threads that the trial may use. */
  readonly threads: number;
  readonly backend?: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** Resident size of its processes. */
  readonly memoryBytes?: number | undefined;
  /** Time without any output. */
  readonly idleMs?: number | undefined;
  /** Least time between two checkpoints; absent: as `TrainingContext` says. */
  readonly checkpointEveryMs?: number | undefined;
}

/** Why a trial failed. */
export interface TrialFailure {
  readonly message: string;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly outOfMemory?: boolean | undefined;
  readonly timedOut?: boolean | undefined;
  /** End of its output. */
  readonly lastLines: readonly string[];
}

/** How a trial's run ended. */
export type TrialOutcome =
  | {
      readonly state: 'complete';
      readonly values: readonly number[];
      readonly metrics: Readonly<Record<string, JsonValue>>;
    }
  | { readonly state: 'pruned'; readonly metrics: Readonly<Record<string, JsonValue>> }
  | { readonly state: 'failed'; readonly failure: TrialFailure }
  /** The sweep is being stopped; a checkpoint was saved where the objective has one. */
  | { readonly state: 'interrupted'; readonly reason: string };

/** A checkpoint that was written. */
export interface CheckpointInfo {
  readonly path: string;
  readonly step: number;
  readonly bytes: number;
  readonly milliseconds: number;
}

/** Whoever watches a running trial. */
export interface TrialMonitor {
  report(step: number, value: number): Promise<'continue' | 'prune'>;
  checkpoint(info: CheckpointInfo): void;
  log(line: string): void;
}

/** Runs trials of one objective in processes of their own. */
export interface TrialRunner {
  /** What it runs on, for people: `mlp-classifier on wasm`. */
  readonly description: string;
  /** Never throws for what the trial does; an aborted signal ends it as interrupted. */
  run(task: TrialTask, monitor: TrialMonitor, signal: AbortSignal): Promise<TrialOutcome>;
  /** Ends all workers. */
  close(): Promise<void>;
}
