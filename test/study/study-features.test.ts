import { describe, expect, it } from 'vitest';

import { FloatDistribution } from '../../src/core/distributions.js';
import { UsageError } from '../../src/core/errors.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { getHypervolume } from '../../src/study/best-trials.js';
import { BudgetCallback } from '../../src/study/callbacks.js';
import { createStudy } from '../../src/study/create-study.js';
import { createTrial } from '../../src/study/create-trial.js';
import { FixedTrial } from '../../src/study/fixed-trial.js';

const x = new FloatDistribution(0, 1);

describe('FixedTrial', () => {
  it('calls an objective with given parameters', async () => {
    const trial = new FixedTrial({ x: 1, n: 4, c: 'b', unused: 0 });
    expect(trial.suggestFloat('x', 0, 2) + trial.suggestInt('n', 1, 8)).toBe(5);
    expect(trial.suggestCategorical('c', ['a', 'b'])).toBe('b');
    await trial.report(1, 0);
    expect(await trial.shouldPrune()).toBe(false);
    trial.setUserAttr('k', 1);
    trial.setConstraint('c', -1);
    expect(trial).toMatchObject({
      number: 0,
      params: { x: 1, n: 4, c: 'b' },
      userAttrs: { k: 1 },
      constraints: { c: -1 },
    });
  });

  it('names what is missing, refuses what does not fit', () => {
    const trial = new FixedTrial({ learning_rate: 1, c: 'z' });
    expect(() => trial.suggestFloat('learning_rat', 0, 1)).toThrow(/"learning_rat"/);
    expect(() => trial.suggestCategorical('c', ['a', 'b'])).toThrow(UsageError);
    trial.suggestFloat('learning_rate', 0, 1);
    expect(() => trial.suggestInt('learning_rate', 0, 1)).toThrow(/cannot become/);
  });
});

describe('trialsTable', () => {
  it('has the columns of trials_dataframe', async () => {
    const study = await createStudy({ sampler: new RandomSampler({ seed: 1 }) });
    await study.addTrials([
      createTrial({ params: { b: 0.5, a: 0.25 }, distributions: { b: x, a: x }, value: 2, userAttrs: { note: 'n' } }),
      createTrial({ state: 'FAIL', params: { b: 0.5 }, distributions: { b: x } }),
    ]);
    const rows = await study.trialsTable();
    expect(Object.keys(rows[0] ?? {})).toEqual([
      'number',
      'value',
      'datetime_start',
      'datetime_complete',
      'duration',
      'params_a',
      'params_b',
      'user_attrs_note',
      'state',
    ]);
    expect(rows[0]).toMatchObject({ number: 0, value: 2, params_a: 0.25, user_attrs_note: 'n', state: 'COMPLETE' });
    expect(rows[1]).toMatchObject({ number: 1, value: undefined, params_a: undefined, params_b: 0.5, state: 'FAIL' });
    expect(await study.trialsTable({ attrs: ['state', 'number'] })).toEqual([
      { state: 'COMPLETE', number: 0 },
      { state: 'FAIL', number: 1 },
    ]);
  });

  it('names objectives', async () => {
    const study = await createStudy({ directions: ['minimize', 'maximize'] });
    await study.addTrial(createTrial({ values: [1, 2] }));
    expect(await study.trialsTable({ attrs: ['value'] })).toEqual([{ values_0: 1, values_1: 2 }]);
    await study.setMetricNames(['loss', 'accuracy']);
    expect(await study.trialsTable({ attrs: ['value'] })).toEqual([{ values_loss: 1, values_accuracy: 2 }]);
  });
});

describe('hypervolume', () => {
  it('counts feasible trials up to the reference, each objective in its direction', async () => {
    const study = await createStudy({ directions: ['minimize', 'maximize'] });
    await study.addTrials([
      createTrial({ values: [1, 2] }),
      createTrial({ values: [2, 3] }),
      createTrial({ values: [0, 9], constraints: { c: 1 } }),
    ]);
    expect(await getHypervolume(study, [3, 0])).toBe(2 * 2 + 1 * 1);
    await expect(getHypervolume(study, [3])).rejects.toThrow(/2 numbers/);
  });
});

describe('BudgetCallback', () => {
  it('ends a study whose trials have used up their time or money', async () => {
    const hour = (start: number) =>
      createTrial({ value: 1, datetimeStart: new Date(start), datetimeComplete: new Date(start + 3_600_000) });
    const run = async (callback: BudgetCallback): Promise<number> => {
      const study = await createStudy({ sampler: new RandomSampler({ seed: 1 }) });
      await study.addTrials([hour(0), hour(0)]);
      await study.optimize(() => 1, { nTrials: 3, callbacks: [callback] });
      return (await study.trials()).length;
    };
    expect(await run(new BudgetCallback({ timeMs: 2 * 3_600_000 }))).toBe(3);
    expect(await run(new BudgetCallback({ timeMs: 3 * 3_600_000 }))).toBe(5);
    expect(await run(new BudgetCallback({ cost: { perHour: 0.5, max: 1 } }))).toBe(3);
    expect(await run(new BudgetCallback({ cost: { perHour: 0.5, max: 2 } }))).toBe(5);
    expect(() => new BudgetCallback({})).toThrow(UsageError);
    expect(() => new BudgetCallback({ timeMs: 0 })).toThrow(/timeMs/);
  });
});
