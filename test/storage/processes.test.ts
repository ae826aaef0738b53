import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { FloatDistribution } from '../../src/core/distributions.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { TPESampler } from '../../src/samplers/tpe-sampler.js';
import type { FrozenTrial } from '../../src/core/frozen-trial.js';
import { createStudy, loadStudy } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';
import { children, logged } from '../support/processes.js';
import { folders, rows } from '../support/study-files.js';

const newFolder = folders();
const start = children();
const numbersTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

async function newStudy(path: string, seed = 7): Promise<void> {
  await (await createStudy({ storage: path, studyName: 's', seed })).close();
}
const open = (path: string, options: Partial<Parameters<typeof loadStudy>[0]> = {}): Promise<Study> =>
  loadStudy({ storage: path, studyName: 's', sampler: new RandomSampler(), ...options });

/** The objective of the child program. */
function objective(trial: Trial): number {
  const x = trial.suggestFloat('x', -5, 5);
  const k = trial.suggestInt('k', 1, 8, { log: true });
  const c = trial.suggestCategorical('c', ['a', 'b', null]);
  return x * x + k + (c === 'a' ? 0 : 1);
}
const essence = (trial: FrozenTrial): unknown => ({
  index: trial.logicalIndex,
  params: trial.params,
  values: trial.values,
  state: trial.state,
});

describe('several processes on one file', () => {
  it('run every waiting trial once, number all trials without gap, and leave a plain file', async () => {
    const folder = newFolder();
    const path = join(folder, 'study.db');
    await newStudy(path);
    const study = await open(path);
    for (let i = 0; i < 20; i++) await study.enqueueTrial({ x: i / 10 });
    await study.close();
    const logs = numbersTo(4).map((i) => join(folder, `log-${i}`));
    const workers = logs.map((log) =>
      start({ storage: path, studyName: 's', sampler: 'random', nTrials: 15, log, reports: 1, failEvery: 10 }),
    );
    for (const worker of workers) await worker.done();
    expect(sorted(logs.flatMap((log) => logged(log, 'start')))).toEqual(numbersTo(60));
    expect(sorted(logs.flatMap((log) => logged(log, 'end')))).toEqual(numbersTo(60));
    const after = await open(path);
    const trials = await after.trials();
    expect(trials.map((trial) => trial.number)).toEqual(numbersTo(60));
    expect(trials.slice(0, 20).map((trial) => trial.params['x'])).toEqual(numbersTo(20).map((i) => i / 10));
    expect(trials.filter((trial) => trial.state === 'FAIL').map((trial) => trial.number)).toEqual(
      numbersTo(6).map((i) => 10 * i + 9),
    );
    expect(trials.every((trial) => trial.isFinished)).toBe(true);
    await after.close();
    expect(rows(path, 'SELECT count(*) FROM resweep_processes')).toEqual([[0]]);
    expect(rows(path, 'SELECT count(*) FROM resweep_trial_owners')).toEqual([[0]]);
    expect(rows(path, 'PRAGMA journal_mode')).toEqual([['delete']]);
  });
});

describe('a killed process', () => {
  it('loses its trial at once to whoever comes, with the same parameters', async () => {
    const path = join(newFolder(), 'study.db');
    await newStudy(path);
    const child = start({ storage: path, studyName: 's', nTrials: 10, hangAt: 3 });
    await child.says('hangs 3');
    const watcher = await open(path);
    expect(await watcher.interruptStaleTrials()).toEqual([]);
    await child.kill();
    const [given] = await watcher.interruptStaleTrials();
    expect(given?.number).toBe(3);
    expect(await watcher.interruptStaleTrials()).toEqual([]);
    const [, , , interrupted, retry] = await watcher.trials();
    expect([interrupted?.state, interrupted?.isInterrupted, interrupted?.isSuperseded]).toEqual(['FAIL', true, true]);
    expect(interrupted?.systemAttr('resweep:interrupted')).toMatchObject({ reason: expect.stringContaining('gone') });
    expect(retry?.state).toBe('WAITING');
    expect(retry?.params).toEqual(interrupted?.params);
    expect(retry?.systemAttrs).toMatchObject({ failed_trial: 3, retry_history: [3], 'resweep:logical_index': 3 });
    const trial = await watcher.ask();
    expect(trial.number).toBe(4);
    expect(objective(trial)).toBeTypeOf('number');
    expect(trial.params).toEqual(interrupted?.params);
    await watcher.tell(trial, 1);
    await watcher.close();
  });

  it.each(['tpe', 'random'] as const)(
    'and its successor make, together, the study of one process: %s',
    async (sampler) => {
      const make = (): TPESampler | RandomSampler => (sampler === 'tpe' ? new TPESampler() : new RandomSampler());
      const folder = newFolder();
      const whole = await createStudy({ storage: join(folder, 'whole.db'), studyName: 's', seed: 7, sampler: make() });
      await whole.optimize(objective, { nTrials: 50 });
      const expected = (await whole.trials()).map(essence);
      await whole.close();
      const path = join(folder, 'study.db');
      await newStudy(path);
      const child = start({ storage: path, studyName: 's', sampler, nTrials: 50, hangAt: 25 });
      await child.says('hangs 25');
      expect(await child.kill()).toBe(true);
      const successor = start({ storage: path, studyName: 's', sampler, nTrials: 10, hangAt: 35 });
      await successor.says('hangs 35');
      await successor.kill();
      const study = await open(path, { sampler: make() });
      await study.optimize(objective, { nTrials: 50 - 25 - 9 });
      const trials = await study.trials();
      expect(trials.filter((trial) => trial.isSuperseded).map((trial) => trial.number)).toEqual([25, 35]);
      const rest = trials.filter((trial) => !trial.isSuperseded).map(essence);
      expect(rest).toEqual(expected);
      await study.close();
    },
    60_000,
  );

  it('counts neither its interrupted trial nor more than the retries allowed', async () => {
    const path = join(newFolder(), 'study.db');
    await newStudy(path);
    const child = start({ storage: path, studyName: 's', nTrials: 10, hangAt: 0 });
    await child.says('hangs 0');
    await child.kill();
    const strict = await open(path, { retry: { interrupted: 0, failed: 0 } });
    expect((await strict.interruptStaleTrials()).map((trial) => trial.number)).toEqual([0]);
    expect(await strict.trials()).toHaveLength(1);
    const created = await strict.storage.createTrials(
      strict.studyId,
      [{ state: 'RUNNING', startedAt: '2026-01-01 00:00:00.000000' }],
      { limit: 1 },
    );
    expect(created).toHaveLength(1);
    await strict.close();
  });
});

describe('a result that comes after its trial was taken over', () => {
  it('is kept with the study and is no second result', async () => {
    const path = join(newFolder(), 'study.db');
    await newStudy(path);
    const slow = await open(path);
    const trial = await slow.ask({ x: new FloatDistribution(0, 1) });
    await trial.flush();
    const other = await open(path);
    await other.interruptTrials([{ trialId: trial.trialId, reason: 'the machine was thought to be gone' }]);
    const retry = await other.ask();
    expect(retry.params).toEqual(trial.params);
    const told = await slow.tell(trial, 0.25);
    expect([told.state, told.values, told.isInterrupted]).toEqual(['FAIL', undefined, true]);
    await other.tell(retry, 0.5);
    await other.refreshAttributes();
    expect(other.systemAttrs['resweep:late_result:0']).toMatchObject({ state: 'COMPLETE', values: [0.25] });
    expect((await other.trials()).map((found) => [found.state, found.value])).toEqual([
      ['FAIL', undefined],
      ['COMPLETE', 0.5],
    ]);
    await slow.optimize((next) => next.suggestFloat('x', 0, 1), { nTrials: 1 });
    expect(await slow.trials()).toHaveLength(3);
    await other.close();
    await slow.close();
  });

  it('does not stop optimize, nor does a report that comes too late', async () => {
    const path = join(newFolder(), 'study.db');
    await newStudy(path);
    const slow = await open(path);
    const other = await open(path);
    const results: number[] = [];
    await slow.optimize(
      async (trial) => {
        const x = trial.suggestFloat('x', 0, 1);
        await trial.report(x, 0);
        if (results.push(trial.number) === 1) {
          await other.interruptTrials([{ trialId: trial.trialId, reason: 'taken' }]);
          await trial.report(x, 1);
        }
        return x;
      },
      { nTrials: 3 },
    );
    const trials = await slow.trials();
    expect(trials.map((trial) => trial.state)).toEqual(['FAIL', 'COMPLETE', 'COMPLETE']);
    expect(trials[0]?.intermediateValues).toEqual({ 0: trials[0]?.params['x'] });
    expect(trials[1]?.params).toEqual(trials[0]?.params);
    await other.close();
    await slow.close();
  });
});
