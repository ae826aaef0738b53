import { expect, it } from 'vitest';

import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import { createStudy } from '../../src/study/create-study.js';

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
