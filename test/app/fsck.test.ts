import { copyFileSync, existsSync, mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { fsck } from '../../src/app/fsck/fsck.js';
import { thisPlace } from '../../src/core/processes.js';
import { openStorage } from '../../src/storage/open-storage.js';
import { inspectStudyFile } from '../../src/storage/rdb/sqlite-file-copy.js';
import { unsafeFileSystemOf } from '../../src/storage/rdb/sqlite-health.js';
import { filesBelow, finishedTrials, makeStudy, openStudy, TestProject } from '../support/backup-project.js';

let project: TestProject;
let db: string;
beforeEach(() => {
  project = new TestProject();
  db = project.studyDb();
});
afterEach(async () => {
  await project.close();
});

const look = (dryRun = false) => fsck({ target: db, dryRun });

/** Overwrites whole pages of 4 KiB, from the second on: the first holds the list of tables. */
function wreckPages(path: string, pages: readonly number[]): void {
  const bytes = readFileSync(path);
  for (const page of pages) bytes.fill(0xa5, page * 4096, (page + 1) * 4096);
  writeFileSync(path, bytes);
}

async function reads(path: string): Promise<number> {
  const storage = await openStorage(path, { readOnly: true });
  const [study] = await storage.listStudies();
  const { trials } = await storage.sync(study?.studyId ?? 0);
  await storage.close();
  expect(trials.map(({ number }) => number)).toEqual(trials.map((_, index) => index));
  return trials.length;
}

describe('fsck', () => {
  it('finds nothing in a whole study, and changes nothing', async () => {
    await makeStudy(db, { finished: 5 });
    const before = readFileSync(db);
    expect(await look()).toMatchObject({ ok: true, findings: [], finishedTrials: 5, salvage: null });
    expect(readFileSync(db).equals(before)).toBe(true);
  });

  it(
    'salvages what can be read of a database with a page destroyed, whichever it is; the original is kept',
    { timeout: 120_000 },
    async () => {
      const whole = project.studyDb('local', 'aaaaaaaa');
      await makeStudy(whole, { finished: 120 });
      const pages = readFileSync(whole).length / 4096;
      mkdirSync(dirname(db), { recursive: true });
      let salvaged = 0;
      for (let page = 1; page < pages; page += 4) {
        copyFileSync(whole, db);
        wreckPages(db, [page]);
        const damaged = readFileSync(db);
        if (inspectStudyFile(db).intact) continue; // A free page.
        const report = await fsck({ target: db, dryRun: false, now: Date.parse('2026-03-01') + page * 1000 });
        expect(report.salvage, `page ${page}`).not.toBeNull();
        expect(inspectStudyFile(db)).toMatchObject({ intact: true, studyName: expect.any(String) as string });
        expect(await reads(db)).toBeGreaterThan(60);
        expect(readFileSync(report.original ?? '').equals(damaged)).toBe(true);
        salvaged += finishedTrials(db);
      }
      expect(salvaged / (pages / 4)).toBeGreaterThan(80);
    },
  );

  it('mends a destroyed header, and a file that was cut off', async () => {
    await makeStudy(db, { finished: 40 });
    const bytes = readFileSync(db);
    bytes.fill(0, 0, 16);
    writeFileSync(db, bytes);
    expect(await look(true)).toMatchObject({ ok: false, findings: [{ kind: 'database', state: 'repairable' }] });
    expect(await look()).toMatchObject({
      ok: true,
      finishedTrials: 40,
      findings: [{ kind: 'database', state: 'repaired' }],
    });
    truncateSync(db, bytes.length - 4096 - 100);
    const report = await look();
    expect(report.salvage?.trials).toBeGreaterThan(0);
    expect(await reads(db)).toBe(report.salvage?.trials);
  });

  it('leaves alone what it cannot read, and says where to go', async () => {
    mkdirSync(dirname(db), { recursive: true });
    writeFileSync(db, Buffer.alloc(40_960, 7));
    const report = await look();
    expect(report).toMatchObject({ ok: false, original: null, findings: [{ kind: 'database', state: 'lost' }] });
    expect(report.findings[0]?.remedy).toMatch(/resweep restore/);
    expect(readFileSync(db).equals(Buffer.alloc(40_960, 7))).toBe(true);
  });

  it('plays back the log that a killed process left', async () => {
    await makeStudy(db, { finished: 2 });
    const study = await openStudy(db);
    await study.add(3);
    const copy = project.studyDb('local', 'bbbbbbbb');
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(db, copy);
    copyFileSync(`${db}-wal`, `${copy}-wal`);
    await study.close();
    const report = await fsck({ target: copy, dryRun: false });
    expect(report).toMatchObject({ ok: true, finishedTrials: 5, findings: [{ kind: 'log', state: 'repaired' }] });
    expect(existsSync(`${copy}-wal`)).toBe(false);
  });

  it('releases trials of processes that are gone, and mends times of a clock that jumped', async () => {
    await makeStudy(db, { finished: 2 });
    const sqlite = new Database(db);
    const { host, bootId } = thisPlace();
    sqlite
      .prepare('INSERT INTO resweep_processes VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run('p1', host, bootId, 999_999, '1', '2026-01-01 00:00:00.000000', '2031-01-01 00:00:00.000000');
    sqlite.exec(
      "INSERT INTO trials (trial_id, number, study_id, state, datetime_start) VALUES (3, 2, 1, 'RUNNING', '2026-01-01 00:00:00.000000')",
    );
    sqlite.exec("INSERT INTO resweep_trial_owners VALUES (3, 'p1')");
    sqlite.exec("UPDATE trials SET datetime_start = '2027-05-01 00:00:00.000000' WHERE number = 0");
    sqlite.close();
    const kinds = (await look(true)).findings.map(({ kind, state }) => `${kind} ${state}`);
    expect(kinds).toEqual(['clock repairable', 'lock repairable', 'lock repairable']);
    expect((await look()).ok).toBe(true);
    expect(await look()).toMatchObject({ ok: true, findings: [] });
    const after = new Database(db, { readonly: true });
    expect(after.prepare('SELECT state FROM trials WHERE number = 2').pluck().get()).toBe('FAIL');
    expect(after.prepare('SELECT COUNT(*) FROM resweep_processes').pluck().get()).toBe(0);
    after.close();
  });

  it('sets half-written files and locks of dead processes aside, and deletes nothing', async () => {
    await makeStudy(db, { finished: 1 });
    const folder = dirname(db);
    const old = new Date('2026-01-01');
    for (const name of [
      'trials/trial-0001-aaaa/model.tmp',
      '.resweep-aside-999999-abcdef123456',
      'trials/trial-0001-aaaa/checkpoint-000000003.bin.999999.tmp',
    ])
      project.write(join(folder, name), 'half');
    utimesSync(join(folder, 'trials/trial-0001-aaaa/model.tmp'), old, old);
    project.write(join(folder, 'worker.lock'), '{"pid": 999999}');
    project.write(join(folder, 'live.lock'), `{"pid": ${process.pid}}`);
    project.write(join(folder, 'trials/trial-0002-bbbb/now.tmp'), 'being written');
    project.write(join(folder, '.restoring'), '');
    const report = await look();
    expect(report.findings.map(({ kind, state }) => `${kind} ${state}`).sort()).toEqual([
      'folder repaired',
      'folder repaired',
      'folder repaired',
      'folder yours',
      'lock repaired',
    ]);
    expect(filesBelow(join(folder, 'trials/.orphaned'))).toHaveLength(4);
    for (const name of ['live.lock', 'trials/trial-0002-bbbb/now.tmp'])
      expect(existsSync(join(folder, name))).toBe(true);
  });

  it('knows network and FUSE mounts, and refuses what another process has open', async () => {
    expect(unsafeFileSystemOf('/x/study.db', () => 0x6969)).toBe('NFS');
    expect(unsafeFileSystemOf('/x/study.db', () => 0x65735546)).toMatch(/FUSE/);
    expect(unsafeFileSystemOf('/x/study.db', () => 0xef53)).toBeUndefined();
    await makeStudy(db, { finished: 1 });
    const { spawn } = await import('node:child_process');
    const holder = spawn('sh', ['-c', `exec 3<"$0"; echo open; sleep 60`, db]);
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    try {
      await expect(look()).rejects.toThrow(/is open in process/);
      expect((await look(true)).ok).toBe(true);
    } finally {
      holder.kill('SIGKILL');
    }
  });
});
