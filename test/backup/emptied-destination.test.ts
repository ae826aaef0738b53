import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterEach, expect, it } from 'vitest';

import { targetFolder } from '../../src/backup/format/catalog.js';
import { repairBackups } from '../../src/backup/repair/repair.js';
import { MISSING } from '../../src/backup/verify/damage.js';
import { verifyBackups } from '../../src/backup/verify/verify.js';
import { makeStudy, TestProject } from '../support/backup-project.js';

let project: TestProject;
afterEach(async () => {
  await project.close();
});

it('a destination that was emptied is no good copy: verification names it, and a new backup fills it', async () => {
  project = new TestProject();
  const db = project.studyDb();
  await makeStudy(db, { finished: 3 });
  const drive = project.drive([project.folder('one'), project.folder('two')]);
  await drive.backup(db);
  expect(await verifyBackups(drive)).toMatchObject({ ok: true });
  const place = project.place('two');
  for (const name of readdirSync(place)) rmSync(join(place, name), { recursive: true });

  const target = drive.drivePathFor(db);
  const missing = [{ destination: 'two', path: target, snapshot: MISSING, problem: 'no saved state of it is there' }];
  for (const deep of [false, true])
    expect(await verifyBackups(drive, { path: db, deep })).toMatchObject({ ok: false, damages: missing });
  expect((await verifyBackups(drive)).damages).toEqual([{ ...missing[0], path: '' }]);
  expect(project.events.filter(({ type, outcome }) => type === 'verification' && outcome === 'failed')).toHaveLength(3);
  expect(await repairBackups(drive, { path: db })).toMatchObject({ ok: false, remaining: missing });

  await drive.backup(db);
  expect(await verifyBackups(drive, { path: db, deep: true })).toMatchObject({ ok: true, damages: [] });
});

it('a study of which only the folder is there is found to lack its database', async () => {
  project = new TestProject();
  const db = project.studyDb();
  const folder = dirname(db);
  await makeStudy(db, { finished: 3 });
  project.write(join(folder, 'events.jsonl'), '{}\n');
  const drive = project.drive();
  await drive.backup(db);
  await drive.backup(folder, { isDirectory: true });
  expect(await verifyBackups(drive, { path: folder })).toMatchObject({ ok: true });
  rmSync(join(project.place('store'), targetFolder(drive.drivePathFor(db))), { recursive: true });
  const { damages } = await verifyBackups(drive, { path: folder });
  expect(damages).toEqual([
    { destination: 'store', path: drive.drivePathFor(db), snapshot: MISSING, problem: 'no saved state of it is there' },
  ]);
});
