import { availableParallelism } from 'node:os';

import { messageOf, TrialPruned, UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { TellOptions } from './tell.js';
import type { Trial } from './trial.js';
import type { ObjectiveValue } from './trial-values.js';

/** Trains and judges one set of parameters; may be asynchronous, may throw `TrialPruned`. */
export type Objective = (trial: Trial) => ObjectiveValue | Promise<ObjectiveValue>;

/** What the loop needs of a study. */
export interface OptimizableStudy {
  ask(): Promise<Trial>;
  tell(trial: Trial, values?: ObjectiveValue, options?: TellOptions): Promise<FrozenTrial>;
  readonly isStopped: boolean;
  isExhausted(): Promise<boolean>;
  leaveIfIdle(): Promise<void>;
}

/** Called after each trial, one after another: a function, or an object such as `MaxTrialsCallback`. */
export type StudyCallback<S> =
  | ((study: S, trial: FrozenTrial) => void | Promise<void>)
  | { afterTrial(study: S, trial: FrozenTrial): void | Promise<void> };

export interface OptimizeOptions<S> {
  /** Trials to run in this call. @default no bound: until `timeout`, `signal` or `study.stop()` */
  readonly nTrials?: number;
  /** Seconds, as in Optuna: no new trial is started after that. */
  readonly timeout?: number;
  /** Objectives running at the same time, in this process; -1 for one per processor. @default 1 */
  readonly nJobs?: number;
  readonly callbacks?: readonly StudyCallback<S>[];
  /** Aborted: no new trial is started. */
  readonly signal?: AbortSignal;
  /** Errors that fail their trial only: classes, or true for all. @default none */
  readonly catch?: boolean | readonly (new (...args: never[]) => unknown)[];
}

const active = new WeakSet<OptimizableStudy>();

/** The loop behind `study.optimize`. */
export async function runOptimize<S extends OptimizableStudy>(
  study: S,
  objective: Objective,
  options: OptimizeOptions<S>,
): Promise<void> {
  const { nTrials = Infinity, timeout = Infinity, nJobs = 1, callbacks = [], signal } = options;
  checkOptions(options);
  if (active.has(study))
    throw new UsageError('optimize() is running already; it cannot be called from within an objective or callback.');
  const deadline = performance.now() + timeout * 1000;
  const jobs = nJobs === -1 ? availableParallelism() : nJobs;
  let started = 0;
  const failure: { error?: unknown } = {};
  const mayGoOn = (): boolean =>
    started < nTrials &&
    !study.isStopped &&
    signal?.aborted !== true &&
    !('error' in failure) &&
    performance.now() < deadline;

  const job = async (): Promise<void> => {
    while (mayGoOn()) {
      started++;
      try {
        if (await study.isExhausted()) return;
        const trial = await runTrial(study, objective, options.catch ?? false);
        for (const callback of callbacks) {
          await (typeof callback === 'function' ? callback(study, trial) : callback.afterTrial(study, trial));
        }
      } catch (error) {
        if (!('error' in failure)) failure.error = error;
        return;
      }
    }
  };

  active.add(study);
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, nTrials) }, () => job()));
  } finally {
    active.delete(study);
    await study.leaveIfIdle();
  }
  if ('error' in failure) throw failure.error;
}

async function runTrial(
  study: OptimizableStudy,
  objective: Objective,
  caught: boolean | readonly (new (...args: never[]) => unknown)[],
): Promise<FrozenTrial> {
  const trial = await study.ask();
  let values: ObjectiveValue;
  try {
    const result = objective(trial);
    // What is not a promise is told in this very turn, so that its parameters share one transaction with its result.
    values = result instanceof Promise ? await result : result;
  } catch (error) {
    if (error instanceof TrialPruned) return await study.tell(trial, undefined, { state: 'PRUNED' });
    const told = await study.tell(trial, undefined, {
      state: 'FAIL',
      failure: {
        interrupted: false,
        message: messageOf(error),
        details: { type: error instanceof Error ? error.name : typeof error },
      },
    });
    if (caught === true || (caught !== false && caught.some((type) => error instanceof type))) return told;
    throw error;
  }
  return await study.tell(trial, values);
}

function checkOptions(options: OptimizeOptions<never>): void {
  const { nTrials, timeout, nJobs } = options;
  if (nTrials !== undefined && !(nTrials >= 0)) throw new UsageError(`nTrials must be 0 or more, but got ${nTrials}.`);
  if (timeout !== undefined && !(timeout >= 0))
    throw new UsageError(`timeout must be 0 seconds or more, but got ${timeout}.`);
  if (nJobs !== undefined && nJobs !== -1 && !(Number.isInteger(nJobs) && nJobs >= 1)) {
    throw new UsageError(`nJobs must be a whole number >= 1 (or -1), but got ${nJobs}.`);
  }
}
