import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { BackupCoordinator } from '../../src/backup/sweep/backup-coordinator.js';
import { FrozenTrial } from '../../src/core/frozen-trial.js';
import { finishedTrials, makeStudy, openStudy, TestProject } from '../support/backup-project.js';
import { DriveBench } from '../support/drive-destination.js';

let project: TestProject;
let bench: DriveBench;
beforeEach(async () => {
  project = new TestProject();
  bench = await DriveBench.start();
});
afterEach(async () => {
  await project.close();
  await bench.close();
});

it('over a network the plain copy is sent with full snapshots only, and is there at the end', async () => {
  const db = project.studyDb();
  await makeStudy(db, { finished: 50 });
  const study = await openStudy(db);
  const drive = project.drive([bench.destination()]);
  const reader = bench.destination();
  let files = 0;
  const mirrored = async (): Promise<number> => {
    const file = join(project.base, `mirror-${String(files++)}`);
    await reader.download(drive.drivePathFor(db), file);
    return finishedTrials(file);
  };
  const coordinator = new BackupCoordinator({ drive, studyDb: db, cpuShare: 1 });
  try {
    await coordinator.firstCopy();
    coordinator.start();
    const view = {
      ...{ studyName: 'digits', directions: ['maximize' as const], seed: 1, declaredSpace: undefined },
      ...{ history: { all: [], finished: [], unfinished: [] }, userAttrs: {}, systemAttrs: {} },
    };
    await study.add(1);
    await coordinator.trialCallback(view, new FrozenTrial(1, 0, { state: 'COMPLETE' }));
    await expect.poll(() => coordinator.status()[0]?.finishedTrials, { timeout: 20_000 }).toBe(51);
    expect(await mirrored()).toBe(50);
    await coordinator.flush(20_000);
    expect(await mirrored()).toBe(51);
  } finally {
    await coordinator.close(500);
    await study.close();
  }
});
