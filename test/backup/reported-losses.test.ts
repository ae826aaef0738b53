/* Losses that users of backup programs have reported: each as a test. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { addTrials, finishedTrials, makeStudy, TestProject } from '../support/backup-project.js';
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

const quick = { retry: { retries: 0, minDelayMs: 1, timeoutMs: 300 } };

describe('losses that users have reported', () => {
  it('a restore that stops at the first dead replica: ours goes on, whatever ails it', async () => {
    await makeStudy(db, { finished: 4 });
    await project.drive([project.folder('one'), project.folder('two')]).backup(db);
    // Each destination has branches of its own: that is no other history.
    const look = await project
      .drive([project.folder('one'), project.folder('two')])
      .restore(db, { to: project.place('x') });
    expect(look).toMatchObject({ status: 'restored', otherBranches: [] });
    const dead = new SlowDestination(project.folder('one'));
    for (const ailment of [{ hangs: true }, { fails: new Error('ECONNREFUSED') as never }]) {
      Object.assign(dead.behaviour, { hangs: false, fails: undefined }, ailment);
      project.loseOutputs();
      const result = await project.drive([dead, project.folder('two')], quick).restore(db);
      expect(result).toMatchObject({ status: 'restored', destination: 'two', finishedTrials: 4 });
      expect(result.searched.map(({ state }) => state)).toEqual(['unreachable', 'found']);
    }
  });

  it('writes after a restore that are never replicated: ours follow in the same history', async () => {
    await makeStudy(db, { finished: 4 });
    await project.drive().backup(db);
    project.loseOutputs();
    const drive = project.drive();
    await drive.restore(db);
    await addTrials(db, 3);
    expect(await drive.backup(db)).toMatchObject({ ok: true, verified: 'verified' });
    project.loseOutputs();
    expect(await project.drive().restore(db)).toMatchObject({ finishedTrials: 7, otherBranches: [] });
    expect(finishedTrials(db)).toBe(7);
  });

  it('a checkpoint overwritten in place: ours keeps the one before, and a cut upload leaves it whole', async () => {
    const folder = project.path('outputs', 'final');
    const last = join(folder, 'last.ckpt');
    project.write(last, Buffer.alloc(200_000, 1));
    const drive = project.drive();
    await drive.backup(folder, { isDirectory: true });
    const mirror = join(project.place('store'), drive.drivePathFor(last));
    const broken = new SlowDestination(project.folder('store'));
    project.write(last, Buffer.alloc(200_000, 2));
    broken.behaviour.fails = new Error('cut') as never;
    expect((await project.drive([broken], quick).backup(folder, { isDirectory: true })).ok).toBe(false);
    expect(readFileSync(mirror).equals(Buffer.alloc(200_000, 1))).toBe(true);
    const before = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await project.drive().backup(folder, { isDirectory: true });
    const to = project.place('look');
    expect(await drive.restore(folder, { isDirectory: true, at: before, to })).toMatchObject({ status: 'restored' });
    expect(readFileSync(join(to, drive.drivePathFor(last))).equals(Buffer.alloc(200_000, 1))).toBe(true);
  });
});

describe.runIf(process.platform === 'linux')('a checkpoint that another process is writing', () => {
  it('is not sent half, also where its writer pauses; the next backup has it whole', async () => {
    const folder = project.path('outputs', 'trials');
    mkdirSync(join(folder, 'a'), { recursive: true });
    writeFileSync(join(folder, 'params.json'), '{}');
    const script = `exec 3>"$0"; printf half >&3; echo open; read line; printf whole >&3`;
    const writer = spawn('sh', ['-c', script, join(folder, 'a', 'model.pt')]);
    await new Promise((resolve) => writer.stdout.once('data', resolve));
    const drive = project.drive();
    await drive.backup(folder, { isDirectory: true });
    const restored = async (name: string): Promise<string | undefined> => {
      const to = project.place(name);
      await drive.restore(folder, { isDirectory: true, to });
      try {
        return readFileSync(join(to, 'outputs/trials/a/model.pt'), 'utf8');
      } catch {
        return undefined;
      }
    };
    expect(await restored('during')).toBeUndefined();
    writer.stdin.end('go on\n');
    await new Promise((resolve) => writer.once('exit', resolve));
    await drive.backup(folder, { isDirectory: true });
    expect(await restored('after')).toBe('halfwhole');
    rmSync(folder, { recursive: true });
  });
});
