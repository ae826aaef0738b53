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
});
