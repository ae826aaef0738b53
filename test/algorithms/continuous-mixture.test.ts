import fc from 'fast-check';
import { expect, it } from 'vitest';

import { ContinuousMixture } from '../../src/algorithms/continuous-mixture.js';
import { ObservationTable } from '../../src/algorithms/observation-table.js';
import { numericDimension } from '../../src/algorithms/parzen-dimension.js';
import { defaultWeights, ParzenEstimator, type ParzenOptions } from '../../src/algorithms/parzen-estimator.js';
import { createRandom } from '../../src/core/random.js';

const ranges = [
  { low: -5, high: 5, log: false, step: undefined },
  { low: 1e-5, high: 1e-1, log: true, step: undefined },
  { low: 0, high: 1, log: false, step: undefined },
];

it('is the density of the general estimator, however observations came, went and were left out', () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.integer(),
        dimensions: fc.integer({ min: 1, max: 3 }),
        rounds: fc.integer({ min: 1, max: 6 }),
        spread: fc.constantFrom(0, 0.01, 1),
        considerEndpoints: fc.boolean(),
        priorWeight: fc.constantFrom(1, 0.01, 5),
        hasOwnWeights: fc.boolean(),
      }),
      ({ seed, dimensions, rounds, spread, considerEndpoints, priorWeight, hasOwnWeights }) => {
        const random = createRandom(seed >>> 0);
        const chosen = ranges.slice(0, dimensions);
        const options: ParzenOptions = {
          priorWeight,
          considerMagicClip: true,
          considerEndpoints,
          weights: hasOwnWeights ? (n) => Float64Array.from({ length: n }, (_, i) => 0.1 + (i % 7)) : defaultWeights,
        };
        const table = new ObservationTable(chosen.map(numericDimension), { capacity: 8, kernels: options });
        const draw = (share: number): number[] =>
          chosen.map(({ low, high, log }) => {
            const at = Math.min(1, Math.max(0, 0.5 + (random.uniform() - 0.5) * share));
            // Many observations are the same, as with a coarse report or a fixed parameter.
            const value = random.uniform() < 0.1 ? 0.5 : at;
            return log ? low * (high / low) ** value : low + value * (high - low);
          });
        for (let round = 0; round < rounds; round++) {
          const count = round === 0 ? 130 : random.integer(40);
          for (let i = 0; i < count; i++) table.add(draw(i % 3 === 0 ? 1 : spread), random.uniform());
          if (random.uniform() < 0.4) table.truncate(table.size - random.integer(10));
          const left = Array.from({ length: random.integer(12) }, () => random.integer(table.size));
          // A run of neighbours too.
          const order = table.sorted[0];
          if (order !== undefined) left.push(...order.subarray(3, 6));
          const rows = [...new Set(left)];
          const leaveOut = new Uint8Array(table.size);
          for (const row of rows) leaveOut[row] = 1;
          const fast = new ContinuousMixture(table, options, leaveOut, rows);
          const exact = new ParzenEstimator(table, options, leaveOut);
          expect(fast.size).toBe(exact.size);
          for (let i = 0; i < 20; i++) {
            const point = draw(i % 2 === 0 ? 1 : spread);
            const expected = exact.logPdf(point);
            expect(Math.abs(fast.logPdf(point) - expected)).toBeLessThan(1e-9);
            expect(fast.logPdf(point, expected - 1e-6)).toBe(Infinity);
            expect(fast.logPdf(point, expected + 1e-6)).toBeLessThan(Infinity);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

it('is refused where its sums would not hold', () => {
  const dimension = numericDimension({ low: 0, high: 1, log: false, step: undefined });
  const options: ParzenOptions = {
    priorWeight: 1,
    considerMagicClip: true,
    considerEndpoints: false,
    weights: defaultWeights,
  };
  const table = new ObservationTable([dimension], { kernels: options });
  for (let i = 0; i < 200; i++) table.add([i / 200], i);
  expect(ContinuousMixture.suits(table, 200, options)).toBe(true);
  expect(ContinuousMixture.suits(table, 97, options)).toBe(false);
  expect(ContinuousMixture.suits(table, 200, { ...options, priorWeight: 0 })).toBe(false);
  expect(ContinuousMixture.suits(table, 200, { ...options, considerMagicClip: false })).toBe(false);
  const stepped = new ObservationTable([numericDimension({ low: 0, high: 1, log: false, step: 0.1 })], {
    kernels: options,
  });
  expect(stepped.kernels).toBeUndefined();
  expect(() => new ContinuousMixture(stepped, options, new Uint8Array(0), [])).toThrow(/continuous/);
});
