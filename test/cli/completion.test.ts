import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { outlineOf } from '../../src/cli/command-outline.js';
import { commands } from '../../src/cli/commands/index.js';
import { bashCompletion } from '../../src/cli/completion/bash.js';
import { fishCompletion } from '../../src/cli/completion/fish.js';
import { zshCompletion } from '../../src/cli/completion/zsh.js';

const outlines = commands.map(outlineOf);

describe('completion in a real bash', () => {
  const folder = mkdtempSync(join(tmpdir(), 'resweep-completion-'));
  writeFileSync(join(folder, 'script'), bashCompletion(outlines));
  for (const name of ['sweep.yaml', 'other.yml', 'study.db', 'notes.txt']) writeFileSync(join(folder, name), '');
  mkdirSync(join(folder, 'configs'));
  writeFileSync(join(folder, 'configs', 'in here.yaml'), '');
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** What Tab would offer after these words. */
  const offered = (...words: readonly string[]): string[] => {
    const text = `source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _resweep; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = execFileSync('bash', ['--norc', '-c', text, 'bash', 'resweep', ...words], {
      cwd: folder,
      encoding: 'utf8',
    });
    return output.split('\n').filter((word) => word !== '');
  };

  it('offers commands, options and the values of both', () => {
    expect(offered('st')).toEqual(['stop', 'status']);
    expect(offered('').sort()).toEqual([...outlines.map(({ name }) => name), '--help', '--version'].sort());
    expect(offered('run', 'sweep.yaml', '--tr')).toEqual(['--trials']);
    expect(offered('run', '--j')).toEqual(expect.arrayContaining(['--jobs', '--json']));
    expect(offered('trials', '--format', '')).toEqual(['table', 'json', 'csv']);
    expect(offered('trials', '--format', 'c')).toEqual(['csv']);
    expect(offered('backup', 'pr')).toEqual(['prune']);
    expect(offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(offered('no-such-command', '')).toEqual([]);
  });

  it('offers configurations where one is wanted, databases too where a study is', () => {
    expect(offered('run', '').sort()).toEqual(['configs', 'other.yml', 'sweep.yaml']);
    expect(offered('run', 'configs/')).toEqual(['configs/in here.yaml']);
    expect(offered('--json', 'run', 's')).toEqual(['sweep.yaml']);
    expect(offered('backup', 'list', 'sw')).toEqual(['sweep.yaml']);
    expect(offered('status', 's').sort()).toEqual(['study.db', 'sweep.yaml']);
    expect(offered('logs', '3', 's').sort()).toEqual(['study.db', 'sweep.yaml']);
    expect(offered('schema', '--out', 'n')).toEqual(['notes.txt']);
  });
});

it('every command is in the scripts of the other shells', () => {
  for (const script of [zshCompletion(outlines), fishCompletion(outlines)]) {
    for (const { name, options } of outlines) {
      expect(script).toContain(name);
      for (const option of options) expect(script).toContain(option.name);
    }
  }
});
