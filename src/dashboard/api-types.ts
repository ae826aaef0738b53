import type { Figure } from '../analysis/plots/figure.js';

export type { IntermediateCurve } from '../analysis/plots/intermediate-values.js';
export type { ParallelDimension } from '../analysis/plots/parallel-coordinate.js';
export type { BackupView, DestinationHealth, KeptStates } from '../app/backup/backup-view.js';
export type {
  BenchmarkReport,
  ConversionResult,
  Selection,
  StageResult,
  TrainingResult,
} from '../app/views/stage-results.js';

/*
 * What the server tells the page, and what the page may ask for. Plain JSON: times are ISO 8601 in UTC, numbers that JSON cannot hold
 * are null, but infinite results are words.
 */

export type ShownState = 'COMPLETE' | 'PRUNED' | 'FAIL' | 'RUNNING' | 'WAITING' | 'INTERRUPTED';

export interface Counts {
  readonly total: number;
  readonly complete: number;
  readonly pruned: number;
  readonly fail: number;
  readonly running: number;
  readonly waiting: number;
  readonly interrupted: number;
  readonly finished: number;
}

/** A result or a constraint; infinite ones as words. */
export type ResultNumber = number | 'Infinity' | '-Infinity' | null;

export interface BestResult {
  readonly number: number;
  readonly values: readonly ResultNumber[];
  readonly params: Readonly<Record<string, Scalar>>;
}

/** A value of a parameter or attribute as JSON can hold it. */
export type Scalar = string | number | boolean | null;

/** A study in the list. */
export interface StudySummary {
  readonly id: string;
  readonly name: string;
  readonly place: string;
  readonly study8: string | null;
  /** Labels of its folder. */
  readonly environment: string | null;
  readonly backbone: string | null;
  readonly status: 'running' | 'idle' | 'done' | 'empty' | 'broken';
  readonly error: string | null;
  readonly directions: readonly ('minimize' | 'maximize')[];
  readonly metricNames: readonly string[];
  readonly counts: Counts | null;
  readonly target: number | null;
  readonly best: BestResult | null;
  /** Trials on the front, with several objectives. */
  readonly frontSize: number | null;
  readonly changedAt: string | null;
  /** Values of the best so far, thinned, for a small picture. */
  readonly spark: readonly (number | null)[];
  readonly safety: Safety;
}

export interface Safety {
  readonly level: 'safe' | 'behind' | 'risk' | 'off';
  readonly text: string;
}

export interface ParamInfo {
  readonly name: string;
  readonly range: string;
  readonly kind: 'float' | 'int' | 'categorical';
  readonly low: number | null;
  readonly high: number | null;
  readonly log: boolean;
  readonly step: number | null;
  readonly choices: readonly Scalar[] | null;
}

/** One study. */
export interface StudyDetail extends StudySummary {
  readonly revision: number;
  readonly params: readonly ParamInfo[];
  readonly figures: readonly Figure['kind'][];
  readonly userAttrs: Readonly<Record<string, string>>;
  readonly note: NoteText;
  readonly config: {
    readonly revision: number;
    readonly trials: number;
    readonly parallel: number;
    readonly edited: boolean;
    readonly text: string;
  } | null;
  readonly running: readonly TrialLine[];
  readonly failures: readonly TrialLine[];
  readonly stopWished: boolean;
}

export interface NoteText {
  readonly version: number;
  readonly text: string;
}

/** A trial as a row of the table. */
export interface TrialLine {
  readonly number: number;
  readonly state: ShownState;
  readonly values: readonly ResultNumber[] | null;
  readonly params: Readonly<Record<string, Scalar>>;
  readonly startedAt: string | null;
  readonly seconds: number | null;
  readonly lastStep: number | null;
  readonly reason: string | null;
  readonly feasible: boolean;
  readonly tags: readonly string[];
  readonly noted: boolean;
}

/** A range of one axis: `value` of an objective, or a parameter. */
export interface AxisFilter {
  readonly kind: 'value' | 'param';
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
  readonly oneOf?: readonly string[];
}

export interface TrialPage {
  readonly rows: readonly TrialLine[];
  /** How many pass the filters. */
  readonly total: number;
  readonly revision: number;
}

export interface TrialDetail extends TrialLine {
  readonly trialId: number;
  readonly completedAt: string | null;
  readonly curve: readonly (readonly [number, number | null])[];
  readonly constraints: Readonly<Record<string, ResultNumber>> | null;
  readonly userAttrs: Readonly<Record<string, string>>;
  readonly failureLines: readonly string[];
  readonly retryOf: readonly number[];
  readonly retriedBy: readonly number[];
  readonly note: NoteText;
  readonly folder: string | null;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly changedAt: string }[];
  readonly benchmark: unknown;
  readonly hasLog: boolean;
  readonly ranges: Readonly<Record<string, string>>;
}

export interface LogAnswer {
  readonly text: string;
  readonly next: number;
  readonly size: number;
}

export interface FigureAnswer {
  readonly figure: Figure;
  readonly shown: number;
  readonly of: number;
  readonly revision: number;
  readonly best: readonly number[];
}

/** What the live stream says of a study. */
export interface LiveChange {
  readonly revision: number;
  readonly counts: Counts | null;
}

export interface ErrorAnswer {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null };
}
