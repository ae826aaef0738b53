import { TRIAL_ATTRIBUTE, type FrozenTrial, type TrialTemplate } from '../core/frozen-trial.js';
import { stringifyJson, type JsonValue } from '../core/json.js';
import type { TrialWrite } from '../storage/storage.js';

/** How often a trial may be tried again. Interrupted is not failed: each has a budget of its own. */
export interface RetryPolicy {
  /** Retries of a trial whose process or machine went away. */
  readonly interrupted: number;
  /** Retries of a trial whose objective failed. */
  readonly failed: number;
  /** Whether a retry begins with what its original had reported. @default false */
  readonly inheritIntermediateValues?: boolean;
}

export const DEFAULT_RETRY: RetryPolicy = { interrupted: 5, failed: 0 };

/** Why a trial is given up. */
export interface Failure {
  readonly interrupted: boolean;
  readonly message: string;
  readonly details?: Readonly<Record<string, JsonValue>>;
}

/** Numbers of the trials that this one retries, oldest first. */
export function retryHistoryOf(trial: FrozenTrial): readonly number[] {
  const history = trial.systemAttr(TRIAL_ATTRIBUTE.retryHistory);
  return Array.isArray(history) ? (history as readonly number[]) : [];
}

/** Number of the first trial of a chain of retries: the trial itself where it retries none. */
export function originalNumberOf(trial: FrozenTrial): number {
  return retryHistoryOf(trial)[0] ?? trial.number;
}

/** How often trials of this one's chain were given up before, by kind. */
function earlierFailuresOf(trial: FrozenTrial, all: readonly FrozenTrial[]): { interrupted: number; failed: number } {
  let interrupted = 0;
  let failed = 0;
  for (const number of retryHistoryOf(trial)) {
    if (all[number]?.isInterrupted === false) failed++;
    else interrupted++;
  }
  return { interrupted, failed };
}

/** So many ends of its process in a row, without a step of progress between them, and a trial is held to be their cause. */
const POISON_ENDS = 3;

/** Whether a given-up trial took its process with it: it died, was killed, or ran out of memory. */
function tookItsProcess(details: JsonValue | undefined): boolean {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return false;
  const record = details as Readonly<Record<string, JsonValue>>;
  return record['process_ended'] === true || record['signal'] !== undefined || record['out_of_memory'] === true;
}

function lastStepOf(trial: FrozenTrial): number {
  return Math.max(-1, ...Object.keys(trial.intermediateValues).map(Number));
}

/**
 * How many runs of a trial ended with their process, one after the other and this one included, none of them getting further than
 * the one before: 0 where this one ended otherwise.
 */
function endsInARow(trial: FrozenTrial, failure: Failure, all: readonly FrozenTrial[]): number {
  if (!tookItsProcess(failure.details)) return 0;
  let count = 1;
  let later = trial;
  for (const number of [...retryHistoryOf(trial)].reverse()) {
    const earlier = all[number];
    if (earlier === undefined || lastStepOf(later) > lastStepOf(earlier)) break;
    const key = earlier.isInterrupted ? TRIAL_ATTRIBUTE.interrupted : TRIAL_ATTRIBUTE.failure;
    if (!tookItsProcess(earlier.systemAttr(key))) break;
    count++;
    later = earlier;
  }
  return count;
}

/** A trial that has ended its process again and again fails for good; anything else stays as it is. */
function judgePoison(trial: FrozenTrial, failure: Failure, all: readonly FrozenTrial[]): Failure {
  const ends = endsInARow(trial, failure, all);
  if (ends < POISON_ENDS) return failure;
  return {
    interrupted: false,
    message: `Its process ended ${ends} times without getting further, so it is not tried again (${failure.message}).`,
    details: { ...failure.details, poison: true },
  };
}

/**
 * The writes that give a trial up and, where the budget allows, queue it again, all in one transaction; `after` is the trial as it
 * then is. `logicalIndex` as the study's history tells it: the trial may have lost its process before it was stored with it.
 */
export function giveUpWrites(
  studyId: number,
  trial: FrozenTrial,
  logicalIndex: number,
  cause: Failure,
  policy: RetryPolicy,
  at: string,
  all: readonly FrozenTrial[],
): { writes: TrialWrite[]; after: FrozenTrial } {
  const failure = judgePoison(trial, cause, all);
  const earlier = earlierFailuresOf(trial, all);
  const key = failure.interrupted ? TRIAL_ATTRIBUTE.interrupted : TRIAL_ATTRIBUTE.failure;
  const text = stringifyJson(
    failure.interrupted
      ? { reason: failure.message, at, ...failure.details }
      : { message: failure.message, ...failure.details },
  );
  const writes: TrialWrite[] = [
    { kind: 'systemAttr', trialId: trial.trialId, key, text },
    { kind: 'state', trialId: trial.trialId, state: 'FAIL', at },
  ];
  const retried =
    failure.details?.['poison'] === true
      ? false
      : failure.interrupted
        ? earlier.interrupted < policy.interrupted
        : earlier.failed < policy.failed;
  // A trial that lost its process before it was stored with its place gets it now: its folder is named by it.
  const place: Record<string, string> =
    logicalIndex === trial.logicalIndex ? {} : { [TRIAL_ATTRIBUTE.logicalIndex]: stringifyJson(logicalIndex) };
  for (const [name, index] of Object.entries(place))
    writes.unshift({ kind: 'systemAttr', trialId: trial.trialId, key: name, text: index });
  if (retried) {
    if (!failure.interrupted)
      writes.unshift({ kind: 'systemAttr', trialId: trial.trialId, key: TRIAL_ATTRIBUTE.retried, text: 'true' });
    writes.push({ kind: 'create', studyId, template: retryTemplate(trial, logicalIndex, policy) });
  }
  const after = trial.with({
    state: 'FAIL',
    completedAt: at,
    systemAttrTexts: {
      ...trial.systemAttrTexts,
      ...place,
      [key]: text,
      ...(retried && !failure.interrupted ? { [TRIAL_ATTRIBUTE.retried]: 'true' } : {}),
    },
  });
  return { writes, after };
}

/** The same parameters and attributes, waiting; its place in the sequence is its original's. */
function retryTemplate(trial: FrozenTrial, logicalIndex: number, policy: RetryPolicy): TrialTemplate {
  const history = [...retryHistoryOf(trial), trial.number];
  const inherited = Object.fromEntries(
    Object.entries(trial.systemAttrTexts).filter(
      ([key]) =>
        !(
          [TRIAL_ATTRIBUTE.interrupted, TRIAL_ATTRIBUTE.failure, TRIAL_ATTRIBUTE.retried] as readonly string[]
        ).includes(key) && !isResultOfRun(key),
    ),
  );
  return {
    state: 'WAITING',
    internalParams: trial.internalParams,
    distributions: trial.distributions,
    ...(policy.inheritIntermediateValues === true ? { intermediateValues: trial.intermediateValues } : {}),
    userAttrTexts: trial.userAttrTexts,
    systemAttrTexts: {
      ...inherited,
      [TRIAL_ATTRIBUTE.failedTrial]: stringifyJson(history[0] ?? trial.number),
      [TRIAL_ATTRIBUTE.retryHistory]: stringifyJson(history),
      [TRIAL_ATTRIBUTE.logicalIndex]: stringifyJson(logicalIndex),
    },
  };
}

/** Attributes that the run itself brings again. */
function isResultOfRun(key: string): boolean {
  return key.startsWith('completed_rung_') || key.startsWith(TRIAL_ATTRIBUTE.constraints);
}
