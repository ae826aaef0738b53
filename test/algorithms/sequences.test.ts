import { describe, expect, it } from 'vitest';

import { HaltonSequence } from '../../src/algorithms/halton.js';
import { SobolSequence } from '../../src/algorithms/sobol.js';
import { createRandom } from '../../src/core/random.js';
import { samplerFacts } from '../support/sampler-facts.js';

interface Facts {
  readonly sequences: readonly {
    kind: 'sobol' | 'halton';
    dimensions: number;
    points: readonly (readonly number[])[];
  }[];
}

describe('sequences that fill a space evenly', () => {
  it.each((samplerFacts() as unknown as Facts).sequences)(
    '$kind in $dimensions dimensions is that of scipy',
    (fact) => {
      const { kind, dimensions, points } = fact;
      const sequence = kind === 'sobol' ? new SobolSequence(dimensions) : new HaltonSequence(dimensions);
      for (const [index, expected] of points.entries()) {
        for (const [j, value] of sequence.point(index).entries())
          expect(Math.abs(value - expected[j]!)).toBeLessThan(1e-14);
      }
    },
  );

  it('scrambled, keep their even spread, and have no point twice', () => {
    for (let seed = 0; seed < 5; seed++) {
      const sobol = new SobolSequence(5, createRandom(seed));
      const halton = new HaltonSequence(5, createRandom(seed));
      const points = Array.from({ length: 64 }, (_, i) => sobol.point(i));
      for (let j = 0; j < 5; j++) {
        // One point in each of 64 intervals: what makes it a net.
        expect(new Set(points.map((point) => Math.floor(point[j]! * 64))).size).toBe(64);
      }
      // The first b^k points of base b lie one in each interval of b^-k.
      for (const [j, [base, count]] of [
        [2, 64],
        [3, 81],
        [5, 125],
        [7, 49],
        [11, 121],
      ].entries()) {
        const cells = Array.from({ length: count! }, (_, i) => Math.floor(halton.point(i)[j]! * count! + 1e-9));
        expect(new Set(cells).size, `base ${base}`).toBe(count);
      }
    }
  });

  it('scrambled by another seed, is another', () => {
    expect([...new HaltonSequence(3, createRandom(1)).point(0)]).not.toEqual([
      ...new HaltonSequence(3, createRandom(2)).point(0),
    ]);
    expect([...new HaltonSequence(3, createRandom(1)).point(9)]).toEqual([
      ...new HaltonSequence(3, createRandom(1)).point(9),
    ]);
  });
});
