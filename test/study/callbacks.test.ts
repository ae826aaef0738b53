import { describe, expect, it } from 'vitest';

import { UsageError } from '../../src/core/errors.js';
import { NopPruner } from '../../src/pruners/nop-pruner.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import {
  MaxTrialsCallback,
  NoImprovementCallback,
  RetryHeartbeatStaleTrialCallback,
  TargetValueCallback,
} from '../../src/study/callbacks.js';
import { createStudy, loadStudy } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';

const makeStudy = (options: Parameters<typeof createStudy>[0] = {}): Promise<Study> =>
  createStudy({ sampler: new RandomSampler({ seed: 1 }), pruner: new NopPruner(), ...options });

describe('MaxTrialsCallback', () => {
  it('counts complete trials, or those of the states named, or all', async () => {
    const alternate = (trial: { number: number }): number => (trial.number % 2 === 0 ? 1 : NaN);
    const complete = await makeStudy();
    await complete.optimize(alternate, { callbacks: [new MaxTrialsCallback(3)] });
    expect(await complete.trials()).toHaveLength(5);
    const failed = await makeStudy();
    await failed.optimize(alternate, { callbacks: [new MaxTrialsCallback(3, { states: ['FAIL'] })] });
    expect(await failed.trials()).toHaveLength(6);
    const all = await makeStudy();
    await all.optimize(alternate, { callbacks: [new MaxTrialsCallback(3, { states: null })] });
    expect(await all.trials()).toHaveLength(3);
    expect(() => new MaxTrialsCallback(1.5)).toThrow(UsageError);
  });

  it('counts the trials of others and of earlier runs', async () => {
    const storage = new InMemoryStorage();
    const first = await makeStudy({ storage, studyName: 's' });
    await first.optimize(() => 1, { nTrials: 4 });
    const second = await loadStudy({ storage, studyName: 's' });
    await second.optimize(() => 1, { callbacks: [new MaxTrialsCallback(6)] });
    expect(await first.trials()).toHaveLength(6);
  });
});

describe('stopping early', () => {
  it('stops once nothing better has come for a while', async () => {
    const values = [5, 3, 4, 3, 2, 9, 8, 7, 1];
    const study = await makeStudy();
    await study.optimize((trial) => values[trial.number], { callbacks: [new NoImprovementCallback(3)] });
    expect(await study.trials()).toHaveLength(8);
    expect(await study.bestValue()).toBe(2);
  });

  it('does not stop before a first result, and counts the Pareto front with several objectives', async () => {
    const failing = await makeStudy();
    await failing.optimize(() => NaN, { nTrials: 5, callbacks: [new NoImprovementCallback(1)] });
    expect(await failing.trials()).toHaveLength(5);
    const values = [
      [1, 5],
      [5, 1],
      [6, 6],
      [3, 3],
      [6, 6],
      [7, 7],
      [0, 0],
    ];
    const several = await makeStudy({ directions: ['minimize', 'minimize'] });
    await several.optimize((trial) => values[trial.number], { callbacks: [new NoImprovementCallback(2)] });
    expect(await several.trials()).toHaveLength(6);
  });

  it('stops at a target that a feasible trial reaches', async () => {
    const study = await makeStudy({ direction: 'maximize' });
    await study.optimize(
      (trial) => {
        trial.setConstraint('late enough', trial.number < 4 ? 1 : 0);
        return trial.number;
      },
      { callbacks: [new TargetValueCallback(2)] },
    );
    expect(await study.trials()).toHaveLength(5);
    const several = await makeStudy({ directions: ['minimize', 'minimize'] });
    await expect(several.optimize(() => [1, 1], { callbacks: [new TargetValueCallback(2)] })).rejects.toThrow(
      /single objective/,
    );
  });
});

describe('RetryHeartbeatStaleTrialCallback', () => {
  it('bounds the retries of a trial whose process went away, and lets them inherit reports', async () => {
    const retry = new RetryHeartbeatStaleTrialCallback({ maxRetry: 2, inheritIntermediateValues: true });
    const study = await makeStudy({ retry });
    for (let run = 0; run < 3; run++) {
      const trial = await study.ask();
      trial.suggestFloat('x', 0, 1);
      if (run === 0) await trial.report(0.5, 1);
      await trial.flush();
      await study.interruptTrials([{ trialId: trial.trialId, reason: 'gone' }]);
    }
    const trials = await study.trials();
    expect(trials.map(({ state }) => state)).toEqual(['FAIL', 'FAIL', 'FAIL']);
    const [first, , last] = trials;
    if (first === undefined || last === undefined) throw new Error('no trial');
    expect(RetryHeartbeatStaleTrialCallback.retriedTrialNumber(first)).toBeUndefined();
    expect(RetryHeartbeatStaleTrialCallback.retriedTrialNumber(last)).toBe(0);
    expect(RetryHeartbeatStaleTrialCallback.retryHistory(last)).toEqual([0, 1]);
    expect(last.params).toEqual(first.params);
    expect(last.intermediateValues).toEqual({ 1: 0.5 });
  });

  it('has no bound and inherits no reports by default', async () => {
    const study = await makeStudy({ retry: new RetryHeartbeatStaleTrialCallback() });
    for (let run = 0; run < 8; run++) {
      const trial = await study.ask();
      await trial.report(1, 0);
      await study.interruptTrials([{ trialId: trial.trialId, reason: 'gone' }]);
    }
    const [waiting] = await study.trials({ states: ['WAITING'] });
    expect(waiting?.number).toBe(8);
    expect(waiting?.intermediateValues).toEqual({});
  });
});
