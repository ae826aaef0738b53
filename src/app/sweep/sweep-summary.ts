import type { JsonValue } from '../../core/json.js';
import type { ParamValue } from '../../core/distributions.js';
import { bestTrialOf, paretoFrontOf } from '../../study/best-trials.js';
import type { Study } from '../../study/study.js';
import type { BackupState } from './backup-state.js';

/** Numbers of trials by state; `total` is that of the rows, `interrupted` and `retries` are parts of it. */
export interface TrialCounts {
  readonly total: number;
  readonly complete: number;
  readonly pruned: number;
  readonly fail: number;
  readonly running: number;
  readonly waiting: number;
  /** FAIL only because the machine or process went away. */
  readonly interrupted: number;
  /** Finished for good: what counts towards `trials:` of the configuration. */
  readonly finished: number;
}

export interface BestTrial {
  readonly number: number;
  readonly value?: number;
  readonly values?: readonly number[];
  readonly params: Readonly<Record<string, ParamValue>>;
}

/** What `resweep run --json` prints. */
export interface SweepSummary {
  readonly study: string;
  readonly study8: string;
  readonly studyDb: string | null;
  readonly storage: string;
  readonly trials: TrialCounts;
  /** The best trial; with several objectives the Pareto front's first. Null where none is complete. */
  readonly best: BestTrial | null;
  readonly paretoFront?: readonly BestTrial[];
  readonly restoredFrom: string | null;
  readonly backup: { readonly enabled: boolean; readonly destinations: readonly BackupSummary[] };
  /** Experiment trackers: where, how many finished trials are there, how many are still missing, and why. */
  readonly tracking: readonly TrackingSummary[];
  readonly stopped: string;
  readonly elapsedSeconds: number;
}

export interface BackupSummary {
  readonly name: string;
  readonly lastVerifiedAt: string | null;
  readonly sha256: string | null;
  readonly error: string | null;
  readonly safeUpTo: number | null;
}

export interface TrackingSummary {
  readonly name: string;
  readonly location: string;
  readonly written: number;
  readonly missing: number;
  readonly error: string | null;
}

/** Counts of a study as this process knows it. */
export function countTrials(study: Study): TrialCounts {
  const counts = { complete: 0, pruned: 0, fail: 0, running: 0, waiting: 0, interrupted: 0, finished: 0 };
  let total = 0;
  let superseded = 0;
  for (const trial of study.history.all) {
    total++;
    switch (trial.state) {
      case 'COMPLETE':
        counts.complete++;
        break;
      case 'PRUNED':
        counts.pruned++;
        break;
      case 'RUNNING':
        counts.running++;
        break;
      case 'WAITING':
        counts.waiting++;
        break;
      case 'FAIL':
        counts.fail++;
        if (trial.isInterrupted) counts.interrupted++;
        if (trial.isSuperseded) superseded++;
    }
  }
  counts.finished = counts.complete + counts.pruned + counts.fail - superseded;
  return { total, ...counts };
}

/** The best trial or trials, as data. */
export function bestOf(study: Study): { best: BestTrial | null; paretoFront?: BestTrial[] } {
  const [direction] = study.directions;
  if (study.directions.length === 1 && direction !== undefined) {
    const trial = bestTrialOf(study.history.finished, direction);
    if (trial === undefined) return { best: null };
    return { best: { number: trial.number, value: trial.value ?? NaN, params: trial.params } };
  }
  const paretoFront = paretoFrontOf(study.history.finished, study.directions).map((trial) => ({
    number: trial.number,
    values: trial.values ?? [],
    params: trial.params,
  }));
  return { best: paretoFront[0] ?? null, paretoFront };
}

export function backupSummaries(states: readonly BackupState[]): BackupSummary[] {
  return states.map((state) => ({
    name: state.name,
    lastVerifiedAt: state.lastVerifiedAt ?? null,
    sha256: state.sha256 ?? null,
    error: state.error ?? null,
    safeUpTo: state.safeUpTo ?? null,
  }));
}

/** A summary as JSON data: nothing in it is undefined. */
export function summaryJson(summary: SweepSummary): JsonValue {
  return { ...summary } as unknown as JsonValue;
}
