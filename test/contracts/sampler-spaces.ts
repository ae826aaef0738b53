import fc from 'fast-check';

import {
  CategoricalDistribution,
  FloatDistribution,
  IntDistribution,
  type Distribution,
  type ParamValue,
} from '../../src/core/distributions.js';
import type { SearchSpace } from '../../src/core/study-view.js';
import type { Trial } from '../../src/study/trial.js';

/** One space per kind of parameter, by name. */
export const SINGLE_SPACES: Readonly<Record<string, Distribution>> = {
  float: new FloatDistribution(-5, 5),
  'float log': new FloatDistribution(1e-5, 1e-1, { log: true }),
  'float step': new FloatDistribution(-1, 1, { step: 0.25 }),
  'float step that does not divide the range': new FloatDistribution(0.1, 1, { step: 0.25 }),
  'float step of a decimal fraction': new FloatDistribution(0, 1, { step: 0.1 }),
  int: new IntDistribution(-3, 9),
  'int step': new IntDistribution(0, 64, { step: 8 }),
  'int step that does not divide the range': new IntDistribution(1, 20, { step: 6 }),
  'int log': new IntDistribution(1, 32, { log: true }),
  'huge int': new IntDistribution(-(2 ** 40), 2 ** 40),
  categorical: new CategoricalDistribution(['a', 1, 2.5, true, null]),
  'two choices': new CategoricalDistribution([false, true]),
  'duplicate choices': new CategoricalDistribution(['a', 'b', 'a']),
  'a single choice': new CategoricalDistribution(['only']),
  'a single number': new FloatDistribution(0.5, 0.5),
  'a single whole number': new IntDistribution(7, 7),
};

/** Several parameters together, with one that does not vary. */
export const MIXED: SearchSpace = {
  depth: new IntDistribution(1, 1000, { log: true }),
  fixed: new IntDistribution(4, 4),
  kind: new CategoricalDistribution(['a', 2, true, null]),
  n: new IntDistribution(1, 10),
  rate: new FloatDistribution(1e-5, 1e-1, { log: true }),
  share: new FloatDistribution(0, 1, { step: 0.25 }),
  x: new FloatDistribution(-5, 5),
};

/** The same for samplers that go through finite spaces only. */
export const MIXED_FINITE: SearchSpace = {
  fixed: new IntDistribution(4, 4),
  kind: new CategoricalDistribution(['a', 2, null]),
  n: new IntDistribution(1, 4),
  share: new FloatDistribution(0, 1, { step: 0.25 }),
};

export const NUMERIC: SearchSpace = {
  n: new IntDistribution(1, 10),
  x: new FloatDistribution(-5, 5),
  y: new FloatDistribution(1e-3, 10, { log: true }),
};

export const NUMERIC_FINITE: SearchSpace = {
  n: new IntDistribution(1, 5),
  share: new FloatDistribution(0, 1, { step: 0.25 }),
  y: new IntDistribution(1, 3),
};

/** Whether a sampler that needs finite spaces can take this one in a test. */
export function isFiniteSpace(distribution: Distribution): boolean {
  if (distribution.kind === 'categorical' || distribution.single()) return true;
  if (distribution.step === undefined) return false;
  return (distribution.high - distribution.low) / distribution.step < 10_000;
}

/** Suggests every parameter of a space. @throws Error where a value is not one that the distribution has */
export function suggestAll(trial: Trial, space: SearchSpace): Record<string, ParamValue> {
  return Object.fromEntries(
    Object.entries(space).map(([name, distribution]) => [name, suggestChecked(trial, name, distribution)]),
  );
}

export function suggestChecked(trial: Trial, name: string, distribution: Distribution): ParamValue {
  const value = trial.suggest(name, distribution);
  const isWhole = distribution.kind !== 'int' || Number.isInteger(value);
  if (!isWhole || !distribution.contains(distribution.toInternal(value)))
    throw new Error(`${name}: ${String(value)} is not in ${distribution.json}`);
  return value;
}

/** A loss that depends on every parameter, with its minimum inside of each range. */
export function lossOf(params: Readonly<Record<string, ParamValue>>): number {
  let loss = 0;
  for (const [name, value] of Object.entries(params)) {
    if (typeof value === 'number') loss += name === 'rate' ? (Math.log10(value) + 3) ** 2 : (value - 1.3) ** 2 / 10;
    else loss += value === null ? 0 : value === true ? 0.5 : 1;
  }
  return loss;
}

const step = fc.constantFrom(0.1, 0.25, 0.5, 1, 3);
const bounds = fc
  .tuple(fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.double({ min: 0, max: 1e3, noNaN: true }))
  .map(([low, width]) => ({ low, high: low + width }));
const wholeBounds = fc
  .tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 0, max: 60 }))
  .map(([low, width]) => ({ low, high: low + width }));
const choice = fc.oneof(
  fc.constantFrom(null, true, false),
  fc.string({ maxLength: 3 }),
  fc.integer({ min: -5, max: 5 }),
  fc.double({ min: -2, max: 2, noNaN: true }),
);

const finite: fc.Arbitrary<Distribution> = fc.oneof(
  fc
    .tuple(wholeBounds, fc.integer({ min: 1, max: 7 }))
    .map(([r, s]) => new IntDistribution(r.low, r.high, { step: s })),
  fc
    .tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 0, max: 20 }), step)
    .map(([low, n, s]) => new FloatDistribution(low / 10, low / 10 + n * 0.3, { step: s })),
  fc.array(choice, { minLength: 1, maxLength: 5 }).map((choices) => new CategoricalDistribution(choices)),
);

const infinite: fc.Arbitrary<Distribution> = fc.oneof(
  bounds.map(({ low, high }) => new FloatDistribution(low, high)),
  fc
    .tuple(fc.double({ min: -12, max: 3, noNaN: true }), fc.double({ min: 0, max: 6, noNaN: true }))
    .map(([low, width]) => new FloatDistribution(10 ** low, 10 ** (low + width), { log: true })),
  fc
    .tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 5000 }))
    .map(([low, width]) => new IntDistribution(low, low + width, { log: true })),
);

/** Any space of one to four parameters. */
export function anySpace(isFinite: boolean): fc.Arbitrary<SearchSpace> {
  return fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), isFinite ? finite : fc.oneof(finite, infinite), {
    minKeys: 1,
    maxKeys: 4,
  });
}
