import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import {
  AcquisitionSum,
  LogBatchImprovement,
  LogExpectedImprovement,
  LogFeasibility,
  LogHypervolumeImprovement,
  type Acquisition,
} from '../../src/algorithms/acquisition.js';
import { nonDominatedBoxes, referencePoint } from '../../src/algorithms/box-decomposition.js';
import { ConditionalSamples } from '../../src/algorithms/conditional-samples.js';
import { GaussianProcess } from '../../src/algorithms/gaussian-process.js';
import { fitWithGammaPrior } from '../../src/algorithms/gp-gamma-prior.js';
import { hypervolume } from '../../src/algorithms/hypervolume.js';
import { searchAcquisition } from '../../src/algorithms/mixed-acquisition-search.js';
import { ProcessPosterior } from '../../src/algorithms/process-posterior.js';
import { evenColumn, type Column } from '../../src/algorithms/search-domain.js';
import { createRandom } from '../../src/core/random.js';

type Numbers = readonly number[];
interface Recorded {
  readonly values: Numbers;
  readonly gradients: readonly (readonly (number | null)[])[];
  /** By sampler, draw and dimension. */
  readonly normals: readonly (readonly Numbers[])[];
}
interface Case {
  readonly name: string;
  readonly isCategorical: readonly boolean[];
  readonly isDeterministic: boolean;
  readonly points: readonly Numbers[];
  readonly targets: readonly Numbers[];
  readonly feasible: readonly boolean[];
  readonly limit: number;
  readonly processes: readonly {
    readonly inverseSquaredScales: Numbers;
    readonly signalVariance: number;
    readonly noiseVariance: number;
    readonly means: Numbers;
    readonly variances: Numbers;
  }[];
  readonly at: readonly Numbers[];
  readonly running: readonly Numbers[];
  readonly acquisitions: Readonly<Record<string, Recorded>>;
}

const text = readFileSync(new URL('../golden/gp-facts.json', import.meta.url), 'utf8');
const { cases } = JSON.parse(text) as { cases: readonly Case[] };
const array = (values: Numbers): Float64Array => Float64Array.from(values);
/** Optuna's scores are larger the better, ours are losses. */
const lossesOf = (scores: Numbers): Float64Array => Float64Array.from(scores, (score) => -score);
const first = <T>(items: readonly T[], index = 0): T => {
  const item = items[index];
  if (item === undefined) throw new Error(`no item ${index}`);
  return item;
};

function acquisitionsOf(fact: Case): Record<string, Acquisition> {
  const columns = fact.isCategorical.map<Column>((is) =>
    is ? { kind: 'categorical', levels: 3 } : { kind: 'continuous' },
  );
  const rows = fact.points.map(array);
  const posterior = (m: number, pending: readonly Numbers[] = []): ProcessPosterior => {
    const { inverseSquaredScales, signalVariance, noiseVariance } = first(fact.processes, m);
    const parameters = { inverseSquaredScales: array(inverseSquaredScales), signalVariance, noiseVariance };
    const process = new GaussianProcess(columns, rows, lossesOf(first(fact.targets, m)), parameters);
    return new ProcessPosterior(process, columns, rows, pending.map(array));
  };
  const samples = (name: string, m: number, sequence: number, column?: number): ConditionalSamples => {
    const normals = first(fact.acquisitions[name]?.normals ?? [], sequence).map((draw) =>
      lossesOf(column === undefined ? draw : [first(draw, column)]),
    );
    return new ConditionalSamples(posterior(m, column === undefined ? fact.running : []), normals);
  };
  const losses = fact.points.map((_, i) => [0, 1].map((m) => -first(first(fact.targets, m), i)));
  const feasible = losses.filter((_, i) => fact.feasible[i]);
  const best = Math.min(...losses.map(([loss]) => loss ?? NaN));
  const bestFeasible = Math.min(...feasible.map(([loss]) => loss ?? NaN));
  const limit = -fact.limit;
  const boxesOf = (baseline: readonly Numbers[], added: readonly Numbers[] = []) =>
    nonDominatedBoxes([...baseline, ...added], referencePoint(baseline, 2));
  const pair = (name: string) => [samples(name, 0, 0), samples(name, 1, 1)] as const;
  const objectives = pair('qLogEHVI');
  // Optuna draws the constraint first there.
  const constraint = samples('qLogCEHVI', 2, 0);
  const constrained = [samples('qLogCEHVI', 0, 1), samples('qLogCEHVI', 1, 2)] as const;
  const fantasies = ([a, b]: readonly [ConditionalSamples, ConditionalSamples], s: number): Numbers[] =>
    [...first(a.fantasies, s)].map((value, r) => [value, first(b.fantasies, s)[r] ?? NaN]);
  return {
    logEI: new LogExpectedImprovement(posterior(0), best),
    logCEI: new AcquisitionSum([
      new LogExpectedImprovement(posterior(0), bestFeasible),
      new LogFeasibility(posterior(2), limit),
    ]),
    qLogEI: new LogBatchImprovement(samples('qLogEI', 0, 0), best),
    qLogCEI: new LogBatchImprovement(samples('qLogCEI', 0, 0), bestFeasible, [
      { samples: samples('qLogCEI', 2, 1), limit },
    ]),
    logEHVI: new LogHypervolumeImprovement(
      [samples('logEHVI', 0, 0, 0), samples('logEHVI', 1, 0, 1)],
      [boxesOf(losses)],
    ),
    logCEHVI: new AcquisitionSum([
      new LogHypervolumeImprovement([samples('logCEHVI', 0, 0, 0), samples('logCEHVI', 1, 0, 1)], [boxesOf(feasible)]),
      new LogFeasibility(posterior(2), limit),
    ]),
    qLogEHVI: new LogHypervolumeImprovement(
      objectives,
      objectives[0].fantasies.map((_, s) => boxesOf(losses, fantasies(objectives, s))),
    ),
    qLogCEHVI: new LogHypervolumeImprovement(
      constrained,
      constraint.fantasies.map((kept, s) =>
        boxesOf(
          feasible,
          fantasies(constrained, s).filter((_, r) => (kept[r] ?? NaN) <= limit),
        ),
      ),
      [{ samples: constraint, limit }],
    ),
  };
}

describe.each(cases)('as Optuna computes it: $name', (fact) => {
  const acquisitions = acquisitionsOf(fact);

  it.each(Object.keys(fact.acquisitions))('%s and its gradient', (name) => {
    const recorded = fact.acquisitions[name];
    const acquisition = acquisitions[name];
    if (recorded === undefined || acquisition === undefined) throw new Error(name);
    for (const [i, point] of fact.at.entries()) {
      const gradient = new Float64Array(point.length);
      const value = recorded.values[i] ?? NaN;
      expect(Math.abs(acquisition.evaluate(array(point), gradient) - value)).toBeLessThan(1e-6 * (1 + Math.abs(value)));
      for (const [j, slope] of gradient.entries()) {
        const theirs = recorded.gradients[i]?.[j];
        if (fact.isCategorical[j] !== true && typeof theirs === 'number')
          expect(Math.abs(slope - theirs)).toBeLessThan(1e-4 * (1 + Math.abs(theirs)));
      }
      // Without a gradient the value is the same.
      expect(acquisition.evaluate(array(point))).toBe(
        acquisition.evaluate(array(point), new Float64Array(point.length)),
      );
    }
  });

  it('hyper-parameters and posteriors', () => {
    const columns = fact.isCategorical.map<Column>((is) =>
      is ? { kind: 'categorical', levels: 3 } : { kind: 'continuous' },
    );
    const rows = fact.points.map(array);
    for (const [m, theirs] of fact.processes.entries()) {
      const targets = array(first(fact.targets, m));
      const ours = fitWithGammaPrior(columns, rows, targets, { isDeterministic: fact.isDeterministic, precise: true });
      for (const [j, scale] of ours.inverseSquaredScales.entries())
        expect(Math.abs(Math.log(scale / first(theirs.inverseSquaredScales, j)))).toBeLessThan(0.01);
      expect(Math.abs(Math.log(ours.signalVariance / theirs.signalVariance))).toBeLessThan(0.01);
      expect(Math.abs(ours.noiseVariance - theirs.noiseVariance)).toBeLessThan(1e-4);
      const posterior = new ProcessPosterior(new GaussianProcess(columns, rows, targets, ours), columns, rows);
      for (const [i, point] of fact.at.entries()) {
        posterior.at(array(point));
        expect(posterior.mean).toBeCloseTo(first(theirs.means, i), 3);
        expect(posterior.variance).toBeCloseTo(first(theirs.variances, i), 3);
      }
    }
  });
});

describe('nonDominatedBoxes', () => {
  it('adds up to what a new point adds, with two to four objectives', () => {
    const random = createRandom(3);
    for (const objectives of [2, 3, 4]) {
      const draw = (): number[] => Array.from({ length: objectives }, () => random.uniform());
      const reference = new Array<number>(objectives).fill(1);
      for (let repeat = 0; repeat < 20; repeat++) {
        const losses = Array.from({ length: 8 }, draw);
        const point = draw();
        const boxes = nonDominatedBoxes(losses, reference);
        const added = boxes.reduce(
          (sum, { lower, upper }) =>
            sum + point.reduce((volume, y, m) => volume * Math.max(0, (upper[m] ?? 0) - Math.max(y, lower[m] ?? 0)), 1),
          0,
        );
        expect(added).toBeCloseTo(hypervolume([...losses, point], reference) - hypervolume(losses, reference), 10);
      }
    }
    expect(nonDominatedBoxes([], [1, 1])).toHaveLength(1);
  });
});

describe('searchAcquisition', () => {
  const columns: readonly Column[] = [
    { kind: 'continuous' },
    { kind: 'categorical', levels: 4 },
    evenColumn(5),
    evenColumn(101),
  ];
  const peak = [0.37, 2, 0.75, 0.41];
  const bowl: Acquisition = {
    evaluate: (point, gradient) => {
      if (gradient !== undefined) gradient[0] = (gradient[0] ?? 0) - 2 * ((point[0] ?? 0) - 0.37);
      return -point.reduce((sum, x, j) => sum + (j === 1 ? Number(x !== 2) : (x - (peak[j] ?? 0)) ** 2), 0);
    },
  };

  it('climbs to the top in mixed columns', () => {
    const options = { scales: [1, 1, 1, 1], starts: [], draws: 64, random: createRandom(1) };
    const found = searchAcquisition(bowl, { columns, ...options });
    expect(found[0]).toBeCloseTo(0.37, 3);
    expect([...found.slice(1)]).toEqual([2, 0.75, 0.41]);
  });

  it('leaves out what is excluded where nothing is continuous', () => {
    const discrete = columns.slice(1);
    const tail: Acquisition = { evaluate: (point) => bowl.evaluate(Float64Array.of(0.37, ...point)) };
    const options = { scales: [1, 1, 1], starts: [], draws: 64, excluded: new Set(['2,0.75,0.41']) };
    const found = searchAcquisition(tail, { columns: discrete, random: createRandom(1), ...options });
    expect([0.4, 0.42]).toContainEqual(found[2]);
    expect(found[0]).toBe(2);
  });
});
