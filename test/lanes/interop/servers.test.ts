import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import { children, logged } from '../../support/processes.js';
import { newDatabase, type ServerDatabase } from '../../support/server-databases.js';
import { dumpOf, normal, objective, OptunaSide } from './optuna-side.js';

const numbersTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const start = children();

describe('Optuna and resweep on one study in PostgreSQL', () => {
  const optuna = new OptunaSide();
  let database: ServerDatabase;
  let folder: string;
  beforeEach(async () => {
    database = await newDatabase('PostgreSQL');
    folder = mkdtempSync(join(tmpdir(), 'resweep-servers-'));
  });
  afterEach(async () => {
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });
  const agreed = async (): Promise<void> => {
    const theirs = normal(await optuna.run('dump', database.url, 's'));
    const study = await loadStudy({ storage: database.url, studyName: 's', sampler: new RandomSampler() });
    const ours = await dumpOf(study);
    await study.close();
    expect(ours).toEqual(theirs);
  };

  it('see the same in what either made, and take turns', async () => {
    await optuna.run('make', database.url, 's');
    await agreed();
    const study = await loadStudy({ storage: database.url, studyName: 's', sampler: new RandomSampler({ seed: 1 }) });
    await study.optimize((trial) => trial.suggestFloat('x', -5, 5), { nTrials: 4 });
    await study.close();
    await agreed();
    await (await createStudy({ storage: database.url, studyName: 'turns', seed: 3 })).close();
    for (let turn = 0; turn < 2; turn++) {
      await optuna.run('run', database.url, 'turns', 4, 'tpe');
      const ours = await loadStudy({ storage: database.url, studyName: 'turns' });
      await ours.optimize(objective, { nTrials: 4 });
      expect((await ours.trials()).map((trial) => trial.userAttrs['by'])).toEqual(
        numbersTo((turn + 1) * 8).map((number) => (number % 8 < 4 ? 'optuna' : 'resweep')),
      );
      await ours.close();
    }
  });

  it('work at the same time, and run every queued trial once', async () => {
    const study = await createStudy({ storage: database.url, studyName: 's', seed: 4 });
    for (let i = 0; i < 20; i++) await study.enqueueTrial({ x: i / 100, kind: null }, { userAttrs: { queued: i } });
    const logs = numbersTo(4).map((i) => join(folder, `log-${i}`));
    const python = logs.slice(0, 2).map((log) => {
      const child = optuna.start(database.url, 's', 15, log);
      let complaints = '';
      child.stderr?.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
      const ready = new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
      const done = new Promise<void>((resolve, reject) => {
        child.once('close', (code) =>
          code === 0 ? resolve() : reject(new Error(`Python ended with ${String(code)}: ${complaints}`)),
        );
      });
      return { ready: Promise.race([ready, done]), done };
    });
    await Promise.all(python.map(({ ready }) => ready));
    const node = logs.slice(2).map((log) =>
      start({
        storage: database.url,
        studyName: 's',
        sampler: 'random',
        nTrials: 15,
        log,
        pauseMs: 200,
        like: 'optuna',
      }),
    );
    await Promise.all([...python.map(({ done }) => done), ...node.map((child) => child.done())]);
    expect(logs.flatMap((log) => logged(log, 'start')).sort((a, b) => a - b)).toEqual(numbersTo(60));
    const trials = await study.trials();
    expect(trials.map(({ number }) => number)).toEqual(numbersTo(60));
    expect(trials.slice(0, 20).map((trial) => trial.params['x'])).toEqual(numbersTo(20).map((i) => i / 100));
    expect(trials.every((trial) => trial.isFinished && trial.state !== 'FAIL')).toBe(true);
    await study.close();
    await agreed();
  });
});
