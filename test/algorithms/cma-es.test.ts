import { describe, expect, it } from 'vitest';

import { CmaEs } from '../../src/algorithms/cma-es.js';
import { CmaEsWithMargin } from '../../src/algorithms/cma-margin.js';
import type { CmaOptimizer } from '../../src/algorithms/cma-optimizer.js';
import { CmaRestarts } from '../../src/algorithms/cma-restarts.js';
import { warmStart } from '../../src/algorithms/cma-warm-start.js';
import { SepCmaEs } from '../../src/algorithms/sep-cma-es.js';
import { symmetricEigen } from '../../src/algorithms/symmetric-eigen.js';
import { createRandom } from '../../src/core/random.js';
import { samplerFacts } from '../support/sampler-facts.js';

type Told = readonly (readonly [readonly number[], number])[];

interface State {
  readonly mean: readonly number[];
  readonly sigma: number;
  readonly covariance: readonly number[];
  readonly pathSigma: readonly number[];
  readonly pathC: readonly number[];
  readonly shouldStop: boolean;
  readonly scales?: readonly number[];
  readonly rates?: readonly number[];
}

interface Facts {
  readonly cmaStates: readonly {
    readonly name: string;
    readonly variant: string;
    readonly n: number;
    readonly populationSize: number | null;
    readonly steps?: readonly number[];
    readonly sources?: Told;
    readonly start?: Pick<State, 'mean' | 'sigma' | 'covariance'>;
    readonly generations: readonly { told: Told; encoded: readonly (readonly number[])[] | null; state: State }[];
  }[];
  readonly cmaStops: readonly { variant: string; told: readonly Told[] }[];
}

const facts = samplerFacts() as unknown as Facts;
const solutions = (told: Told): { x: Float64Array; loss: number }[] =>
  told.map(([x, loss]) => ({ x: Float64Array.from(x), loss }));

function box(n: number): {
  low: Float64Array;
  high: Float64Array;
  mean: Float64Array;
  sigma: number;
  mostResampling: number;
} {
  return {
    low: new Float64Array(n),
    high: new Float64Array(n).fill(1),
    mean: new Float64Array(n).fill(0.5),
    sigma: 1 / 6,
    mostResampling: 10 * n,
  };
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  expect(actual.length, what).toBe(expected.length);
  const size = Math.max(1e-3, ...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++)
    expect(Math.abs(actual[i]! - expected[i]!), `${what}: ${actual[i]} for ${expected[i]}`).toBeLessThan(1e-7 * size);
}

describe('CMA-ES against the cmaes package', () => {
  it.each(facts.cmaStates)('$name: state after each generation', (fact) => {
    const { variant, n } = fact;
    let options: ConstructorParameters<typeof CmaEs>[0] = {
      ...box(n),
      populationSize: fact.populationSize ?? undefined,
    };
    if (fact.sources !== undefined) {
      const start = warmStart(solutions(fact.sources));
      expectClose(start.mean, fact.start!.mean, 'mean at the start');
      expectClose([start.sigma], [fact.start!.sigma], 'sigma at the start');
      expectClose(start.covariance, fact.start!.covariance, 'covariance at the start');
      options = { ...options, ...start };
    }
    const optimizer: CmaOptimizer =
      variant === 'separable'
        ? new SepCmaEs(options)
        : variant === 'margin'
          ? new CmaEsWithMargin({ ...options, steps: Float64Array.from(fact.steps!) })
          : new CmaEs({ ...options, adaptLearningRate: variant === 'learning-rate' });
    for (const { told, encoded, state } of fact.generations) {
      expect(told).toHaveLength(optimizer.populationSize);
      if (optimizer instanceof CmaEsWithMargin) {
        for (const [k, [drawn]] of told.entries())
          expectClose(optimizer.encode(Float64Array.from(drawn)), encoded![k]!, 'brought to the grid');
      }
      optimizer.tell(solutions(told));
      const cma = optimizer instanceof CmaEsWithMargin ? optimizer.cma : optimizer;
      if (!(cma instanceof CmaEs) && !(cma instanceof SepCmaEs)) throw new Error('Another optimizer.');
      expectClose(cma.mean, state.mean, 'mean');
      expectClose([cma.sigma], [state.sigma], 'sigma');
      expectClose(cma instanceof CmaEs ? cma.covariance : cma.variances, state.covariance, 'covariance');
      expectClose(cma.pathSigma, state.pathSigma, 'path of sigma');
      expectClose(cma.pathC, state.pathC, 'path of C');
      expect(optimizer.shouldStop()).toBe(state.shouldStop);
      if (optimizer instanceof CmaEsWithMargin) expectClose(optimizer.scales, state.scales!, 'scales');
      if (state.rates !== undefined && cma instanceof CmaEs)
        expectClose([cma.learningRates.mean, cma.learningRates.covariance], state.rates, 'learning rates');
    }
  });

  it.each(facts.cmaStops)('$variant: stops in the same generation', ({ variant, told }) => {
    const optimizer = variant === 'plain' ? new CmaEs(box(2)) : new SepCmaEs(box(2));
    for (const generation of told) {
      expect(optimizer.shouldStop()).toBe(false);
      optimizer.tell(solutions(generation));
    }
    expect(optimizer.shouldStop()).toBe(true);
  });
});

describe('CMA-ES', () => {
  it.each(['plain', 'separable', 'margin', 'learning-rate'])(
    '%s: finds the optimum of a slope, inside of its box',
    (variant) => {
      const n = 4;
      const random = createRandom(7);
      const optimizer: CmaOptimizer =
        variant === 'separable'
          ? new SepCmaEs(box(n))
          : variant === 'margin'
            ? new CmaEsWithMargin({ ...box(n), steps: Float64Array.from([0, 0.1, 0.25, 0]) })
            : new CmaEs({ ...box(n), adaptLearningRate: variant === 'learning-rate' });
      let best = Infinity;
      for (let generation = 0; generation < 90; generation++) {
        const batch = Array.from({ length: optimizer.populationSize }, () => {
          const { x, told } = optimizer.ask(random);
          expect(x.every((value) => value >= -1e-12 && value <= 1 + 1e-12)).toBe(true);
          const loss = x.reduce((sum, value, i) => sum + (i + 1) * (value - [0.2, 0.7, 0.75, 0.9][i]!) ** 2, 0);
          best = Math.min(best, loss);
          return { x: told, loss };
        });
        optimizer.tell(batch);
      }
      expect(best).toBeLessThan(1e-4);
    },
  );

  it('with margin and nothing discrete, is plain CMA-ES, step by step', () => {
    const plain = new CmaEs(box(3));
    const margin = new CmaEsWithMargin({ ...box(3), steps: new Float64Array(3) });
    const [a, b] = [createRandom(1), createRandom(1)];
    for (let generation = 0; generation < 20; generation++) {
      const ask = (optimizer: CmaOptimizer, random: typeof a): { x: Float64Array; loss: number }[] =>
        Array.from({ length: optimizer.populationSize }, () => {
          const { told } = optimizer.ask(random);
          return { x: told, loss: told.reduce((sum, value) => sum + value * value, 0) };
        });
      plain.tell(ask(plain, a));
      margin.tell(ask(margin, b));
      expect([...margin.cma.mean]).toEqual([...plain.mean]);
      expect(margin.cma.sigma).toBe(plain.sigma);
    }
  });

  it('restarts with populations that grow (IPOP), or by turns with small ones (BIPOP)', () => {
    const ipop = new CmaRestarts('ipop', 6, 2);
    expect([ipop.next(50, 0), ipop.next(50, 0), ipop.next(50, 0)]).toEqual([12, 24, 48]);
    // The first run counts as small: 600 evaluations. Then 12 × 80 = 960 large ones, so small again, until they have caught up.
    const bipop = new CmaRestarts('bipop', 6, 2);
    expect(bipop.next(100, 0.5)).toBe(12);
    expect(bipop.next(80, 0.5)).toBe(Math.floor(6 * 2 ** 0.25));
    expect(bipop.next(20, 0.9)).toBe(Math.floor(6 * 2 ** 0.81));
    expect(bipop.next(40, 0.9)).toBe(24);
    expect(bipop.restarts).toBe(4);
  });

  it('decomposes symmetric matrices', () => {
    const random = createRandom(2);
    for (const n of [1, 2, 3, 7, 20]) {
      const matrix = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = n === 7 && i !== j ? 0 : random.normal();
      const { values, vectors } = symmetricEigen(matrix, n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let k = 0; k < n; k++) sum += vectors[i * n + k]! * values[k]! * vectors[j * n + k]!;
          expect(sum).toBeCloseTo(matrix[i * n + j]!, 10);
        }
      }
      expect([...values]).toEqual([...values].sort((a, b) => a - b));
    }
  });
});
