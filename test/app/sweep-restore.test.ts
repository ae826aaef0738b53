import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import type { LocatedSweep } from '../../src/app/studies/locate-sweep.js';
import { SweepRestore } from '../../src/app/sweep/sweep-restore.js';
import { backUpStudyFolder } from '../../src/backup/index.js';
import { DestinationError, type CallOptions, type Listing } from '../../src/backup/destinations/destination.js';
import { targetFolder } from '../../src/backup/format/catalog.js';
import type { SweepConfig } from '../../src/core/sweep-config.js';
import { makeStudy, TestProject } from '../support/backup-project.js';
import { SlowDestination } from '../support/slow-destination.js';

let project: TestProject;
beforeEach(() => {
  project = new TestProject();
});
afterEach(async () => {
  await project.close();
});

it('what a destination could not give of the study’s folder, the next run asks for again', async () => {
  const db = project.studyDb();
  const studyDir = dirname(db);
  let isCut = false;
  class Cut extends SlowDestination {
    override list(prefix: string, options?: CallOptions): Promise<Listing> {
      const isFolder = prefix === targetFolder('outputs/hpo/local/mlp/study-abcd1234');
      if (isCut && isFolder) return Promise.reject(new DestinationError('unreachable', 'cut'));
      return super.list(prefix, options);
    }
  }
  const drive = project.drive([new Cut(project.folder())]);
  await makeStudy(db, { finished: 2 });
  const checkpoint = project.write(join(studyDir, 'trials', 'trial-0001', 'checkpoint', 'w.bin'), 'weights');
  await drive.backup(db);
  await backUpStudyFolder(drive.backupToDrive, studyDir);
  project.loseOutputs();

  const said: string[] = [];
  const run = async (): Promise<boolean> => {
    const sweep = { projectRoot: project.root, study8: 'abcd1234', studyDir, exists: existsSync(db) };
    const config = { storage: { kind: 'file' }, backbone: 'mlp', study: 'digits', environment: 'local' };
    const restore = new SweepRestore(
      {
        sweep: sweep as LocatedSweep,
        config: config as unknown as SweepConfig,
        say: (level, text) => {
          if (level === 'warn') said.push(text);
        },
      },
      drive,
    );
    return (await restore.run({ require: false, signal: new AbortController().signal })).restored;
  };
  isCut = true;
  expect(await run()).toBe(true);
  expect([existsSync(db), existsSync(checkpoint), said.length]).toEqual([true, false, 1]);
  isCut = false;
  expect(await run()).toBe(false);
  expect(existsSync(checkpoint)).toBe(true);
  expect(existsSync(join(studyDir, '.restoring'))).toBe(false);
});
