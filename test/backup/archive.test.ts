import { cpSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ZipFile } from 'yazl';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { exportArchive, openArchive } from '../../src/backup/archive/archive.js';
import { verifyBackups } from '../../src/backup/verify/verify.js';
import {
  addTrials,
  filesBelow,
  finishedTrials,
  flipByte,
  makeStudy,
  snapshotSource,
  TestProject,
} from '../support/backup-project.js';

let project: TestProject;
let archive: string;
const log = { info: () => undefined, warn: () => undefined };

beforeEach(() => {
  project = new TestProject();
  archive = project.place('study.zip');
});

afterEach(async () => {
  await project.close();
});

async function makeArchive(): Promise<void> {
  await makeStudy(project.studyDb(), { finished: 7 });
  const studyFolder = project.path('outputs/hpo/local/mlp/study-abcd1234');
  project.write(join(studyFolder, 'trials/trial-0000-00000000/checkpoint/weights.bin'), Buffer.alloc(200_000, 7));
  project.write(join(studyFolder, 'events.jsonl'), '{"event":"sweep-started"}\n');
  const report = await exportArchive(archive, {
    projectRoot: project.root,
    snapshotSource,
    studies: [{ studyDb: project.studyDb(), studyFolder }],
    log,
  });
  expect(report.targets).toEqual([
    'outputs/hpo/local/mlp/study-abcd1234',
    'outputs/hpo/local/mlp/study-abcd1234/study.db',
  ]);
}

const open = () => openArchive(archive, { projectRoot: project.root, snapshotSource, log });

describe('archive', () => {
  it('brings a study and its checkpoints back on an empty machine', async () => {
    await makeArchive();
    const before = filesBelow(project.path('outputs'));
    const weights = readFileSync(
      project.path('outputs/hpo/local/mlp/study-abcd1234/trials/trial-0000-00000000/checkpoint/weights.bin'),
    );
    project.loseOutputs();
    const opened = await open();
    try {
      expect((await verifyBackups(opened.drive, { deep: true })).ok).toBe(true);
      for (const { path, isDirectory } of opened.targets) {
        expect((await opened.drive.restore(project.path(path), { isDirectory })).status).toMatch(/restored|completed/);
      }
    } finally {
      await opened.close();
    }
    expect(filesBelow(project.path('outputs'))).toEqual(before);
    expect(finishedTrials(project.studyDb())).toBe(7);
    expect(
      readFileSync(
        project.path('outputs/hpo/local/mlp/study-abcd1234/trials/trial-0000-00000000/checkpoint/weights.bin'),
      ).equals(weights),
    ).toBe(true);
  });

  it('is made while the study is written, and replaces no file', async () => {
    await makeArchive();
    await addTrials(project.studyDb(), 2);
    await expect(makeArchive()).rejects.toThrow(/overwrites nothing|exists/);
    expect(filesBelow(project.base).filter((file) => file.includes('.resweep-export-'))).toEqual([]);
  });

  it('is refused where any byte differs, or its end is missing', async () => {
    await makeArchive();
    const whole = project.place('whole.zip');
    cpSync(archive, whole);
    const { length } = readFileSync(whole);
    let refused = 0;
    for (let i = 0; i < 40; i++) {
      cpSync(whole, archive);
      flipByte(archive, Math.floor((length * (i + 0.5)) / 40));
      try {
        const opened = await open();
        // A byte of a ZIP that says nothing, such as a time: then all that matters is whole.
        expect((await verifyBackups(opened.drive, { deep: true })).ok).toBe(true);
        await opened.close();
      } catch (error) {
        expect(error).toMatchObject({ exitCode: 3 });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(30);
    cpSync(whole, archive);
    truncateSync(archive, length - 100);
    await expect(open()).rejects.toThrow(/no whole archive/);
  });

  it('is refused where a name leaves its place, a file is not listed, or it is another kind of file', async () => {
    const write = async (entries: Record<string, string>): Promise<void> => {
      const zip = new ZipFile();
      for (const [name, text] of Object.entries(entries)) zip.addBuffer(Buffer.from(text), name);
      zip.end();
      const parts: Buffer[] = [];
      for await (const part of zip.outputStream) parts.push(part as Buffer);
      writeFileSync(archive, Buffer.concat(parts));
    };
    await write({ 'xx/evil': 'x', SHA256SUMS: '' });
    const bytes = readFileSync(archive);
    writeFileSync(archive, Buffer.from(bytes.toString('latin1').replaceAll('xx/evil', '../evil'), 'latin1'));
    await expect(open()).rejects.toMatchObject({ exitCode: 3 });
    expect(existsSync(join(project.base, 'evil'))).toBe(false);
    await write({ extra: 'x', SHA256SUMS: '' });
    await expect(open()).rejects.toThrow(/does not belong/);
    await write({ extra: 'x' });
    await expect(open()).rejects.toThrow(/no archive of resweep/);
    writeFileSync(archive, 'not a zip');
    await expect(open()).rejects.toThrow(/no whole archive/);
  });
});
