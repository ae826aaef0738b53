import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { verifyBackups } from '../../../src/backup/verify/verify.js';
import { finishedTrials, makeStudy, openStudy, TestProject } from '../../support/backup-project.js';
import { compileProgram } from './compiled-child.js';

/** So many random moments, or as many as fit into the time. */
const KILLS = 300;
const BUDGET_MS = 150_000;

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

/** A process that backs up without pause, killed with all of its helpers after a random while. Two at a time use both processors. */
async function killedBackup(store: string, db: string): Promise<void> {
  const child = spawn(process.execPath, [program.file, 'coordinate', project.root, store, db, '60000'], {
    detached: true,
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => setTimeout(resolve, 150 + Math.random() * 900));
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  await ended;
}

it(
  `SIGKILL at ${KILLS} random moments while the study grows: what is saved is whole, never less than before, and nothing is lost`,
  { timeout: BUDGET_MS + 120_000 },
  async () => {
    const db = project.studyDb();
    await makeStudy(db, { finished: 3 });
    const store = project.place('store');
    const study = await openStudy(db);
    const until = performance.now() + BUDGET_MS;
    const saved: number[] = [0];
    let kills = 0;
    while (kills < KILLS && performance.now() < until) {
      await study.add(1);
      await Promise.all([killedBackup(store, db), killedBackup(store, db)]);
      kills += 2;
      const look = new TestProject();
      const drive = look.drive([look.folder('store', { path: store })]);
      const place = look.path(db.slice(project.root.length + 1));
      const result = await drive.restore(place);
      // Nothing that is listed is ever damaged: a manifest comes last.
      expect(result.fellBack).toEqual([]);
      if (result.status === 'restored') saved.push(finishedTrials(place));
      await look.close();
      expect(saved.at(-1)).toBeGreaterThanOrEqual(saved.at(-2) ?? 0);
    }
    const total = 3 + kills / 2;
    await study.close();
    expect(kills).toBeGreaterThan(50);
    expect(saved.at(-1)).toBeGreaterThan(3);
    const drive = project.drive([project.folder('store', { path: store })]);
    expect((await verifyBackups(drive, { deep: true })).damages).toEqual([]);
    expect((await drive.backup(db)).ok).toBe(true);
    rmSync(db);
    await drive.restore(db);
    expect(finishedTrials(db)).toBe(total);
    process.stdout.write(`${kills} killed at random moments, ${new Set(saved).size - 1} states seen, 0 damaged\n`);
  },
);
