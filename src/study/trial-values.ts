import { UsageError } from '../core/errors.js';

/** What an objective may give back: one value, one per objective, or nothing (then the trial fails). */
export type ObjectiveValue = number | readonly number[] | null | undefined;

/**
 * Checks the values told for a trial, as Optuna does.
 * @returns the values, or why they cannot stand.
 */
export function checkValues(values: unknown, objectives: number): { values: number[] } | { problem: string } {
  const list: readonly unknown[] = Array.isArray(values) ? (values as readonly unknown[]) : [values];
  const checked: number[] = [];
  for (const value of list) {
    if (typeof value !== 'number') return { problem: `the value ${describe(value)} is not a number` };
    if (Number.isNaN(value)) return { problem: 'the value NaN is not acceptable' };
    checked.push(value);
  }
  if (checked.length !== objectives) {
    return {
      problem: `the study has ${objectives} objective${objectives === 1 ? '' : 's'}, but ${checked.length} values came`,
    };
  }
  return { values: checked };
}

function describe(value: unknown): string {
  return typeof value === 'number' || value === undefined ? String(value) : JSON.stringify(value);
}

/** @throws UsageError where a report's step or value cannot be stored. */
export function checkReport(value: number, step: number): void {
  if (typeof value !== 'number')
    throw new UsageError(`report(value, step): value must be a number, but got ${describe(value)}.`);
  if (!Number.isInteger(step) || step < 0) {
    throw new UsageError(`report(value, step): step must be a whole number >= 0, but got ${describe(step)}.`);
  }
}

/** @throws UsageError where a constraint's value is no number or NaN. */
export function checkConstraint(name: string, value: number): void {
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new UsageError(`Constraint "${name}" must be a number other than NaN, but got ${describe(value)}.`);
  }
}
