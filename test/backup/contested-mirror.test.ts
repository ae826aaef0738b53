import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, expect, it } from 'vitest';

import { DriveCore } from '../../src/backup/drive/drive-core.js';
import { addTrials, makeStudy, snapshotSource, TestProject } from '../support/backup-project.js';

let project: TestProject;
let core: DriveCore | undefined;
afterEach(async () => {
  await core?.close();
  await project.close();
});

it('the plain copy is left to the owner while it is not known who that is, but for the last save', async () => {
  project = new TestProject();
  const db = project.studyDb();
  await makeStudy(db, { finished: 1 });
  core = new DriveCore({ projectRoot: project.root, snapshotSource, destinations: [project.folder()] });
  const [store] = core.destinations;
  if (store === undefined) throw new Error('no destination');
  const target = core.target(db);
  let isContested = true;
  core.setFence(store, target, {
    ...{ fence: 2, isSure: false },
    get isContested() {
      return isContested;
    },
  });
  const save = async (isLast: boolean): Promise<string> => {
    await addTrials(db, 1);
    const capture = await core!.capturer.capture({ target, path: db, isDirectory: false, full: true });
    try {
      return (await core!.save(store, capture, { mirror: true, isLast })).mirror;
    } finally {
      core!.capturer.release(capture);
    }
  };
  const mirror = join(project.place('store'), target);
  expect(await save(false)).toBe('notDue');
  expect(() => readFileSync(mirror)).toThrow('ENOENT');
  expect(await save(true)).toBe('written');
  const before = readFileSync(mirror);
  expect(await save(false)).toBe('notDue');
  expect(readFileSync(mirror).equals(before)).toBe(true);
  isContested = false;
  expect(await save(false)).toBe('written');
});
