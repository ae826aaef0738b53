import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { CliProject } from '../../support/cli-project.js';
import { copyFolder, flipByte, packsOf } from '../../support/backup-project.js';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The commands of each section of the guide, with the exit code that it promises. */
function sections(): Map<string, { command: string; code: number }[]> {
  const found = new Map<string, { command: string; code: number }[]>();
  let section = '';
  let isShell = false;
  for (const line of readFileSync(join(root, 'docs', 'disaster-recovery.md'), 'utf8').split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3);
    else if (line.startsWith('```')) isShell = line === '```sh';
    else if (isShell) {
      const [, command = line, code = '0'] = /^(.*?)\s+# exit code (\d+)$/.exec(line) ?? [];
      found.set(section, [...(found.get(section) ?? []), { command, code: Number(code) }]);
    }
  }
  return found;
}

const guide = sections();
let project: CliProject;
let clean: string;
const outputs = (): string => join(project.folder, 'outputs');

beforeAll(() => {
  project = new CliProject({
    config:
      'trials: 5\nbackup: { destinations: [{ name: drive, type: folder, path: drive }, { name: archive, type: folder, path: archive }] }',
  });
  const bin = join(project.folder, 'bin');
  mkdirSync(bin);
  const main = join(root, 'dist', 'cli', 'main.js');
  writeFileSync(join(bin, 'resweep'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  chmodSync(join(bin, 'resweep'), 0o755);
  const { code, stderr } = project.run('run', project.config, '--trials', '4', '--quiet');
  expect(code, stderr).toBe(0);
  expect(project.run('backup', 'export', 'offline.zip', project.config).code).toBe(0);
  clean = `${project.folder}-clean`;
  copyFolder(project.folder, clean);
});

afterAll(() => {
  rmSync(clean, { recursive: true, force: true });
  project.remove();
});

/** What was lost before the commands of a section are typed. */
const losses: Readonly<Record<string, () => void>> = {
  'Before anything happens': () => {
    rmSync(join(project.folder, 'offline.zip'));
  },
  'The machine is lost': () => {
    rmSync(outputs(), { recursive: true });
  },
  'One destination is lost': () => {
    rmSync(join(project.folder, 'drive'), { recursive: true });
  },
  'All but an offline copy is lost': () => {
    for (const folder of ['outputs', 'drive', 'archive']) rmSync(join(project.folder, folder), { recursive: true });
  },
  'The newest backup is damaged': () => {
    flipByte(packsOf(join(project.folder, 'drive'))[0] ?? '', 3);
    rmSync(outputs(), { recursive: true });
  },
  'A bucket or repository was deleted': () => {
    rmSync(join(project.folder, 'archive'), { recursive: true });
  },
  'The local study is damaged': () => {
    const studyDb = readdirSync(outputs(), { recursive: true, encoding: 'utf8' }).find((path) =>
      path.endsWith('study.db'),
    );
    const path = join(outputs(), studyDb ?? '');
    const bytes = readFileSync(path);
    // A page of rows in the middle.
    bytes.fill(0xa5, 6 * 4096, 7 * 4096);
    writeFileSync(path, bytes);
  },
  'A state of another time, or another history': () => undefined,
  'GitHub Actions, cron': () => undefined,
};

describe('docs/disaster-recovery.md, word for word', () => {
  it('has a loss for each of its sections', () => {
    expect([...guide.keys()]).toEqual(Object.keys(losses));
  });

  it.each([...guide.keys()])('%s', (section) => {
    rmSync(project.folder, { recursive: true });
    copyFolder(clean, project.folder);
    losses[section]?.();
    let trials = 4;
    for (const { command, code } of guide.get(section) ?? []) {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
        cwd: project.folder,
        encoding: 'utf8',
        env: {
          ...process.env,
          RESWEEP_ENVIRONMENT: 'local',
          PATH: `${join(project.folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
        },
      });
      expect(status, `${command}\n${stdout}\n${stderr}`).toBe(code);
      if (command.startsWith('resweep run')) trials = 5;
    }
    // Whatever was lost: every finished trial is here.
    const { trials: counted } = project.json<{ trials: { complete: number; finished: number } }>(
      'status',
      project.config,
    );
    expect(counted.finished).toBeGreaterThanOrEqual(trials);
  });
});
