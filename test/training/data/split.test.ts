import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { applyScaler, fitScaler } from '../../../src/training/data/scaling.js';
import { splitRows } from '../../../src/training/data/split.js';

describe('splitRows', () => {
  it('gives each row to one part, in the shares asked for, classes in proportion', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 20, maxLength: 200 }),
        fc.integer(),
        (classes, seed) => {
          const labels = Int32Array.from(classes);
          const n = labels.length;
          const { train, validation, test } = splitRows(n, { test: 0.2, validation: 0.25, seed }, labels);
          expect([...train, ...validation, ...test].sort((a, b) => a - b)).toEqual([...labels.keys()]);
          expect([test.length, validation.length]).toEqual([Math.round(n * 0.2), Math.round(n * 0.25)]);
          for (const k of new Set(labels)) {
            const of = (rows: Int32Array) => rows.filter((row) => labels[row] === k).length;
            const all = labels.filter((label) => label === k).length;
            expect(Math.abs(of(test) - (all * test.length) / n)).toBeLessThanOrEqual(1);
            expect(Math.abs(of(validation) - (all * validation.length) / n)).toBeLessThanOrEqual(2);
          }
        },
      ),
    );
  });

  it('depends on the seed alone', () => {
    const options = { test: 0.2, validation: 0.2, seed: 3 };
    expect(splitRows(100, options)).toEqual(splitRows(100, options));
    expect(splitRows(100, { ...options, seed: 4 }).test).not.toEqual(splitRows(100, options).test);
  });
});

describe('fitScaler', () => {
  const values = Float32Array.from([1, 5, 3, 5, 9, 5]);
  const rows = Int32Array.from([0, 1]);

  it('brings the given rows to mean 0 and deviation 1; a constant column is only shifted', () => {
    expect([...applyScaler(values, 2, fitScaler(values, 2, rows, 'standard'))]).toEqual([-1, 0, 1, 0, 7, 0]);
  });

  it('brings the given rows to 0..1', () => {
    expect([...applyScaler(values, 2, fitScaler(values, 2, rows, 'minmax'))]).toEqual([0, 0, 1, 0, 4, 0]);
  });

  it('leaves values alone', () => {
    expect(applyScaler(values, 2, fitScaler(values, 2, rows, 'none'))).toEqual(values);
  });

  it('deals folds that are each validated once, with the classes alike, beside one test part', () => {
    const labels = Int32Array.from({ length: 103 }, (_, row) => (row < 30 ? 0 : 1));
    const splits = [0, 1, 2, 3, 4].map((fold) =>
      splitRows(103, { test: 0.2, validation: 0.3, seed: 3, folds: 5, fold }, labels),
    );
    expect(new Set(splits.map(({ test }) => test.join()))).toHaveProperty('size', 1);
    const validated = splits.flatMap(({ validation }) => [...validation]).sort((a, b) => a - b);
    const rest = [...(splits[0]?.train ?? []), ...(splits[0]?.validation ?? [])].sort((a, b) => a - b);
    expect(validated).toEqual(rest);
    for (const { validation, train } of splits) {
      expect(train.length + validation.length).toBe(82);
      expect([16, 17]).toContain(validation.length);
      expect(Math.abs(validation.filter((row) => labels[row] === 0).length - 24 / 5)).toBeLessThan(1);
    }
    expect(() => splitRows(5, { test: 0.4, validation: 0, seed: 0, folds: 4, fold: 0 })).toThrow(/4 folds/);
  });

  it('keeps parts that the data came in', () => {
    const test = Int32Array.from([0, 1]);
    const split = splitRows(10, { test: 0.5, validation: 0.25, seed: 0 }, undefined, { test });
    expect(split.test).toBe(test);
    expect([split.validation.length, split.train.length]).toEqual([2, 6]);
    const validation = Int32Array.from([9]);
    const both = splitRows(10, { test: 0, validation: 0.5, seed: 0 }, undefined, { test, validation });
    expect([...both.train]).toEqual([2, 3, 4, 5, 6, 7, 8]);
  });
});
