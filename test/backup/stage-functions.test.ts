import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  backupHpoStudyToDrive,
  combineCallbacks,
  createIncrementalBackupCallback,
  createStudyDbBackupCallback,
  ensureRestoredFromDrive,
  findStudyFolder,
  immediateBackupIfNeeded,
  setupCheckpointStorage,
} from '../../src/backup/index.js';
import { FrozenTrial } from '../../src/core/frozen-trial.js';
import type { StudyView } from '../../src/core/study-view.js';
import { addTrials, filesBelow, finishedTrials, makeStudy, TestProject } from '../support/backup-project.js';

let project: TestProject;
let db: string;
const view: StudyView = {
  studyName: 'digits',
  directions: ['maximize'],
  seed: 1,
  history: { all: [], finished: [], unfinished: [] },
  userAttrs: {},
  systemAttrs: {},
  declaredSpace: undefined,
};
const trial = new FrozenTrial(1, 0, { state: 'COMPLETE' });
const mirror = (path: string): string => join(project.place('store'), path.slice(project.root.length + 1));
beforeEach(() => {
  project = new TestProject();
  db = project.studyDb();
});
afterEach(async () => {
  await project.close();
});

describe('immediateBackupIfNeeded', () => {
  it('three checks: enabled, exists, not on Drive', async () => {
    await makeStudy(db, { finished: 1 });
    const { backupToDrive } = project.drive();
    expect(await immediateBackupIfNeeded({ path: db })).toBe(false);
    expect(await immediateBackupIfNeeded({ path: db, backupToDrive, backupEnabled: false })).toBe(false);
    expect(await immediateBackupIfNeeded({ path: `${db}.none`, backupToDrive })).toBe(false);
    expect(await immediateBackupIfNeeded({ path: '/content/drive/MyDrive/a', backupToDrive })).toBe(false);
    expect(existsSync(project.place('store'))).toBe(false);
    expect(await immediateBackupIfNeeded({ path: db, backupToDrive })).toBe(true);
    expect(finishedTrials(mirror(db))).toBe(1);
  });

  it('a callback that throws or says no is logged, never thrown', async () => {
    await makeStudy(db);
    const said: string[] = [];
    const log = { warn: (message: string) => said.push(message) };
    const throws = () => Promise.reject(new Error('boom'));
    expect(await immediateBackupIfNeeded({ path: db, backupToDrive: throws, log })).toBe(false);
    expect(await immediateBackupIfNeeded({ path: db, backupToDrive: () => Promise.resolve(false), log })).toBe(false);
    expect(said).toHaveLength(2);
    expect(said[0]).toContain('boom');
  });
});

describe('callbacks after a trial', () => {
  it('with a file', async () => {
    await makeStudy(db, { finished: 1 });
    const callback = createStudyDbBackupCallback({ studyDb: db, backupToDrive: project.drive().backupToDrive });
    await callback(view, trial);
    expect(finishedTrials(mirror(db))).toBe(1);
    await addTrials(db, 2);
    await callback(view, trial);
    expect(finishedTrials(mirror(db))).toBe(3);
  });

  it('with a directory', async () => {
    const folder = dirname(db);
    project.write(join(folder, 'trials/a.json'), '1');
    const { backupToDrive } = project.drive();
    const callback = createIncrementalBackupCallback({ targetPath: folder, isDirectory: true, backupToDrive });
    await callback(view, trial);
    project.write(join(folder, 'trials/b.json'), '2');
    await callback(view, trial);
    expect(filesBelow(mirror(folder))).toEqual(['trials/a.json', 'trials/b.json']);
  });

  it('skips Drive paths and missing files, and is nothing without a callback or when disabled', async () => {
    const { backupToDrive } = project.drive();
    for (const options of [
      { targetPath: '/content/drive/x', backupToDrive },
      { targetPath: db, backupToDrive },
      { targetPath: db },
      { targetPath: db, backupToDrive, backupEnabled: false },
    ]) {
      await createIncrementalBackupCallback(options)(view, trial);
    }
    expect(existsSync(project.place('store'))).toBe(false);
  });

  it('trials that finish during a backup share the next one', async () => {
    await makeStudy(db);
    let running = 0;
    let most = 0;
    let calls = 0;
    const backupToDrive = async () => {
      calls++;
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running--;
      return true;
    };
    const callback = createStudyDbBackupCallback({ studyDb: db, backupToDrive });
    await Promise.all(Array.from({ length: 10 }, () => callback(view, trial)));
    expect([calls, most]).toEqual([2, 1]);
  });

  it('run together with others: the one failing does not stop the other', async () => {
    await makeStudy(db, { finished: 2 });
    const said: string[] = [];
    let other = 0;
    const log = { warn: (message: string) => said.push(message) };
    const failing = createStudyDbBackupCallback({
      studyDb: db,
      backupToDrive: () => Promise.reject(new Error('full')),
      log,
    });
    const counting = () => {
      other++;
      return Promise.resolve();
    };
    await combineCallbacks(failing, counting)(view, trial);
    expect([other, said.length]).toEqual([1, 1]);
    const working = createStudyDbBackupCallback({ studyDb: db, backupToDrive: project.drive().backupToDrive });
    const broken = () => Promise.reject(new Error('broken'));
    await expect(combineCallbacks(broken, working, counting)(view, trial)).rejects.toThrow('broken');
    expect(finishedTrials(mirror(db))).toBe(2);
    expect(other).toBe(2);
  });
});

describe('the study at the end', () => {
  it('local → study.db and the folder around it', async () => {
    await makeStudy(db, { finished: 2 });
    project.write(join(dirname(db), 'study.yaml'), 'x: 1\n');
    const { backupToDrive } = project.drive();
    const backboneDir = dirname(dirname(db));
    expect(await backupHpoStudyToDrive({ backboneDir, study8: 'abcd1234', backupToDrive })).toMatchObject({
      ok: true,
      path: db,
    });
    expect(filesBelow(mirror(dirname(db)))).toEqual(['study.db', 'study.yaml']);
    expect(await backupHpoStudyToDrive({ backboneDir, study8: 'ffffffff', backupToDrive })).toMatchObject({
      ok: false,
    });
  });
});

describe('finding the study', () => {
  const setup = (options = {}) =>
    setupCheckpointStorage({ outputDir: project.path('outputs'), backbone: 'mlp', study8: 'abcd1234', ...options });

  it('v2 path used directly, under any environment, without asking a destination', async () => {
    const colab = project.studyDb('colab');
    await makeStudy(colab, { finished: 1 });
    const restoreFromDrive = () => Promise.reject(new Error('must not be asked'));
    expect(await setup({ restoreFromDrive })).toEqual({
      studyDb: colab,
      storageUrl: `sqlite:///${colab}`,
      resumed: true,
      restored: false,
    });
    expect(findStudyFolder(dirname(dirname(colab)), 'abcd1234')).toBe(dirname(colab));
    mkdirSync(project.path('outputs/hpo/local/mlp/study-12345678'), { recursive: true });
    expect(findStudyFolder(project.path('outputs/hpo/local/mlp'), '12345678')).toBeUndefined();
  });

  it('disabled: nothing at all; nowhere: where a new one belongs', async () => {
    expect(await setup({ enabled: false })).toEqual({ resumed: false, restored: false });
    expect(await setup({ restoreFromDrive: project.drive().restoreFromDrive })).toEqual({
      studyDb: db,
      storageUrl: `sqlite:///${db}`,
      resumed: false,
      restored: false,
    });
    expect(existsSync(db)).toBe(false);
  });

  it('begun on Colab, resumed on a laptop: found at the destination and keeps its path', async () => {
    const colab = project.studyDb('colab');
    await makeStudy(colab, { finished: 6 });
    await project.drive().backup(colab);
    const laptop = new TestProject();
    const drive = laptop.drive([laptop.folder('store', { path: project.place('store') })]);
    const found = await setupCheckpointStorage({
      outputDir: laptop.path('outputs', 'hpo', 'local'),
      backbone: 'mlp',
      study8: 'abcd1234',
      restoreFromDrive: drive.restoreFromDrive,
    });
    expect(found).toMatchObject({ studyDb: laptop.studyDb('colab'), resumed: true, restored: true });
    expect(finishedTrials(laptop.studyDb('colab'))).toBe(6);
    await laptop.close();
  });

  it('looks for the legacy shape without leaving folders', async () => {
    const { restoreFromDrive } = project.drive();
    expect(await setup({ studyName: 'digits', restoreFromDrive })).toMatchObject({ resumed: false });
    expect(existsSync(project.path('outputs/hpo/local/mlp'))).toBe(false);
  });

  it('legacy only where v2 is absent locally and at the destination; adopted, original kept', async () => {
    const legacy = project.path('outputs/hpo/local/mlp/digits/study.db');
    await makeStudy(legacy, { finished: 3, lineage: 'old' });
    const { restoreFromDrive } = project.drive();
    expect(await setup({ studyName: 'digits', restoreFromDrive })).toMatchObject({
      studyDb: db,
      resumed: true,
      restored: false,
    });
    expect([finishedTrials(db), finishedTrials(legacy)]).toEqual([3, 3]);
    await addTrials(db, 1);
    expect(await setup({ studyName: 'digits', restoreFromDrive })).toMatchObject({ studyDb: db });
    expect([finishedTrials(db), finishedTrials(legacy)]).toEqual([4, 3]);
    await project.drive().backup(db);
    rmSync(dirname(db), { recursive: true });
    expect(await setup({ studyName: 'digits', restoreFromDrive })).toMatchObject({ restored: true });
    expect(finishedTrials(db)).toBe(4);
  });

  it('legacy at the destination as a plain file of before; another study of that folder is not adopted', async () => {
    const legacy = project.path('outputs/hpo/local/mlp/digits/study.db');
    await makeStudy(mirror(legacy), { finished: 5 });
    const { restoreFromDrive } = project.drive();
    expect(await setup({ studyName: 'digits', restoreFromDrive })).toMatchObject({
      studyDb: db,
      resumed: true,
      restored: true,
    });
    expect(finishedTrials(db)).toBe(5);
    project.loseOutputs();
    await makeStudy(legacy, { name: 'another' });
    const none = project.drive([]).restoreFromDrive;
    expect(await setup({ studyName: 'digits', restoreFromDrive: none })).toMatchObject({ resumed: false });
  });
});

describe('a chain of restores', () => {
  it('selection cache → study → checkpoint, each by the callback alone', async () => {
    const selection = project.write(
      project.path('outputs/best_configuration/local/mlp/study-abcd1234.json'),
      '{"trial":3}',
    );
    const checkpoint = join(dirname(db), 'trials/trial-0003-00000000/checkpoint');
    project.write(join(checkpoint, 'weights.bin'), Buffer.alloc(70_000, 3));
    await makeStudy(db, { finished: 4 });
    const { backupToDrive } = project.drive();
    for (const [path, isDirectory] of [
      [selection, false],
      [db, false],
      [checkpoint, true],
    ] as const) {
      expect(await immediateBackupIfNeeded({ path, isDirectory, backupToDrive })).toBe(true);
    }
    project.loseOutputs();
    const { restoreFromDrive } = project.drive();
    expect(await ensureRestoredFromDrive({ path: selection, restoreFromDrive })).toBe(true);
    expect(await ensureRestoredFromDrive({ path: db, restoreFromDrive })).toBe(true);
    expect(await ensureRestoredFromDrive({ path: checkpoint, isDirectory: true, restoreFromDrive })).toBe(true);
    expect(readFileSync(selection, 'utf8')).toBe('{"trial":3}');
    expect(finishedTrials(db)).toBe(4);
    expect(readFileSync(join(checkpoint, 'weights.bin')).length).toBe(70_000);
    expect(await ensureRestoredFromDrive({ path: project.path('outputs/none'), restoreFromDrive })).toBe(false);
    expect(await ensureRestoredFromDrive({ path: project.path('outputs/none') })).toBe(false);
  });
});
