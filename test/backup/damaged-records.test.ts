import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { listBackups } from '../../src/backup/verify/list-backups.js';
import { targetFolder } from '../../src/backup/format/catalog.js';
import { coreOf } from '../../src/backup/drive/drive.js';
import { keepState, keptStates } from '../../src/backup/format/kept-states.js';
import { OwnerFence } from '../../src/backup/ownership/owner-fence.js';
import { pruneBackups } from '../../src/backup/retention/prune.js';
import { repairBackups } from '../../src/backup/repair/repair.js';
import { verifyBackups } from '../../src/backup/verify/verify.js';
import { sha256Of } from '../../src/backup/files/file-digest.js';
import { parseManifestName } from '../../src/backup/format/manifest.js';
import {
  addTrials,
  filesBelow,
  flipByte,
  makeStudy,
  manifestsOf,
  packsOf,
  TestProject,
} from '../support/backup-project.js';

let project: TestProject;
let db: string;
beforeEach(() => {
  project = new TestProject();
  db = project.studyDb();
});
afterEach(async () => {
  await project.close();
});

function find(match: RegExp): string {
  const name = filesBelow(project.place('store')).find((file) => match.test(file));
  if (name === undefined) throw new Error(`no file ${String(match)}`);
  return join(project.place('store'), name);
}

describe('small objects beside manifests and packs', () => {
  it('that are damaged are found, named and mended: owner, note of garbage, mark', async () => {
    await makeStudy(db, { finished: 2 });
    const drive = project.drive();
    await drive.backup(db);
    const core = coreOf(drive);
    const [destination] = core?.destinations ?? [];
    if (core === undefined || destination === undefined) throw new Error('no destination');
    const target = core.target(db);
    const fence = new OwnerFence(destination, target, { ownerId: 'a1b2c3' });
    await fence.claim();
    const state = parseManifestName(manifestsOf(project.place('store'))[0]?.split('/').at(-1) ?? '');
    if (state === undefined) throw new Error('no state');
    await keepState(destination, target, state);
    const stray = Buffer.from('\u0000stray');
    await destination.put(`.resweep/packs/${sha256Of(stray)}.pack`, stray, { sha256: sha256Of(stray) });
    await pruneBackups(drive);
    expect(await verifyBackups(project.drive())).toMatchObject({ ok: true });

    const files = [find(/owner-1-a1b2c3\.json$/), find(/\.resweep\/garbage\//), find(/kept-[0-9a-f]{16}\.json$/)];
    for (const file of files) writeFileSync(file, readFileSync(file).subarray(0, 20));
    const report = await verifyBackups(project.drive());
    expect(report).toMatchObject({ ok: false, unreachable: [] });
    expect(report.damages.map(({ path }) => join(project.place('store'), path)).sort()).toEqual([...files].sort());

    const mended = await repairBackups(project.drive());
    expect(mended).toMatchObject({ ok: true, remaining: [] });
    expect(mended.repaired).toHaveLength(3);
    expect(await keptStates(destination, target)).toEqual(new Set([state.check]));
    // Its owner goes on and is told by its record again.
    expect(await fence.renew()).toBeUndefined();
    expect(JSON.parse(readFileSync(find(/owner-1-a1b2c3\.json$/), 'utf8'))).toMatchObject({ state: 'owner' });
  });
});

it('the list of saved states tells the size of each, and whether all of it is there', async () => {
  await makeStudy(db, { finished: 200 });
  const drive = project.drive();
  await drive.backup(db);
  await addTrials(db, 2_000);
  const { bytes } = await drive.backup(db);
  const list = async () => (await listBackups(project.drive())).backups.map((entry) => [entry.bytes, entry.verified]);
  expect((await list())[0]).toEqual([bytes, 'verified']);
  expect((await list())[1]?.[1]).toBe('verified');
  flipByte(
    join(
      project.place('store'),
      targetFolder(drive.drivePathFor(db)),
      manifestsOf(project.place('store'))[1]?.split('/').at(-1) ?? '',
    ),
  );
  expect((await list())[1]).toEqual([undefined, 'damaged']);
  const [pack = ''] = packsOf(project.place('store'));
  writeFileSync(pack, readFileSync(pack).subarray(0, 100));
  expect((await list())[0]).toEqual([bytes, 'damaged']);
});
