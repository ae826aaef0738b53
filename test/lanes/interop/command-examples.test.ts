import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');
const MAIN = join(ROOT, 'dist', 'cli', 'main.js');

interface RunJson {
  readonly trials: Readonly<Record<string, number>>;
  readonly best: { readonly value: number; readonly number: number };
  readonly studyDb: string;
}

/** The shipped configurations that run Python and shell programs, as a user runs them. */
describe('shipped command configurations', () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'resweep-examples-'));
    for (const name of ['configs', 'examples', 'python', 'data'])
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
    const python = process.env['RESWEEP_PYTHON'];
    if (python === undefined) throw new Error('RESWEEP_PYTHON names no Python: run scripts/lane.mjs interop.');
    // The configurations say python3: here it is the one with the packages.
    env = { ...process.env, PATH: `${dirname(python)}:${process.env['PATH'] ?? ''}` };
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['command-sklearn', 4, 0.8],
    ['command-pytorch', 3, 0.5],
    ['command-shell', 12, undefined],
  ])('%s', (name, trials, atLeast) => {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [MAIN, 'run', `configs/${name}.yaml`, '--trials', String(trials), '--json'],
      { cwd: folder, env, encoding: 'utf8', timeout: 300_000 },
    );
    expect(status, stderr).toBe(0);
    const report = JSON.parse(stdout) as RunJson;
    expect(report.trials).toMatchObject({ total: trials, fail: 0 });
    if (atLeast !== undefined) expect(report.best.value).toBeGreaterThan(atLeast);
    expect(readFileSync(join(dirname(report.studyDb), 'events.jsonl'), 'utf8')).toContain('"trial-ended"');
  });
});
