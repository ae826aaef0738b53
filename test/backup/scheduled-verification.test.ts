import { readFileSync } from 'node:fs';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { BackupCoordinator } from '../../src/backup/sweep/backup-coordinator.js';
import { repairBackups } from '../../src/backup/repair/repair.js';
import { flipByte, makeStudy, openStudy, packsOf, TestProject } from '../support/backup-project.js';
import { until } from '../support/cli-project.js';

let project: TestProject;
beforeEach(() => {
  project = new TestProject();
});
afterEach(async () => {
  await project.close();
});

it.each([
  ['', false],
  [', deep', true],
])(
  'a sweep verifies its copies on the schedule of each destination%s: damage is told while it runs, until it is mended',
  async (_, deep) => {
    const db = project.studyDb();
    await makeStudy(db, { finished: 2 });
    const study = await openStudy(db);
    const drive = project.drive([
      project.folder('store', { policy: { verify: { everyMs: 150, deep } } }),
      project.folder('other'),
    ]);
    const coordinator = new BackupCoordinator({ drive, studyDb: db, cpuShare: 1 });
    const [store, other] = [() => coordinator.status()[0]?.verification, () => coordinator.status()[1]?.verification];
    try {
      await coordinator.firstCopy();
      await until(() => store()?.damaged === 0, 'the first verification');
      expect(store()).toMatchObject({ deep, problem: undefined });
      const [pack = ''] = packsOf(project.place('store'));
      const whole = readFileSync(pack);
      flipByte(pack);
      await until(() => (store()?.damaged ?? 0) > 0, 'the damage');
      expect(store()?.problem).toMatch(/^1 damaged: .*study\.db: Pack .* is damaged/);
      // The sweep goes on.
      await study.add(1);
      coordinator.studyChanged();
      expect((await coordinator.flush(20_000)).complete).toBe(true);
      expect((await repairBackups(drive)).ok).toBe(true);
      await until(() => store()?.damaged === 0, 'the verification of what was mended');
      expect(readFileSync(pack).equals(whole)).toBe(true);
      // A destination without a schedule is verified by its saves alone.
      expect(other()).toBeUndefined();
    } finally {
      await coordinator.close();
      await study.close();
    }
  },
);
