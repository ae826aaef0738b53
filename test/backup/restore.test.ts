import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { listTargets, targetFolder } from '../../src/backup/format/catalog.js';
import { encodeManifest, type Manifest } from '../../src/backup/format/manifest.js';
import {
  addTrials,
  filesBelow,
  finishedTrials,
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

describe('restore of a file', () => {
  it('a lost machine: everything back, verified; the second restore is a no-op', async () => {
    await makeStudy(db, { finished: 7 });
    const before = (await project.drive().backup(db)).sha256;
    project.loseOutputs();
    const result = await project.drive().restore(db);
    expect(result).toMatchObject({ status: 'restored', finishedTrials: 7, sha256: before, destination: 'store' });
    expect(finishedTrials(db)).toBe(7);
    expect(project.events.at(-1)).toMatchObject({ type: 'restore', outcome: 'ok', sha256: before });
    const again = readFileSync(db);
    expect(await project.drive().restore(db)).toMatchObject({ status: 'present', files: [] });
    expect(readFileSync(db).equals(again)).toBe(true);
  });

  it('local exists while the backup is newer: local kept, said', async () => {
    await makeStudy(db, { finished: 9 });
    await project.drive().backup(db);
    rmSync(db);
    await makeStudy(db, { finished: 1 });
    expect(await project.drive().ensureRestoredFromDrive(db)).toBe(true);
    expect(finishedTrials(db)).toBe(1);
    expect(project.events.at(-1)?.message).toContain('kept as it is');
  });

  it('knows no target whose name would leave the project', async () => {
    const drive = project.drive();
    await drive.backup(project.write(project.path('outputs', 'a.bin'), 'content'));
    for (const id of ['..%2Fa.bin', '%2Fetc%2Fa.bin', 'a%2F..%2F..%2Fb', '%2e%2e'])
      mkdirSync(join(project.place('store'), '.resweep', 'targets', id), { recursive: true });
    const store = project.folder();
    expect(await listTargets(store)).toEqual(['outputs/a.bin']);
    await store.close();
  });

  it('what is wrong on this machine is said as such, and no copy is blamed', async () => {
    const file = project.write(project.path('outputs', 'models', 'a.bin'), 'content');
    const drive = project.drive([project.folder('one'), project.folder('two')]);
    await drive.backup(file);
    project.loseOutputs();
    // A disk that is not there.
    symlinkSync('/nonexistent-disk/folder', project.place('link'));
    const result = await drive.restore(file, { to: project.place('link') });
    expect(result).toMatchObject({ status: 'refused', fellBack: [] });
    expect(result.error).toContain(project.place('link'));
  });

  it('is skipped for a Drive path, and off when backups are off', async () => {
    const drive = project.drive();
    expect(await drive.restoreFromDrive('/content/drive/MyDrive/study.db')).toBe(false);
    expect(await drive.ensureRestoredFromDrive(db, { enabled: false })).toBe(false);
    await makeStudy(db);
    expect(await drive.ensureRestoredFromDrive(db, { enabled: false })).toBe(true);
  });

  it('beside a stale -wal: exactly the backup, not what the log would play back', async () => {
    await makeStudy(db, { finished: 4 });
    await project.drive().backup(db);
    const live = new Database(db);
    live.pragma('journal_mode = WAL');
    live.pragma('wal_autocheckpoint = 0');
    live.exec('CREATE TABLE later (x); INSERT INTO later VALUES (1)');
    const wal = readFileSync(`${db}-wal`);
    live.close();
    rmSync(db);
    writeFileSync(`${db}-wal`, wal);
    writeFileSync(`${db}-shm`, 'stale');
    expect(await project.drive().restore(db)).toMatchObject({ status: 'restored' });
    const restored = new Database(db, { readonly: true });
    expect(restored.prepare("SELECT COUNT(*) FROM sqlite_master WHERE name = 'later'").pluck().get()).toBe(0);
    restored.close();
    expect(readdirSync(dirname(db))).toEqual(['study.db']);
  });

  it('to a time, a snapshot, a destination and a folder', async () => {
    await makeStudy(db, { finished: 1 });
    const drive = project.drive([project.folder('one'), project.folder('two')]);
    for (let trial = 0; trial < 3; trial++) {
      await drive.backup(db);
      await addTrials(db, 1);
    }
    const names = manifestsOf(project.place('one')).map((file) => file.slice(file.lastIndexOf('/') + 1));
    const to = project.place('elsewhere');
    const at = names[1] ?? '';
    const place = join(to, drive.drivePathFor(db));
    expect(await drive.restore(db, { at, to })).toMatchObject({ status: 'restored', finishedTrials: 2 });
    expect(finishedTrials(place)).toBe(2);
    rmSync(to, { recursive: true });
    expect(await drive.restore(db, { at: 'generation:1', to, from: 'two' })).toMatchObject({
      destination: 'two',
      finishedTrials: 1,
    });
    const taken = Number(/\.(\d{13})\./.exec(at)?.[1]);
    rmSync(to, { recursive: true });
    expect(await drive.restore(db, { at: new Date(taken).toISOString(), to })).toMatchObject({ finishedTrials: 2 });
    expect((await drive.restore(db, { at: '2001-01-01', to: project.place('none') })).status).toBe('absent');
    await expect(drive.restore(db, { at: 'yesterday', to: project.place('none') })).rejects.toMatchObject({
      exitCode: 2,
    });
    await expect(drive.restore(db, { from: 'tow', to })).rejects.toMatchObject({
      exitCode: 2,
      hint: 'Did you mean "two"?',
    });
    expect(finishedTrials(db)).toBe(4);
  });

  it.each(['/etc/passwd', '../../up', 'a/../../b', 'C:\\x'])(
    'refuses a manifest with the member path %j',
    async (path) => {
      await makeStudy(db, { finished: 1 });
      const drive = project.drive();
      await drive.backup(dirname(db), { isDirectory: true });
      const [file = ''] = manifestsOf(project.place('store'));
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
      const [member] = manifest.members ?? [];
      if (member === undefined) throw new Error('no member');
      const evil = encodeManifest({ ...manifest, generation: 9, members: [{ ...member, path }] }, 'f'.repeat(64));
      rmSync(file);
      writeFileSync(join(project.place('store'), targetFolder(manifest.path), evil.name), evil.bytes);
      project.loseOutputs();
      const result = await drive.restore(dirname(db), { isDirectory: true });
      expect(result.status).toBe('damaged');
      expect(result.fellBack[0]?.reason).toContain('not valid');
      expect(existsSync(dirname(db))).toBe(false);
    },
  );

  it('refuses a manifest of a later format', async () => {
    await makeStudy(db, { finished: 1 });
    const drive = project.drive();
    await drive.backup(db);
    const [file = ''] = manifestsOf(project.place('store'));
    const manifest = { ...(JSON.parse(readFileSync(file, 'utf8')) as Manifest), formatVersion: 3, generation: 5 };
    const later = encodeManifest(manifest, 'f'.repeat(64));
    writeFileSync(join(project.place('store'), targetFolder(manifest.path), later.name), later.bytes);
    project.loseOutputs();
    const result = await drive.restore(db);
    expect(result.status).toBe('restored');
    expect(result.fellBack[0]?.reason).toContain('format version 3');
  });

  it('restores another study than the one asked for never', async () => {
    await makeStudy(db, { name: 'other', finished: 2 });
    await project.drive().backup(db);
    project.loseOutputs();
    expect((await project.drive().restore(db, { studyName: 'digits' })).status).toBe('damaged');
    expect(existsSync(db)).toBe(false);
  });
});

describe('forks', () => {
  it('a fresh study never replaces a backup with more trials', async () => {
    await makeStudy(db, { finished: 40 });
    await project.drive().backup(db);
    rmSync(db);
    await makeStudy(db, { finished: 0, lineage: 'fresh' });
    const drive = project.drive();
    expect((await drive.backup(db)).ok).toBe(true);
    const mirror = join(project.place('store'), drive.drivePathFor(db));
    expect(finishedTrials(mirror)).toBe(40);
    expect(project.events.map((event) => event.type)).toContain('fork');
    project.loseOutputs();
    expect(await drive.restore(db)).toMatchObject({ finishedTrials: 40 });
    project.loseOutputs();
    const branches = (await drive.restore(db, { to: project.place('x') })).otherBranches;
    expect(branches).toHaveLength(1);
    expect(await drive.restore(db, { branch: branches[0]?.branch ?? '' })).toMatchObject({ finishedTrials: 0 });
  });

  it('A at 42, B restored at 40 and now at 43: both are kept, neither mirror nor history is overwritten', async () => {
    const b = new TestProject();
    const shared = project.place('store');
    await makeStudy(db, { finished: 40 });
    const driveA = project.drive();
    await driveA.backup(db);
    const driveB = b.drive([b.folder('store', { path: shared })]);
    const dbB = b.studyDb();
    expect(await driveB.restore(dbB)).toMatchObject({ status: 'restored', finishedTrials: 40 });
    await addTrials(dbB, 1, { offset: 0.1 });
    await addTrials(db, 1);
    await driveA.backup(db);
    await driveB.backup(dbB);
    await addTrials(db, 1);
    await driveA.backup(db);
    await addTrials(dbB, 2, { offset: 0.1 });
    await driveB.backup(dbB);
    expect(finishedTrials(join(shared, driveA.drivePathFor(db)))).toBe(42);
    project.loseOutputs();
    const best = await driveA.restore(db);
    expect(best).toMatchObject({ status: 'restored', finishedTrials: 43 });
    expect(best.otherBranches).toMatchObject([{ finished: 42 }]);
    project.loseOutputs();
    const other = best.otherBranches[0]?.branch ?? '';
    expect(await driveA.restore(db, { branch: other })).toMatchObject({ finishedTrials: 42, branch: other });
    await b.close();
  });
});

describe('restore of a folder', () => {
  const trial = 'trials/trial-0003-00000000';
  const write = (): string => {
    const folder = dirname(db);
    project.write(join(folder, 'study.yaml'), 'study: digits\n');
    project.write(join(folder, 'events.jsonl'), '{"a":1}\n{"b":2}\n{"torn');
    project.write(join(folder, trial, 'checkpoint/weights.bin'), Buffer.alloc(90_000, 7));
    project.write(join(folder, trial, 'checkpoint/manifest.json'), '{"step":3}');
    project.write(join(folder, trial, 'checkpoint.tmp-77/weights.bin'), 'half-written');
    project.write(join(folder, trial, 'params.json'), '{}');
    return folder;
  };

  it('comes back whole, without what was half-written; logs end with a whole line', async () => {
    const folder = write();
    await makeStudy(db, { finished: 3 });
    expect(await project.drive().backup(folder, { isDirectory: true })).toMatchObject({ ok: true });
    project.loseOutputs();
    expect(await project.drive().restore(folder, { isDirectory: true })).toMatchObject({ status: 'restored' });
    expect(filesBelow(folder)).toEqual([
      'events.jsonl',
      'study.db',
      'study.yaml',
      `${trial}/checkpoint/manifest.json`,
      `${trial}/checkpoint/weights.bin`,
      `${trial}/params.json`,
    ]);
    expect(readFileSync(join(folder, 'events.jsonl'), 'utf8')).toBe('{"a":1}\n{"b":2}\n');
    expect(readFileSync(join(folder, trial, 'checkpoint/weights.bin')).equals(Buffer.alloc(90_000, 7))).toBe(true);
  });

  it('takes the newer state that the database has of its own', async () => {
    const folder = write();
    await makeStudy(db, { finished: 3 });
    const drive = project.drive();
    await drive.backup(folder, { isDirectory: true });
    await addTrials(db, 2);
    await drive.backup(db);
    project.loseOutputs();
    await project.drive().restore(folder, { isDirectory: true });
    expect(finishedTrials(db)).toBe(5);
  });

  it('half-restored: completed, what is here is kept', async () => {
    const folder = write();
    await makeStudy(db, { finished: 3 });
    await project.drive().backup(folder, { isDirectory: true });
    rmSync(join(folder, trial, 'checkpoint/weights.bin'));
    rmSync(join(folder, 'study.yaml'));
    await addTrials(db, 4);
    writeFileSync(join(folder, 'events.jsonl'), '{"a":1}\n{"b":2}\n{"c":3}\n');
    const result = await project.drive().restore(folder, { isDirectory: true });
    expect(result).toMatchObject({ status: 'completed', files: ['study.yaml', `${trial}/checkpoint/weights.bin`] });
    expect(finishedTrials(db)).toBe(7);
    expect(readFileSync(join(folder, 'events.jsonl'), 'utf8')).toContain('"c"');
    expect(await project.drive().restore(folder, { isDirectory: true })).toMatchObject({ status: 'present' });
  });

  it('mixed generations are refused; an older state that fits is found', async () => {
    const folder = write();
    const drive = project.drive();
    await drive.backup(folder, { isDirectory: true });
    const weights = join(folder, trial, 'checkpoint/weights.bin');
    writeFileSync(weights, Buffer.alloc(90_000, 8));
    writeFileSync(join(folder, trial, 'checkpoint/manifest.json'), '{"step":4}');
    await drive.backup(folder, { isDirectory: true });
    writeFileSync(join(folder, trial, 'checkpoint/manifest.json'), '{"step":5}');
    rmSync(weights);
    expect(await drive.restore(folder, { isDirectory: true })).toMatchObject({ status: 'refused' });
    expect(existsSync(weights)).toBe(false);
    writeFileSync(join(folder, trial, 'checkpoint/manifest.json'), '{"step":3}');
    expect(await drive.restore(folder, { isDirectory: true })).toMatchObject({ status: 'completed' });
    expect(readFileSync(weights).equals(Buffer.alloc(90_000, 7))).toBe(true);
  });

  it('a missing pack: the folder is refused whole, nothing half appears', async () => {
    const folder = write();
    await project.drive().backup(folder, { isDirectory: true });
    for (const pack of packsOf(project.place('store'))) rmSync(pack);
    rmSync(join(project.place('store'), 'outputs'), { recursive: true });
    project.loseOutputs();
    expect(await project.drive().restore(folder, { isDirectory: true })).toMatchObject({ status: 'damaged' });
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(dirname(folder)) ? readdirSync(dirname(folder)) : []).toEqual([]);
  });

  it('does not write through a link', async () => {
    const folder = write();
    await project.drive().backup(folder, { isDirectory: true });
    rmSync(join(folder, trial), { recursive: true });
    mkdirSync(project.place('victim'));
    symlinkSync(project.place('victim'), join(folder, trial));
    expect(await project.drive().restore(folder, { isDirectory: true })).toMatchObject({ status: 'refused' });
    expect(readdirSync(project.place('victim'))).toEqual([]);
  });

  it('more members than one manifest holds', async () => {
    const folder = project.path('outputs', 'many');
    for (let index = 0; index < 300; index++) project.write(join(folder, `f${index}.json`), `{"index":${index}}`);
    const drive = project.drive();
    await drive.backup(folder, { isDirectory: true });
    const sizes = packsOf(project.place('store')).length;
    project.write(join(folder, 'f9999.json'), '{}');
    await drive.backup(folder, { isDirectory: true });
    expect(packsOf(project.place('store')).length - sizes).toBeLessThanOrEqual(2);
    rmSync(join(project.place('store'), 'outputs'), { recursive: true });
    rmSync(folder, { recursive: true });
    expect(await project.drive().restore(folder, { isDirectory: true })).toMatchObject({ status: 'restored' });
    expect(filesBelow(folder)).toHaveLength(301);
    expect(readFileSync(join(folder, 'f299.json'), 'utf8')).toBe('{"index":299}');
  });
});
