import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { verifyBackups } from '../../../src/backup/verify/verify.js';
import { addTrials, copyFolder, finishedTrials, makeStudy, TestProject } from '../../support/backup-project.js';
import { CliProject, exitOf, until } from '../../support/cli-project.js';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

describe.skipIf(!isRoot)('a full disk under the study', () => {
  let project: TestProject;
  let mounted: string | undefined;
  beforeEach(() => {
    project = new TestProject();
  });
  afterEach(async () => {
    if (mounted !== undefined) spawnSync('umount', ['-l', mounted]);
    await project.close();
  });

  it('no snapshot can be taken: said, no false "saved", the copy there stays whole, and room makes it work again', async () => {
    const db = project.studyDb();
    await makeStudy(db, { finished: 3 });
    expect((await project.drive().backup(db)).ok).toBe(true);
    await addTrials(db, 2);
    mounted = project.path('.resweep');
    mkdirSync(mounted, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', mounted]);
    const filler = join(mounted, 'filler');
    const file = openSync(filler, 'w');
    try {
      for (;;) writeSync(file, Buffer.alloc(4096));
    } catch {
      // Full.
    } finally {
      closeSync(file);
    }
    const drive = project.drive();
    const result = await drive.backup(db);
    expect(result).toMatchObject({ ok: false, verified: 'no' });
    expect(result.error).toMatch(/full|space|ENOSPC/i);
    expect((await verifyBackups(drive, { deep: true })).ok).toBe(true);
    rmSync(filler);
    expect((await drive.backup(db)).ok).toBe(true);
    project.loseOutputs();
    await drive.restore(db);
    expect(finishedTrials(db)).toBe(5);
  });
});

describe('clocks', () => {
  const hasFaketime = spawnSync('faketime', ['--version']).status === 0;

  it.skipIf(!hasFaketime)(
    'that jump forward and back: the newest state is told by its trials, and retention removes nothing that counts',
    { timeout: 240_000 },
    () => {
      const project = new CliProject({
        config:
          'backup: { destinations: [{ name: disk, type: folder, path: backups, keep: { newest: 2, days: 3, weeks: 0, months: 0, milestones: [2] } }] }',
      });
      try {
        const at = (time: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } =>
          spawnSync('faketime', [time, process.execPath, MAIN, ...args], {
            cwd: project.folder,
            encoding: 'utf8',
            env: { ...process.env, RESWEEP_ENVIRONMENT: 'local' },
            timeout: 100_000,
          });
        for (const [time, trials] of [
          ['2031-01-01 00:00:00', '2'],
          ['2026-03-01 00:00:00', '4'],
          ['2026-03-02 00:00:00', '6'],
        ] as const) {
          const { status, stderr } = at(time, 'run', project.config, '--trials', trials, '--quiet');
          expect(status, stderr).toBe(0);
        }
        expect(at('2026-03-03 00:00:00', 'backup', 'prune', project.config).status).toBe(0);
        expect(at('2026-03-03 00:00:00', 'backup', 'verify', project.config, '--deep').status).toBe(0);
        const look = at('2026-03-03 00:00:00', 'fsck', project.config, '--dry-run');
        expect(look.stdout, look.stderr).toMatch(/clock: a clock has jumped/);
        rmSync(join(project.folder, 'outputs'), { recursive: true });
        const restored = at('2026-03-03 00:00:00', 'restore', project.config);
        expect(restored.status, restored.stderr).toBe(0);
        const { trials } = project.json<{ trials: { complete: number } }>('status', project.config);
        expect(trials.complete).toBe(6);
      } finally {
        project.remove();
      }
    },
  );
});

describe('two machines that resumed the same study', () => {
  it(
    'one goes on, the other stops, says so and ends by itself; no history is overwritten',
    { timeout: 300_000 },
    async () => {
      const first = new CliProject({ pauseMs: 250, config: 'trials: 400\nparallel: 1' });
      const backups = join(first.folder, 'backups');
      const second = new CliProject({
        pauseMs: 250,
        config: `trials: 400\nparallel: 1\nbackup: { destinations: [{ name: disk, type: folder, path: ${backups} }] }`,
      });
      try {
        first.run('run', first.config, '--trials', '2', '--quiet');
        copyFolder(join(first.folder, 'outputs'), join(second.folder, 'outputs'));
        const one = first.start('run', first.config);
        await until(() => one.output().includes('trial 3'), 'the first machine');
        const two = second.start('run', second.config);
        const code = await Promise.race([
          exitOf(two),
          new Promise<string>((resolve) => setTimeout(() => resolve('never'), 200_000)),
        ]);
        expect(two.output().match(/is at work on this study on disk/g)).toHaveLength(2); // As it happens, and in the summary.
        expect(code, two.output()).toBe(0);
        expect(one.exitCode).toBeNull();
        one.kill('SIGINT');
        expect(await exitOf(one)).toBe(130);
        expect(first.run('backup', 'verify', first.config, '--deep').code).toBe(0);
        const studyDb =
          readdirSync(join(first.folder, 'outputs'), { recursive: true, encoding: 'utf8' }).find((path) =>
            path.endsWith('study.db'),
          ) ?? '';
        const trials = finishedTrials(join(first.folder, 'outputs', studyDb));
        // The plain copy is the owner's, with nothing of the one that stopped.
        expect(finishedTrials(join(backups, 'outputs', studyDb))).toBe(trials);
        rmSync(join(first.folder, 'outputs'), { recursive: true });
        expect(first.run('restore', first.config).code).toBe(0);
        expect(finishedTrials(join(first.folder, 'outputs', studyDb))).toBeGreaterThanOrEqual(trials - 1);
        expect(existsSync(dirname(join(first.folder, 'outputs', studyDb)))).toBe(true);
      } finally {
        first.remove();
        second.remove();
      }
    },
  );
});
