import { mkdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { newerBackup } from '../../src/backup/index.js';
import { TestProject } from '../support/backup-project.js';
import { SlowDestination } from '../support/slow-destination.js';

let project: TestProject;
beforeEach(() => {
  project = new TestProject();
});
afterEach(async () => {
  await project.close();
});

const longAgo = Date.now() / 1000 - 86_400;

it('tells of a newer state of a folder with more files than one manifest holds', async () => {
  const folder = project.path('outputs', 'many');
  for (let n = 0; n < 300; n++) project.write(`${folder}/${n}.txt`, String(n));
  const drive = project.drive();
  expect((await drive.backup(folder)).ok).toBe(true);
  project.write(`${folder}/150.txt`, 'old');
  for (let n = 0; n < 300; n++) utimesSync(`${folder}/${n}.txt`, longAgo, longAgo);
  const found = await newerBackup({ path: folder, restoreFromDrive: drive.restoreFromDrive }, 5_000);
  expect(found?.destination).toBe('store');
});

it('waits no longer than it may, however large a file has to be compared', async () => {
  const file = project.path('outputs', 'model.bin');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  truncateSync(file, 1 << 30);
  const drive = project.drive([new SlowDestination(project.folder(), {}, { mirror: false })]);
  expect((await drive.backup(file)).ok).toBe(true);
  utimesSync(file, longAgo, longAgo);
  const startedAt = performance.now();
  expect(await newerBackup({ path: file, restoreFromDrive: drive.restoreFromDrive }, 200)).toBeUndefined();
  expect(performance.now() - startedAt).toBeLessThan(700);
}, 60_000);
