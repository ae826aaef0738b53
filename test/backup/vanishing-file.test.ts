import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ObjectBody, PutOptions, PutReceipt } from '../../src/backup/destinations/destination.js';
import { TestProject } from '../support/backup-project.js';
import { SlowDestination } from '../support/slow-destination.js';

let project: TestProject;
beforeEach(() => {
  project = new TestProject();
});
afterEach(async () => {
  await project.close();
});

describe('a checkpoint that vanishes', () => {
  it('while the plain copy is made: the state is saved, nothing is warned of, and the next plain copy is whole', async () => {
    const folder = project.path('outputs', 'run');
    const kept = project.write(join(folder, 'a.bin'), Buffer.alloc(100, 1));
    const vanishing = project.write(join(folder, 'checkpoint', 'w.bin'), Buffer.alloc(100, 2));
    class Racing extends SlowDestination {
      override put(key: string, body: ObjectBody, options: PutOptions): Promise<PutReceipt> {
        if (key.endsWith('w.bin')) rmSync(vanishing, { force: true });
        return super.put(key, body, options);
      }
    }
    const drive = project.drive([new Racing(project.folder())]);
    expect(await drive.backup(folder, { isDirectory: true })).toMatchObject({ ok: true });
    expect(existsSync(vanishing)).toBe(false);
    expect(project.events.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    const back = await drive.restore(folder, { isDirectory: true, to: project.place('back') });
    expect(back.files).toEqual(['a.bin', 'checkpoint/w.bin']);
    project.write(kept, Buffer.alloc(100, 3));
    project.write(vanishing.replace('w.bin', 'v.bin'), Buffer.alloc(100, 4));
    expect(await drive.backup(folder, { isDirectory: true })).toMatchObject({ ok: true });
    expect(project.events.filter(({ type }) => type === 'mirrorKept')).toEqual([]);
  });
});
