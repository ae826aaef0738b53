import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';

import { StorageError } from '../../src/core/errors.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { SqliteSnapshotSource } from '../../src/storage/rdb/sqlite-snapshot.js';
import { createStudy } from '../../src/study/create-study.js';
import { children, logged } from '../support/processes.js';
import { copyOfDemo, DEMO_DB, folders, rows } from '../support/study-files.js';

const newFolder = folders();
const start = children();
const source = new SqliteSnapshotSource();

async function smallStudy(folder: string, nTrials: number): Promise<string> {
  const path = join(folder, 'study.db');
  const study = await createStudy({ storage: path, studyName: 's', sampler: new RandomSampler({ seed: 1 }) });
  await study.optimize((trial) => trial.suggestFloat('x', -5, 5) ** 2, { nTrials });
  await study.close();
  return path;
}

describe('a snapshot', () => {
  it('taken while four processes write is whole, one file, and has all that was finished before', async () => {
    const folder = newFolder();
    const path = await smallStudy(folder, 20);
    const logs = [0, 1, 2, 3].map((i) => join(folder, `log-${i}`));
    const writers = logs.map((log) =>
      start({
        storage: path,
        studyName: 's',
        sampler: 'random',
        nTrials: 100_000,
        log,
        reports: 2,
        failEvery: 7,
        pauseMs: 10,
      }),
    );
    await Promise.all(writers.map((writer) => writer.says('ready')));
    let last = 20;
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const finished = logs.flatMap((log) => logged(log, 'end'));
      const target = join(folder, `copy-${i}.db`);
      await source.snapshot(path, target);
      const report = await source.inspect(target);
      expect(report).toMatchObject({ intact: true, sound: true, studyName: 's' });
      expect(finished.filter((number) => !report.trialDigests.has(number))).toEqual([]);
      expect(report.finished).toBeGreaterThanOrEqual(Math.max(last, 20 + finished.length));
      last = report.finished;
      expect([...readFileSync(target).subarray(18, 20)]).toEqual([1, 1]);
      const numbers = rows(target, 'SELECT number FROM trials ORDER BY trial_id').map(([number]) => number);
      expect(numbers).toEqual(numbers.map((_, at) => at));
      expect(
        rows(
          target,
          "SELECT number FROM trials t WHERE state = 'COMPLETE' AND NOT EXISTS (SELECT 1 FROM trial_values v WHERE v.trial_id = t.trial_id)",
        ),
      ).toEqual([]);
    }
    expect(last).toBeGreaterThan(40);
    for (const writer of writers) await writer.kill();
    expect(readdirSync(folder).filter((name) => /^copy-.*(wal|shm|journal)$/.test(name))).toEqual([]);
  });

  it('of a file that is no database, or to a place that cannot be written, fails and leaves nothing', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'text'), 'no database');
    await expect(source.snapshot(join(folder, 'text'), join(folder, 'copy'))).rejects.toThrow(StorageError);
    await expect(source.snapshot(join(folder, 'missing'), join(folder, 'copy'))).rejects.toThrow(StorageError);
    await expect(source.snapshot(DEMO_DB, join(folder, 'no', 'copy'))).rejects.toThrow(StorageError);
    expect(readdirSync(folder)).toEqual(['text']);
    expect(await source.isDatabase(DEMO_DB)).toBe(true);
    expect(await source.isDatabase(join(folder, 'text'))).toBe(false);
    expect(await source.isDatabase(join(folder, 'missing'))).toBe(false);
  });
});

describe('an inspection', () => {
  it('tells what a study holds', async () => {
    const folder = newFolder();
    const path = await smallStudy(folder, 12);
    const report = await source.inspect(path);
    const [best] = rows(path, 'SELECT min(value) FROM trial_values')[0] ?? [];
    const [lineage] = rows(path, "SELECT value_json FROM study_system_attributes WHERE key = 'resweep:lineage'")[0] ?? [
      '',
    ];
    expect(report).toEqual({
      intact: true,
      sound: true,
      studyName: 's',
      lineage: JSON.parse(String(lineage)) as unknown,
      finished: 12,
      trialDigests: report.trialDigests,
      best,
    });
    expect([...report.trialDigests.keys()]).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(new Set(report.trialDigests.values()).size).toBe(12);
  });

  it('takes known digests over, and computes the others as without them', async () => {
    const path = await smallStudy(newFolder(), 12);
    const whole = await source.inspect(path);
    const some = new Map([...whole.trialDigests].filter(([number]) => number !== 4 && number < 9));
    const quick = await source.inspect(path, { checkIntegrity: false, knownTrials: some });
    expect(quick).toEqual(whole);
    const marked = new Map([...whole.trialDigests.keys()].map((number) => [number, `known ${number}`]));
    expect((await source.inspect(path, { knownTrials: marked })).trialDigests).toEqual(marked);
    expect((await source.inspect(path, { knownTrials: new Map([[99, 'of another']]) })).trialDigests).toEqual(
      whole.trialDigests,
    );
  });

  it('notices a changed value, parameter or state of a finished trial', async () => {
    const folder = newFolder();
    const path = await smallStudy(folder, 3);
    const { trialDigests } = await source.inspect(path);
    const changes = [
      'UPDATE trial_values SET value = value + 1 WHERE trial_id = 2',
      'UPDATE trial_params SET param_value = param_value + 1e-9 WHERE trial_id = 2',
      "UPDATE trials SET state = 'PRUNED' WHERE trial_id = 2",
    ];
    for (const sql of changes) {
      const db = new Database(path);
      db.exec(sql);
      db.close();
      const now = (await source.inspect(path)).trialDigests;
      expect([0, 1, 2].filter((number) => now.get(number) !== trialDigests.get(number))).toEqual([1]);
      expect(now.get(1)).not.toBe(trialDigests.get(1));
    }
  });

  it('orders infinities as the study does and gives no best for several objectives', async () => {
    const path = copyOfDemo(newFolder());
    expect((await source.inspect(path)).best).toBe(-Infinity);
    const db = new Database(path);
    db.exec("UPDATE study_directions SET direction = 'MAXIMIZE' WHERE study_id = 1");
    expect((await source.inspect(path)).best).toBe(Infinity);
    db.exec("INSERT INTO study_directions (direction, study_id, objective) VALUES ('MINIMIZE', 1, 1)");
    expect((await source.inspect(path)).best).toBeUndefined();
    db.pragma('foreign_keys = OFF');
    db.exec('DELETE FROM studies');
    expect(await source.inspect(path)).toMatchObject({ intact: false, sound: true, problem: expect.any(String) });
    db.close();
  });

  it('never throws, wherever a byte is damaged, and calls no damage to a whole page intact', async () => {
    const folder = newFolder();
    const path = await smallStudy(folder, 60);
    const original = readFileSync(path);
    const target = join(folder, 'damaged.db');
    let seed = 12345;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed % below;
    };
    const offsets = [...Array(110).keys(), ...Array.from({ length: 200 }, () => random(original.length))];
    for (const offset of offsets) {
      const bytes = Buffer.from(original);
      bytes[offset] = (bytes[offset] ?? 0) ^ (1 << random(8));
      writeFileSync(target, bytes);
      const report = await source.inspect(target);
      expect(typeof report.intact).toBe('boolean');
      if (!report.intact) expect(report.problem).toBeTypeOf('string');
    }
    for (let page = 0; page < original.length / 4096; page++) {
      const bytes = Buffer.from(original);
      for (let i = 0; i < 4096; i++) bytes[page * 4096 + i] = random(256);
      writeFileSync(target, bytes);
      expect((await source.inspect(target)).intact).toBe(false);
    }
    for (const length of [0, 10, 50, 100, 4096, 5000, original.length - 4096]) {
      writeFileSync(target, original);
      truncateSync(target, length);
      expect((await source.inspect(target)).intact).toBe(false);
    }
    expect((await source.inspect(join(folder, 'missing'))).intact).toBe(false);
    expect((await source.inspect(folder)).intact).toBe(false);
    expect(existsSync(`${target}-journal`)).toBe(false);
    expect((await source.inspect(path)).intact).toBe(true);
  });
});
