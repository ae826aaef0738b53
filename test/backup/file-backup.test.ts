import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { immediateBackupIfNeeded } from '../../src/backup/stages/immediate-backup.js';
import {
  addTrials,
  filesBelow,
  finishedTrials,
  flipByte,
  makeStudy,
  manifestsOf,
  packsOf,
  TestProject,
} from '../support/backup-project.js';

let project: TestProject;
beforeEach(() => {
  project = new TestProject();
});
afterEach(async () => {
  await project.close();
});

describe('backup of one file', () => {
  it('v2 folder found and its file backed up', async () => {
    const db = project.studyDb();
    await makeStudy(db, { finished: 5 });
    const result = await project.drive().backup(db);
    expect(result).toMatchObject({ ok: true, verified: 'verified', path: db });
    const mirror = join(project.place('store'), 'outputs/hpo/local/mlp/study-abcd1234/study.db');
    expect(finishedTrials(mirror)).toBe(5);
    expect(statSync(mirror).size).toBe(result.bytes);
    expect(project.events.map((event) => event.type)).toEqual(['backup']);
    expect(project.events[0]).toMatchObject({
      destination: 'store',
      finishedTrials: 5,
      sha256: result.sha256,
      bytes: result.bytes,
    });
  });

  it('never sends -wal, -shm or -journal', async () => {
    const db = project.studyDb();
    await makeStudy(db, { finished: 2 });
    for (const suffix of ['-wal', '-shm', '-journal'])
      writeFileSync(`${project.path('outputs', 'x.db')}${suffix}`, 'x');
    writeFileSync(join(db, '..', 'notes.txt'), 'hello');
    await project.drive().backup(project.path('outputs'), { isDirectory: true });
    expect(filesBelow(project.place('store')).filter((file) => /-(wal|shm|journal)$/.test(file))).toEqual([]);
  });

  it('runs when the file is local and not at the destination, though a Drive folder of the same path exists', async () => {
    const db = project.studyDb();
    await makeStudy(db, { finished: 1 });
    mkdirSync(join(project.place('store'), 'outputs/hpo/local/mlp/study-abcd1234'), { recursive: true });
    const drive = project.drive();
    expect(drive.drivePathFor(db)).toBe('outputs/hpo/local/mlp/study-abcd1234/study.db');
    expect(await immediateBackupIfNeeded({ path: db, backupToDrive: drive.backupToDrive })).toBe(true);
    expect(existsSync(join(project.place('store'), drive.drivePathFor(db)))).toBe(true);
  });

  it('writes again what was removed at the destination meanwhile', async () => {
    const db = project.studyDb();
    await makeStudy(db, { finished: 3 });
    const drive = project.drive();
    await drive.backup(db);
    rmSync(project.place('store'), { recursive: true });
    mkdirSync(project.place('store'));
    expect((await drive.backup(db)).ok).toBe(true);
    project.loseOutputs();
    expect(await drive.ensureRestoredFromDrive(db)).toBe(true);
    expect(finishedTrials(db)).toBe(3);
  });

  it('says what is missing, a Drive path, outside the project, or without destination, and never throws', async () => {
    const drive = project.drive();
    expect(await drive.backup(project.path('nowhere.db'))).toMatchObject({ ok: false, verified: 'no' });
    expect(await drive.backup('/content/drive/MyDrive/study.db')).toMatchObject({ ok: false });
    expect((await drive.backup('/etc/hostname')).error).toContain('does not lie below the project root');
    const file = project.write(project.path('a.json'), '{}');
    expect((await project.drive([]).backup(file)).error).toContain('no backup destination');
  });

  it('refuses an empty and a table-less database', async () => {
    const empty = project.write(project.studyDb(), '');
    expect((await project.drive().backup(empty)).error).toContain('empty');
    rmSync(empty);
    const { default: Database } = await import('better-sqlite3');
    const db = new Database(empty);
    db.pragma('user_version = 7');
    db.close();
    expect(await project.drive().backup(empty)).toMatchObject({ ok: false });
  });

  it('sends a part of a study that does not grow with it', async () => {
    const db = project.studyDb();
    const sent: number[] = [];
    const drive = project.drive(undefined, { onEvent: (event) => sent.push(event.sentBytes ?? 0) });
    const saved: number[] = [];
    for (const size of [2_000, 8_000]) {
      if (!existsSync(db)) await makeStudy(db, { finished: size });
      else await addTrials(db, size);
      await drive.backup(db);
      await addTrials(db, 1);
      const packsBefore = new Set(packsOf(project.place('store')));
      await drive.backup(db);
      const added = packsOf(project.place('store')).filter((pack) => !packsBefore.has(pack));
      saved.push(added.reduce((sum, pack) => sum + statSync(pack).size, 0));
    }
    expect(statSync(db).size).toBeGreaterThan(1_500_000);
    expect(saved[1]).toBeLessThan(Math.max(3 * (saved[0] ?? 0), 150_000));
  });

  it('takes in a copy of unknown origin before it replaces it', async () => {
    const db = project.studyDb();
    await makeStudy(db, { finished: 2 });
    const drive = project.drive();
    const mirror = join(project.place('store'), drive.drivePathFor(db));
    await makeStudy(mirror, { finished: 9, lineage: 'other' });
    const before = readFileSync(mirror);
    await drive.backup(db);
    expect(readFileSync(mirror).equals(before)).toBe(true);
    expect(project.events.map((event) => event.type)).toContain('mirrorKept');
    expect(manifestsOf(project.place('store'))).toHaveLength(2);
    project.loseOutputs();
    expect(await drive.restore(db)).toMatchObject({ status: 'restored', finishedTrials: 9 });
  });

  it('refuses links, and a destination that lies in the source', async () => {
    const file = project.write(project.path('outputs', 'a.json'), '{}');
    symlinkSync(file, project.path('outputs', 'link.json'));
    const inside = project.drive([project.folder('in', { path: 'outputs/backups' })]);
    expect((await inside.backup(project.path('outputs'))).error).toContain('never backed up');
    expect((await inside.backup(project.path('outputs/backups/x'))).ok).toBe(false);
    const linked = await project.drive().backup(project.path('outputs'), { isDirectory: true });
    expect(linked.ok).toBe(true);
    expect(filesBelow(project.place('store')).some((name) => name.endsWith('link.json'))).toBe(false);
  });
});

describe('damage', () => {
  it.each(['mirror', 'manifest', 'pack'])('a corrupted %s: refused, another copy used, said', async (kind) => {
    const db = project.studyDb();
    await makeStudy(db, { finished: 3 });
    const drive = project.drive();
    await drive.backup(db);
    await addTrials(db, 2);
    await drive.backup(db);
    const store = project.place('store');
    const mirror = join(store, drive.drivePathFor(db));
    if (kind === 'mirror') flipByte(mirror);
    if (kind === 'manifest') flipByte(manifestsOf(store)[0] ?? '');
    if (kind === 'pack') {
      flipByte(packsOf(store)[0] ?? '', 100);
      writeFileSync(mirror, 'not a database');
    }
    project.loseOutputs();
    const result = await drive.restore(db);
    expect(result.status).toBe('restored');
    expect(finishedTrials(db)).toBe(kind === 'mirror' ? 5 : 3);
    expect(result.fellBack).toHaveLength(kind === 'mirror' ? 0 : 1);
  });

  it('a pack that is damaged is repaired from the mirror, and not built on by the next process', async () => {
    const db = project.studyDb();
    await makeStudy(db, { finished: 3 });
    await project.drive().backup(db);
    const store = project.place('store');
    flipByte(packsOf(store)[0] ?? '', 60);
    project.loseOutputs();
    expect(await project.drive().restore(db)).toMatchObject({ status: 'restored', fellBack: [] });
    await addTrials(db, 1);
    await project.drive().backup(db);
    rmSync(join(store, 'outputs'), { recursive: true });
    project.loseOutputs();
    expect(await project.drive().restore(db)).toMatchObject({ status: 'restored', finishedTrials: 4 });
  });

  it('falls back destination by destination and tells damaged, absent and unreachable apart', async () => {
    const db = project.studyDb();
    await makeStudy(db, { finished: 3 });
    const both = () => [project.folder('one'), project.folder('two')];
    expect((await project.drive(both()).restore(project.path('outputs/none.db'))).status).toBe('absent');
    await project.drive(both()).backup(db);
    for (const file of [...manifestsOf(project.place('one')), ...packsOf(project.place('one'))]) flipByte(file, 70);
    flipByte(join(project.place('one'), 'outputs/hpo/local/mlp/study-abcd1234/study.db'), 5000);
    project.loseOutputs();
    const result = await project.drive(both()).restore(db);
    expect(result).toMatchObject({ status: 'restored', destination: 'two' });
    project.loseOutputs();
    expect((await project.drive([project.folder('one')]).restore(db)).status).toBe('damaged');
    const gone = project.folder('gone', { path: '/nonexistent-disk/x' });
    expect((await project.drive([gone]).restore(db)).status).toBe('unreachable');
    expect(existsSync(db)).toBe(false);
  });
});
