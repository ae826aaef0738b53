import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';

import { ResweepError, StorageError, UsageError } from '../../src/core/errors.js';
import { openStorage, type OpenStorageOptions } from '../../src/storage/open-storage.js';
import { copyOfDemo, DEMO_DB, folders, rows, schemaOf } from '../support/study-files.js';

const newFolder = folders();
const running = { state: 'RUNNING', startedAt: '2026-01-01 00:00:00.000000' } as const;

async function madeFile(): Promise<string> {
  const path = join(newFolder(), 'study.db');
  const storage = await openStorage(path);
  const { studyId } = await storage.createStudy('s', ['minimize']);
  await storage.createTrials(studyId, [running]);
  await storage.close();
  return path;
}

async function refusal(path: string, options: OpenStorageOptions = {}): Promise<ResweepError> {
  try {
    const storage = await openStorage(path, options);
    await storage.listStudies();
    await storage.close();
  } catch (error) {
    if (error instanceof ResweepError) return error;
    throw error;
  }
  throw new Error(`${path} was opened`);
}

describe('a new file', () => {
  it("has Optuna's schema to the letter, its version rows, and what resweep adds under names of its own", async () => {
    const path = await madeFile();
    const { own, others } = schemaOf(path);
    expect(others).toEqual(schemaOf(DEMO_DB).others);
    expect(own.filter(([type]) => type !== 'index').map(([type, name]) => [type, name])).toEqual([
      ['trigger', 'resweep_claim_once'],
      ['table', 'resweep_counters'],
      ['table', 'resweep_leases'],
      ['table', 'resweep_processes'],
      ['table', 'resweep_trial_owners'],
    ]);
    for (const table of ['version_info', 'alembic_version']) {
      expect(rows(path, `SELECT * FROM ${table}`)).toEqual(rows(DEMO_DB, `SELECT * FROM ${table}`));
    }
    for (const pragma of ['user_version', 'encoding', 'page_size', 'application_id', 'auto_vacuum']) {
      expect(rows(path, `PRAGMA ${pragma}`)).toEqual(rows(DEMO_DB, `PRAGMA ${pragma}`));
    }
  });

  it('is in WAL mode while open and one plain file once closed', async () => {
    const path = join(newFolder(), 'study.db');
    const [one, two] = [await openStorage(path), await openStorage(path)];
    await one.createStudy('s', ['minimize']);
    expect(rows(path, 'PRAGMA journal_mode')).toEqual([['wal']]);
    await one.close();
    expect(rows(path, 'PRAGMA journal_mode')).toEqual([['wal']]);
    await two.close();
    expect([...readFileSync(path).subarray(18, 20)]).toEqual([1, 1]);
    expect(readdirSync(join(path, '..'))).toEqual(['study.db']);
    await expect(one.listStudies()).rejects.toThrow(StorageError);
    await expect(one.createStudy('t', ['minimize'])).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('lets a waiting trial become RUNNING once only, whoever tries', async () => {
    const path = await madeFile();
    const db = new Database(path);
    const update = db.prepare("UPDATE trials SET state = 'RUNNING' WHERE trial_id = 1");
    expect(() => update.run()).toThrow(/not waiting any more/);
    db.exec("UPDATE trials SET state = 'WAITING'");
    update.run();
    expect(() => update.run()).toThrow(Database.SqliteError);
    db.exec("UPDATE trials SET state = 'COMPLETE'");
    // A worker that looked before the trial ran, and claims it after it has ended.
    expect(() => update.run()).toThrow(Database.SqliteError);
    db.exec('DROP TRIGGER resweep_claim_once');
    db.close();
    await (await openStorage(path)).close();
    expect(schemaOf(path).own.map(([, name]) => name)).toContain('resweep_claim_once');
  });

  it('is found by path and by URL', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'a b'));
    const path = join(folder, 'a b', 'é 100%.db');
    const storage = await openStorage(`sqlite:///${path.replace('é ', '%C3%A9%20')}`);
    expect(storage.location).toBe(path);
    await storage.close();
    expect(existsSync(path)).toBe(true);
    const byDriver = await openStorage(`sqlite+pysqlite:///${path}?timeout=5`);
    expect(byDriver.location).toBe(path);
    await byDriver.close();
    for (const url of ['sqlite:///', 'oracle://x/y']) await expect(openStorage(url)).rejects.toThrow(UsageError);
  });
});

describe('a file that cannot be used is named with the reason and a way out', () => {
  const altered = (sql: string): string => {
    const path = copyOfDemo(newFolder());
    const db = new Database(path);
    db.exec(sql);
    db.close();
    return path;
  };

  it('of a later Optuna', async () => {
    const path = altered("UPDATE alembic_version SET version_num = 'v9.9.9.a'");
    for (const readOnly of [false, true]) {
      const error = await refusal(path, { readOnly });
      expect([error.code, error.exitCode]).toEqual(['NEW_SCHEMA', 2]);
      expect(error.message).toContain(path);
      expect(error.message).toContain('v9.9.9.a');
    }
  });

  it('of an earlier Optuna, with the command that upgrades it', async () => {
    const path = altered("UPDATE alembic_version SET version_num = 'v2.6.0.a'");
    const error = await refusal(path);
    expect([error.code, error.exitCode]).toEqual(['OLD_SCHEMA', 2]);
    expect(error.hint).toContain(`optuna storage upgrade --storage sqlite:///${path}`);
    expect(schemaOf(path).own).toEqual([]);
  });

  it('of another program', async () => {
    const path = join(newFolder(), 'other.db');
    const db = new Database(path);
    db.exec('CREATE TABLE songs (title TEXT)');
    db.close();
    const before = readFileSync(path);
    for (const readOnly of [false, true]) {
      const error = await refusal(path, { readOnly });
      expect([error.code, error.exitCode]).toEqual(['FOREIGN_DATABASE', 2]);
      expect(error.hint).toContain('songs');
    }
    expect(schemaOf(path).others).toHaveLength(1);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('that is no database', async () => {
    const path = join(newFolder(), 'notes.txt');
    writeFileSync(path, 'not a database at all, only some text');
    expect(await refusal(path)).toMatchObject({ code: 'NOT_A_DATABASE', exitCode: 2 });
    expect(readFileSync(path, 'utf8')).toContain('only some text');
  });

  it.each([5000, 40_000, 159_743])('that was cut off at %i bytes', async (bytes) => {
    const path = copyOfDemo(newFolder());
    truncateSync(path, bytes);
    for (const readOnly of [false, true]) {
      const error = await refusal(path, { readOnly });
      expect(error).toBeInstanceOf(StorageError);
      expect(error.message).toContain(path);
      expect(error.hint).toContain('resweep restore');
    }
  });

  it('that is empty, only where nothing may be written', async () => {
    const path = join(newFolder(), 'empty.db');
    writeFileSync(path, '');
    expect(await refusal(path, { readOnly: true })).toMatchObject({ exitCode: 2 });
    await (await openStorage(path)).close();
    expect(schemaOf(path).others).toEqual(schemaOf(DEMO_DB).others);
  });

  it('in a folder that is not there, or that is itself a folder', async () => {
    const folder = newFolder();
    const missing = await refusal(join(folder, 'nowhere', 'study.db'));
    expect(missing).toMatchObject({ exitCode: 2, hint: `mkdir -p ${join(folder, 'nowhere')}` });
    expect((await refusal(folder)).message).toContain('is a folder');
    expect(await refusal(join(folder, 'study.db'), { readOnly: true })).toMatchObject({ exitCode: 2 });
    expect(readdirSync(folder)).toEqual([]);
  });
});

/** Without root's rights, where the tests have them. */
async function asOrdinaryUser(work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65534);
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe.skipIf(process.platform === 'win32')('where nothing may be written', () => {
  it('a file is refused for writing, and can be read', async () => {
    const path = copyOfDemo(newFolder());
    chmodSync(path, 0o444);
    chmodSync(join(path, '..'), 0o555);
    await asOrdinaryUser(async () => {
      const error = await refusal(path);
      expect(error).toMatchObject({ exitCode: 2 });
      expect(error.message).toContain(path);
      expect(error.hint).toContain('rights');
      const storage = await openStorage(path, { readOnly: true });
      expect(await storage.listStudies()).toHaveLength(14);
      await storage.close();
    });
    chmodSync(join(path, '..'), 0o755);
  });

  it('no new file is made', async () => {
    const folder = newFolder();
    chmodSync(folder, 0o555);
    await asOrdinaryUser(async () => {
      const error = await refusal(join(folder, 'study.db'));
      expect(error).toMatchObject({ exitCode: 2 });
      expect(error.message).toContain(join(folder, 'study.db'));
    });
    chmodSync(folder, 0o755);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('opened for reading only', () => {
  it('a file is not touched', async () => {
    const folder = newFolder();
    const path = copyOfDemo(folder);
    const before = [readFileSync(path), statSync(path).mtimeMs, readdirSync(folder)] as const;
    const storage = await openStorage(path, { readOnly: true });
    const studies = await storage.listStudies();
    expect(studies).toHaveLength(14);
    for (const { studyId } of studies) {
      const { cursor } = await storage.sync(studyId);
      expect((await storage.sync(studyId, cursor)).trials).toEqual([]);
      await storage.runningTrials(studyId);
    }
    await expect(storage.createStudy('x', ['minimize'])).rejects.toMatchObject({ code: 'READ_ONLY' });
    await expect(storage.write([{ kind: 'userAttr', trialId: 1, key: 'k', text: '1' }])).rejects.toThrow(StorageError);
    await storage.close();
    expect(readFileSync(path).equals(before[0])).toBe(true);
    expect([statSync(path).mtimeMs, readdirSync(folder)]).toEqual(before.slice(1));
  });

  it('the file of a killed process is read to its last commit, and left as it is', async () => {
    const folder = newFolder();
    const path = join(folder, 'study.db');
    const program = `
      const Database = require('better-sqlite3');
      const db = new Database(${JSON.stringify(copyOfDemo(folder))});
      db.pragma('journal_mode = WAL');
      db.exec("INSERT INTO studies (study_name) VALUES ('last')");
      require('node:fs').writeFileSync(${JSON.stringify(path)}, '');
      process.kill(process.pid, 'SIGKILL');`;
    expect(() => execFileSync(process.execPath, ['-e', program], { stdio: 'pipe' })).toThrow();
    const demo = join(folder, 'demo.db');
    copyFileSync(`${demo}-wal`, join(folder, 'wal.copy'));
    const main = readFileSync(demo);
    const storage = await openStorage(demo, { readOnly: true });
    expect((await storage.listStudies()).at(-1)?.studyName).toBe('last');
    await storage.close();
    expect(readFileSync(demo).equals(main)).toBe(true);
    expect(readFileSync(`${demo}-wal`).equals(readFileSync(join(folder, 'wal.copy')))).toBe(true);
    const writing = await openStorage(demo);
    expect((await writing.listStudies()).at(-1)?.studyName).toBe('last');
    await writing.close();
    expect(existsSync(`${demo}-wal`)).toBe(false);
  });
});
