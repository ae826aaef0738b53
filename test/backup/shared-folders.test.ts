import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { removeLeftovers, temporaryName } from '../../src/backup/files/temporary-names.js';
import { machineMark } from '../../src/core/processes.js';
import { TestProject } from '../support/backup-project.js';

let project: TestProject;
beforeEach(() => {
  project = new TestProject();
});
afterEach(async () => {
  await project.close();
});

it('a project folder that machines share: what another one is at work with stays', async () => {
  const base = project.path('.resweep', 'tmp');
  // A number that no process of this machine has.
  for (const name of ['backup-4000001-0a0b0c0d', 'backup-deadbeef-4000001-0a0b0c0d'])
    mkdirSync(join(base, name, 'captures'), { recursive: true });
  const drive = project.drive();
  expect(readdirSync(base)).toHaveLength(2);
  project.write(project.path('outputs', 'a.bin'), 'content');
  await drive.backup(project.path('outputs', 'a.bin'));
  const aside = project.path('outputs', '.resweep-aside-4000001-0a0b0c0d0e0f');
  writeFileSync(aside, 'half');
  await drive.restore(project.path('outputs', 'a.bin'));
  expect(existsSync(aside)).toBe(true);
});

it('what was left by a process that is gone goes, of another machine after a week', () => {
  const folder = project.place('tmp');
  const own = `x-${machineMark()}-4000001-aa`;
  const old = 'x-deadbeef-4000001-aa';
  const live = 'x-deadbeef-4000001-bb';
  const mine = temporaryName('x-');
  for (const name of [own, old, live, mine, 'y-4000001-aa']) mkdirSync(join(folder, name), { recursive: true });
  mkdirSync(join(folder, live, 'captures'));
  const longAgo = Date.now() / 1000 - 8 * 86_400;
  for (const name of [old, live]) utimesSync(join(folder, name), longAgo, longAgo);
  removeLeftovers(folder, 'x-');
  expect(readdirSync(folder).sort()).toEqual([live, mine, 'y-4000001-aa'].sort());
});
