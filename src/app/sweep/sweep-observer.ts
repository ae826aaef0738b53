import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import type { Study } from '../../study/study.js';
import type { BackupState } from './backup-state.js';
import type { SweepSummary } from './sweep-summary.js';

/** Level of a message to people. */
export type MessageLevel = 'info' | 'warn' | 'error';

/** What is known once a sweep is set up and before its first trial. */
export interface SweepStart {
  readonly config: SweepConfig;
  readonly study: Study;
  readonly study8: string;
  readonly studyDir: string;
  readonly storage: string;
  readonly total: number;
  readonly finished: number;
  readonly resumed: boolean;
  readonly restoredFrom: string | undefined;
  readonly runner: string;
}

/** Whoever shows a sweep to people. Every method may be left out. */
export interface SweepObserver {
  message?(level: MessageLevel, text: string): void;
  started?(start: SweepStart): void;
  trialStarted?(trial: FrozenTrial, info: { resumed: boolean }): void;
  reported?(trial: FrozenTrial, step: number, value: number): void;
  trialEnded?(trial: FrozenTrial, info: { milliseconds: number; reason: string | undefined }): void;
  backedUp?(states: readonly BackupState[]): void;
  /** No new trial is started from now on, and why. */
  stopping?(reason: string): void;
  finished?(summary: SweepSummary): void;
}
