import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { isBetter } from '../core/study-direction.js';
import type { RunningStudy } from '../core/study-view.js';
import type { TrialState } from '../core/trial-state.js';
import { bestTrialOf, trialsSinceImprovement } from './best-trials.js';
import { retryHistoryOf, type RetryPolicy } from './retry.js';

/** Ends a study once it has `nTrials` trials of some states, those of other processes and earlier runs counted. */
export class MaxTrialsCallback {
  readonly #nTrials: number;
  readonly #states: readonly TrialState[] | null;

  /** @param options.states null counts every trial. @default ['COMPLETE'] @throws UsageError where nTrials is no whole number >= 0 */
  constructor(nTrials: number, options: { states?: readonly TrialState[] | null } = {}) {
    requireCount('MaxTrialsCallback: nTrials', nTrials, 0);
    this.#nTrials = nTrials;
    this.#states = options.states === undefined ? ['COMPLETE'] : options.states;
  }

  async afterTrial(study: RunningStudy): Promise<void> {
    await study.sync();
    const states = this.#states;
    const { all } = study.history;
    // A gap stands for a trial that another process is just creating.
    const counted = all.filter((trial) => states === null || states.includes(trial.state)).length;
    if (counted >= this.#nTrials) study.stop();
  }
}

/** Ends a study after `patience` finished trials without a better best one (with several objectives: without a new one on the Pareto front). */
export class NoImprovementCallback {
  readonly #patience: number;

  /** @throws UsageError where patience is no whole number >= 1 */
  constructor(patience: number) {
    requireCount('NoImprovementCallback: patience', patience, 1);
    this.#patience = patience;
  }

  async afterTrial(study: RunningStudy): Promise<void> {
    await study.sync();
    const since = trialsSinceImprovement(study.history.finished, study.directions);
    if (since !== undefined && since >= this.#patience) study.stop();
  }
}

/** Ends a study once its best feasible trial is at least this good. For a single objective. */
export class TargetValueCallback {
  readonly #target: number;

  /** @throws UsageError where target is NaN */
  constructor(target: number) {
    if (Number.isNaN(target)) throw new UsageError('TargetValueCallback: the target must be a number other than NaN.');
    this.#target = target;
  }

  /** @throws UsageError with several objectives */
  async afterTrial(study: RunningStudy): Promise<void> {
    const [direction] = study.directions;
    if (direction === undefined || study.directions.length > 1) {
      throw new UsageError('TargetValueCallback is for a single objective.');
    }
    await study.sync();
    const best = bestTrialOf(study.history.finished, direction)?.value;
    if (best !== undefined && !isBetter(direction, this.#target, best)) study.stop();
  }
}

/**
 * Ends a study once its trials have taken so much time together, those of other processes and earlier runs counted, or have cost so
 * much at a price per hour of one trial.
 */
export class BudgetCallback {
  readonly #milliseconds: number;

  /** @throws UsageError where neither is given, or a number is not above 0 */
  constructor(options: { timeMs?: number; cost?: { perHour: number; max: number } }) {
    const { timeMs, cost } = options;
    if (timeMs === undefined && cost === undefined) throw new UsageError('BudgetCallback needs timeMs or cost.');
    for (const [what, value] of Object.entries({ timeMs, 'cost.perHour': cost?.perHour, 'cost.max': cost?.max })) {
      if (value !== undefined && !(value > 0))
        throw new UsageError(`BudgetCallback: ${what} must be above 0, but got ${value}.`);
    }
    const affordable = cost === undefined ? Infinity : (cost.max / cost.perHour) * 3_600_000;
    this.#milliseconds = Math.min(timeMs ?? Infinity, affordable);
  }

  async afterTrial(study: RunningStudy): Promise<void> {
    await study.sync();
    const spent = study.history.finished.reduce((sum, trial) => sum + (trial.duration ?? 0), 0);
    if (spent >= this.#milliseconds) study.stop();
  }
}

/**
 * How often a trial whose process went away is tried again: Optuna's callback of that name, given to `createStudy` as `retry`. The
 * retry is stored in the transaction that fails the trial, so none is lost and none comes twice.
 */
export class RetryHeartbeatStaleTrialCallback implements RetryPolicy {
  readonly interrupted: number;
  readonly failed = 0;
  readonly inheritIntermediateValues: boolean;

  /**
   * @param options.maxRetry @default no bound
   * @param options.inheritIntermediateValues whether a retry begins with the values that its original had reported @default false
   */
  constructor(options: { maxRetry?: number | null; inheritIntermediateValues?: boolean } = {}) {
    const maxRetry = options.maxRetry ?? Infinity;
    if (maxRetry !== Infinity) requireCount('RetryHeartbeatStaleTrialCallback: maxRetry', maxRetry, 0);
    this.interrupted = maxRetry;
    this.inheritIntermediateValues = options.inheritIntermediateValues ?? false;
  }

  /** Number of the trial that this one retries, the first of its chain; undefined where it retries none. */
  static retriedTrialNumber(trial: FrozenTrial): number | undefined {
    return retryHistoryOf(trial)[0];
  }

  /** Numbers of all trials of its chain before this one, oldest first. */
  static retryHistory(trial: FrozenTrial): readonly number[] {
    return retryHistoryOf(trial);
  }
}

function requireCount(what: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new UsageError(`${what} must be a whole number >= ${least}, but got ${value}.`);
  }
}
