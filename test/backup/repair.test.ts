import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { CallOptions } from '../../src/backup/destinations/destination.js';
import { coreOf, type Drive } from '../../src/backup/drive/drive.js';
import { ChunkPool } from '../../src/backup/repair/chunk-pool.js';
import { repairBackups } from '../../src/backup/repair/repair.js';
import { verifyBackups } from '../../src/backup/verify/verify.js';
import {
  addTrials,
  copyFolder,
  filesBelow,
  finishedTrials,
  flipByte,
  makeStudy,
  manifestsOf,
  packsOf,
  TestProject,
} from '../support/backup-project.js';
import { SlowDestination } from '../support/slow-destination.js';

let project: TestProject;
let db: string;
beforeEach(() => {
  project = new TestProject();
  db = project.studyDb();
});
afterEach(async () => {
  await project.close();
});

const two = (): Drive => project.drive([project.folder('one'), project.folder('two')]);

/** A study with a checkpoint folder at two destinations, in two states. */
async function saved(drive: Drive): Promise<string> {
  const folder = project.path('outputs', 'final');
  await makeStudy(db, { finished: 3 });
  project.write(join(folder, 'weights.bin'), randomBytes(700_000));
  project.write(join(folder, 'state.json'), '{"step":3}');
  await drive.backup(db);
  await drive.backup(folder, { isDirectory: true });
  await addTrials(db, 2);
  project.write(join(folder, 'state.json'), '{"step":4}');
  await drive.backup(db);
  await drive.backup(folder, { isDirectory: true });
  return folder;
}

describe('a flipped byte in each file of a destination', () => {
  it('is found, named, and mended to the bit from what is whole elsewhere', async () => {
    const drive = two();
    await saved(drive);
    const store = project.place('one');
    expect((await verifyBackups(drive, { deep: true })).ok).toBe(true);
    for (const file of filesBelow(store)) {
      if (file.includes('owner-')) continue;
      const path = join(store, file);
      const before = readFileSync(path);
      flipByte(path, Math.floor(before.length / 2));
      const found = await verifyBackups(drive, { destination: 'one' });
      expect(found.damages.length, file).toBeGreaterThan(0);
      const report = await repairBackups(drive, { destination: 'one' });
      expect(report, file).toMatchObject({ ok: true, remaining: [] });
      expect(report.repaired.length, file).toBeGreaterThan(0);
      if (!file.includes('targets/')) expect(readFileSync(path).equals(before), file).toBe(true);
    }
    expect((await verifyBackups(drive, { deep: true })).ok).toBe(true);
    project.loseOutputs();
    expect(await drive.restore(db, { from: 'one' })).toMatchObject({ status: 'restored', fellBack: [] });
    expect(finishedTrials(db)).toBe(5);
  });
});

describe('repair', () => {
  it('makes a lost pack and a lost manifest again', async () => {
    const drive = two();
    await saved(drive);
    for (const pack of packsOf(project.place('one'))) rmSync(pack);
    expect((await repairBackups(drive)).ok).toBe(true);
    expect((await verifyBackups(drive, { deep: true })).ok).toBe(true);
  });

  it('takes chunks from the study on this machine and from the plain copy, where there is one destination only', async () => {
    const drive = project.drive();
    await saved(drive);
    const [pack = ''] = packsOf(project.place('store'));
    const before = readFileSync(pack);
    flipByte(pack, 3);
    const report = await repairBackups(drive);
    expect(report.remaining).toEqual([]);
    expect(report.repaired[0]?.from).toMatch(/this machine|plain copy/);
    expect(readFileSync(pack).equals(before)).toBe(true);
    flipByte(manifestsOf(project.place('store'), 'study.db')[0] ?? '', 20);
    expect((await repairBackups(drive)).ok).toBe(true);
    project.loseOutputs();
    await drive.restore(db);
    expect(finishedTrials(db)).toBe(5);
  });

  it('keeps and names what can be had nowhere; lets go what a later whole state contains', async () => {
    const drive = project.drive();
    await makeStudy(db, { finished: 3 });
    await drive.backup(db);
    await addTrials(db, 2);
    await drive.backup(db);
    const [newest = '', older = ''] = manifestsOf(project.place('store'));
    flipByte(older, 20);
    expect(await repairBackups(drive)).toMatchObject({
      ok: true,
      repaired: [{ from: expect.stringMatching(/let go/) }],
    });
    flipByte(newest, 20);
    rmSync(join(project.place('store'), 'outputs'), { recursive: true });
    project.loseOutputs();
    const report = await repairBackups(drive);
    expect(report).toMatchObject({ ok: false, repaired: [] });
    expect(report.remaining).toHaveLength(1);
    expect(manifestsOf(project.place('store'))).toEqual([newest]);
  });

  it('lets nothing go for a history that another owner wrote beside it', async () => {
    const drive = project.drive();
    await makeStudy(db);
    for (let n = 0; n < 3; n++) {
      await addTrials(db, 1);
      await drive.backup(db);
    }
    // As if the second state came from another machine, which held the same branch for a moment.
    const [, second = ''] = manifestsOf(project.place('store'));
    const other = second.replace(/\.[0-9a-f]{8}(\.[0-9a-f]{16}\.[0-9a-f]{16}\.json)$/, '.0badcafe$1');
    renameSync(second, other);
    flipByte(other, 20);
    rmSync(join(project.place('store'), 'outputs'), { recursive: true });
    project.loseOutputs();
    expect(await repairBackups(drive)).toMatchObject({ ok: false, repaired: [] });
    expect(manifestsOf(project.place('store'))).toContain(other);
  });

  it('fetches each pack of another destination once, however many states name it', async () => {
    await makeStudy(db, { finished: 300 });
    const gets: string[] = [];
    class Counted extends SlowDestination {
      override get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
        if (key.endsWith('.pack')) gets.push(key);
        return super.get(key, options);
      }
    }
    const drive = project.drive([project.folder('one'), new Counted(project.folder('two'))]);
    for (let n = 0; n < 6; n++) {
      await addTrials(db, 1);
      await drive.backup(db);
    }
    const core = coreOf(drive);
    const [damaged] = core?.destinations ?? [];
    if (core === undefined || damaged === undefined) throw new Error('no destination');
    gets.length = 0;
    const pool = new ChunkPool(core, core.target(db), damaged, undefined);
    expect(await pool.find('0'.repeat(64))).toBeUndefined();
    pool.close();
    expect(gets.length).toBeGreaterThan(0);
    expect(new Set(gets).size).toBe(gets.length);
  });

  it('changes nothing where all is well, and goes on past a destination that is gone', async () => {
    await saved(two());
    const before = new Map(
      filesBelow(project.place('one')).map((file) => [file, readFileSync(join(project.place('one'), file), 'hex')]),
    );
    const gone = project.folder('gone', { path: '/nonexistent-disk/x' });
    const report = await repairBackups(project.drive([gone, project.folder('one')]));
    expect(report).toMatchObject({ ok: false, repaired: [], remaining: [], unreachable: [{ destination: 'gone' }] });
    const after = new Map(
      filesBelow(project.place('one')).map((file) => [file, readFileSync(join(project.place('one'), file), 'hex')]),
    );
    expect(after).toEqual(before);
  });
});

describe('deep verification', () => {
  it('reads archives to their end and asks whether models load', async () => {
    const folder = project.path('outputs', 'archives');
    const good = gzipSync(randomBytes(10_000));
    project.write(join(folder, 'good.gz'), good);
    const drive = project.drive();
    await drive.backup(folder, { isDirectory: true });
    const asked: string[][] = [];
    const checkFolder = (place: string): Promise<string[]> => {
      asked.push(filesBelow(place));
      return Promise.resolve([]);
    };
    expect((await verifyBackups(drive, { deep: true, checkFolder })).ok).toBe(true);
    expect(asked).toEqual([['good.gz']]);
    project.write(join(folder, 'cut.gz'), good.subarray(0, 5000));
    await drive.backup(folder, { isDirectory: true });
    expect((await verifyBackups(drive)).ok).toBe(true);
    expect((await verifyBackups(drive, { deep: true })).damages).toMatchObject([
      { problem: expect.stringMatching(/cut\.gz/) },
    ]);
    const broken = (): Promise<string[]> => Promise.resolve(['model/ does not load']);
    expect((await verifyBackups(drive, { deep: true, checkFolder: broken })).damages).toHaveLength(2);
  });

  it('finds with --sample a damaged pack of the newest state, which reading names alone does not', async () => {
    await makeStudy(db, { finished: 3 });
    const drive = project.drive();
    await drive.backup(db);
    copyFolder(project.place('store'), project.place('copy'));
    const [pack = ''] = packsOf(project.place('store'));
    const bytes = readFileSync(pack);
    // Same size, same date: nothing but reading tells.
    bytes[200] = (bytes[200] ?? 0) ^ 1;
    writeFileSync(pack, bytes);
    expect((await verifyBackups(drive, { sample: 0.1 })).damages).toHaveLength(1);
    expect((await verifyBackups(drive, { deep: true })).damages).toHaveLength(1);
  });
});
