import { afterEach, describe, expect, it } from 'vitest';

import { FloatDistribution, IntDistribution } from '../../src/core/distributions.js';
import { TrialPruned, UpdateFinishedTrialError, UsageError } from '../../src/core/errors.js';
import type { Pruner } from '../../src/pruners/pruner.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { createStudy } from '../../src/study/create-study.js';
import { createTrial } from '../../src/study/create-trial.js';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';

const open: Study[] = [];
async function makeStudy(options: Parameters<typeof createStudy>[0] = {}): Promise<Study> {
  const study = await createStudy({ sampler: new RandomSampler({ seed: 1 }), ...options });
  open.push(study);
  return study;
}

afterEach(async () => {
  for (const study of open.splice(0)) await study.close();
});

const quadratic = (trial: Trial): number => trial.suggestFloat('x', -5, 5) ** 2;

describe('optimize', () => {
  it('runs the number of trials asked for and finds the best', async () => {
    const study = await makeStudy();
    await study.optimize(quadratic, { nTrials: 20 });
    const trials = await study.trials();
    expect(trials.map((trial) => trial.number)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    const best = await study.bestTrial();
    expect(best.value).toBe(Math.min(...trials.map((trial) => trial.value ?? Infinity)));
    expect(await study.bestValue()).toBe(best.value);
    expect((await study.bestParams())['x']).toBe(best.params['x']);
  });

  it('adds to the trials there when called again', async () => {
    const study = await makeStudy();
    await study.optimize(quadratic, { nTrials: 3 });
    await study.optimize(quadratic, { nTrials: 2 });
    expect(await study.trials()).toHaveLength(5);
  });

  it('stops at its time-out, at stop() and at an abort', async () => {
    const study = await makeStudy();
    await study.optimize(() => new Promise((resolve) => setTimeout(resolve, 20, 1)), { timeout: 0.1 });
    const byTime = (await study.trials()).length;
    expect(byTime).toBeGreaterThan(1);
    expect(byTime).toBeLessThan(15);
    await study.optimize(quadratic, {
      callbacks: [
        (_, trial) => {
          if (trial.number === byTime + 2) study.stop();
        },
      ],
    });
    expect(await study.trials()).toHaveLength(byTime + 3);
    const controller = new AbortController();
    await study.optimize(
      (trial) => {
        controller.abort();
        return quadratic(trial);
      },
      { signal: controller.signal },
    );
    expect(await study.trials()).toHaveLength(byTime + 4);
  });

  it('runs several objectives at once with nJobs, each number once', async () => {
    const study = await makeStudy();
    let running = 0;
    let most = 0;
    await study.optimize(
      async (trial) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running--;
        return quadratic(trial);
      },
      { nTrials: 20, nJobs: 4 },
    );
    expect(most).toBe(4);
    expect((await study.trials()).map((trial) => trial.state)).toEqual(Array.from({ length: 20 }, () => 'COMPLETE'));
  });

  it('fails the trial and throws what the objective threw, unless catch covers it', async () => {
    const study = await makeStudy();
    const bad = (): number => {
      throw new TypeError('no such layer');
    };
    await expect(study.optimize(bad, { nTrials: 3 })).rejects.toThrow('no such layer');
    expect((await study.trials()).map((trial) => trial.state)).toEqual(['FAIL']);
    await study.optimize(bad, { nTrials: 2, catch: [TypeError] });
    await study.optimize(bad, { nTrials: 1, catch: true });
    await expect(study.optimize(bad, { nTrials: 1, catch: [RangeError] })).rejects.toThrow(TypeError);
    const trials = await study.trials();
    expect(trials).toHaveLength(5);
    expect(trials[0]?.systemAttrs['resweep:failure']).toMatchObject({ message: 'no such layer', type: 'TypeError' });
  });

  it('fails a trial for NaN, a wrong number of values and what is no number, and keeps infinities', async () => {
    const study = await makeStudy();
    const results = [NaN, [1, 2], 'x', undefined, Infinity, -Infinity];
    await study.optimize((trial) => results[trial.number] as never, { nTrials: results.length });
    expect((await study.trials()).map((trial) => [trial.state, trial.values?.[0]])).toEqual([
      ['FAIL', undefined],
      ['FAIL', undefined],
      ['FAIL', undefined],
      ['FAIL', undefined],
      ['COMPLETE', Infinity],
      ['COMPLETE', -Infinity],
    ]);
    expect((await study.bestTrial()).number).toBe(5);
  });

  it('cannot be called from within an objective', async () => {
    const study = await makeStudy();
    await expect(
      study.optimize(
        async () => {
          await study.optimize(quadratic, { nTrials: 1 });
          return 1;
        },
        { nTrials: 1 },
      ),
    ).rejects.toThrow(UsageError);
  });

  it.each([{ nTrials: -1 }, { timeout: -1 }, { nJobs: 0 }, { nJobs: 1.5 }])('refuses %j', async (options) => {
    const study = await makeStudy();
    await expect(study.optimize(quadratic, options)).rejects.toThrow(UsageError);
    expect(await study.trials()).toHaveLength(0);
  });
});

describe('ask and tell', () => {
  it('tells by trial and by number', async () => {
    const study = await makeStudy();
    const first = await study.ask({ x: new FloatDistribution(0, 1), n: new IntDistribution(1, 3) });
    expect(Object.keys(first.params)).toEqual(['x', 'n']);
    await study.tell(first, 0.5);
    const second = await study.ask();
    await study.tell(second.number, 0.25);
    expect((await study.trials()).map((trial) => trial.value)).toEqual([0.5, 0.25]);
  });

  it('refuses a second tell, an unknown number and values with PRUNED or FAIL', async () => {
    const study = await makeStudy();
    const trial = await study.ask();
    await study.tell(trial, 1);
    await expect(study.tell(trial.number, 2)).rejects.toThrow(UpdateFinishedTrialError);
    await expect(study.tell(trial, 2)).rejects.toThrow(UpdateFinishedTrialError);
    expect((await study.tell(trial.number, 2, { skipIfFinished: true })).value).toBe(1);
    await expect(study.tell(99, 1)).rejects.toThrow(UsageError);
    const other = await study.ask();
    await expect(study.tell(other, 1, { state: 'PRUNED' })).rejects.toThrow(UsageError);
    await expect(study.tell(other, NaN, { state: 'COMPLETE' })).rejects.toThrow(UsageError);
    expect((await study.tell(other, undefined, { state: 'FAIL' })).state).toBe('FAIL');
  });

  it('gives a pruned trial its last report as value', async () => {
    const study = await makeStudy();
    const trial = await study.ask();
    await trial.report(3, 0);
    await trial.report(2, 1);
    const told = await study.tell(trial, undefined, { state: 'PRUNED' });
    expect(told.values).toEqual([2]);
    expect(told.intermediateValues).toEqual({ 0: 3, 1: 2 });
    const silent = await study.ask();
    expect((await study.tell(silent, undefined, { state: 'PRUNED' })).values).toBeUndefined();
  });

  it('ends as PRUNED what throws TrialPruned', async () => {
    const study = await makeStudy();
    await study.optimize(
      async (trial) => {
        await trial.report(1, 0);
        throw new TrialPruned();
      },
      { nTrials: 1 },
    );
    expect((await study.trials())[0]?.state).toBe('PRUNED');
  });

  it('asks the pruner after each report', async () => {
    const seen: number[] = [];
    const pruner: Pruner = {
      name: 'test',
      prune: (_, trial) => {
        seen.push(trial.lastStep ?? -1);
        return trial.lastStep === 2;
      },
    };
    const study = await makeStudy({ pruner });
    await study.optimize(
      async (trial) => {
        for (let step = 0; step < 5; step++) {
          await trial.report(step, step);
          if (await trial.shouldPrune()) throw new TrialPruned();
        }
        return 1;
      },
      { nTrials: 1 },
    );
    expect(seen).toEqual([0, 1, 2]);
  });

  it('keeps the first value of a step and refuses a bad step', async () => {
    const study = await makeStudy();
    const trial = await study.ask();
    await trial.report(1, 0);
    await trial.report(2, 0);
    expect(trial.frozen.intermediateValues).toEqual({ 0: 1 });
    await expect(trial.report(1, -1)).rejects.toThrow(UsageError);
    await expect(trial.report(1, 0.5)).rejects.toThrow(UsageError);
    await trial.report(NaN, 1);
    expect((await study.tell(trial, 1)).intermediateValues[1]).toBeNaN();
  });
});

describe('parameters', () => {
  it('gives the same value to the same name, and refuses another kind', async () => {
    const study = await makeStudy();
    const trial = await study.ask();
    const x = trial.suggestFloat('x', 0, 1);
    expect(trial.suggestFloat('x', 0, 1)).toBe(x);
    expect(() => trial.suggestInt('x', 0, 1)).toThrow(UsageError);
    await study.tell(trial, 1);
    const next = await study.ask();
    expect(() => next.suggestFloat('x', 0.1, 1, { log: true })).toThrow(UsageError);
    expect(next.suggestFloat('x', 5, 6)).toBeGreaterThanOrEqual(5);
    next.suggestCategorical('c', ['a', 1, true, null]);
    await study.tell(next, 1);
    const last = await study.ask();
    expect(() => last.suggestCategorical('c', ['a', 1])).toThrow(/choices/);
    await study.tell(last, 1);
  });

  it('takes enqueued parameters first, the rest by the sampler', async () => {
    const study = await makeStudy();
    await study.enqueueTrial({ x: 0.5 }, { userAttrs: { memo: 'mine' } });
    await study.enqueueTrial({ x: 0.5 }, { skipIfExists: true });
    expect(await study.trials({ states: ['WAITING'] })).toHaveLength(1);
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1) + trial.suggestInt('n', 1, 3), { nTrials: 2 });
    const [first, second] = await study.trials();
    expect(first?.params['x']).toBe(0.5);
    expect(first?.userAttrs['memo']).toBe('mine');
    expect(second?.params['x']).not.toBe(0.5);
  });

  it('keeps user attributes and constraints', async () => {
    const study = await makeStudy();
    await study.setUserAttr('owner', { name: 'me', parts: [1, null] });
    expect(study.userAttrs['owner']).toEqual({ name: 'me', parts: [1, null] });
    await study.optimize(
      (trial) => {
        const x = trial.suggestFloat('x', 0, 1);
        trial.setUserAttr('twice', 2 * x);
        trial.setConstraint('size', x - 0.5);
        return x;
      },
      { nTrials: 30 },
    );
    const best = await study.bestTrial();
    expect(best.constraints?.['size']).toBeLessThanOrEqual(0);
    expect(best.userAttrs['twice']).toBe(2 * Number(best.params['x']));
    const maximising = await makeStudy({ direction: 'maximize' });
    await maximising.optimize(
      (trial) => {
        const x = trial.suggestFloat('x', 0, 1);
        trial.setConstraint('size', x - 0.5);
        return x;
      },
      { nTrials: 30 },
    );
    expect(await maximising.bestValue()).toBeLessThanOrEqual(0.5);
  });

  it('gives the same trials for the same seed, and others for another', async () => {
    const run = async (seed: number): Promise<unknown[]> => {
      const study = await makeStudy({ sampler: new RandomSampler({ seed }) });
      await study.optimize(quadratic, { nTrials: 5 });
      return (await study.trials()).map((trial) => trial.params['x']);
    };
    expect(await run(3)).toEqual(await run(3));
    expect(await run(3)).not.toEqual(await run(4));
  });
});

describe('several objectives', () => {
  it('keeps all values and finds the Pareto front', async () => {
    const study = await makeStudy({ directions: ['minimize', 'maximize'] });
    const values = [
      [1, 1],
      [2, 2],
      [0, 0],
      [2, 1],
      [1, 1],
    ] as const;
    await study.optimize((trial) => values[trial.number], { nTrials: 5 });
    expect((await study.bestTrials()).map((trial) => trial.number)).toEqual([0, 1, 2, 4]);
    await expect(study.bestTrial()).rejects.toThrow(/bestTrials/);
    expect(() => study.direction).toThrow(UsageError);
    await study.setMetricNames(['loss', 'accuracy']);
    expect(study.metricNames).toEqual(['loss', 'accuracy']);
    await expect(study.setMetricNames(['loss'])).rejects.toThrow(UsageError);
  });

  it('has no pruning, as Optuna', async () => {
    const study = await makeStudy({ directions: ['minimize', 'minimize'] });
    const trial = await study.ask();
    await expect(trial.report(1, 0)).rejects.toThrow(UsageError);
    await expect(trial.shouldPrune()).rejects.toThrow(UsageError);
    await study.tell(trial, [1, 2]);
  });
});

describe('creation', () => {
  it('refuses impossible directions', async () => {
    await expect(createStudy({ direction: 'minimise' as never })).rejects.toThrow(/minimize/);
    await expect(createStudy({ directions: [] })).rejects.toThrow(UsageError);
    await expect(createStudy({ direction: 'minimize', directions: ['minimize'] })).rejects.toThrow(UsageError);
  });

  it('adds finished trials as they are', async () => {
    const study = await makeStudy();
    await study.addTrial(
      createTrial({
        params: { x: 0.5 },
        distributions: { x: new FloatDistribution(0, 1) },
        value: 0.25,
        userAttrs: { u: 1 },
      }),
    );
    expect((await study.bestTrial()).params).toEqual({ x: 0.5 });
    expect(() =>
      createTrial({ params: { x: 2 }, distributions: { x: new FloatDistribution(0, 1) }, value: 1 }),
    ).toThrow(UsageError);
    expect(() => createTrial({ state: 'COMPLETE' })).toThrow(UsageError);
    await expect(study.addTrial(createTrial({ values: [1, 2] }))).rejects.toThrow(UsageError);
  });
});
