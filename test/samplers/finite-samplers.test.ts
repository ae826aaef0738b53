import { describe, expect, it } from 'vitest';

import type { DeclaredSpace } from '../../src/core/declared-space.js';
import {
  CategoricalDistribution,
  FloatDistribution,
  IntDistribution,
  type ParamValue,
} from '../../src/core/distributions.js';
import { UsageError } from '../../src/core/errors.js';
import { BruteForceSampler } from '../../src/samplers/brute-force-sampler.js';
import { productGrid, type GridSearchSpace } from '../../src/samplers/grid-points.js';
import { GridSampler } from '../../src/samplers/grid-sampler.js';
import type { Sampler } from '../../src/samplers/sampler.js';
import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import { createStudy } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';
import { samplerFacts } from '../support/sampler-facts.js';

interface Facts {
  readonly grids: readonly { space: GridSearchSpace; seed: number; points: readonly (readonly ParamValue[])[] }[];
}

const grid = { c: ['a', 'b', null], x: [1, 2, 3, 4] };
const onGrid = (trial: Trial): number => {
  trial.suggestCategorical('c', grid.c);
  return trial.suggestInt('x', 1, 4);
};
/** 2 + 2·3 + 1 = 9 ends. */
const tree = (trial: Trial): number => {
  const kind = trial.suggestCategorical('kind', ['flat', 'deep', 'none']);
  if (kind === 'flat') return trial.suggestFloat('x', 0, 0.5, { step: 0.5 });
  if (kind === 'none') return 7;
  return trial.suggestInt('n', 1, 2) + trial.suggestInt('m', 0, 4, { step: 2 });
};
const ENDS = 9;

const declaredSpace: DeclaredSpace = {
  parameters: [
    { name: 'kind', distribution: new CategoricalDistribution(['flat', 'deep']), conditions: [] },
    { name: 'n', distribution: new IntDistribution(1, 4), conditions: [{ parameter: 'kind', oneOf: ['deep'] }] },
    { name: 'x', distribution: new FloatDistribution(0, 1, { step: 0.25 }), conditions: [] },
  ],
  constants: {},
  isFeasible: ({ n, x }) => Number(n ?? 0) * Number(x) < 2,
};
/** 5 flat; deep: 5 + 5 + 3 + 2 … of 4 × 5. */
const DECLARED = 5 + [1, 2, 3, 4].reduce((sum, n) => sum + [0, 0.25, 0.5, 0.75, 1].filter((x) => n * x < 2).length, 0);

const open = (sampler: Sampler, storage = new InMemoryStorage(), space?: DeclaredSpace): Promise<Study> =>
  createStudy({ storage, studyName: 's', sampler, seed: 5, loadIfExists: true, declaredSpace: space });
const keysOf = async (study: Study): Promise<string[]> =>
  (await study.trials()).filter((trial) => !trial.isSuperseded).map((trial) => JSON.stringify(trial.params));

describe('the grid sampler', () => {
  it.each((samplerFacts() as unknown as Facts).grids)(
    'tries the points in the order of Optuna (seed $seed)',
    ({ space, seed, points }) => {
      const ours = productGrid(space, seed);
      expect(Array.from({ length: ours.size }, (_, id) => ours.names.map((name) => ours.at(id)[name]))).toEqual(points);
    },
  );

  it.each([
    ['grid', () => new GridSampler({ searchSpace: grid }), onGrid, 12],
    ['brute force', () => new BruteForceSampler(), tree, ENDS],
    ['brute force to the last', () => new BruteForceSampler({ avoidPrematureStop: true }), tree, ENDS],
  ] as const)(
    '%s: tries each point once and stops; then there is nothing left',
    async (_name, create, objective, size) => {
      const study = await open(create());
      await study.optimize(objective, { nTrials: 100 });
      const keys = await keysOf(study);
      expect(keys).toHaveLength(size);
      expect(new Set(keys).size).toBe(size);
      await study.optimize(objective, { nTrials: 100 });
      expect(await keysOf(study)).toHaveLength(size);
    },
  );

  it.each([
    ['grid', () => new GridSampler({ searchSpace: grid }), onGrid, 12],
    ['brute force', () => new BruteForceSampler(), tree, ENDS],
  ] as const)('%s: several workers share the points', async (_name, create, objective, size) => {
    const study = await open(create());
    await study.optimize(
      async (trial) => {
        const value = objective(trial);
        await new Promise((resolve) => setTimeout(resolve, (trial.number * 7) % 5));
        return value;
      },
      { nTrials: 100, nJobs: 3 },
    );
    const keys = await keysOf(study);
    expect(new Set(keys).size).toBe(size);
    expect(keys).toHaveLength(size);
  });

  it.each([
    ['grid', () => new GridSampler({ searchSpace: grid }), onGrid, 12],
    ['brute force', () => new BruteForceSampler(), tree, ENDS],
  ] as const)(
    '%s: an interruption loses no point, a failure counts as tried',
    async (_name, create, objective, size) => {
      const storage = new InMemoryStorage();
      for (let run = 0; run < 20; run++) {
        const study = await open(create(), storage);
        if (await study.isExhausted()) break;
        const failing = await study.ask();
        objective(failing);
        await study.tell(failing, undefined, { state: 'FAIL' });
        if (await study.isExhausted()) break;
        const trial = await study.ask();
        objective(trial);
        await trial.flush();
        await study.interruptTrials([{ trialId: trial.trialId, reason: 'gone' }]);
      }
      const study = await open(create(), storage);
      await study.optimize(objective, { nTrials: 100 });
      const keys = await keysOf(study);
      expect(keys).toHaveLength(size);
      expect(new Set(keys).size).toBe(size);
    },
  );

  it.each([
    ['grid', () => new GridSampler()],
    ['brute force', () => new BruteForceSampler()],
  ] as const)('%s: goes through a declared space by its conditions and rules', async (_name, create) => {
    const study = await open(create(), new InMemoryStorage(), declaredSpace);
    for (let i = 0; i < 100 && !(await study.isExhausted()); i++) {
      const trial = await study.askDeclared();
      if (trial !== undefined) await study.tell(trial, i);
    }
    const keys = await keysOf(study);
    expect(keys).toHaveLength(DECLARED);
    expect(new Set(keys).size).toBe(DECLARED);
  });

  it('leaves out what breaks the rules of a declared space, where its values are listed', async () => {
    const searchSpace = { kind: ['deep'], n: [1, 2, 3, 4], x: [0.5, 1] };
    const study = await open(new GridSampler({ searchSpace }), new InMemoryStorage(), declaredSpace);
    for (let i = 0; i < 50 && !(await study.isExhausted()); i++) {
      const trial = await study.askDeclared();
      if (trial !== undefined) await study.tell(trial, i);
    }
    expect(new Set(await keysOf(study)).size).toBe(4);
    expect(await keysOf(study)).toHaveLength(4);
  });

  it('names what is wrong', async () => {
    expect(() => new GridSampler({ searchSpace: { x: [] } })).toThrow(/"x" has no values/);
    const misspelt = await (await open(new GridSampler({ searchSpace: { width: [1] } }))).ask();
    expect(() => misspelt.suggestInt('widht', 1, 2)).toThrow(/"widht" is not in the grid/);
    const study = await open(new GridSampler({ searchSpace: { x: [1], y: [1] } }));
    await study.enqueueTrial({ x: 1 });
    const enqueued = await study.ask();
    enqueued.suggestInt('x', 1, 2);
    expect(() => enqueued.suggestInt('y', 1, 2)).toThrow(/must fix every parameter, but "y"/);
    const endless = await (await open(new BruteForceSampler())).ask();
    expect(() => endless.suggestFloat('x', 0, 1)).toThrow(UsageError);
    const changing = await open(new BruteForceSampler());
    const first = await changing.ask();
    first.suggestInt('a', 0, 2);
    await changing.tell(first, 1);
    const second = await changing.ask();
    expect(() => second.suggestInt('b', 0, 2)).toThrow(/earlier trial asked for "a"/);
  });
});
