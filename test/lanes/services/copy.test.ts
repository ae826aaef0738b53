import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { copyTarget } from '../../../src/app/exchange/copy-study.js';
import type { FrozenTrial } from '../../../src/core/frozen-trial.js';
import { RandomSampler } from '../../../src/samplers/random-sampler.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import { StudyReplica } from '../../../src/storage/rdb/study-replica.js';
import { loadStudy } from '../../../src/study/create-study.js';
import { newDatabase, SERVERS, type ServerDatabase } from '../../support/server-databases.js';
import { DEMO_DB, studyRows } from '../../support/study-files.js';

const NAMES = ['dists', 'nsga2', 'states', 'asha'] as const;

describe.each(SERVERS)('copies to and from %s', (server) => {
  let database: ServerDatabase;
  let folder: string;
  beforeEach(async () => {
    database = await newDatabase(server);
    folder = mkdtempSync(join(tmpdir(), 'resweep-copy-'));
  });
  afterEach(async () => {
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });
  // MySQL keeps whole seconds in Optuna's columns.
  const rounded = (found: Record<string, unknown> | undefined): unknown =>
    server === 'PostgreSQL'
      ? found
      : { ...found, trials: (found?.['trials'] as unknown[][]).map(([number, state]) => [number, state]) };
  const idsIn = async (url: string, studyName: string): Promise<number[]> => {
    const storage = await openStorage(url, { readOnly: true });
    try {
      const { trials } = await storage.sync((await storage.findStudy(studyName))?.studyId ?? 0);
      return trials.map((trial: FrozenTrial) => trial.trialId);
    } finally {
      await storage.close();
    }
  };

  it('keep every row, there and back, and the ids', async () => {
    for (const studyName of NAMES) {
      await copyTarget({ from: DEMO_DB, to: database.url, studyName });
      const back = join(folder, `${studyName}.db`);
      const report = await copyTarget({ from: database.url, to: back, studyName });
      expect(report.idsKept).toBe(true);
      // Ids that attributes name follow those of the trials.
      const [theirs, ours] = [studyRows(DEMO_DB, studyName), studyRows(back, studyName)].map((found) => ({
        ...found,
        system: found['system']?.length,
      }));
      expect(rounded(ours)).toEqual(rounded(theirs));
      expect(await idsIn(back, studyName)).toEqual(await idsIn(database.url, studyName));
    }
    await expect(copyTarget({ from: DEMO_DB, to: database.url, studyName: 'states' })).rejects.toThrow('already');
    const study = await loadStudy({ storage: database.url, studyName: 'asha', sampler: new RandomSampler() });
    const before = await study.trials();
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 2 });
    expect((await study.trials()).map(({ number }) => number)).toEqual([
      ...before.keys(),
      before.length,
      before.length + 1,
    ]);
    await study.close();
  });

  it("bring a server's backup back to a server", async () => {
    await copyTarget({ from: DEMO_DB, to: database.url, studyName: 'nsga2' });
    const storage = await openStorage(database.url);
    const record = await storage.findStudy('nsga2');
    const replica = new StudyReplica(storage, record?.studyId ?? 0, join(folder, 'snapshot.db'));
    await replica.update();
    await replica.close();
    const lost = await idsIn(database.url, 'nsga2');
    await storage.deleteStudy(record?.studyId ?? 0);
    await storage.close();
    const other = await newDatabase(server);
    try {
      copyFileSync(join(folder, 'snapshot.db'), join(folder, 'restored.db'));
      const report = await copyTarget({ from: join(folder, 'restored.db'), to: other.url });
      expect(report).toMatchObject({ name: 'nsga2', idsKept: true });
      expect(await idsIn(other.url, 'nsga2')).toEqual(lost);
      await copyTarget({ from: other.url, to: join(folder, 'again.db') });
      expect(studyRows(join(folder, 'again.db'), 'nsga2')).toEqual(studyRows(join(folder, 'snapshot.db'), 'nsga2'));
    } finally {
      await other.drop();
    }
  });
});
