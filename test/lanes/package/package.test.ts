import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..', '..');
/** Node's headers where they lie beside it, so that compiling needs no download. */
const NODE_PREFIX = dirname(dirname(process.execPath));
const HEADERS = existsSync(join(NODE_PREFIX, 'include', 'node', 'node_version.h'))
  ? { npm_config_nodedir: NODE_PREFIX }
  : {};
const MOST_MEGABYTES = 80;

describe('the package, as users install it', () => {
  const base = mkdtempSync(join(tmpdir(), 'resweep-package-'));
  const project = join(base, 'empty');
  let tarball = '';
  beforeAll(() => {
    const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', base];
    const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' })) as [
      { filename: string },
    ];
    tarball = join(base, filename);
    mkdirSync(project);
    execFileSync('npm', ['install', '--omit=optional', '--prefer-offline', '--no-audit', '--no-fund', tarball], {
      cwd: project,
      stdio: 'pipe',
      env: { ...process.env, ...HEADERS },
    });
  });
  afterAll(() => {
    rmSync(base, { recursive: true, force: true, maxRetries: 5 });
  });

  const npx = (...args: readonly string[]): { code: number | null; out: string } => {
    const { status, stdout, stderr } = spawnSync('npx', ['--no-install', 'resweep', ...args], {
      cwd: project,
      encoding: 'utf8',
      env: { ...process.env, RESWEEP_ENVIRONMENT: 'local' },
    });
    return { code: status, out: stdout + stderr };
  };

  it('holds what its parts read, and nothing of ours', () => {
    const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n');
    for (const name of [
      'dist/cli/main.js',
      'dist/index.d.ts',
      'dist/dashboard/web/index.html',
      'dist/report/client/report-client.js',
      'configs/quickstart.yaml',
      'configs/resweep.schema.json',
      'data/digits.csv.gz',
      'python/resweep.py',
      'notebooks/colab.ipynb',
      'docs/README.md',
      'README.md',
      'LICENSE',
    ])
      expect(files).toContain(`package/${name}`);
    expect(
      files.filter((name) =>
        /\.pyc$|tsbuildinfo|\.build-stamp|\/(test|src|bench)\//.test(name.replace(/^package\/(dist|docs)\//, '')),
      ),
    ).toEqual([]);
  });

  it(`takes at most ${MOST_MEGABYTES} MB without optional packages`, () => {
    const bytes = sizeOf(join(project, 'node_modules'));
    console.log(`installed without optional packages: ${(bytes / 1e6).toFixed(1)} MB`);
    expect(bytes / 1e6).toBeLessThan(MOST_MEGABYTES);
  });

  it('runs init, run, status, best and report in an empty folder', () => {
    for (const args of [
      ['init', '--yes', '--objective', 'command'],
      ['run', 'sweep.yaml', '--trials', '4'],
      ['status', 'sweep.yaml'],
      ['best', 'sweep.yaml'],
      ['report', 'sweep.yaml', '--out', 'report.html', '--svg', 'figures'],
      ['doctor', 'sweep.yaml'],
    ]) {
      const { code, out } = npx(...args);
      expect(code, `resweep ${args.join(' ')}\n${out}`).toBe(0);
    }
    expect(existsSync(join(project, 'report.html'))).toBe(true);
    expect(readdirSync(join(project, 'figures')).length).toBeGreaterThan(0);
  });

  it('names the package that is missing, where one is', () => {
    writeFileSync(
      join(project, 'server.yaml'),
      `study: s
backbone: b
metric: { name: loss, goal: minimize }
trials: 1
parameters: { x: { min: 0.0, max: 1.0 } }
objective: { type: command, command: [echo, '1'] }
storage: postgresql://nobody@127.0.0.1:1/none
`,
    );
    const { code, out } = npx('run', 'server.yaml');
    expect(code).toBe(2);
    expect(out).toContain('npm install pg');
  });

  it('has right types and entries: attw and publint', () => {
    const tool = (name: string, ...args: readonly string[]): string =>
      execFileSync(join(ROOT, 'node_modules', '.bin', name), args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
    // It ends with an error for every problem but those of CommonJS, which the package does not offer.
    expect(tool('attw', tarball, '--profile', 'esm-only')).toContain('🟢 (ESM)');
    expect(tool('publint', 'run', tarball, '--strict')).toContain('All good');
  });
});

/** Bytes of a folder. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => {
    const entry = lstatSync(join(folder, name));
    return entry.isFile() ? sum + entry.size : sum;
  }, 0);
}
