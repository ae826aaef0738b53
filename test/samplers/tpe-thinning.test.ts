import { expect, it } from 'vitest';

import { CategoricalDistribution, FloatDistribution } from '../../src/core/distributions.js';
import { FrozenTrial } from '../../src/core/frozen-trial.js';
import { createRandom } from '../../src/core/random.js';
import { TPESampler } from '../../src/samplers/tpe-sampler.js';
import { halvingsOf, MOST_OBSERVATIONS } from '../../src/samplers/tpe-tables.js';
import { studyView } from '../support/study-view.js';

const space = { x: new FloatDistribution(1e-3, 1, { log: true }) };
const mixed = { ...space, c: new CategoricalDistribution(['a', 'b', 'c']) };

function trialsOf(count: number, distributions: typeof space): FrozenTrial[] {
  const random = createRandom(5);
  return Array.from({ length: count }, (_, number) => {
    const x = 10 ** (-3 * random.uniform());
    return new FrozenTrial(number + 1, number, {
      state: 'COMPLETE',
      values: [(x - 0.3) ** 2],
      internalParams: { x, c: Math.floor(3 * random.uniform() ** 2) },
      distributions,
    });
  });
}

it('up to 10,000 trials all are observations', () => {
  expect([0, 1, MOST_OBSERVATIONS, MOST_OBSERVATIONS + 1, 4 * MOST_OBSERVATIONS].map(halvingsOf)).toEqual([
    0, 0, 0, 1, 2,
  ]);
});

it.each([
  ['continuous', space],
  ['mixed', mixed],
])('of more a part stands for all: the densities stay, %s', (_, distributions) => {
  const study = studyView(trialsOf(20_500, distributions));
  const points = Array.from({ length: 20 }, (__, i) => [10 ** (-2.9 + i / 7), i % 3]).map((point) =>
    point.slice(0, Object.keys(distributions).length),
  );
  const densities = (sampler: TPESampler) => {
    const { below, above, release } = sampler.estimators(study, distributions, 20_500);
    const values = points.map((point) => [below.logPdf(point), above.logPdf(point)]);
    release();
    return { values, size: above.size };
  };
  const thinned = densities(new TPESampler());
  // Weights of one's own may depend on how many there are: nothing is left out.
  const whole = densities(new TPESampler({ weights: (n) => wholeWeights(n) }));
  expect(whole.size).toBe(20_500 - 25 + 1);
  expect(thinned.size).toBeLessThan(MOST_OBSERVATIONS);
  expect(thinned.size).toBeGreaterThan(MOST_OBSERVATIONS / 2 - 500);
  let difference = 0;
  for (const [i, [good = NaN, bad = NaN]] of thinned.values.entries()) {
    expect(good).toBeCloseTo(whole.values[i]?.[0] ?? NaN, 12);
    difference += Math.abs(bad - (whole.values[i]?.[1] ?? NaN)) / points.length;
  }
  // Twenty points, a hundred kernels or more near each.
  expect(difference).toBeLessThan(0.15);
});

function wholeWeights(n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => (i < n - 25 ? 1 / n + ((1 - 1 / n) * i) / (n - 26) : 1));
}
