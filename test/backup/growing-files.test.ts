import { appendFileSync, lstatSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { KnownDigests } from '../../src/backup/capture/known-digests.js';
import { digestFile } from '../../src/backup/files/file-digest.js';
import { copyWholeLines } from '../../src/backup/files/whole-lines.js';
import { TestProject } from '../support/backup-project.js';

let project: TestProject;
beforeEach(() => {
  project = new TestProject();
});
afterEach(async () => {
  await project.close();
});

describe('a log that grows', () => {
  it('of more bytes than fit into memory is saved up to its last whole line', async () => {
    const folder = project.path('outputs', 'run');
    const log = join(folder, 'run.log');
    mkdirSync(folder, { recursive: true });
    writeFileSync(log, 'one whole line\nand the beginning of another');
    truncateSync(log, 4.5 * 2 ** 30);
    const drive = project.drive();
    expect(await drive.backup(folder)).toMatchObject({ ok: true, bytes: 15 });
    project.loseOutputs();
    await drive.restore(folder, { isDirectory: true });
    expect(readFileSync(log, 'utf8')).toBe('one whole line\n');
  }, 60_000);

  it.each([
    ['', ''],
    ['no line yet', 'no line yet'],
    ['\n', '\n'],
    [`${'x'.repeat(300_000)}\n${'y'.repeat(600_000)}`, `${'x'.repeat(300_000)}\n`],
    ['a\nb\nc', 'a\nb\n'],
  ])('%#: whole lines only, and what is written meanwhile is left out', async (text, whole) => {
    const log = project.write(project.path('outputs', 'a.log'), text);
    const { size } = lstatSync(log);
    appendFileSync(log, 'later\n');
    await copyWholeLines(log, size, join(dirname(log), 'copy'));
    expect(readFileSync(join(dirname(log), 'copy'), 'utf8')).toBe(whole);
  });
});

it('digests are remembered of files that are there, not of all that ever were', async () => {
  const folder = project.path('outputs', 'checkpoints');
  const known = new KnownDigests();
  const paths = ['a', 'b', 'deep/c'].map((name) => project.write(join(folder, name), name));
  const beside = project.write(project.path('outputs', 'checkpoints-2', 'a'), 'a');
  for (const path of [...paths, beside]) known.set(path, lstatSync(path), await digestFile(path));
  known.keepOnly(folder, new Set(paths.slice(1)));
  expect(known.size).toBe(3);
  expect(known.get(beside, lstatSync(beside))?.bytes).toBe(1);
  appendFileSync(beside, 'x');
  expect(known.get(beside, lstatSync(beside))).toBeUndefined();
});
