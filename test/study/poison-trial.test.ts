import { expect, it } from 'vitest';

import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import { createStudy } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';

async function die(study: Study, reports: readonly number[], processEnded = true): Promise<void> {
  const trial = await study.ask();
  for (const step of reports) await trial.report(1, step);
  await study.interruptTrials([{ trialId: trial.trialId, reason: 'process 7 on here is gone', processEnded }]);
}

const createEmpty = () => createStudy({ storage: new InMemoryStorage(), studyName: 's' });

it('a trial that ends its process three times without getting further fails for good, and the study goes on', async () => {
  const study = await createEmpty();
  for (let attempt = 0; attempt < 3; attempt++) await die(study, [1]);
  const trials = await study.trials();
  expect(trials.map((trial) => [trial.state, trial.isInterrupted])).toEqual([
    ['FAIL', true],
    ['FAIL', true],
    ['FAIL', false],
  ]);
  expect(trials[2]?.systemAttr('resweep:failure')).toMatchObject({
    message: expect.stringContaining('ended 3 times without getting further'),
    poison: true,
  });
  // The next one is a new trial, in the place after it.
  const next = await study.ask();
  expect(next.logicalIndex).toBe(1);
  expect(next.frozen.systemAttr('retry_history')).toBeUndefined();
  await study.close();
});

it.each([
  ['gets further each time', [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]], true],
  ['lost its machine', [[1], [1], [1], [1]], false],
])('a trial that %s is tried again', async (_name, runs, processEnded) => {
  const study = await createEmpty();
  for (const reports of runs) await die(study, reports, processEnded);
  expect((await study.trials()).map((trial) => trial.isInterrupted)).toEqual([true, true, true, true, false]);
  await study.close();
});

it('a trial whose worker is killed is not tried again more often than that, whatever its budget', async () => {
  const study = await createStudy({
    storage: new InMemoryStorage(),
    studyName: 's',
    retry: { interrupted: 5, failed: 9 },
  });
  const failure = { interrupted: false, message: 'The command was ended by SIGKILL.', details: { signal: 'SIGKILL' } };
  for (let attempt = 0; attempt < 3; attempt++)
    await study.tell(await study.ask(), undefined, { state: 'FAIL', failure });
  const trials = await study.trials();
  expect(trials).toHaveLength(3);
  expect(trials.map((trial) => trial.isSuperseded)).toEqual([true, true, false]);
  await study.close();
});
