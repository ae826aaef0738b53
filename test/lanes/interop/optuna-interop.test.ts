import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { JsonValue } from '../../../src/core/json.js';
import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { TPESampler } from '../../../src/samplers/tpe-sampler.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import { createTrial } from '../../../src/study/create-trial.js';
import { TrialPruned } from '../../../src/core/errors.js';
import { CategoricalDistribution, FloatDistribution, IntDistribution } from '../../../src/core/distributions.js';
import type { Study } from '../../../src/study/study.js';
import { children, logged } from '../../support/processes.js';
import { rows, studyRows } from '../../support/study-files.js';
import { dumpOf, installInto, normal, objective, OptunaSide } from './optuna-side.js';

const numbersTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const start = children();

describe.each([
  ['5.0.0', undefined],
  ['4.9.0', 'optuna==4.9.0'],
])('Optuna %s and resweep on one file', (version, requirement) => {
  let optuna = new OptunaSide();
  let packages: string | undefined;
  let folder: string;
  let path: string;
  beforeAll(async () => {
    if (requirement !== undefined) {
      packages = mkdtempSync(join(tmpdir(), 'resweep-optuna-'));
      await installInto(packages, requirement);
      optuna = new OptunaSide(packages);
    }
    expect(await optuna.run('version', '', '')).toEqual({ version });
  });
  afterAll(() => {
    if (packages !== undefined) rmSync(packages, { recursive: true, force: true });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'resweep-interop-'));
    path = join(folder, 'study.db');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (sampler: 'tpe' | 'random' = 'random'): Promise<Study> =>
    loadStudy({ storage: path, studyName: 's', sampler: sampler === 'tpe' ? new TPESampler() : new RandomSampler() });
  /** Both views of the study, which must be one. */
  const agreed = async (): Promise<JsonValue> => {
    const theirs = normal(await optuna.run('dump', path, 's'));
    const study = await open();
    const ours = await dumpOf(study);
    await study.close();
    expect(ours).toEqual(theirs);
    return ours;
  };

  it('see the same in a study made by resweep with a bit of everything', async () => {
    const study = await createStudy({
      storage: path,
      studyName: 's',
      direction: 'maximize',
      sampler: new RandomSampler({ seed: 1 }),
      retry: { interrupted: 5, failed: 1 },
    });
    await study.setUserAttr('ünï', { nan: NaN, big: 2n ** 70n, list: [1, 1.5, null, true], text: '漢字 \u0000 😀' });
    await study.setMetricNames(['accuracy']);
    await study.enqueueTrial({ x: 0.125, kind: null }, { userAttrs: { memo: NaN } });
    const results = [0.5, Infinity, -Infinity, 0.25, NaN, 0.75];
    await study.optimize(
      async (trial) => {
        trial.suggestFloat('x', -5, 5);
        trial.suggestFloat('lr', 1e-5, 1e-1, { log: true });
        trial.suggestFloat('drop', 0, 1, { step: 0.25 });
        trial.suggestInt('i', 1, 10);
        trial.suggestInt('n', 0, 10, { step: 3 });
        trial.suggestInt('width', 1, 1024, { log: true });
        trial.suggestCategorical('kind', ['a', 1, 2.5, true, null]);
        trial.suggestCategorical('flag', [false, true]);
        trial.suggestCategorical('odd', [NaN, Infinity, 'é', -0.5]);
        for (const [step, value] of [0.5, NaN, Infinity, -Infinity, 1e-300].entries())
          await trial.report(value, step * 1000);
        trial.setUserAttr('text', 'ü \u0000 "quoted"');
        trial.setUserAttr('numbers', [1e16, 1e-5, -0.0, 2n ** 64n]);
        trial.setConstraint('memory', trial.number - 3);
        trial.setConstraint('time', -1);
        if (trial.number === 6) throw new TrialPruned();
        if (trial.number === 7) throw new RangeError('on purpose');
        return results[trial.number];
      },
      { nTrials: 9, catch: true },
    );
    await study.addTrial(
      createTrial({
        params: { x: 1, n: 3, kind: 2.5 },
        distributions: {
          x: new FloatDistribution(-5, 5),
          n: new IntDistribution(0, 9, { step: 3 }),
          kind: new CategoricalDistribution(['a', 1, 2.5, true, null]),
        },
        value: 3,
        userAttrs: { by: 'hand' },
      }),
    );
    const running = await study.ask({ x: new FloatDistribution(-5, 5) });
    await running.report(1, 0);
    await study.enqueueTrial({ x: 2 });
    await study.close();
    const { trials } = (await agreed()) as { trials: readonly { state: string; params: object }[] };
    expect(new Set(trials.map((trial) => trial.state)).size).toBe(5);
    expect(Object.keys(trials[3]?.params ?? {})).toHaveLength(9);
  });

  it('see the same in a study made by Optuna with a bit of everything, and resweep goes on with it', async () => {
    await optuna.run('make', path, 's');
    await agreed();
    const before = studyRows(path, 's');
    const study = await open('tpe');
    // Nobody knows whose the running one is; the two waiting ones come first.
    await study.optimize((trial) => trial.suggestFloat('x', -5, 5), { nTrials: 4 });
    const trials = await study.trials();
    expect(trials.map((trial) => trial.state).slice(6)).toEqual([
      'RUNNING',
      'COMPLETE',
      'COMPLETE',
      'COMPLETE',
      'COMPLETE',
      'COMPLETE',
    ]);
    expect([trials[7]?.value, trials[9]?.value]).toEqual([1.25, 2.5]);
    await study.close();
    await agreed();
    const after = studyRows(path, 's');
    const isOld = (row: readonly unknown[]): boolean => ![7, 9].includes(Number(row[0])) && Number(row[0]) < 10;
    for (const [table, found] of Object.entries(before)) {
      if (!['user', 'system', 'directions'].includes(table)) {
        expect((after[table] ?? []).filter(isOld)).toEqual(found.filter(isOld));
      }
    }
  });

  it('see the same with several objectives', async () => {
    const study = await createStudy({
      storage: path,
      studyName: 's',
      directions: ['minimize', 'maximize', 'minimize'],
      sampler: new RandomSampler({ seed: 2 }),
    });
    await study.setMetricNames(['a', 'b', 'c']);
    await study.optimize(
      (trial) => {
        const x = trial.suggestFloat('x', 0, 1);
        const y = trial.suggestFloat('y', 0, 1);
        return [x, trial.number === 3 ? Infinity : y, x * y];
      },
      { nTrials: 20 },
    );
    await study.close();
    const { front } = (await agreed()) as { front: readonly number[] };
    expect(front.length).toBeGreaterThan(2);
  });

  it.each(['tpe', 'random'] as const)('take turns ten times: %s', async (sampler) => {
    await (await createStudy({ storage: path, studyName: 's', seed: 3 })).close();
    for (let turn = 0; turn < 10; turn++) {
      await optuna.run('run', path, 's', 4, sampler);
      const study = await open(sampler);
      const before = (await study.trials()).map((trial) => trial.toTemplate());
      expect(before).toHaveLength(turn * 8 + 4);
      await study.optimize(objective, { nTrials: 4 });
      const after = await study.trials();
      expect(after.slice(0, before.length).map((trial) => trial.toTemplate())).toEqual(before);
      await study.close();
    }
    const { trials } = (await agreed()) as { trials: readonly { number: number; userAttrs: { by: string } }[] };
    expect(trials.map((trial) => trial.number)).toEqual(numbersTo(80));
    expect(trials.map((trial) => trial.userAttrs.by)).toEqual(
      numbersTo(80).map((number) => (number % 8 < 4 ? 'optuna' : 'resweep')),
    );
    expect(rows(path, 'SELECT number FROM trials ORDER BY trial_id').flat()).toEqual(numbersTo(80));
    expect(rows(path, 'PRAGMA integrity_check')).toEqual([['ok']]);
  });

  it('work at the same time, and run every queued trial once', async () => {
    const study = await createStudy({ storage: path, studyName: 's', seed: 4 });
    for (let i = 0; i < 40; i++) await study.enqueueTrial({ x: i / 100, kind: null }, { userAttrs: { queued: i } });
    const logs = numbersTo(4).map((i) => join(folder, `log-${i}`));
    const python = logs.slice(0, 2).map((log) => {
      const child = optuna.start(path, 's', 25, log);
      let complaints = '';
      let isReady = (): void => undefined;
      const ready = new Promise<void>((resolve) => (isReady = resolve));
      child.stdout?.once('data', () => isReady());
      child.stderr?.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
      const done = new Promise<void>((resolve, reject) => {
        child.once('close', (code) =>
          code === 0 ? resolve() : reject(new Error(`Python ended with ${String(code)}: ${complaints}`)),
        );
      });
      return { ready: Promise.race([ready, done]), done };
    });
    await Promise.all(python.map(({ ready }) => ready));
    const node = logs
      .slice(2)
      .map((log) =>
        start({ storage: path, studyName: 's', sampler: 'random', nTrials: 25, log, pauseMs: 100, like: 'optuna' }),
      );
    await Promise.all([...python.map(({ done }) => done), ...node.map((child) => child.done())]);
    const started = logs.flatMap((log) => logged(log, 'start'));
    expect([...started].sort((a, b) => a - b)).toEqual(numbersTo(100));
    const trials = await study.trials();
    expect(trials).toHaveLength(100);
    expect(trials.slice(0, 40).map((trial) => [trial.params['x'], trial.params['kind']])).toEqual(
      numbersTo(40).map((i) => [i / 100, null]),
    );
    expect(trials.every((trial) => trial.isFinished && trial.state !== 'FAIL')).toBe(true);
    const [first, second] = [logs.slice(0, 2), logs.slice(2)].map((side) =>
      side.flatMap((log) => logged(log, 'start')).filter((number) => number < 40),
    );
    expect([first?.length, second?.length]).not.toContain(0);
    await study.close();
    await agreed();
  });

  it('agree on trials whose process has gone', async () => {
    await (await createStudy({ storage: path, studyName: 's', seed: 5 })).close();
    const { number, x } = (await optuna.run('stale', path, 's')) as { number: number; x: number };
    const study = await loadStudy({ storage: path, heartbeat: { intervalMs: 1000, graceMs: 3000 } });
    expect(await study.interruptStaleTrials()).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 4500));
    expect((await study.interruptStaleTrials()).map((trial) => trial.number)).toEqual([number]);
    const retry = await study.ask();
    expect(retry.suggestFloat('x', -5, 5)).toBe(x);
    await retry.report(1, 0);
    // Ours beats every second, so Optuna's workers leave it alone …
    await new Promise((resolve) => setTimeout(resolve, 3500));
    await optuna.run('sweep', path, 's');
    expect((await study.trials()).map((trial) => trial.state)).toEqual(['FAIL', 'RUNNING']);
    await study.tell(retry, 1);
    // … until it is silent.
    const silent = await study.ask();
    silent.suggestFloat('x', -5, 5);
    await silent.flush();
    await study.storage.heartbeat('nobody', [silent.trialId], '2026-01-01 00:00:00.000000');
    await study.leave();
    await optuna.run('sweep', path, 's');
    const trials = await study.trials();
    expect(trials.map((trial) => trial.state)).toEqual(['FAIL', 'COMPLETE', 'FAIL', 'WAITING']);
    expect(trials[3]?.systemAttrs).toMatchObject({ failed_trial: 2, retry_history: [2] });
    expect(trials[3]?.params).toEqual(silent.params);
    // The result of the one that was only thought to be gone is kept, and no second result.
    await study.tell(silent, 5);
    await study.refreshAttributes();
    expect(study.systemAttrs['resweep:late_result:2']).toMatchObject({ state: 'COMPLETE', values: [5] });
    await study.optimize((trial) => trial.suggestFloat('x', -5, 5), { nTrials: 1 });
    expect((await study.trials())[3]?.value).toBe(silent.params['x']);
    await study.close();
    await agreed();
  });
});
