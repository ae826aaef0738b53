import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { FolderDestination } from '../../src/backup/destinations/folder/folder-destination.js';
import { EncryptingDestination } from '../../src/backup/encryption/encrypting-destination.js';
import { CliProject } from '../support/cli-project.js';
import { filesBelow, flipByte, packsOf } from '../support/backup-project.js';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

interface Drill {
  readonly ok: boolean;
  readonly destinations: readonly {
    readonly destination: string;
    readonly ok: boolean;
    readonly recoverySeconds: number | null;
    readonly finishedTrials: number | null;
    readonly missingTrials: number | null;
    readonly steps: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
  }[];
}

const PASSPHRASE = 'planted-secret-correct-horse';

/** Another machine began to save there, with a key of little work: each of the many commands here derives it. */
async function beginSealed(project: CliProject): Promise<void> {
  const folder = new FolderDestination({
    name: 'sealed',
    path: join(project.folder, 'sealed'),
    projectRoot: project.folder,
  });
  const secret = { passphrase: PASSPHRASE, workFactor: 10 };
  const sealed = new EncryptingDestination(folder, secret, join(project.folder, 'state-of-the-other'));
  await sealed.check();
  await sealed.close();
}

describe('backups at two destinations, one encrypted', () => {
  let project: CliProject;
  let studyDb: string;
  beforeAll(async () => {
    process.env['SWEEP_PASSPHRASE'] = PASSPHRASE;
    project = new CliProject({
      config:
        'backup: { destinations: [{ name: disk, type: folder, path: backups, keep: { newest: 2, days: 0, weeks: 0, months: 0, milestones: [3] } }, ' +
        '{ name: sealed, type: folder, path: sealed, encrypt: { passphrase_env: SWEEP_PASSPHRASE } }] }',
    });
    await beginSealed(project);
    const summary = project.json<{ studyDb: string; backup: { destinations: { error: string | null }[] } }>(
      'run',
      project.config,
      '--trials',
      '4',
    );
    studyDb = relative(project.folder, summary.studyDb);
    expect(summary.backup.destinations.map(({ error }) => error)).toEqual([null, null]);
    for (const trials of ['5', '6', '7', '8']) project.run('run', project.config, '--trials', trials, '--quiet');
  });
  afterAll(() => {
    delete process.env['SWEEP_PASSPHRASE'];
    project.remove();
  });

  it('keeps a page for people beside the plain copy, whole in one file; none where all is encrypted', () => {
    const page = readFileSync(join(project.folder, 'backups', studyDb, '..', 'status.html'), 'utf8');
    expect(page).toMatch(/quadratic: 8 of 8 trials/);
    expect(page).toMatch(/name="viewport"/);
    expect(page).not.toMatch(/<script|https?:|src=|href=/);
    expect(page).toMatch(/<td>disk<\/td>/);
    expect(filesBelow(join(project.folder, 'sealed')).filter((file) => file.endsWith('.html'))).toEqual([]);
  });

  it('shows in `status` how far, how sure and how large each copy is', () => {
    const { backup } = project.json<{ backup: { name: string; backlog: number; bytes: number; verified: string }[] }>(
      'status',
      project.config,
    );
    expect(
      backup
        .map(({ name, backlog, verified }) => ({ name, backlog, verified }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    ).toEqual([
      { name: 'disk', backlog: 0, verified: 'verified' },
      { name: 'sealed', backlog: 0, verified: 'verified' },
    ]);
    expect(backup.every(({ bytes }) => bytes > 10_000)).toBe(true);
    expect(project.run('status', project.config).stdout).toMatch(
      /disk: 8 finished trials safe, verified .* ago, .* kB/,
    );
  });

  it('rehearses the loss of the machine from both, and leaves study and destinations as they were', () => {
    const before = ['backups', 'sealed'].map((folder) => filesBelow(join(project.folder, folder)));
    const study = readFileSync(join(project.folder, studyDb));
    const drill = project.json<Drill>('backup', 'drill', project.config, '--report', 'drill.html');
    expect(drill.destinations.map(({ destination, ok }) => ({ destination, ok }))).toEqual([
      { destination: 'disk', ok: true },
      { destination: 'sealed', ok: true },
    ]);
    for (const { steps, finishedTrials, missingTrials, recoverySeconds } of drill.destinations) {
      expect(steps.map(({ name }) => name)).toEqual(['reach', 'restore', 'open', 'compare', 'folder', 'train']);
      expect(steps.at(-1)?.detail).toMatch(/trial 8 ran on the copy: complete/);
      expect({ finishedTrials, missingTrials }).toEqual({ finishedTrials: 8, missingTrials: 0 });
      expect(recoverySeconds).toBeGreaterThan(0);
    }
    expect(['backups', 'sealed'].map((folder) => filesBelow(join(project.folder, folder)))).toEqual(before);
    expect(readFileSync(join(project.folder, studyDb)).equals(study)).toBe(true);
    expect(readFileSync(join(project.folder, 'drill.html'), 'utf8')).toContain(
      'Every destination brings the study back.',
    );
  });

  it('prunes by the rules of the configuration, and explains each decision first', () => {
    const dry = project.run('backup', 'prune', project.config, '--destination', 'disk', '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.stdout).toMatch(/would go .* not among the newest 2/);
    const states = () =>
      project.json<{ backups: { destination: string; path: string; finishedTrials: number }[] }>(
        'backup',
        'list',
        project.config,
      ).backups;
    const before = states();
    expect(project.run('backup', 'prune', project.config, '--destination', 'disk').code).toBe(0);
    const after = states().filter(({ destination, path }) => destination === 'disk' && path.endsWith('study.db'));
    expect(after.length).toBeLessThan(
      before.filter(({ destination, path }) => destination === 'disk' && path.endsWith('.db')).length,
    );
    expect(after[0]?.finishedTrials).toBe(8);
    expect(project.run('backup', 'verify', project.config, '--deep').code).toBe(0);
    const { backup } = project.json<{ backup: { verifiedAt: string | null; damage: string | null }[] }>(
      'status',
      project.config,
    );
    expect(backup.map(({ verifiedAt, damage }) => [typeof verifiedAt, damage])).toEqual(
      backup.map(() => ['string', null]),
    );
    expect(project.run('backup', 'prune', project.config, '--destination', 'dis').stderr).toMatch(
      /Did you mean "disk"/,
    );
  });

  it('goes out in one file and comes back from it, also as one path, also without a configuration', () => {
    expect(project.run('backup', 'export', 'study.zip', project.config).code).toBe(0);
    expect(project.run('backup', 'export', 'study.zip').code).toBe(2);
    expect(project.run('backup', 'verify', 'study.zip').stdout).toMatch(/all good/);
    const before = filesBelow(join(project.folder, 'outputs'));
    rmSync(join(project.folder, 'outputs'), { recursive: true });
    const restored = project.run('restore', '--from', 'study.zip');
    expect(restored.code, restored.stderr).toBe(0);
    expect(filesBelow(join(project.folder, 'outputs'))).toEqual(before);
    rmSync(join(project.folder, 'outputs'), { recursive: true });
    expect(project.run('restore', studyDb).stdout).toMatch(/study\.db: restored from disk/);
    expect(project.run('restore').code).toBe(2);
  });

  it('shows no secret anywhere', () => {
    for (const file of filesBelow(project.folder)) {
      expect(readFileSync(join(project.folder, file)).includes(PASSPHRASE), file).toBe(false);
    }
    const { stdout, stderr } = project.run('run', project.config, '--trials', '9', '--verbose');
    expect(stdout + stderr).not.toContain(PASSPHRASE);
  });

  it('says what is missing before anything is changed', () => {
    delete process.env['SWEEP_PASSPHRASE'];
    const { code, stderr } = project.run('run', project.config, '--trials', '10');
    expect(code).toBe(2);
    expect(stderr).toMatch(/SWEEP_PASSPHRASE.*is not set/);
    process.env['SWEEP_PASSPHRASE'] = PASSPHRASE;
  });

  it('finds in a drill that the newest copy is damaged, and says so with exit code 3', () => {
    flipByte(packsOf(join(project.folder, 'backups'))[0] ?? '');
    for (const mirror of readdirSync(join(project.folder, 'backups'))) {
      if (mirror !== '.resweep') rmSync(join(project.folder, 'backups', mirror), { recursive: true });
    }
    const { code, stdout } = project.run('backup', 'drill', project.config, '--no-train');
    expect(code).toBe(3);
    expect(stdout).toMatch(/FAILED/);
    expect(stdout).toMatch(/disk.*\n(.*\n)*.*would NOT bring the study back/);
    expect(existsSync(join(project.folder, 'outputs'))).toBe(true);
  });
});
