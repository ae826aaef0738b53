import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { FolderDestination } from '../../../src/backup/destinations/folder/folder-destination.js';
import { RetryingDestination } from '../../../src/backup/destinations/retrying-destination.js';
import { sha256Of } from '../../../src/backup/files/file-digest.js';
import { verifyBackups } from '../../../src/backup/verify/verify.js';
import { addTrials, finishedTrials, makeStudy, TestProject } from '../../support/backup-project.js';
import { compileProgram } from './compiled-child.js';

const isRoot = process.getuid?.() === 0;
let program: ReturnType<typeof compileProgram>;
let writer: ReturnType<typeof compileProgram>;
let project: TestProject;
let db: string;
const mounted: string[] = [];
beforeAll(() => {
  program = compileProgram('backup-child.ts');
  writer = compileProgram('writer-child.ts');
}, 120_000);
afterAll(() => {
  program.remove();
  writer.remove();
});
beforeEach(() => {
  project = new TestProject();
  db = project.studyDb();
});
afterEach(async () => {
  for (const mount of mounted.splice(0)) spawnSync('umount', ['-l', mount]);
  await project.close();
});

function mount(folder: string, options: string): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  mounted.push(folder);
}

/** Takes all the room there is. */
function fill(file: string): void {
  const handle = openSync(file, 'w');
  try {
    for (;;) writeSync(handle, Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(handle);
  }
}

/** Child processes of this one that run the helper of a folder destination. */
function helpers(): number[] {
  return readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('folderAgent'))
    .map(Number);
}

describe.skipIf(!isRoot || process.platform !== 'linux')('real destinations with faults', () => {
  it('a disk that is full: said as such, nothing half is taken for a backup, and room makes it work again', async () => {
    const small = project.place('small');
    mount(small, 'size=4m');
    await makeStudy(db, { finished: 3 });
    const drive = project.drive([project.folder('small')]);
    expect(await drive.backup(db)).toMatchObject({ ok: true });
    await addTrials(db, 4);
    fill(join(small, 'filler'));
    const result = await drive.backup(db);
    expect(result).toMatchObject({ ok: false, verified: 'no' });
    expect(result.error).toMatch(/ENOSPC|no space/i);
    const there = project.place('there');
    expect(await drive.restore(db, { to: there })).toMatchObject({ status: 'restored', finishedTrials: 3 });
    rmSync(join(small, 'filler'));
    expect(await drive.backup(db)).toMatchObject({ ok: true });
  });

  it('a disk that is read-only: said with the fix, and what it holds is verified and restored', async () => {
    const fixed = project.place('fixed');
    mount(fixed, 'size=4m');
    await makeStudy(db, { finished: 3 });
    expect((await project.drive([project.folder('fixed')]).backup(db)).ok).toBe(true);
    execFileSync('mount', ['-o', 'remount,ro', fixed]);
    await addTrials(db, 1);
    const drive = project.drive([project.folder('fixed')]);
    const result = await drive.backup(db);
    expect(result).toMatchObject({ ok: false, verified: 'no' });
    expect(result.error).toMatch(/EROFS|read-only/i);
    expect(result.error).toMatch(/mount it for writing, or name another folder/);
    expect(await verifyBackups(drive, { deep: true })).toMatchObject({ ok: true, damages: [] });
    const there = project.place('there');
    expect(await drive.restore(db, { to: there })).toMatchObject({ status: 'restored', finishedTrials: 3 });
  });

  it('a Drive: used while mounted (never "verified"), refused once it is gone, its mount point left alone', async () => {
    const drivePath = project.place('drive');
    mount(drivePath, 'size=10m');
    mkdirSync(join(drivePath, 'MyDrive'));
    await makeStudy(db, { finished: 2 });
    const destination = project.folder('drive', { path: join(drivePath, 'MyDrive', 'resweep'), mounts: [drivePath] });
    const drive = project.drive([destination], { mounts: [drivePath] });
    expect(await drive.backup(db)).toMatchObject({ ok: true, verified: 'handedToMount' });
    execFileSync('umount', [drivePath]);
    await addTrials(db, 1);
    expect(await drive.backup(db)).toMatchObject({ ok: false, verified: 'no' });
    expect(readdirSync(drivePath)).toEqual([]);
    rmSync(drivePath, { recursive: true });
    expect((await drive.backup(db)).error).toContain('not mounted');
  });

  it('a mount that hangs: the request ends in time, the next one works, and the process can end', async () => {
    const folder = new FolderDestination({ name: 'store', path: project.place('store'), projectRoot: project.root });
    const destination = new RetryingDestination(folder, {
      retries: 1,
      minDelayMs: 1,
      timeoutMs: 2_000, // enough to start another process on a busy machine
      minBytesPerSecond: 1e12,
    });
    const body = Buffer.from('x');
    await destination.put('a', body, { sha256: sha256Of(body) });
    const [helper = 0] = helpers();
    process.kill(helper, 'SIGSTOP');
    const start = performance.now();
    await destination.put('b', body, { sha256: sha256Of(body) });
    expect(performance.now() - start).toBeGreaterThan(1_900);
    expect(performance.now() - start).toBeLessThan(6_000);
    expect(helpers()).not.toContain(helper);
    await destination.close();
  });

  it('a call that never returns does not keep a process from ending', async () => {
    const store = project.place('store');
    mkdirSync(store);
    execFileSync('mkfifo', [join(store, 'pipe')]);
    await makeStudy(db);
    // The database is a pipe's neighbour; its own place is one that nobody ever writes to.
    const place = join(store, 'outputs/hpo/local/mlp/study-abcd1234');
    mkdirSync(place, { recursive: true });
    execFileSync('mkfifo', [join(place, 'study.db')]);
    const run = spawnSync(process.execPath, [program.file, 'backup', project.root, store, db], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('"ok":true');
  });
});

describe('a live study', () => {
  it(
    'snapshots while four processes write without pause: each whole, none ahead of what was committed',
    { timeout: 120_000 },
    async () => {
      await makeStudy(db);
      const seconds = 8;
      const writers = Array.from({ length: 4 }, (_, index) =>
        spawn(process.execPath, [writer.file, db, String(seconds * 1000), String(index)], { stdio: 'inherit' }),
      );
      const ended = writers.map((child) => new Promise<number | null>((resolve) => child.once('exit', resolve)));
      const run = spawn(process.execPath, [
        program.file,
        'coordinate',
        project.root,
        project.place('store'),
        db,
        String(seconds * 1000),
      ]);
      let output = '';
      run.stdout.on('data', (data: Buffer) => (output += data.toString()));
      const code = await new Promise((resolve) => run.once('exit', resolve));
      expect(await Promise.all(ended)).toEqual([0, 0, 0, 0]);
      expect(code).toBe(0);
      expect(output).toContain('"complete":true');
      const total = finishedTrials(db);
      const drive = project.drive();
      const { listBackups } = await import('../../../src/backup/index.js');
      const { backups } = await listBackups(drive);
      expect(backups.length).toBeGreaterThan(3);
      const report = await verifyBackups(drive, { deep: true });
      expect(report).toMatchObject({ ok: true, damages: [] });
      expect(report.checkedSnapshots).toBe(backups.length);
      project.loseOutputs();
      const result = await drive.restore(db);
      expect(result.status).toBe('restored');
      expect(finishedTrials(db)).toBeGreaterThan(0);
      expect(finishedTrials(db)).toBeLessThanOrEqual(total);
    },
  );
});
