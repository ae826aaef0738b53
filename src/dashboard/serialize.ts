import type { Distribution, ParamValue } from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { TRIAL_ATTRIBUTE } from '../core/frozen-trial.js';
import { stringifyJson, type JsonValue } from '../core/json.js';
import { shortNumber } from '../report/charts/chart-parts.js';
import { trialRow } from '../app/views/study-report.js';
import type { ParamInfo, ResultNumber, Scalar, TrialLine } from './api-types.js';

/** A parameter's value as JSON can hold it. */
export function scalarOf(value: ParamValue | undefined): Scalar {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

export function scalarsOf(params: Readonly<Record<string, ParamValue>>): Record<string, Scalar> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, scalarOf(value)]));
}

export function finiteOr(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** A result as JSON can hold it: an infinite one is a good or bad result like others. */
export function resultNumber(value: number): ResultNumber {
  if (Number.isNaN(value)) return null;
  return Number.isFinite(value) ? value : value > 0 ? 'Infinity' : '-Infinity';
}

/** Attributes as texts: a string stands for itself, everything else as JSON. */
export function attributeLines(attributes: Readonly<Record<string, JsonValue>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : typeof value === 'number' ? shortNumber(value) : stringifyJson(value),
    ]),
  );
}

/** Parameters of a trial; of one that waits those that it will take. */
export function shownParams(trial: FrozenTrial): Record<string, Scalar> {
  const fixed = trial.state === 'WAITING' ? trial.systemAttr(TRIAL_ATTRIBUTE.fixedParams) : undefined;
  const isGiven = fixed !== undefined && fixed !== null && typeof fixed === 'object' && !Array.isArray(fixed);
  return scalarsOf(isGiven ? (fixed as Record<string, ParamValue>) : trial.params);
}

export function trialLine(trial: FrozenTrial, notes: ReadonlyMap<number, readonly string[]>): TrialLine {
  const row = trialRow(trial);
  return {
    number: trial.number,
    state: row.state,
    values: row.values === null ? null : row.values.map(resultNumber),
    params: shownParams(trial),
    startedAt: row.datetimeStart,
    seconds: row.durationSeconds,
    lastStep: row.lastStep,
    reason: row.reason,
    feasible: trial.isFeasible,
    tags: notes.get(trial.trialId) ?? [],
    noted: notes.has(trial.trialId),
  };
}

export function paramInfo(name: string, distribution: Distribution, range: string): ParamInfo {
  if (distribution.kind === 'categorical') {
    const choices = distribution.choices.map(scalarOf);
    return { name, range, kind: 'categorical', low: null, high: null, log: false, step: null, choices };
  }
  const { kind, low, high, log, step = null } = distribution;
  return { name, range, kind, low, high, log, step, choices: null };
}

/** An answer as text: what JSON cannot hold becomes null, a big integer its digits. */
export function answerText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item));
}
