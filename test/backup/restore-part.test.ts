import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { RestoreProgress } from '../../src/backup/restore/restore-file.js';
import { filesBelow, makeStudy, TestProject } from '../support/backup-project.js';

let project: TestProject;
beforeEach(() => {
  project = new TestProject();
});
afterEach(async () => {
  await project.close();
});

describe('a part of a saved folder', () => {
  it('comes back alone: one file, one folder, from the newest state that has it', async () => {
    const folder = project.path('outputs', 'hpo', 'local', 'mlp', 'study-abcd1234');
    const trial = (n: number, ...rest: string[]): string => join(folder, 'trials', `trial-000${n}`, ...rest);
    project.write(trial(0, 'checkpoint', 'w.bin'), 'weights 0');
    project.write(trial(0, 'params.json'), '{}');
    const drive = project.drive();
    await drive.backup(folder, { isDirectory: true });
    rmSync(trial(0), { recursive: true });
    project.write(trial(1, 'params.json'), '{"x":1}');
    await drive.backup(folder, { isDirectory: true });
    const within = folder;
    expect(await drive.restore(trial(0), { within })).toMatchObject({
      status: 'restored',
      files: ['checkpoint/w.bin', 'params.json'],
    });
    expect(filesBelow(trial(0))).toEqual(['checkpoint/w.bin', 'params.json']);
    rmSync(trial(0, 'checkpoint'), { recursive: true });
    expect(await drive.restore(trial(0), { within })).toMatchObject({
      status: 'completed',
      files: ['checkpoint/w.bin'],
    });
    rmSync(trial(1), { recursive: true });
    expect(await drive.restore(trial(1, 'params.json'), { within })).toMatchObject({ status: 'restored', files: [''] });
    expect(readFileSync(trial(1, 'params.json'), 'utf8')).toBe('{"x":1}');
    expect(await drive.restore(trial(1, 'params.json'), { within })).toMatchObject({ status: 'present' });
    expect(await drive.restore(trial(7), { within })).toMatchObject({ status: 'absent' });
  });
});

it('tells how far it is', async () => {
  const db = project.studyDb();
  await makeStudy(db, { finished: 30 });
  const drive = project.drive();
  await drive.backup(db);
  project.loseOutputs();
  const seen: RestoreProgress[] = [];
  await drive.restore(db, { onProgress: (progress) => seen.push(progress) });
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.at(-1)).toMatchObject({ destination: 'store', doneBytes: seen[0]?.totalBytes });
});
