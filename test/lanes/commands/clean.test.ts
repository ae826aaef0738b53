import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { CliProject } from '../../support/cli-project.js';
import { filesBelow, flipByte, packsOf } from '../../support/backup-project.js';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

interface Cleaned {
  readonly freed: readonly { readonly path: string; readonly safeOn: readonly string[] }[];
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
}

describe('resweep clean', () => {
  let project: CliProject;
  let studyDir: string;
  const clean = (...more: string[]) => project.json<Cleaned>('clean', project.config, '--same-disk', ...more);
  beforeAll(() => {
    project = new CliProject({
      config:
        'backup: { destinations: [{ name: disk, type: folder, path: backups, keep: { newest: 1, days: 0, weeks: 0, months: 0, milestones: [] } }] }',
    });
    studyDir = dirname(project.json<{ studyDb: string }>('run', project.config, '--trials', '4').studyDb);
  });
  afterAll(() => {
    project.remove();
  });

  it('frees what is verified, refuses the rest by name, and retention keeps what was freed', () => {
    const trials = join(studyDir, 'trials');
    const [first = ''] = readdirSync(trials);
    const checkpoint = relative(project.folder, join(trials, first));
    const before = filesBelow(join(trials, first));
    writeFileSync(join(trials, first, 'new.bin'), 'not saved');
    const dry = clean(checkpoint, '--dry-run');
    expect(dry.refused.map(({ path, reason }) => [path.split('/').at(-1), reason])).toEqual([
      ['new.bin', 'no backup holds it'],
    ]);
    expect(dry.freed).toHaveLength(before.length);
    const { code, stdout } = project.run('clean', project.config, checkpoint, '--same-disk');
    expect(code).toBe(1);
    expect(stdout).toMatch(/stays .*new\.bin: no backup holds it/);
    expect(filesBelow(join(trials, first))).toEqual(['new.bin']);
    rmSync(join(trials, first), { recursive: true });
    // Later states lack the files; pruned to one state, the freed ones are still there.
    project.run('run', project.config, '--trials', '5', '--quiet');
    expect(project.run('backup', 'prune', project.config).code).toBe(0);
    const restored = project.run('restore', checkpoint);
    expect(restored.stdout, restored.stderr).toMatch(/restored from disk/);
    expect(filesBelow(join(trials, first))).toEqual(before);
  });

  it('frees nothing of which the only copy lies on the same disk, unless that is asked for', () => {
    const before = filesBelow(studyDir);
    const { code, stdout } = project.run('clean', project.config);
    expect(code).toBe(1);
    expect(stdout).toMatch(/stays .*study\.db: disk lies on the same disk, and would be lost with it \(--same-disk/);
    expect(filesBelow(studyDir)).toEqual(before);
  });

  it('frees the whole study after `backup now`, and `run` goes on from the backup', () => {
    appendFileSync(join(studyDir, 'events.jsonl'), '{"event":"later"}\n');
    expect(clean('--dry-run').refused.map(({ reason }) => reason)).toContain('it has changed since its last backup');
    expect(project.run('backup', 'now', project.config).code).toBe(0);
    const report = clean();
    expect(report.refused).toEqual([]);
    expect(report.freed.every(({ safeOn }) => safeOn.includes('disk'))).toBe(true);
    expect(existsSync(studyDir)).toBe(false);
    const again = project.json<{ trials: { complete: number }; restoredFrom: string }>(
      'run',
      project.config,
      '--trials',
      '6',
    );
    expect(again).toMatchObject({ restoredFrom: 'disk', trials: { complete: 6 } });
  });

  it('frees nothing where the copy is damaged, or the destination is gone', () => {
    project.run('backup', 'now', project.config);
    const before = filesBelow(studyDir);
    for (const pack of packsOf(join(project.folder, 'backups'))) flipByte(pack, 1);
    const report = clean();
    expect(report.freed).toEqual([]);
    expect(report.refused[0]?.reason).toMatch(/damaged/);
    rmSync(join(project.folder, 'backups'), { recursive: true });
    expect(clean().freed).toEqual([]);
    expect(filesBelow(studyDir)).toEqual(before);
    expect(readFileSync(join(studyDir, 'study.db')).length).toBeGreaterThan(0);
    expect(project.run('clean', project.config, 'configs').code).toBe(2);
  });
});
