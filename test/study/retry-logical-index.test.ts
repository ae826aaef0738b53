import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import { createStudy, loadStudy } from '../../src/study/create-study.js';

it('a trial whose process went away right after creating it is retried at its own place in the sequence', async () => {
  const study = await createStudy({ storage: new InMemoryStorage(), studyName: 's' });
  const first = await study.ask();
  await study.interruptTrials([{ trialId: first.trialId, reason: 'gone' }]);
  await study.tell(await study.ask(), 1);
  // As a process leaves it that dies before it has stored anything of its new trial.
  await study.storage.createTrials(study.studyId, [{ state: 'RUNNING', startedAt: '2026-03-01 10:00:00.000000' }]);
  await study.sync();
  const [cut] = study.history.unfinished;
  await study.interruptTrials([{ trialId: cut?.trialId ?? -1, reason: 'gone' }]);
  await study.tell(await study.ask(), 2);
  await study.tell(await study.ask(), 3);
  const trials = await study.trials();
  expect(trials[2]).toMatchObject({ isInterrupted: true, logicalIndex: 1 });
  const done = trials.filter((trial) => !trial.isSuperseded);
  expect(done.map((trial) => [trial.number, trial.logicalIndex])).toEqual([
    [1, 0],
    [3, 1],
    [4, 2],
  ]);
  await study.close();
});

it('a trial that is created just after a retry by another process has the place after it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-place-'));
  const url = join(folder, 'study.db');
  const [ours, theirs] = [await createStudy({ storage: url, studyName: 's' }), await loadStudy({ storage: url })];
  await ours.tell(await ours.ask(), 1);
  const cut = await theirs.ask();
  await ours.sync();
  // Between our look at the study and our new trial another process gives its own up, and queues it again.
  const create = ours.storage.createTrials.bind(ours.storage);
  let isDue = true;
  ours.storage.createTrials = async (studyId, templates, options) => {
    if (isDue && options?.ifQuiet !== true) {
      isDue = false;
      await theirs.interruptTrials([{ trialId: cut.trialId, reason: 'gone' }]);
    }
    return create(studyId, templates, options);
  };
  const next = await ours.ask();
  expect([next.number, next.logicalIndex]).toEqual([3, 2]);
  await ours.tell(next, 2);
  await theirs.tell(await theirs.ask(), 3);
  const trials = (await theirs.trials()).filter((trial) => !trial.isSuperseded);
  expect(trials.map((trial) => [trial.number, trial.logicalIndex])).toEqual([
    [0, 0],
    [2, 1],
    [3, 2],
  ]);
  await ours.close();
  await theirs.close();
  rmSync(folder, { recursive: true });
});
