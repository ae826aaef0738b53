import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { CliProject, type RunSummary, type TrialRow } from '../support/cli-project.js';

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

describe('a sweep from start to end', () => {
  let project: CliProject;
  let summary: RunSummary;
  beforeAll(() => {
    project = new CliProject();
    summary = project.json<RunSummary>('run', project.config);
  });
  afterAll(() => {
    project.remove();
  });

  it('prints the summary that the contract names', () => {
    expect(summary.study8).toMatch(/^[0-9a-f]{8}$/);
    expect(existsSync(summary.studyDb)).toBe(true);
    expect(summary.studyDb).toBe(join(project.folder, 'outputs/hpo/local/demo', `study-${summary.study8}`, 'study.db'));
    expect(summary.trials).toMatchObject({ total: 10, complete: 10, pruned: 0, fail: 0, running: 0, waiting: 0 });
    expect(summary.best.params['x']).toBeTypeOf('number');
    expect(summary.restoredFrom).toBeNull();
    expect(summary.backup.enabled).toBe(true);
    expect(summary.backup.destinations[0]).toMatchObject({ name: 'disk', error: null, safeUpTo: 9 });
    expect(summary.elapsedSeconds).toBeGreaterThan(0);
  });

  it('keeps the files of the study and of each trial', () => {
    const studyDir = join(summary.studyDb, '..');
    for (const name of ['study.yaml', 'events.jsonl', 'run.log']) expect(existsSync(join(studyDir, name))).toBe(true);
    const trials = readdirSync(join(studyDir, 'trials'));
    expect(trials).toHaveLength(10);
    expect(trials.every((name) => /^trial-\d{4}-[0-9a-f]{8}$/.test(name))).toBe(true);
    const folder = join(studyDir, 'trials', trials[3] ?? '');
    expect(JSON.parse(readFileSync(join(folder, 'metrics.json'), 'utf8'))).toMatchObject({ state: 'COMPLETE' });
    expect(existsSync(join(folder, 'params.json'))).toBe(true);
  });

  it('shows trials as table, CSV and JSON, the best, a log, the status', () => {
    const rows = project.json<TrialRow[]>('trials', project.config);
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 10 }, (_, i) => i));
    const csv = project.run('trials', project.config, '--format', 'csv').stdout.trim().split('\n');
    expect(csv).toHaveLength(11);
    expect(csv[0]).toContain('number,value,state,datetime_start');
    expect(project.run('trials', project.config).stdout).toContain('complete');
    expect(project.json<{ best: { number: number } }>('best', project.config).best.number).toBe(summary.best.number);
    expect(project.run('logs', '0', project.config).stdout).toContain('x is ');
    const status = project.json<{ trials: { finished: number }; backup: { error: null; finishedTrials: number }[] }>(
      'status',
      project.config,
    );
    expect(status.trials.finished).toBe(10);
    expect(status.backup[0]).toMatchObject({ name: 'disk', finishedTrials: 10, error: null });
    expect(project.run('status').stdout).toContain('10 finished');
  });

  it('tells the identity, and keeps it when the budget changes', () => {
    expect(project.run('hash', project.config).stdout.split('\n')[0]).toBe(summary.study8);
    expect(project.run('hash', project.config, '--set', 'trials=99').stdout.split('\n')[0]).toBe(summary.study8);
    expect(project.run('hash', project.config, '--set', 'study=other').stdout.split('\n')[0]).not.toBe(summary.study8);
  });

  it('refuses a state that there is not, and a place where nothing can be written', () => {
    const wrong = project.run('trials', project.config, '--state', 'compleet');
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean "complete"?') as string });
    for (const args of [
      ['--out', '.'],
      ['--out', 'configs/sweep.yaml/report.html'],
      ['--svg', 'configs/sweep.yaml'],
    ]) {
      const { code, stderr } = project.run('report', project.config, ...args);
      expect({ code, stack: stderr.includes(' at ') }).toEqual({ code: 2, stack: false });
      expect(stderr).toMatch(/is a folder|cannot be written/);
    }
  });

  it('goes on to a larger total, and has nothing to do when it is reached', () => {
    expect(project.json<RunSummary>('run', project.config, '--trials', '12').trials).toMatchObject({ complete: 12 });
    expect(project.json<RunSummary>('run', project.config, '--trials', '12').trials).toMatchObject({ complete: 12 });
    // What it works towards is told as it is, by the configuration and by the database alone.
    expect(project.json<{ target: number }>('status', project.config).target).toBe(12);
    expect(project.json<{ target: number }>('status', summary.studyDb).target).toBe(12);
  });

  it('verifies its backups, and finds damage in them', () => {
    const good = project.run('backup', 'verify', project.config, '--deep');
    expect(good.code).toBe(0);
    expect(project.run('backup', 'list', project.config).stdout).toContain('study.db');
  });

  it('restores a path under outputs/ only, unless a folder is named', () => {
    const refused = project.run('restore', project.config, 'elsewhere/study.db');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/writes nowhere else.*\n.*--to/);
    expect(existsSync(join(project.folder, 'elsewhere'))).toBe(false);
    const to = project.run('restore', project.config, '--to', 'elsewhere');
    expect(to.code).toBe(0);
    expect(readdirSync(join(project.folder, 'elsewhere'), { recursive: true }).map(String)).toContain(
      join('outputs', 'hpo', 'local', 'demo', `study-${summary.study8}`, 'study.db'),
    );
  });

  it('comes back where outputs/ is gone', () => {
    rmSync(join(project.folder, 'outputs'), { recursive: true });
    const restored = project.json<RunSummary>('run', project.config, '--trials', '14');
    expect(restored.restoredFrom).toBe('disk');
    expect(restored.trials).toMatchObject({ complete: 14, interrupted: 0 });
  });
});

describe('a changed search space', () => {
  it('keeps all trials when choices are appended, in a form that Optuna accepts, and refuses other changes of choices', () => {
    const project = new CliProject();
    try {
      const first = project.json<RunSummary>('run', project.config);
      const space = (values: string): string =>
        `parameters: { x: { min: -5.0, max: 9.0 }, kind: { values: ${values} }, y: { min: 0.0, max: 1.0, when: { kind: b } } }`;
      const texts = (): unknown[] => {
        const db = new Database(first.studyDb, { readonly: true });
        const rows = db
          .prepare("SELECT DISTINCT distribution_json FROM trial_params WHERE param_name = 'kind'")
          .pluck()
          .all();
        db.close();
        return rows;
      };
      const before = project.json<TrialRow[]>('trials', project.config);

      project.writeConfig(space('[b, a, c]'));
      const refused = project.run('run', project.config, '--trials', '12');
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(/"kind" was one of "a", "b" and cannot become one of "b", "a", "c"/);
      expect(texts()).toHaveLength(1);

      project.writeConfig(space('[a, b, c]'));
      const more = project.run('run', project.config, '--trials', '16');
      expect(more.code).toBe(0);
      expect(more.stdout + more.stderr).toMatch(/Parameter kind gets more choices \("c"\)/);
      expect(texts()).toEqual(['{"name": "CategoricalDistribution", "attributes": {"choices": ["a", "b", "c"]}}']);
      const after = project.json<TrialRow[]>('trials', project.config);
      expect(after.slice(0, 10)).toEqual(before);
      expect(after).toHaveLength(16);

      // The copy before and the copy after are one history: nothing forked, and it comes back.
      rmSync(join(project.folder, 'outputs'), { recursive: true });
      const restored = project.json<RunSummary>('run', project.config, '--trials', '18');
      expect(restored.trials).toMatchObject({ complete: 18, interrupted: 0 });
      expect(project.json<TrialRow[]>('trials', project.config).slice(0, 16)).toEqual(after);
      const newest = project
        .run('backup', 'list', project.config)
        .stdout.split('\n')
        .filter((line) => line.includes('study.db ') && line.includes(' * '));
      expect(newest).toHaveLength(1);
    } finally {
      project.remove();
    }
  });
});

describe('wrong use', () => {
  let project: CliProject;
  beforeAll(() => {
    project = new CliProject();
  });
  afterAll(() => {
    project.remove();
  });

  it('names a wrong key with its place and the nearest name, and changes nothing', () => {
    project.writeConfig('pruner: { type: medain }');
    const { code, stderr } = project.run('run', project.config);
    expect(code).toBe(2);
    expect(stderr).toMatch(/sweep\.yaml:\d+:\d+: pruner\.type: found "medain".*Did you mean "median"\?/);
    expect(existsSync(join(project.folder, 'outputs'))).toBe(false);
    project.writeConfig('');
  });

  it.each([
    [['rnu', 'x'], /no command "rnu".*"run"/],
    [['run', 'nothing.yaml'], /nothing\.yaml cannot be read/],
    [['run', 'configs/sweep.yaml', '--trails', '3'], /"trails".*"--trials"/],
    [['--quite'], /"quite".*"--quiet"/],
    [['--quiet'], /Commands:/],
    [['run', 'configs/sweep.yaml', '--trials', '0'], /--trials/],
    [['run', 'configs/sweep.yaml', '--timeout', 'soon'], /--timeout/],
    [['status', 'nothing.db'], /There is no nothing\.db/],
    [['run'], /argument is missing: resweep run <config>/],
    [['run', 'configs/sweep.yaml', '--trials', 'many'], /--trials must be a number, but got "many"/],
    [['run', 'configs/sweep.yaml', '--jobs=x'], /--jobs must be a number, but got "x"/],
    [['logs', 'abc', 'configs/sweep.yaml'], /<number> must be a number, but got "abc"/],
    [['dashboard', '--port', '99999'], /from 0 to 65535, but got 99999/],
    [['dashboard', '--port', 'abc'], /--port must be a number, but got "abc"/],
  ])('%j ends with exit code 2', (args, message) => {
    const { code, stderr } = project.run(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(existsSync(join(project.folder, 'outputs'))).toBe(false);
  });

  it('helps: every command has its own help with examples', () => {
    const help = project.run('--help');
    expect(help.code).toBe(0);
    for (const name of ['run', 'status', 'trials', 'best', 'logs', 'backup', 'restore', 'hash', 'validate', 'schema']) {
      expect(help.stdout).toContain(`resweep ${name}`);
      expect(project.run(name, '--help').stdout).toContain('Examples:');
    }
  });
});
