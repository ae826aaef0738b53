import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, expect, it, vi } from 'vitest';

vi.setConfig({ testTimeout: 180_000 });

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folders: string[] = [];

type Run = (...args: readonly string[]) => { code: number | null; out: string; json: unknown };

/** An empty folder, and the command line in it. */
function emptyFolder(): { folder: string; run: Run } {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-first-'));
  folders.push(folder);
  const run: Run = (...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, RESWEEP_ENVIRONMENT: 'local' },
    });
    return { code: status, out: stdout + stderr, json: args.includes('--json') ? JSON.parse(stdout) : undefined };
  };
  return { folder, run };
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

it.each(['tfjs', 'command', 'module'])(
  'what init --objective %s writes in an empty folder runs as it is',
  (objective) => {
    const { folder, run } = emptyFolder();
    const written = run('init', '--yes', '--objective', objective, '--json');
    expect(written.code).toBe(0);
    const { config, next, files } = written.json as { config: string; next: string; files: string[] };
    expect({ config, next }).toEqual({ config: 'sweep.yaml', next: 'resweep run sweep.yaml' });
    for (const file of files) expect(existsSync(join(folder, file))).toBe(true);
    const text = readFileSync(join(folder, config), 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/resweep\.schema\.json\n/);
    expect(run('validate', config)).toMatchObject({ code: 0 });
    const sweep = run('run', config, '--trials', '3', '--json');
    expect(sweep.out).toContain('"best"');
    expect(sweep.json).toMatchObject({
      trials: { complete: 3, fail: 0 },
      backup: { destinations: [{ name: 'backups', error: null, safeUpTo: 2 }] },
    });
  },
);

it('init overwrites nothing, and then writes nothing', () => {
  const { folder, run } = emptyFolder();
  writeFileSync(join(folder, 'objective.mjs'), 'mine');
  const refused = run('init', '--yes', '--objective', 'module');
  expect(refused).toMatchObject({ code: 2, out: expect.stringContaining('objective.mjs is there already') as string });
  expect(readFileSync(join(folder, 'objective.mjs'), 'utf8')).toBe('mine');
  expect(existsSync(join(folder, 'sweep.yaml'))).toBe(false);
  expect(run('init')).toMatchObject({ code: 2, out: expect.stringContaining('resweep init --yes') as string });
});

it.each(['my "study": x #1, ünï', '2026', 'true', 'a [b] {c} ${HOME}'])(
  'init writes the study name %s as it is',
  (name) => {
    const { run } = emptyFolder();
    expect(run('init', '--yes', '--objective', 'module', '--study', name)).toMatchObject({ code: 0 });
    const { code, json } = run('hash', 'sweep.yaml', '--json');
    expect(code).toBe(0);
    expect(JSON.stringify(json)).toContain(JSON.stringify(JSON.stringify(name)).slice(1, -1));
  },
);

it('doctor says what is broken, how to mend it, and exits 1', () => {
  const { folder, run } = emptyFolder();
  run('init', '--yes', '--objective', 'module');
  const lines = `storage: postgresql://nobody@127.0.0.1:1/none
backup: { destinations: [{ name: gone, type: folder, path: /proc/no-such-folder }] }
`;
  const text = readFileSync(join(folder, 'sweep.yaml'), 'utf8').replace(/\nbackup:[^]*$/, `\n${lines}`);
  writeFileSync(join(folder, 'broken.yaml'), text);
  const { code, json } = run('doctor', 'broken.yaml', 'node', 'disk', 'clock', 'destinations', 'storage', '--json');
  expect(code).toBe(1);
  const { checks } = json as { checks: { name: string; title: string; state: string; hint?: string }[] };
  const states = Object.fromEntries(checks.map(({ title, state }) => [title, state]));
  expect(states).toEqual({ Node: 'good', Disk: 'good', Clock: 'good', 'Destination gone': 'bad', Storage: 'bad' });
  for (const { state, hint } of checks) if (state !== 'good') expect(hint).toBeTruthy();
  expect(run('doctor', 'sweep.yaml', 'destinations', 'storage', 'packages')).toMatchObject({ code: 0 });
});
