import { systemClock, toDatabaseTime } from '../core/clock.js';
import type { Distribution, ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { attributeTexts, TRIAL_ATTRIBUTE, type TrialTemplate } from '../core/frozen-trial.js';
import type { JsonValue } from '../core/json.js';
import { isFinished, type TrialState } from '../core/trial-state.js';
import { checkConstraint } from './trial-values.js';

/** A trial written by hand, for `study.addTrial`. */
export interface CreateTrialOptions {
  /** @default 'COMPLETE' */
  readonly state?: TrialState;
  readonly value?: number;
  readonly values?: readonly number[];
  readonly params?: Readonly<Record<string, ParamValue>>;
  readonly distributions?: Readonly<Record<string, Distribution>>;
  readonly userAttrs?: Readonly<Record<string, JsonValue>>;
  readonly systemAttrs?: Readonly<Record<string, JsonValue>>;
  readonly intermediateValues?: Readonly<Record<number, number>>;
  /** By name; feasible where <= 0. */
  readonly constraints?: Readonly<Record<string, number>>;
  readonly datetimeStart?: Date;
  readonly datetimeComplete?: Date;
}

/**
 * Puts a trial together, checked as Optuna's `create_trial` does.
 * @throws UsageError where value and values are both given, a parameter lacks its distribution or lies outside it, or a COMPLETE trial has no value.
 */
export function createTrial(options: CreateTrialOptions): TrialTemplate {
  const { state = 'COMPLETE', params = {}, distributions = {} } = options;
  if (options.value !== undefined && options.values !== undefined) {
    throw new UsageError('createTrial: give value or values, not both.');
  }
  const values = options.values ?? (options.value === undefined ? undefined : [options.value]);
  if (state === 'COMPLETE' && values === undefined)
    throw new UsageError('createTrial: a COMPLETE trial needs a value.');
  if (state === 'FAIL' && values !== undefined) throw new UsageError('createTrial: a FAIL trial has no value.');
  for (const [name, value] of Object.entries(options.constraints ?? {})) checkConstraint(name, value);
  if (values?.some((value) => typeof value !== 'number' || Number.isNaN(value)) === true) {
    throw new UsageError('createTrial: every value must be a number other than NaN.');
  }
  const now = toDatabaseTime(systemClock.now());
  const internalParams: Record<string, number> = {};
  for (const name of new Set([...Object.keys(params), ...Object.keys(distributions)])) {
    const distribution = distributions[name];
    const value = params[name];
    if (distribution === undefined) throw new UsageError(`createTrial: parameter "${name}" has no distribution.`);
    if (value === undefined) throw new UsageError(`createTrial: distribution "${name}" has no parameter value.`);
    const internal = distribution.toInternal(value);
    if (!distribution.contains(internal)) {
      throw new UsageError(`createTrial: ${String(value)} lies outside ${distribution.json} of parameter "${name}".`);
    }
    internalParams[name] = internal;
  }
  const systemAttrs: Record<string, JsonValue> = { ...options.systemAttrs };
  if (options.constraints !== undefined) {
    systemAttrs[TRIAL_ATTRIBUTE.constraints] = Object.values(options.constraints);
    systemAttrs[TRIAL_ATTRIBUTE.constraintNames] = Object.keys(options.constraints);
  }
  return {
    state,
    values,
    startedAt:
      state === 'WAITING'
        ? undefined
        : options.datetimeStart === undefined
          ? now
          : toDatabaseTime(options.datetimeStart.getTime()),
    completedAt: !isFinished(state)
      ? undefined
      : options.datetimeComplete === undefined
        ? now
        : toDatabaseTime(options.datetimeComplete.getTime()),
    internalParams,
    distributions,
    intermediateValues: options.intermediateValues ?? {},
    userAttrTexts: attributeTexts(options.userAttrs ?? {}),
    systemAttrTexts: attributeTexts(systemAttrs),
  };
}
