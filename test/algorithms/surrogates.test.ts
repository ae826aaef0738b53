import { describe, expect, it } from 'vitest';

import { AcquisitionSum, LogExpectedImprovement, LogFeasibility, valuesAt } from '../../src/algorithms/acquisition.js';
import { logExpectedImprovement } from '../../src/algorithms/expected-improvement.js';
import { ExtraTrees } from '../../src/algorithms/extra-trees.js';
import { GaussianProcess, type GpParameters } from '../../src/algorithms/gaussian-process.js';
import { fitGaussianProcess } from '../../src/algorithms/gaussian-process-fit.js';
import { minimizeBounded } from '../../src/algorithms/l-bfgs-b.js';
import { matern52 } from '../../src/algorithms/matern.js';
import { ProcessPosterior } from '../../src/algorithms/process-posterior.js';
import { evenColumn, valueForShare, type Column } from '../../src/algorithms/search-domain.js';
import { SobolSequence } from '../../src/algorithms/sobol.js';
import { SurrogateEnsemble } from '../../src/algorithms/surrogate-ensemble.js';
import { rankToNormal } from '../../src/algorithms/target-transform.js';
import { createRandom } from '../../src/core/random.js';

const columns: readonly Column[] = [{ kind: 'continuous' }, evenColumn(5), { kind: 'categorical', levels: 3 }];
const random = createRandom(5);
const rows = Array.from({ length: 12 }, (_, i) =>
  Float64Array.of(random.uniform(), i === 3 ? NaN : random.integer(5) / 4, random.integer(3)),
);
const targets = Float64Array.from(rows, ([x = 0, y = 0, c = 0]) => Math.sin(5 * x) + (Number.isNaN(y) ? 0 : y) - c / 3);
const parameters: GpParameters = {
  inverseSquaredScales: Float64Array.of(4, 1.5, 0.7),
  signalVariance: 1.3,
  noiseVariance: 0.02,
  additive: { inverseSquaredScales: Float64Array.of(2, 0.5, 1), signalVariance: 0.6 },
};

function square(j: number, a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) === Number.isNaN(b) ? 0 : 1;
  return j === 2 ? Number(a !== b) : (a - b) ** 2;
}

function kernel(a: Float64Array, b: Float64Array): number {
  const squares = [0, 1, 2].map((j) => square(j, a[j] ?? NaN, b[j] ?? NaN));
  const joint = squares.reduce((sum, s, j) => sum + (parameters.inverseSquaredScales[j] ?? 0) * s, 0);
  const own = squares.reduce((sum, s, j) => sum + matern52((parameters.additive?.inverseSquaredScales[j] ?? 0) * s), 0);
  return 1.3 * matern52(joint) + (0.6 * own) / 3;
}

/** Solves by Gaussian elimination with pivots: nothing in common with the code under test. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const a = matrix.map((row, i) => [...row, right[i] ?? 0]);
  const n = a.length;
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c; r < n; r++) if (Math.abs(a[r]?.[c] ?? 0) > Math.abs(a[pivot]?.[c] ?? 0)) pivot = r;
    [a[c], a[pivot]] = [a[pivot] ?? [], a[c] ?? []];
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const factor = (a[r]?.[c] ?? 0) / (a[c]?.[c] ?? 1);
      a[r] = (a[r] ?? []).map((value, k) => value - factor * (a[c]?.[k] ?? 0));
    }
  }
  return a.map((row, i) => (row[n] ?? 0) / (row[i] ?? 1));
}

function exact(
  known: readonly Float64Array[],
  values: readonly number[],
  at: Float64Array,
  rowNoise?: Float64Array,
): [number, number] {
  const matrix = known.map((a, i) =>
    known.map((b, k) => kernel(a, b) + (i === k ? parameters.noiseVariance * (rowNoise?.[i] ?? 1) : 0)),
  );
  const k = known.map((row) => kernel(row, at));
  const weights = solve(matrix, values);
  const gains = solve(matrix, k);
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
  return [dot(k, weights), kernel(at, at) - dot(k, gains)];
}

describe('Gaussian process', () => {
  const process = new GaussianProcess(columns, rows, targets, parameters);

  it.each([
    ['the same noise everywhere', undefined],
    ['a noise of its own for each row', Float64Array.from(rows, (_, i) => 1 + ((7 * i) % 12))],
  ])('has the posterior of its kernel, with categories, steps, parameters that do not take part, %s', (_, rowNoise) => {
    const process = new GaussianProcess(columns, rows, targets, parameters, rowNoise);
    for (const point of [
      Float64Array.of(0.3, 0.25, 1),
      Float64Array.of(0.9, NaN, 0),
      rows[4] ?? Float64Array.of(0, 0, 0),
    ]) {
      const [mean, variance] = [new Float64Array(1), new Float64Array(1)];
      process.predict([point], mean, variance);
      const [expectedMean, expectedVariance] = exact(rows, [...targets], point, rowNoise);
      expect(mean[0]).toBeCloseTo(expectedMean, 10);
      expect(variance[0]).toBeCloseTo(expectedVariance, 10);
      const [means, bound, variances] = [new Float64Array(3), new Float64Array(3), new Float64Array(4)];
      const covariances = new Float64Array(3 * rows.length);
      process.predictBounds([Float64Array.of(0.1, 0.5, 2), point, point], means, bound, covariances);
      process.variancesOfFour([2, 0, 1], covariances, variances);
      for (const i of [1, 2]) expect(means[i]).toBeCloseTo(expectedMean, 10);
      for (const i of [0, 2]) expect(variances[i]).toBeCloseTo(expectedVariance, 10);
      expect(bound[1]).toBeGreaterThanOrEqual(expectedVariance - 1e-12);
    }
  });

  it('says of many points together what it says of each, with constraints too', () => {
    const posterior = new ProcessPosterior(process, columns, rows);
    const points = [Float64Array.of(0.3, 0.25, 1), Float64Array.of(0.9, NaN, 0), ...rows.slice(0, 4)];
    for (const acquisition of [
      new LogExpectedImprovement(posterior, -0.2),
      new LogFeasibility(posterior, 0.1),
      new AcquisitionSum([new LogExpectedImprovement(posterior, -0.2), new LogFeasibility(posterior, 0.1)]),
    ]) {
      const together = valuesAt(acquisition, points);
      for (const [i, point] of points.entries()) expect(together[i]).toBeCloseTo(acquisition.evaluate(point), 8);
    }
  });

  it.each(['numbers alone', 'with steps, categories and gaps', 'the same, with kernels of single columns'])(
    'says of neighbours one after another what it says of each by itself: %s',
    (kind) => {
      const draw = createRandom(8);
      const isMixed = kind !== 'numbers alone';
      const nine = Array.from({ length: 9 }, (_, j): Column => {
        if (!isMixed || j < 3) return { kind: 'continuous' };
        return j < 6 ? evenColumn(j === 5 ? 300 : 7) : { kind: 'categorical', levels: 4 };
      });
      const valueOf = (column: Column, j: number): number => {
        if (isMixed && j % 3 === 2 && draw.uniform() < 0.2) return NaN;
        return column.kind === 'categorical' ? draw.integer(4) : valueForShare(column, draw.uniform());
      };
      const anywhere = (): Float64Array => Float64Array.from(nine, valueOf);
      const seen = Array.from({ length: 25 }, anywhere);
      const values = Float64Array.from(seen, ([x = 0, y = 0]) => Math.sin(5 * x) + y);
      const scales = Float64Array.from(nine, (_, j) => 0.2 + j);
      const given: GpParameters = {
        ...{ inverseSquaredScales: scales, signalVariance: 1.1, noiseVariance: 0.01 },
        ...(kind.endsWith('columns') && {
          additive: { inverseSquaredScales: scales.toReversed(), signalVariance: 0.7 },
        }),
      };
      const centre = seen[0] ?? Float64Array.of();
      const count = 600;
      const neighbours = Array.from({ length: count }, (_, i) => {
        const point = centre.slice();
        const j = i % 9;
        point[j] = valueOf(nine[j] ?? { kind: 'continuous' }, j);
        return i % 300 === 7 ? anywhere() : point;
      });
      const [means, variances] = [new Float64Array(count), new Float64Array(count)];
      new GaussianProcess(nine, seen, values, given).predict(neighbours, means, variances);
      for (const [i, point] of neighbours.entries()) {
        const [mean, variance] = [new Float64Array(1), new Float64Array(1)];
        new GaussianProcess(nine, seen, values, given).predict([point], mean, variance);
        expect(means[i]).toBeCloseTo(mean[0] ?? NaN, 10);
        expect(variances[i]).toBeCloseTo(variance[0] ?? NaN, 10);
      }
    },
  );

  it('knows what it would say of each row without it', () => {
    const { means, variances } = process.leaveOneOut(targets);
    for (const i of rows.keys()) {
      const others = rows.filter((_, k) => k !== i);
      const values = [...targets].filter((_, k) => k !== i);
      const [mean, variance] = exact(others, values, rows[i] ?? Float64Array.of());
      expect(means[i]).toBeCloseTo(mean, 8);
      expect(variances[i]).toBeCloseTo(variance + parameters.noiseVariance, 8);
    }
  });

  it('finds the length scales and noise that explain its data', () => {
    const draw = createRandom(2);
    const many = Array.from({ length: 60 }, () => Float64Array.of(draw.uniform(), draw.uniform()));
    const two: readonly Column[] = [{ kind: 'continuous' }, { kind: 'continuous' }];
    const values = Float64Array.from(many, ([x = 0]) => Math.sin(6 * x) + 0.1 * draw.normal());
    for (const additive of [false, true]) {
      const fitted = fitGaussianProcess(two, many, values, { additive });
      const [used = 0, unused = 1] = fitted.inverseSquaredScales;
      const [own = 0, ownUnused = 1] = fitted.additive?.inverseSquaredScales ?? [];
      expect(Math.max(used / unused, own / ownUnused)).toBeGreaterThan(3);
      expect(fitted.noiseVariance).toBeGreaterThan(0.002);
      expect(fitted.noiseVariance).toBeLessThan(0.05);
      const model = new GaussianProcess(two, many, values, fitted);
      const [mean, variance] = [new Float64Array(1), new Float64Array(1)];
      model.predict([Float64Array.of(0.5, 0.2)], mean, variance);
      expect(Math.abs((mean[0] ?? 0) - Math.sin(3))).toBeLessThan(0.15);
    }
  });
});

describe('noise of each row', () => {
  it('is found from rows of which some have a hundred times as much', () => {
    const draw = createRandom(6);
    const many = Array.from({ length: 80 }, () => Float64Array.of(draw.uniform()));
    const one: readonly Column[] = [{ kind: 'continuous' }];
    const rowNoise = Float64Array.from(many, (_, i) => (i % 2 === 0 ? 1 : 100));
    const values = Float64Array.from(
      many,
      ([x = 0], i) => Math.sin(6 * x) + 0.1 * Math.sqrt(rowNoise[i] ?? 1) * draw.normal(),
    );
    const fitted = fitGaussianProcess(one, many, values, { rowNoise });
    expect(fitted.noiseVariance).toBeGreaterThan(0.005);
    expect(fitted.noiseVariance).toBeLessThan(0.02);
    expect(fitGaussianProcess(one, many, values).noiseVariance).toBeGreaterThan(0.2);
  });
});

describe('process and trees together', () => {
  const draw = createRandom(4);
  const candidates = Array.from({ length: 80 }, () =>
    Float64Array.of(draw.uniform(), draw.integer(5) / 4, draw.integer(3)),
  );
  const weights = { process: 0.6, trees: 0.4 };
  const trees = new ExtraTrees(columns, rows, targets, createRandom(1), { trees: 30 });
  const incumbent = Math.min(...targets);

  it.each([1, 1.4])(
    'find the candidate of largest improvement, noise and a factor %f of the deviation counted in',
    (factor) => {
      for (const noiseVariance of [1e-6, 0.02, 0.4]) {
        const process = new GaussianProcess(columns, rows, targets, { ...parameters, noiseVariance });
        const improvement = (point: Float64Array): number => {
          const [m, v, n, w] = [0, 0, 0, 0].map(() => new Float64Array(1)) as [
            Float64Array,
            Float64Array,
            Float64Array,
            Float64Array,
          ];
          process.predict([point], m, v);
          trees.predict([point], n, w);
          const [a = 0, b = 0] = [m[0], n[0]];
          const mean = 0.6 * a + 0.4 * b;
          const variance = 0.6 * ((v[0] ?? 0) + 3 * noiseVariance + a * a) + 0.4 * ((w[0] ?? 0) + b * b) - mean * mean;
          return logExpectedImprovement(mean, factor * Math.sqrt(variance), incumbent);
        };
        const scores = candidates.map(improvement);
        const top = new SurrogateEnsemble(process, trees, weights, 3, factor).best(candidates, incumbent);
        expect(top?.score).toBeCloseTo(Math.max(...scores), 8);
        expect(top?.index).toBe(scores.indexOf(Math.max(...scores)));
      }
      expect(
        new SurrogateEnsemble(new GaussianProcess(columns, rows, targets, parameters), trees, weights).best([], 0),
      ).toBe(undefined);
    },
  );
});

describe('randomised trees', () => {
  it('repeat what they saw, and know less of what is far from it', () => {
    const trees = new ExtraTrees(columns, rows, targets, createRandom(1), { trees: 60 });
    const [means, variances] = [new Float64Array(12), new Float64Array(12)];
    trees.predict(rows, means, variances);
    for (const i of rows.keys()) expect(means[i]).toBeCloseTo(targets[i] ?? NaN, 6);
    expect(trees.outOfBag).toBeUndefined();
  });

  it('say of rows left out what is near the truth', () => {
    const draw = createRandom(3);
    const many = Array.from({ length: 200 }, () =>
      Float64Array.of(draw.uniform(), draw.integer(5) / 4, draw.integer(3)),
    );
    const values = Float64Array.from(many, ([x = 0, , c = 0]) => 3 * x + c);
    const { outOfBag } = new ExtraTrees(columns, many, values, draw, { trees: 80, bootstrap: true });
    const errors = many.map((_, i) => Math.abs((outOfBag?.[i] ?? NaN) - (values[i] ?? NaN)));
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.25);
  });
});

it('expected improvement is the integral of what is gained, also far out', () => {
  for (const [mean, deviation, best] of [
    [0, 1, 0],
    [1, 0.5, 0.2],
    [2, 1, -3],
  ] as const) {
    let sum = 0;
    const step = 1e-3;
    for (let y = best - 12; y < best; y += step) {
      const middle = y + step / 2;
      const density = Math.exp(-0.5 * ((middle - mean) / deviation) ** 2) / (deviation * Math.sqrt(2 * Math.PI));
      sum += (best - middle) * density * step;
    }
    expect(logExpectedImprovement(mean, deviation, best)).toBeCloseTo(Math.log(sum), 4);
  }
  // The integral itself underflows here; the leading term of its series does not.
  const z = 60;
  expect(logExpectedImprovement(z, 1, 0)).toBeCloseTo(-0.5 * z * z - 0.5 * Math.log(2 * Math.PI) - 2 * Math.log(z), 2);
});

it('bounded minimisation finds minima inside and at the bounds', () => {
  const rosenbrock = (x: Float64Array, gradient: Float64Array): number => {
    const [a = 0, b = 0] = x;
    gradient[0] = -400 * a * (b - a * a) - 2 * (1 - a);
    gradient[1] = 200 * (b - a * a);
    return 100 * (b - a * a) ** 2 + (1 - a) ** 2;
  };
  const free = minimizeBounded(rosenbrock, Float64Array.of(-1.2, 1));
  expect(free.x[0]).toBeCloseTo(1, 4);
  expect(free.x[1]).toBeCloseTo(1, 4);
  const bounded = minimizeBounded(rosenbrock, Float64Array.of(-1.2, 1), {
    lower: Float64Array.of(-2, -2),
    upper: Float64Array.of(0.5, 2),
  });
  expect(bounded.x[0]).toBeCloseTo(0.5, 6);
  expect(bounded.x[1]).toBeCloseTo(0.25, 4);
});

it('Sobol points fill every elementary interval, scrambled or not', () => {
  for (const scramble of [undefined, createRandom(4)]) {
    const sequence = new SobolSequence(3, scramble);
    const points = Array.from({ length: 16 }, (_, i) => sequence.point(i));
    for (let j = 0; j < 3; j++) expect(new Set(points.map((point) => Math.floor((point[j] ?? 0) * 16))).size).toBe(16);
    expect(new Set(points.map(([x = 0, y = 0]) => `${Math.floor(4 * x)} ${Math.floor(4 * y)}`)).size).toBe(16);
  }
  expect([...new SobolSequence(3).point(3)]).toEqual([0.25, 0.75, 0.75]);
});

it('normal scores keep the order, share ties and take infinities', () => {
  const scores = [...rankToNormal([3, -Infinity, 7, 3, Infinity])];
  expect(scores[0]).toBe(scores[3]);
  expect(scores[1]).toBeLessThan(scores[0] ?? NaN);
  expect(scores[4]).toBeGreaterThan(scores[2] ?? NaN);
  expect(scores[1]).toBeCloseTo(-(scores[4] ?? NaN), 10);
});
