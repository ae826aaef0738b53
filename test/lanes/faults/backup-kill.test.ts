import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  addTrials,
  copyFolder,
  filesBelow,
  finishedTrials,
  makeStudy,
  TestProject,
} from '../../support/backup-project.js';
import { compileProgram, hasStrace, runWithFault } from './compiled-child.js';

/** Every call by which something becomes durable or visible, on all the architectures that name them differently. */
const BACKUP_STEPS = [
  'write',
  'pwrite64',
  'fsync,fdatasync',
  '?rename,?renameat,?renameat2',
  '?unlink,?unlinkat',
  '?mkdir,?mkdirat',
];
const RESTORE_STEPS = ['write', 'pwrite64', 'fsync,fdatasync', '?link,?linkat', '?unlink,?unlinkat', '?mkdir,?mkdirat'];
/** At which of its calls a process is killed: each of the first dozen, then ever fewer. */
const MOMENTS = [
  ...Array.from({ length: 12 }, (_, index) => index + 1),
  14,
  17,
  20,
  24,
  30,
  36,
  44,
  54,
  66,
  80,
  98,
  120,
  150,
  190,
  240,
];
/** So many runs without a kill end the sweep of a step: no process makes that many of these calls. */
const ENOUGH = 3;

let program: ReturnType<typeof compileProgram>;
let project: TestProject;
beforeAll(() => {
  program = compileProgram('backup-child.ts');
}, 120_000);
afterAll(() => {
  program.remove();
});
beforeEach(() => {
  project = new TestProject();
});
afterEach(async () => {
  await project.close();
});

/** Restores on a machine of its own and tells how many finished trials came back. */
async function restoredTrials(store: string, path: string): Promise<number> {
  const other = new TestProject();
  const drive = other.drive([other.folder('store', { path: store })]);
  const place = other.path(path.slice(project.root.length + 1));
  const result = await drive.restore(place);
  const trials = result.status === 'restored' ? finishedTrials(place) : -1;
  await other.close();
  return trials;
}

describe.skipIf(!hasStrace())('SIGKILL at every step', () => {
  it.each(BACKUP_STEPS)(
    'of a backup, at each %s: the old state or the new, never a damaged one; the next backup works',
    { timeout: 600_000 },
    async (calls) => {
      const db = project.studyDb();
      await makeStudy(db, { finished: 5 });
      const clean = project.place('clean');
      await project.drive([project.folder('clean')]).backup(db);
      await addTrials(db, 3);
      const seen = { old: 0, new: 0 };
      let killed = 0;
      let alive = 0;
      for (const when of MOMENTS) {
        const store = project.place(`store-${calls.length}-${when}`);
        copyFolder(clean, store);
        const run = runWithFault(program.file, ['backup', project.root, store, db], {
          calls,
          inject: 'signal=KILL',
          when,
        });
        const died = run.status !== 0 || !/"ok":true|"status":"restored"/.test(run.stdout);
        alive = died ? 0 : alive + 1;
        if (died) killed++;
        const trials = await restoredTrials(store, db);
        expect([5, 8]).toContain(trials);
        if (run.stdout.includes('"ok":true')) expect(trials).toBe(8);
        seen[trials === 5 ? 'old' : 'new']++;
        // Whatever was left lying there is in nobody's way.
        expect(await project.drive([project.folder('store', { path: store })]).backup(db)).toMatchObject({ ok: true });
        expect(await restoredTrials(store, db)).toBe(8);
        rmSync(store, { recursive: true });
        if (alive === ENOUGH) break;
      }
      expect(killed).toBeGreaterThan(0);
      process.stdout.write(`backup, ${calls}: ${killed} killed; ${seen.old} old, ${seen.new} new, 0 damaged\n`);
    },
  );

  it.each(RESTORE_STEPS)(
    'of a restore, at each %s: nothing or the whole study, and the next restore works',
    { timeout: 600_000 },
    async (calls) => {
      const db = project.studyDb();
      await makeStudy(db, { finished: 6 });
      await project.drive().backup(db);
      const store = project.place('store');
      let killed = 0;
      let alive = 0;
      for (const when of MOMENTS) {
        project.loseOutputs();
        const run = runWithFault(program.file, ['restore', project.root, store, db], {
          calls,
          inject: 'signal=KILL',
          when,
        });
        const died = run.status !== 0 || !/"ok":true|"status":"restored"/.test(run.stdout);
        alive = died ? 0 : alive + 1;
        if (died) killed++;
        if (existsSync(db)) expect(finishedTrials(db)).toBe(6);
        expect(['restored', 'present']).toContain((await project.drive().restore(db)).status);
        expect(finishedTrials(db)).toBe(6);
        expect(filesBelow(dirname(db))).toEqual(['study.db']);
        if (alive === ENOUGH) break;
      }
      expect(killed).toBeGreaterThan(0);
      process.stdout.write(`restore, ${calls}: ${killed} killed, 0 half\n`);
    },
  );

  it('of a folder restore: whole, absent, or completed by the next', { timeout: 600_000 }, async () => {
    const folder = project.path('outputs', 'checkpoint');
    for (let index = 0; index < 5; index++)
      project.write(join(folder, `part-${index}.bin`), Buffer.alloc(50_000, index));
    await project.drive().backup(folder, { isDirectory: true });
    for (const calls of ['pwrite64', '?rename,?renameat,?renameat2', '?link,?linkat']) {
      for (let when = 1; when <= 8; when++) {
        project.loseOutputs();
        runWithFault(program.file, ['restore-folder', project.root, project.place('store'), folder], {
          calls,
          inject: 'signal=KILL',
          when,
        });
        if (existsSync(folder)) expect(filesBelow(folder)).toHaveLength(5);
        expect(await project.drive().ensureRestoredFromDrive(folder, { isDirectory: true })).toBe(true);
        expect(filesBelow(folder)).toHaveLength(5);
        expect(readFileSync(join(folder, 'part-4.bin')).equals(Buffer.alloc(50_000, 4))).toBe(true);
      }
    }
  });

  it.each(['ENOSPC', 'EIO'])(
    '%s at a write, sync or rename: said, never a false "saved"',
    { timeout: 600_000 },
    async (error) => {
      const db = project.studyDb();
      await makeStudy(db, { finished: 5 });
      const clean = project.place('clean');
      await project.drive([project.folder('clean')]).backup(db);
      await addTrials(db, 2);
      for (const calls of ['fsync,fdatasync', '?rename,?renameat,?renameat2', 'pwrite64']) {
        for (const when of [1, 2, 3, 5]) {
          const store = project.place(`store-${error}`);
          copyFolder(clean, store);
          const run = runWithFault(program.file, ['backup', project.root, store, db], {
            calls,
            inject: `error=${error}`,
            when,
          });
          const trials = await restoredTrials(store, db);
          expect([5, 7]).toContain(trials);
          if (run.stdout.includes('"ok":true')) expect(trials).toBe(7);
          rmSync(store, { recursive: true });
        }
      }
    },
  );
});
