import { randomBytes } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { coreOf } from '../../src/backup/drive/drive.js';
import { eachAtOnce } from '../../src/backup/destinations/at-once.js';
import type { RestoreProgress } from '../../src/backup/restore/restore-file.js';
import { verifyBackups } from '../../src/backup/verify/verify.js';
import { addTrials, flipByte, makeStudy, packsOf, TestProject } from '../support/backup-project.js';
import { SlowDestination } from '../support/slow-destination.js';

const LATENCY_MS = 300;

let project: TestProject;
let db: string;
beforeEach(() => {
  project = new TestProject();
  db = project.studyDb();
});
afterEach(async () => {
  await project.close();
});

function far(latencyMs = LATENCY_MS): SlowDestination {
  return new SlowDestination(project.folder(), { delayMs: LATENCY_MS }, { latencyMs });
}

/** A study whose newest state needs a dozen packs. */
async function manyPacks(): Promise<void> {
  await makeStudy(db, { finished: 5 });
  const core = coreOf(project.drive());
  const [near] = core?.destinations ?? [];
  if (core === undefined || near === undefined) throw new Error('no destination');
  for (let save = 0; save < 12; save++) {
    await addTrials(db, 200);
    const capture = await core.capturer.capture({ target: core.target(db), path: db, isDirectory: false, full: false });
    await core.save(near, capture, { mirror: false });
    core.capturer.release(capture);
  }
  expect(packsOf(project.place('store')).length).toBeGreaterThanOrEqual(12);
}

describe('a destination that is far away', () => {
  it('is asked for several packs at once by a restore, with progress', async () => {
    await manyPacks();
    project.loseOutputs();
    const destination = far();
    const seen: RestoreProgress[] = [];
    const core = coreOf(project.drive([destination]));
    const request = { target: core?.target(db) ?? '', path: db, isDirectory: false };
    const result = await core?.restore(request, { onProgress: (progress) => seen.push(progress) });
    expect(result).toMatchObject({ status: 'restored', finishedTrials: 2405 });
    expect(destination.behaviour.mostUnderWay).toBeGreaterThan(3);
    expect(destination.behaviour.mostUnderWay).toBeLessThanOrEqual(8);
    const done = seen.map(({ doneBytes }) => doneBytes);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({ doneBytes: seen[0]?.totalBytes });
  });

  it('is asked one after another where it is near', async () => {
    await manyPacks();
    project.loseOutputs();
    const destination = far(1);
    destination.behaviour.delayMs = 1;
    expect(await project.drive([destination]).restore(db)).toMatchObject({ status: 'restored' });
    expect(destination.behaviour.mostUnderWay).toBe(1);
  });

  it('has its packs checked at once by the first save of a process, and by verify', async () => {
    await manyPacks();
    const destination = far();
    await addTrials(db, 1);
    expect(await project.drive([destination]).backup(db)).toMatchObject({ ok: true });
    expect(destination.behaviour.mostUnderWay).toBe(8);
    flipByte(packsOf(project.place('store'))[0] ?? '');
    const report = await verifyBackups(project.drive([far()]), { sample: 0 });
    expect(report.ok).toBe(false);
    expect(report.damages.every(({ problem }) => problem.includes('damaged'))).toBe(true);
  });

  it('gives several files of a folder at once', async () => {
    for (let index = 0; index < 6; index++) {
      project.write(project.path('outputs/models', `m${String(index)}.bin`), randomBytes(1000 * (index + 1)));
    }
    const models = project.path('outputs/models');
    await project.drive().backup(models, { isDirectory: true });
    project.loseOutputs();
    const result = await project.drive([far()]).restore(models, { isDirectory: true });
    expect(result).toMatchObject({ status: 'restored', bytes: 21_000 });
    expect(result.files).toHaveLength(6);
  });
});

describe('eachAtOnce', () => {
  it('begins no more after an error, and ends when all that was begun has ended', async () => {
    const begun: number[] = [];
    let ended = 0;
    const run = eachAtOnce([1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      await new Promise((resolve) => setTimeout(resolve, 5 * item));
      if (item === 1) throw new Error('one');
      ended++;
    });
    await expect(run).rejects.toThrow('one');
    expect(begun).toEqual([1, 2]);
    expect(ended).toBe(1);
  });
});
