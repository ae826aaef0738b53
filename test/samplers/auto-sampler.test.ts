import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TrialPruned } from '../../src/core/errors.js';
import type { ParamValue } from '../../src/core/distributions.js';
import { AutoSampler } from '../../src/samplers/auto-sampler.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import type { Sampler } from '../../src/samplers/sampler.js';
import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import { getHypervolume } from '../../src/study/best-trials.js';
import { createStudy } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';

type Objective = (trial: Trial) => number;

/** Every kind of parameter, one of them conditional. */
const mixed: Objective = (trial) => {
  const kind = trial.suggestCategorical('kind', ['a', 2, true, null]);
  const x = trial.suggestFloat('x', -5, 5);
  const rate = trial.suggestFloat('rate', 1e-5, 1e-1, { log: true });
  const share = trial.suggestFloat('share', 0, 1, { step: 0.25 });
  const n = trial.suggestInt('n', 1, 10);
  const width = trial.suggestInt('width', 16, 256, { step: 16 });
  const depth = trial.suggestInt('depth', 1, 1000, { log: true });
  let loss = (x - 1) ** 2 + (Math.log10(rate) + 3) ** 2 + (share - 0.5) ** 2 + (n - 4) ** 2 / 10;
  loss += (width / 64 - 2) ** 2 + (Math.log10(depth) - 1) ** 2 + (kind === true ? 0 : 1);
  if (kind === 2) loss += trial.suggestFloat('extra', 0, 1);
  return loss;
};

async function studyWith(sampler: Sampler, storage = new InMemoryStorage()): Promise<Study> {
  return createStudy({ storage, studyName: 's', sampler, loadIfExists: true, seed: 3 });
}

async function params(study: Study): Promise<Readonly<Record<string, ParamValue>>[]> {
  return (await study.trials()).map((trial) => trial.params);
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** Median over seeds of the best value after n trials. */
async function bestAfter(create: (seed: number) => Sampler, n: number, objective: Objective): Promise<number> {
  const best: number[] = [];
  for (let seed = 0; seed < 5; seed++) {
    const study = await createStudy({ sampler: create(seed) });
    await study.optimize(objective, { nTrials: n });
    best.push((await study.bestTrial()).values?.[0] ?? Infinity);
    await study.close();
  }
  return median(best);
}

describe('the auto sampler', () => {
  it('gives the same trials for the same seed, and goes on after a break as if there had been none', async () => {
    const whole = await studyWith(new AutoSampler());
    await whole.optimize(mixed, { nTrials: 24 });
    const storage = new InMemoryStorage();
    for (const nTrials of [3, 9, 12]) {
      const part = await studyWith(new AutoSampler(), storage);
      await part.optimize(mixed, { nTrials });
      if (nTrials === 12) expect(await params(part)).toEqual(await params(whole));
    }
    const other = await studyWith(new AutoSampler({ seed: 4 }));
    await other.optimize(mixed, { nTrials: 24 });
    expect(await params(other)).not.toEqual(await params(whole));
  });

  it('finds better parameters than random search, in a third of the trials', async () => {
    const ours = await bestAfter((seed) => new AutoSampler({ seed }), 30, mixed);
    expect(ours).toBeLessThan(await bestAfter((seed) => new RandomSampler({ seed }), 90, mixed));
  });

  it('draws nothing twice from a finite space, until it is used up', async () => {
    const study = await studyWith(new AutoSampler());
    const seen = new Set<string>();
    await study.optimize(
      (trial) => {
        const i = trial.suggestInt('i', 0, 4);
        const c = trial.suggestCategorical('c', ['x', 'y', 'z']);
        seen.add(`${i} ${c}`);
        return i + (c === 'y' ? 0 : 1);
      },
      { nTrials: 16 },
    );
    expect(seen.size).toBe(15);
    expect((await study.bestTrial()).params).toEqual({ i: 0, c: 'y' });
  });

  it('serves trials that run at the same time with different points', async () => {
    const study = await studyWith(new AutoSampler());
    await study.optimize(mixed, { nTrials: 10 });
    const asked = [];
    for (let i = 0; i < 6; i++) {
      const trial = await study.ask();
      mixed(trial);
      asked.push(trial);
    }
    expect(new Set(asked.map((trial) => JSON.stringify(trial.params))).size).toBe(6);
    for (const trial of asked) await study.tell(trial, 1);
  });

  it('spreads several objectives along their front', async () => {
    const study = await createStudy({ sampler: new AutoSampler({ seed: 1 }), directions: ['minimize', 'maximize'] });
    for (let i = 0; i < 40; i++) {
      const trial = await study.ask();
      const [x, y] = [trial.suggestFloat('x', 0, 1), trial.suggestFloat('y', 0, 1)];
      await study.tell(trial, [x + y, -((1 - x) ** 2) - y]);
    }
    const front = (await study.bestTrials()).map((trial) => Number(trial.params['x']));
    expect(front.length).toBeGreaterThan(5);
    expect(Math.max(...front) - Math.min(...front)).toBeGreaterThan(0.6);
  });

  it('learns from pruned trials as soon as one was completed', async () => {
    const study = await createStudy({ sampler: new AutoSampler({ seed: 1 }) });
    const late: number[] = [];
    for (let i = 0; i < 25; i++) {
      const trial = await study.ask();
      const loss = (trial.suggestFloat('x', 0, 1) - 0.73) ** 2 + (trial.suggestFloat('y', 0, 1) - 0.21) ** 2;
      await trial.report(1 + loss, 1);
      if (i === 0) await study.tell(trial, 0.5 + loss);
      else await study.tell(trial, undefined, { state: 'PRUNED' });
      if (i >= 10) late.push(loss);
    }
    await study.close();
    // Points drawn evenly have 0.25 in the median.
    expect(median(late)).toBeLessThan(0.1);
  });

  it('covers more of the hypervolume than random search, with three objectives and conditions', async () => {
    const volumes: Record<string, number> = {};
    for (const sampler of [new AutoSampler({ seed: 1 }), new RandomSampler({ seed: 1 })]) {
      const study = await createStudy({ sampler, directions: ['minimize', 'minimize', 'maximize'] });
      for (let i = 0; i < 45; i++) {
        const trial = await study.ask();
        const n = trial.suggestInt('n', 0, 20);
        let far = (n / 20 - 0.4) ** 2;
        if (trial.suggestCategorical('kind', ['a', 'b']) === 'a') far += (trial.suggestFloat('x', 0, 1) - 0.3) ** 2;
        else far += 0.2 + (trial.suggestFloat('y', 0, 1) - 0.6) ** 2;
        const [p, q] = [trial.suggestFloat('p', 0, 1), trial.suggestFloat('q', 0, 1)];
        await study.tell(trial, [far + p, far + q, -far - (1 - p) * (1 - q)]);
      }
      volumes[sampler.name] = await getHypervolume(study, [1.5, 1.5, -1.5]);
      await study.close();
    }
    const [auto, random] = [volumes['auto'] as number, volumes['random'] as number];
    expect(auto).toBeGreaterThan(1.4 * random);
  });

  it.each<[string, (x: number) => [number, number]]>([
    ['agree', (x) => [x, 2 * x]],
    ['are in part always the same', (x) => [x, 1]],
    ['are in part infinite', (x) => [x, x > 0.5 ? Infinity : -x]],
  ])('goes on where objectives %s', async (_, of) => {
    const study = await createStudy({ sampler: new AutoSampler({ seed: 1 }), directions: ['minimize', 'minimize'] });
    for (let i = 0; i < 30; i++) {
      const trial = await study.ask();
      await study.tell(trial, of((trial.suggestFloat('x', -1, 1) - 0.2) ** 2 + trial.suggestFloat('y', 0, 1)));
    }
    expect(Math.min(...(await study.trials()).map(({ values }) => values?.[0] ?? NaN))).toBeLessThan(0.02);
  });

  it('learns where constraints are kept', async () => {
    const study = await createStudy({ sampler: new AutoSampler({ seed: 1 }) });
    let kept = 0;
    for (let i = 0; i < 40; i++) {
      const trial = await study.ask();
      const [x, y] = [trial.suggestFloat('x', 0, 1), trial.suggestFloat('y', 0, 1)];
      // The best without it lies at 0, 0.
      trial.setSystemAttr('constraints', [0.8 - x - y]);
      await study.tell(trial, x + 2 * y);
      if (i >= 20 && x + y >= 0.8) kept++;
    }
    expect(kept).toBeGreaterThan(12);
    const feasible = (await study.trials()).filter((t) => Number(t.params['x']) + Number(t.params['y']) >= 0.8);
    expect(Math.min(...feasible.map((t) => t.values?.[0] ?? Infinity))).toBeLessThan(0.87);
  });

  it.each<[string, (trial: Trial, i: number) => number]>([
    ['all values are equal', () => 1],
    ['all fail', () => NaN],
    ['values are infinite', (_, i) => (i % 2 === 0 ? Infinity : -Infinity)],
    [
      'all are pruned',
      () => {
        throw new TrialPruned();
      },
    ],
    ['there is one value only', (trial) => trial.suggestInt('one', 3, 3)],
    [
      'the space changes',
      (trial, i) =>
        trial.suggestFloat('x', i < 15 ? 0 : 0.5, i < 15 ? 1 : 2) + trial.suggestInt('n', 0, i < 10 ? 3 : 9),
    ],
  ])('works where %s', async (_, objective) => {
    const study = await studyWith(new AutoSampler());
    let i = 0;
    await study.optimize(
      (trial) => {
        trial.suggestFloat('always', 0, 1);
        return objective(trial, i++);
      },
      { nTrials: 25 },
    );
    expect((await study.trials()).filter((trial) => trial.params['always'] !== undefined)).toHaveLength(25);
  });

  it('stays within every range and on every step', async () => {
    const range = fc
      .record({
        kind: fc.constantFrom('float', 'log', 'step', 'int', 'intStep', 'intLog', 'choice'),
        low: fc.integer({ min: 1, max: 50 }),
        span: fc.integer({ min: 0, max: 60 }),
        step: fc.integer({ min: 1, max: 7 }),
      })
      .map(({ kind, low, span, step }) => ({ kind, low, step, high: low + span }));
    await fc.assert(
      fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 4 }), fc.integer(), async (ranges, seed) => {
        const study = await createStudy({ sampler: new AutoSampler({ seed: seed >>> 0 }) });
        await study.optimize(
          (trial) => {
            let sum = 0;
            for (const [j, { kind, low, high, step }] of ranges.entries()) {
              const name = `p${j}`;
              if (kind === 'choice') {
                sum += trial.suggestCategorical(name, [low, high + 1]);
                continue;
              }
              const isFloat = kind === 'float' || kind === 'log' || kind === 'step';
              const log = kind === 'log' || kind === 'intLog';
              const hasStep = kind === 'step' || kind === 'intStep';
              const options = { log, ...(hasStep ? { step } : {}) };
              const value = isFloat
                ? trial.suggestFloat(name, low, high, options)
                : trial.suggestInt(name, low, high, options);
              expect(value).toBeGreaterThanOrEqual(low);
              expect(value).toBeLessThanOrEqual(high);
              if (!isFloat) expect(Number.isInteger(value)).toBe(true);
              if (hasStep) expect((value - low) % step).toBe(0);
              sum += value;
            }
            return sum;
          },
          { nTrials: 12 },
        );
        expect((await study.trials()).every((trial) => trial.state === 'COMPLETE')).toBe(true);
      }),
      { numRuns: 15 },
    );
  });
});
