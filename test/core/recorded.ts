import { readFileSync } from 'node:fs';

type Range = readonly [low: number, high: number, step: number | null, log: boolean, json: string, single: boolean];

/** What `test/fixtures/core/record.py` recorded from Python and Optuna 5.0.0. */
export interface Recorded {
  /** Bytes of a double in hexadecimal, and its text. */
  readonly doubles: readonly (readonly [string, string])[];
  readonly texts: readonly string[];
  readonly floats: readonly Range[];
  readonly ints: readonly Range[];
  readonly categoricals: readonly string[];
  readonly contains: readonly (readonly [low: number, high: number, step: number, value: number, contained: boolean])[];
}

export const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/core/python-recorded.json', import.meta.url), 'utf8'),
) as Recorded;
