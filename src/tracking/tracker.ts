import type { Distribution, ParamValue } from '../core/distributions.js';
import type { StudyDirection } from '../core/study-direction.js';

/** What an experiment tracker is told about a study. */
export interface TrackedStudy {
  readonly name: string;
  readonly study8: string;
  readonly metrics: readonly { readonly name: string; readonly direction: StudyDirection }[];
  /** The declared search space, members of repeated parameters written out. */
  readonly space: Readonly<Record<string, Distribution>>;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export type TrackedState = 'running' | 'complete' | 'pruned' | 'failed' | 'interrupted';

/** What a tracker is told about a trial; times in milliseconds since 1970. */
export interface TrackedTrial {
  readonly number: number;
  readonly state: TrackedState;
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly startedAt: number;
  /** Where it has ended. */
  readonly completedAt?: number | undefined;
  /** Reported values in the order of their steps. */
  readonly reports: readonly TrackedReport[];
  /** By the metrics' names; empty where it has no result. */
  readonly values: Readonly<Record<string, number>>;
  /** Other numbers that the objective gave. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Other words that it gave. */
  readonly words: Readonly<Record<string, string>>;
  /** Why it failed or was interrupted. */
  readonly reason?: string | undefined;
}

export interface TrackedReport {
  readonly step: number;
  readonly value: number;
  readonly at: number;
}

/**
 * A program that shows runs of many kinds, such as TensorBoard. Calls for one trial come one after the other, those for several at the
 * same time; each may throw, and is then made again later with what is true by then. Nothing may be there twice afterwards.
 */
export interface Tracker {
  readonly name: string;
  /** Where to look, for people; without secrets. */
  readonly location: string;
  /** Finds or makes what stands for the study. Returns the numbers of the trials that are there whole. */
  begin(study: TrackedStudy): Promise<ReadonlySet<number>>;
  /** Brings a trial to the state given. A finished one is whole once this resolves. */
  write(trial: TrackedTrial): Promise<void>;
  /** The sweep has ended: with all its trials, or to go on later. */
  end(isComplete: boolean): Promise<void>;
}

/** Name under which the reports of a trial are tracked; its result has the metric's own name. */
export function curveName(study: TrackedStudy): string {
  return `intermediate/${study.metrics[0]?.name ?? 'value'}`;
}
