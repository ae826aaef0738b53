import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import { children, logged, type StudyChild } from '../../support/processes.js';
import { rows } from '../../support/study-files.js';

const PROCESSES = 16;
const QUEUED = 60;
const SECONDS = Number(process.env['RESWEEP_FAULT_SECONDS'] ?? 30);

const start = children();
const numbersTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe(`${PROCESSES} processes on one study`, () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'resweep-processes-'));
    path = join(folder, 'study.db');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('each killed at any moment and replaced, lose nothing and do nothing twice', async () => {
    const study = await createStudy({ storage: path, studyName: 's', sampler: new RandomSampler() });
    for (let i = 0; i < QUEUED; i++) await study.enqueueTrial({ x: i / 100 });
    await study.leave();

    const logs: string[] = [];
    const crew: StudyChild[] = [];
    const failures: string[] = [];
    const hire = (at: number): void => {
      const log = join(folder, `log-${logs.length}`);
      logs.push(log);
      const sampler = logs.length % 4 === 0 ? 'tpe' : 'random';
      const child = start({
        storage: path,
        studyName: 's',
        sampler,
        nTrials: 1e6,
        log,
        pauseMs: 60,
        reports: 2,
        failEvery: 13,
      });
      child.process.once('close', (code, signal) => {
        if (signal !== 'SIGKILL') failures.push(`ended by itself (${String(code ?? signal)}): ${child.errors}`);
      });
      crew[at] = child;
    };
    for (let at = 0; at < PROCESSES; at++) hire(at);
    await crew[PROCESSES - 1]?.says('ready');
    const end = performance.now() + SECONDS * 1000;
    let kills = 0;
    while (performance.now() < end) {
      await pause(Math.random() * 400);
      const at = Math.floor(Math.random() * PROCESSES);
      if ((await crew[at]?.kill()) === true) kills++;
      hire(at);
    }
    // The whole machine goes at once, and one process comes back.
    await Promise.all(crew.map((child) => child.kill()));
    expect(failures).toEqual([]);
    expect(kills).toBeGreaterThan(SECONDS);

    await study.interruptStaleTrials();
    const waiting = (await study.trials({ states: ['WAITING'] })).length;
    await study.optimize((trial) => trial.suggestFloat('x', -5, 5), { nTrials: waiting });
    const trials = await study.trials();
    await study.close();
    console.log(
      `${trials.length} trials, ${kills} kills, ${trials.filter((trial) => trial.isInterrupted).length} interrupted`,
    );

    expect(rows(path, 'PRAGMA integrity_check')).toEqual([['ok']]);
    expect(rows(path, 'PRAGMA foreign_key_check')).toEqual([]);
    expect(rows(path, 'SELECT number FROM trials ORDER BY trial_id').flat()).toEqual(numbersTo(trials.length));
    expect(trials.filter((trial) => !trial.isFinished)).toEqual([]);

    const started = logs.flatMap((log) => logged(log, 'start'));
    expect(started.length).toBeGreaterThan(QUEUED);
    expect(new Set(started).size).toBe(started.length);
    // Whatever a process was told to be stored is there.
    for (const log of logs) {
      for (const number of logged(log, 'end')) {
        const trial = trials[number];
        expect([trial?.state, trial?.isInterrupted]).toEqual([number % 13 === 12 ? 'FAIL' : 'COMPLETE', false]);
        expect(Object.keys(trial?.params ?? {})).toEqual(['x', 'k', 'c']);
        expect(Object.keys(trial?.intermediateValues ?? {})).toEqual(['0', '1']);
        if (trial?.state === 'COMPLETE') expect(trial.values).toHaveLength(1);
      }
    }
    // Each interrupted trial was tried again once, until its retries were used up, with the same parameters.
    for (const trial of trials.filter((candidate) => candidate.isInterrupted)) {
      const retries = trials.filter((retry) => {
        const history = retry.systemAttr('retry_history');
        return Array.isArray(history) && history.at(-1) === trial.number;
      });
      const history = trial.systemAttr('retry_history');
      expect(retries).toHaveLength(Array.isArray(history) && history.length >= 5 ? 0 : 1);
      for (const retry of retries) {
        expect(retry.params).toMatchObject(trial.params);
        expect(retry.logicalIndex).toBe(trial.logicalIndex);
      }
    }
    // Each queued trial came to its end, in itself or in a retry.
    for (let number = 0; number < QUEUED; number++) {
      const chain = trials.filter((trial) => trial.number === number || trial.systemAttr('failed_trial') === number);
      expect(chain.at(-1)?.params['x']).toBe(number / 100);
      const ended = chain.filter((trial) => !trial.isInterrupted);
      // Five retries, and the last of them interrupted too: given up for good.
      if (chain.length < 6 || chain.at(-1)?.isInterrupted === false) expect(ended).toEqual([chain.at(-1)]);
      else expect(ended).toEqual([]);
    }
  });

  it('opened and closed all at once, leave one plain file with one set of tables', async () => {
    for (let round = 0; round < 2; round++) {
      path = join(folder, `round-${round}.db`);
      await (await createStudy({ storage: path, studyName: 's' })).close();
      const crew = numbersTo(PROCESSES).map(() =>
        start({ storage: path, studyName: 's', sampler: 'random', nTrials: 5 }),
      );
      await Promise.all(crew.map((child) => child.done()));
      const study = await loadStudy({ storage: path });
      expect((await study.trials({ states: ['COMPLETE'] })).map((trial) => trial.number)).toEqual(
        numbersTo(5 * PROCESSES),
      );
      expect(rows(path, 'SELECT count(*) FROM resweep_processes')).toEqual([[0]]);
      await study.close();
      expect(rows(path, 'PRAGMA journal_mode')).toEqual([['delete']]);
    }
  });

  it('that all make the file and the study at the same time, make one', async () => {
    const crew = numbersTo(PROCESSES).map(() =>
      start({ storage: path, studyName: 's', sampler: 'random', nTrials: 3, create: true }),
    );
    await Promise.all(crew.map((child) => child.done()));
    expect(rows(path, 'SELECT study_name FROM studies')).toEqual([['s']]);
    expect(rows(path, 'SELECT number FROM trials ORDER BY trial_id').flat()).toEqual(numbersTo(3 * PROCESSES));
    expect(rows(path, 'SELECT count(*) FROM version_info')).toEqual([[1]]);
    expect(rows(path, 'PRAGMA journal_mode')).toEqual([['delete']]);
  });
});
