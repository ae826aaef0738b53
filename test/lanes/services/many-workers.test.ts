import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { createStudy, loadStudy } from '../../../src/study/create-study.js';
import { children, type StudyChild } from '../../support/processes.js';
import { newDatabase } from '../../support/server-databases.js';

const start = children();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const numbersTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const PLACES = [
  {
    name: '16 processes on one SQLite file',
    processes: 16,
    make: () => {
      const folder = mkdtempSync(join(tmpdir(), 'resweep-many-'));
      closing.push(() => {
        rmSync(folder, { recursive: true, force: true });
      });
      return Promise.resolve(join(folder, 'study.db'));
    },
  },
  {
    name: '32 processes on PostgreSQL',
    processes: 32,
    make: async () => {
      const database = await newDatabase('PostgreSQL');
      closing.push(() => database.drop());
      return database.url;
    },
  },
];

describe.each(PLACES)('$name', ({ processes, make }) => {
  it('killed at random and replaced: all numbers exactly once, every loss retried, no error shown', async () => {
    const storage = await make();
    const total = 320;
    const study = await createStudy({ storage, studyName: 's', seed: 3 });
    const queued = 20;
    for (let i = 0; i < queued; i++) await study.enqueueTrial({ x: i / 10 });
    await study.close();
    const options = {
      storage,
      studyName: 's',
      sampler: 'random',
      total,
      pauseMs: 60,
      reports: 1,
      heartbeat: { intervalMs: 500, graceMs: 5_000 },
    } as const;
    const all: StudyChild[] = [];
    const working = numbersTo(processes).map(() => {
      const child = start(options);
      all.push(child);
      return child;
    });
    await Promise.all(working.map((child) => child.says('ready')));
    let kills = 0;
    for (let i = 0; i < processes / 2; i++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      const at = Math.floor(Math.random() * working.length);
      if ((await working[at]?.kill()) === true) kills++;
      const successor = start(options);
      all.push(successor);
      working[at] = successor;
    }
    await Promise.all(working.map((child) => child.done()));
    expect(kills).toBeGreaterThan(0);
    expect(all.map((child) => child.errors).join('')).toBe('');

    const after = await loadStudy({ storage, studyName: 's' });
    await after.interruptStaleTrials();
    // What the last one killed left behind is finished here.
    while ((await after.trials()).some((trial) => trial.state === 'WAITING')) await after.tell(await after.ask(), 1);
    const trials = await after.trials();
    expect(trials.map((trial) => trial.number)).toEqual(numbersTo(trials.length));
    expect(trials.every((trial) => trial.isFinished)).toBe(true);
    // A trial given up has exactly one that stands for it, with its parameters.
    const retried = trials.flatMap(
      (trial) => (trial.systemAttrs['retry_history'] as number[] | undefined)?.at(-1) ?? [],
    );
    const interrupted = trials.filter((trial) => trial.isInterrupted).map((trial) => trial.number);
    expect(retried.sort((a, b) => a - b)).toEqual(interrupted);
    // Each of the queued ones has one result.
    for (let i = 0; i < queued; i++) {
      const results = trials.filter((trial) => trial.state === 'COMPLETE' && trial.params['x'] === i / 10);
      expect(results.length).toBe(1);
    }
    await after.close();
  });
});
