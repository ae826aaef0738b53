import { describe, expect, it, vi } from 'vitest';

import { CategoricalDistribution, FloatDistribution, IntDistribution } from '../../src/core/distributions.js';
import type { DeclaredSpace } from '../../src/core/declared-space.js';
import { UsageError } from '../../src/core/errors.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { TPESampler } from '../../src/samplers/tpe-sampler.js';
import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import { copyStudy, createStudy, deleteStudy, getAllStudySummaries, loadStudy } from '../../src/study/create-study.js';
import { createTrial } from '../../src/study/create-trial.js';
import type { Study } from '../../src/study/study.js';

const makeStudy = (options: Parameters<typeof createStudy>[0] = {}): Promise<Study> =>
  createStudy({ sampler: new RandomSampler({ seed: 1 }), ...options });

/** What `process.emitWarning` was told while `run` ran. */
async function warningsOf(run: () => unknown): Promise<string[]> {
  const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  try {
    await run();
    return emit.mock.calls.map(([message]) => String(message));
  } finally {
    emit.mockRestore();
  }
}

describe('a search space that changes between trials', () => {
  it('takes a changed range; TPE then draws inside the new one', async () => {
    const study = await makeStudy({ sampler: new TPESampler({ seed: 1, nStartupTrials: 5 }) });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 10 });
    await study.optimize(
      (trial) => {
        const x = trial.suggestFloat('x', 5, 6);
        expect(x).toBeGreaterThanOrEqual(5);
        expect(x).toBeLessThanOrEqual(6);
        return x;
      },
      { nTrials: 10 },
    );
    expect(await study.trials({ states: ['COMPLETE'] })).toHaveLength(20);
  });

  it('refuses another kind, another log and other choices, in added trials too', async () => {
    const study = await makeStudy();
    const add = (distribution: FloatDistribution | IntDistribution | CategoricalDistribution, value: number | string) =>
      study.addTrial(createTrial({ params: { x: value }, distributions: { x: distribution }, value: 1 }));
    await add(new FloatDistribution(1, 2), 1.5);
    await add(new FloatDistribution(0, 9), 8);
    await expect(add(new FloatDistribution(1, 2, { log: true }), 1.5)).rejects.toThrow(/cannot become/);
    await expect(add(new IntDistribution(1, 2), 1)).rejects.toThrow(/cannot become/);
    await expect(add(new CategoricalDistribution(['a']), 'a')).rejects.toThrow(/cannot become/);
    expect(await study.trials()).toHaveLength(2);
    const other = await makeStudy();
    await expect(
      other.addTrials([
        createTrial({ params: { x: 1 }, distributions: { x: new IntDistribution(0, 1) }, value: 1 }),
        createTrial({ params: { x: 1 }, distributions: { x: new FloatDistribution(0, 1) }, value: 1 }),
      ]),
    ).rejects.toThrow(UsageError);
    expect(await other.trials()).toHaveLength(0);
  });
});

describe('impossible distributions', () => {
  it('refuses low > high, log from 0 or below, log with a step, a step of 0', async () => {
    const trial = await (await makeStudy()).ask();
    expect(() => trial.suggestFloat('x', 2, 1)).toThrow(/low must not be above high/);
    expect(() => trial.suggestInt('n', 2, 1)).toThrow(/low must not be above high/);
    expect(() => trial.suggestFloat('x', 0, 1, { log: true })).toThrow(/above 0/);
    expect(() => trial.suggestInt('n', 0, 8, { log: true })).toThrow(/1 or more/);
    expect(() => trial.suggestFloat('x', 1, 2, { log: true, step: 0.1 })).toThrow(UsageError);
    expect(() => trial.suggestInt('n', 1, 8, { log: true, step: 2 })).toThrow(UsageError);
    expect(() => trial.suggestFloat('x', 0, 1, { step: 0 })).toThrow(/step/);
    expect(() => trial.suggestInt('n', 0, 1, { step: 0 })).toThrow(/step/);
    expect(() => trial.suggestFloat('x', NaN, 1)).toThrow(UsageError);
    expect(() => trial.suggestCategorical('c', [])).toThrow(/at least one choice/);
    expect(trial.params).toEqual({});
  });

  it('ends a range that its step does not divide at the last step, with one warning', async () => {
    const trial = await (await makeStudy()).ask();
    const warnings = await warningsOf(() => {
      trial.suggestFloat('x', 0, 1, { step: 0.3 });
      trial.suggestFloat('x', 0, 1, { step: 0.3 });
      trial.suggestInt('n', 0, 10, { step: 4 });
      trial.suggestFloat('even', 0, 0.9, { step: 0.3 });
    });
    const { x, n } = trial.distributions;
    expect(x?.kind === 'float' && x.high).toBe(0.9);
    expect(n?.kind === 'int' && n.high).toBe(8);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('0.9');
  });

  it('takes duplicate choices: each is the first of its equals', async () => {
    const study = await makeStudy();
    await study.enqueueTrial({ c: 'a' });
    const trial = await study.ask();
    expect(trial.suggestCategorical('c', ['b', 'a', 'a'])).toBe('a');
    expect(trial.frozen.internalParams['c']).toBe(1);
    await study.tell(trial, 1);
    await study.optimize((t) => (t.suggestCategorical('c', ['b', 'a', 'a']) === 'a' ? 1 : 0), { nTrials: 20 });
    expect(await study.trials({ states: ['COMPLETE'] })).toHaveLength(21);
  });
});

describe('bad results', () => {
  it('fails a NaN, refuses it where COMPLETE is asked for', async () => {
    const study = await makeStudy();
    const trial = await study.ask();
    await expect(study.tell(trial, NaN, { state: 'COMPLETE' })).rejects.toThrow(/NaN/);
    expect((await study.tell(trial, NaN)).state).toBe('FAIL');
    expect(() => createTrial({ value: NaN })).toThrow(/NaN/);
    expect(() => createTrial({ state: 'FAIL', value: 1 })).toThrow(/FAIL/);
    expect(() => createTrial({ value: 1, constraints: { c: NaN } })).toThrow(/"c"/);
  });

  it('keeps the first value of a constraint with a warning, refuses NaN, and goes on after a reload', async () => {
    const storage = new InMemoryStorage();
    const study = await makeStudy({ storage, studyName: 's' });
    const trial = await study.ask();
    expect(() => {
      trial.setConstraint('c', NaN);
    }).toThrow(UsageError);
    trial.setConstraint('a', 1);
    trial.setSystemAttr('constraints:row', -2);
    const warnings = await warningsOf(() => {
      trial.setConstraint('a', -1);
      trial.setConstraint('row', 5);
    });
    expect(warnings).toHaveLength(2);
    trial.setConstraint('b', -3);
    expect(trial.constraints).toEqual({ a: 1, b: -3, row: -2 });
    expect(trial.systemAttrs['constraints']).toEqual([1, -3]);
    await study.tell(trial, 1);
    const [read] = await (await loadStudy({ storage })).trials();
    expect(read?.constraints).toEqual({ a: 1, b: -3, row: -2 });
    expect(read?.isFeasible).toBe(false);
    await expect(study.bestTrial()).rejects.toThrow(/feasible/);
  });
});

describe('enqueued parameters', () => {
  it('ignores one that the objective never asks for, warns of one outside its range, fails one that is no choice', async () => {
    const study = await makeStudy();
    await study.enqueueTrial({ x: 7, unknown: 1 });
    await study.enqueueTrial({ x: 0.5, c: 'z' });
    const warnings = await warningsOf(() =>
      study.optimize((trial) => trial.suggestFloat('x', 0, 1) + trial.suggestCategorical('c', ['a', 'b']).length, {
        nTrials: 3,
        catch: true,
      }),
    );
    const [outside, wrong, free] = await study.trials();
    expect(outside?.params).toMatchObject({ x: 7 });
    expect(outside?.params).not.toHaveProperty('unknown');
    expect(outside?.state).toBe('COMPLETE');
    expect(warnings.some((text) => text.includes('"x" is fixed at 7'))).toBe(true);
    expect(wrong?.state).toBe('FAIL');
    expect(free?.state).toBe('COMPLETE');
  });

  it('skips only a trial with exactly these parameters', async () => {
    const study = await makeStudy();
    await study.enqueueTrial({ x: 0.5, n: 1 });
    const count = async (params: Parameters<Study['enqueueTrial']>[0]): Promise<number> => {
      await study.enqueueTrial(params, { skipIfExists: true });
      return (await study.trials()).length;
    };
    expect(await count({ n: 1, x: 0.5 * (1 + 1e-7) })).toBe(1);
    expect(await count({ x: 0.5 })).toBe(2);
    expect(await count({ x: 0.5, n: 2 })).toBe(3);
    await study.addTrial(
      createTrial({ params: { c: 'a' }, distributions: { c: new CategoricalDistribution(['a', 'b']) }, value: 1 }),
    );
    expect(await count({ c: 'a' })).toBe(4);
    expect(await count({ c: 'b' })).toBe(5);
  });

  it('knows the names and kinds of a declared space', async () => {
    const declaredSpace: DeclaredSpace = {
      parameters: [
        { name: 'learning_rate', distribution: new FloatDistribution(0, 1), conditions: [] },
        { name: 'kind', distribution: new CategoricalDistribution(['a', 'b']), conditions: [] },
      ],
      constants: { epochs: 3 },
      isFeasible: () => true,
    };
    const study = await makeStudy({ declaredSpace });
    await expect(study.enqueueTrial({ learning_rat: 0.5 })).rejects.toMatchObject({
      message: expect.stringContaining('"learning_rat"') as string,
      hint: 'Did you mean "learning_rate"?',
    });
    await expect(study.enqueueTrial({ kind: 'c' })).rejects.toThrow(/"kind"/);
    await expect(study.enqueueTrial({ epochs: 4 })).rejects.toThrow(/constant/);
    await study.enqueueTrial({ kind: 'b' });
    const trial = await study.askDeclared();
    expect(trial?.params['kind']).toBe('b');
  });
});

describe('whole studies', () => {
  it('copies, lists and deletes', async () => {
    const from = new InMemoryStorage();
    const to = new InMemoryStorage();
    const study = await makeStudy({ storage: from, studyName: 'one', direction: 'maximize' });
    await study.setUserAttr('owner', 'me');
    await study.enqueueTrial({ x: 0.25 });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 3 });
    await study.enqueueTrial({ x: 0.75 });
    await copyStudy({ fromStudyName: 'one', fromStorage: from, toStorage: to, toStudyName: 'two' });
    const [summary] = await getAllStudySummaries({ storage: to });
    expect(summary).toMatchObject({
      studyName: 'two',
      directions: ['maximize'],
      nTrials: 4,
      userAttrs: { owner: 'me' },
    });
    expect(summary?.bestTrial?.value).toBe(await study.bestValue());
    const copy = await loadStudy({ storage: to });
    expect((await copy.trials()).map((trial) => trial.toTemplate())).toEqual(
      (await study.trials()).map((trial) => trial.toTemplate()),
    );
    await expect(
      copyStudy({ fromStudyName: 'one', fromStorage: from, toStorage: to, toStudyName: 'two' }),
    ).rejects.toThrow(/exists already/);
    await expect(copyStudy({ fromStudyName: 'onne', fromStorage: from, toStorage: to })).rejects.toThrow(/onne/);
    await deleteStudy({ studyName: 'two', storage: to });
    expect(await getAllStudySummaries({ storage: to })).toEqual([]);
    await expect(deleteStudy({ studyName: 'two', storage: to })).rejects.toThrow(/two/);
  });
});
