import { cpSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Manifest } from '../../src/backup/format/manifest.js';
import { coreOf, type Drive } from '../../src/backup/drive/drive.js';
import { repairBackups } from '../../src/backup/repair/repair.js';
import { verifyBackups } from '../../src/backup/verify/verify.js';
import {
  addTrials,
  finishedTrials,
  flipByte,
  makeStudy,
  manifestsOf,
  openStudy,
  packsOf,
  TestProject,
} from '../support/backup-project.js';

const VERSION_1 = resolve(import.meta.dirname, '../fixtures/backup-formats/version-1');

let project: TestProject;
let db: string;
beforeEach(() => {
  project = new TestProject();
  db = project.studyDb();
});
afterEach(async () => {
  await project.close();
});

function newest(): Manifest {
  return JSON.parse(readFileSync(manifestsOf(project.place('store'))[0] ?? '', 'utf8')) as Manifest;
}

describe('format 1', () => {
  beforeEach(() => {
    cpSync(VERSION_1, project.place('store'), { recursive: true });
  });

  it('is restored, verified, and gone on with in the same history', async () => {
    const drive = project.drive();
    expect(await verifyBackups(drive, { deep: true })).toMatchObject({ ok: true, checkedSnapshots: 3 });
    expect(await drive.restore(db)).toMatchObject({ status: 'restored', finishedTrials: 2401 });
    const models = project.path('outputs/models');
    expect(await drive.restore(models, { isDirectory: true })).toMatchObject({ status: 'restored', bytes: 651508 });

    await addTrials(db, 3);
    expect(await drive.backup(db)).toMatchObject({ ok: true });
    expect(newest()).toMatchObject({ formatVersion: 2, generation: 3, study: { finished: 2404 } });
    expect(newest().parent).toMatch(/^bf9db6aa\.0000000002\./);
    expect(await verifyBackups(drive, { deep: true })).toMatchObject({ ok: true, checkedSnapshots: 4 });
    for (const [at, finished] of [
      ['generation:1', 2400],
      ['generation:2', 2401],
      ['generation:3', 2404],
    ] as const) {
      const to = project.place(`at-${String(finished)}.db`);
      expect(await drive.restore(db, { to, at })).toMatchObject({ status: 'restored', finishedTrials: finished });
    }
  });

  it('is repaired by chunks of its own size from the study on this machine', async () => {
    await project.drive().restore(db);
    flipByte(packsOf(project.place('store')).sort((a, b) => statSync(b).size - statSync(a).size)[0] ?? '');
    expect((await verifyBackups(project.drive())).damages.length).toBeGreaterThan(0);
    const report = await repairBackups(project.drive());
    expect(report).toMatchObject({ ok: true, remaining: [] });
    expect(report.repaired.map(({ from }) => from)).toEqual(['this machine']);
  });
});

describe('format 2', () => {
  /** Saves as a running sweep does, one trial each; bytes of each save without the plain copy. */
  async function saves(drive: Drive, count: number, trials = 1): Promise<number[]> {
    const core = coreOf(drive);
    if (core === undefined) throw new Error('no core');
    const [destination] = core.destinations;
    if (destination === undefined) throw new Error('no destination');
    const study = await openStudy(db);
    const sent: number[] = [];
    for (let save = 0; save < count; save++) {
      await study.add(trials);
      const capture = await core.capturer.capture({
        target: core.target(db),
        path: db,
        isDirectory: false,
        full: false,
      });
      sent.push((await core.save(destination, capture, { mirror: false })).sentBytes);
      core.capturer.release(capture);
    }
    await study.close();
    return sent;
  }

  it('sends per trial what changed, however large the study is', async () => {
    const means: number[] = [];
    await makeStudy(db, { finished: 2_000 });
    for (const more of [0, 8_000]) {
      await addTrials(db, more);
      const drive = project.drive();
      await drive.backup(db);
      const sent = await saves(drive, 8);
      means.push(sent.reduce((sum, bytes) => sum + bytes, 0) / sent.length);
    }
    expect(statSync(db).size).toBeGreaterThan(2_500_000);
    const [small = 0, large = 0] = means;
    expect(large / small).toBeLessThan(1.6);
    expect(large).toBeLessThan(20_000);
  });

  it('writes lists again where a patch would grow, and every state between stays whole', async () => {
    await makeStudy(db, { finished: 3_000 });
    const drive = project.drive();
    await drive.backup(db);
    await saves(drive, 3);
    const patched = newest().members?.[0];
    expect(patched).toMatchObject({ chunkBytes: 4096 });
    expect(patched?.patch).toBeDefined();
    await saves(drive, 2, 2_000);
    const folded = newest().members?.[0];
    expect(folded?.index).not.toEqual(patched?.index);
    expect(await verifyBackups(drive, { deep: true })).toMatchObject({ ok: true, checkedSnapshots: 6, damages: [] });
    project.loseOutputs();
    expect(await project.drive().restore(db)).toMatchObject({ status: 'restored', finishedTrials: 7_003 });
  });

  it('builds the next process on lists that are whole, and on no others', async () => {
    await makeStudy(db, { finished: 3_000 });
    const first = project.drive();
    await first.backup(db);
    await saves(first, 2);
    const before = newest().members?.[0]?.index;
    const second = project.drive();
    const [resumed = 0] = await saves(second, 1);
    expect(newest().members?.[0]?.index).toEqual(before);
    expect(resumed).toBeLessThan(20_000);

    const largest = packsOf(project.place('store')).sort((a, b) => statSync(b).size - statSync(a).size)[0] ?? '';
    flipByte(largest);
    const [again = 0] = await saves(project.drive(), 1);
    expect(again).toBeGreaterThan(100_000);
    rmSync(largest);
    project.loseOutputs();
    const result = await project.drive().restore(db);
    expect(result).toMatchObject({ status: 'restored', finishedTrials: 3_004, fellBack: [] });
    expect(finishedTrials(join(dirname(db), 'study.db'))).toBe(3_004);
  });

  it('names few packs, however many saves there were since the last full snapshot', async () => {
    await makeStudy(db, { finished: 500 });
    const drive = project.drive();
    await drive.backup(db);
    await saves(drive, 70);
    expect(newest().packs.length).toBeLessThan(66);
    project.loseOutputs();
    expect(await drive.restore(db)).toMatchObject({ status: 'restored', finishedTrials: 570 });
  });
});
