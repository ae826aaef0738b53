import { closeSync, existsSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import Database from 'better-sqlite3';

import { messageOf, StorageError, UsageError } from '../../../core/errors.js';
import {
  CURRENT_REVISION,
  OPTUNA_REVISIONS,
  OPTUNA_SCHEMA,
  OPTUNA_VERSION_ROWS,
  RESWEEP_SCHEMA,
} from './sqlite-schema.js';
import { holdOpen, isOpenHere } from './open-files.js';
import { openDatabase } from './sqlite-database.js';

export interface SqliteOptions {
  /** `normal` survives a killed process, `full` a power cut too. @default 'normal' */
  readonly durability?: 'normal' | 'full' | undefined;
  /** Opens without writing anything. */
  readonly readOnly?: boolean | undefined;
  /** Told of a place where SQLite is not safe (a network or FUSE file system). */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** File systems (by statfs type) whose locks or renames SQLite cannot rely on. */
export const UNSAFE_FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xfe534d42: 'SMB',
  0xff534d42: 'CIFS',
  0x65735546: 'FUSE (a mounted drive)',
  0x01021997: '9P',
  0x00c36400: 'Ceph',
  0x47504653: 'GPFS',
  0x5346414f: 'AFS',
};

const DAMAGED_HINT = 'resweep restore brings back the newest good backup.';

/** Opens a database file, makes or completes its tables, and checks that it is one that we can work with. */
export function openSqliteFile(path: string, options: SqliteOptions & { busyMs: number }): Database.Database {
  const readOnly = options.readOnly ?? false;
  checkPlace(path, readOnly);
  warnOfUnsafePlace(path, options.onWarning);
  let db: Database.Database | undefined;
  try {
    db = openDatabase(path, { readonly: readOnly, fileMustExist: readOnly, timeout: options.busyMs });
    // First of all, so that nothing is changed in a file that we shall not use.
    checkTables(db, path, readOnly);
    if (!readOnly) {
      waitFor(() => db?.pragma('journal_mode = WAL'));
      db.pragma(`synchronous = ${options.durability === 'full' ? 'FULL' : 'NORMAL'}`);
    }
    // Fewer, larger checkpoints: each costs two syncs. 4,000 pages are 16 MB of log.
    db.pragma('wal_autocheckpoint = 4000');
    db.pragma('cache_size = -16000');
    if (readOnly) shadowOwnTables(db);
    else prepareSchema(db);
    holdOpen(db, path);
    return db;
  } catch (error) {
    db?.close();
    throw explain(error, path, readOnly);
  }
}

function checkPlace(path: string, readOnly: boolean): void {
  const folder = dirname(path);
  if (!existsSync(folder)) {
    throw new UsageError(`The folder of the database does not exist: ${folder}.`, { hint: `mkdir -p ${folder}` });
  }
  if (!existsSync(path)) {
    if (readOnly) throw new UsageError(`There is no database ${path}.`);
    return;
  }
  if (statSync(path).isDirectory()) throw new UsageError(`${path} is a folder, not a database file.`);
  if (isOpenHere(path)) return;
  const head = Buffer.alloc(18);
  const file = openSync(path, 'r');
  const read = readSync(file, head, 0, 18, 0);
  closeSync(file);
  if (read > 0 && head.toString('latin1', 0, Math.min(read, 16)) !== 'SQLite format 3\0') {
    throw new UsageError(`${path} is not an SQLite database.`, {
      code: 'NOT_A_DATABASE',
      hint: `Where it is a journal of Optuna: resweep import ${path} --storage NEW.db; where a damaged study: resweep restore`,
    });
  }
  if (read === 0 && readOnly) throw new UsageError(`${path} is empty.`);
  if (read === 18) checkLength(path, head.readUInt16BE(16));
}

/** SQLite itself does not notice a last page that was cut off. Where a log is there, it will mend the file. */
function checkLength(path: string, pageSize: number): void {
  if (existsSync(`${path}-wal`) || existsSync(`${path}-journal`)) return;
  const { size } = statSync(path);
  // A size of 65,536 does not fit in two bytes and is written as 1.
  if (size % (pageSize === 1 ? 65_536 : pageSize) === 0) return;
  throw new StorageError(`${path} is damaged: it ends in the middle of a page (${size} bytes).`, {
    code: 'DAMAGED',
    hint: DAMAGED_HINT,
  });
}

function warnOfUnsafePlace(path: string, onWarning: ((text: string) => void) | undefined): void {
  if (onWarning === undefined) return;
  const name = UNSAFE_FILE_SYSTEMS[statfsSync(dirname(path)).type >>> 0];
  if (name === undefined) return;
  onWarning(
    `${path} lies on ${name}, where SQLite's locks are not reliable: keep the study on a local disk and let the backup copy it there.`,
  );
}

function tablesOf(db: Database.Database): Set<string> {
  return new Set(db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[]);
}

/** @throws UsageError where these are not the tables of an Optuna that we can work with; a new file has none yet */
function checkTables(db: Database.Database, path: string, readOnly: boolean): void {
  let tables = new Set<string>();
  waitFor(() => (tables = tablesOf(db)));
  if (tables.size === 0 && !readOnly) return;
  if (!tables.has('studies') || !tables.has('trials')) {
    throw new UsageError(`${path} is the database of another program: it has no table "studies".`, {
      code: 'FOREIGN_DATABASE',
      hint:
        tables.size === 0 ? 'The file holds no tables at all.' : `Its tables: ${[...tables].slice(0, 10).join(', ')}.`,
    });
  }
  if (tables.has('alembic_version')) checkRevision(db, path);
}

/** Makes the tables that are missing: all of them in a new file. */
function prepareSchema(db: Database.Database): void {
  if (!tablesOf(db).has('studies')) {
    waitFor(() => {
      db.exec('BEGIN IMMEDIATE');
      try {
        // Another process may have made them while this one waited.
        if (!tablesOf(db).has('studies'))
          for (const statement of [...OPTUNA_SCHEMA, ...OPTUNA_VERSION_ROWS]) db.exec(statement);
        db.exec('COMMIT');
      } catch (error) {
        if (db.inTransaction) db.exec('ROLLBACK');
        throw error;
      }
    });
  }
  const existing = new Set(db.prepare('SELECT name FROM sqlite_master').pluck().all() as string[]);
  const missing = RESWEEP_SCHEMA.filter((statement) => !existing.has(/EXISTS (\w+)/.exec(statement)?.[1] ?? ''));
  for (const statement of missing) waitFor(() => db.exec(statement));
}

/** A database that resweep never wrote has none of our tables: reading then finds them empty. */
function shadowOwnTables(db: Database.Database): void {
  const tables = tablesOf(db);
  for (const statement of RESWEEP_SCHEMA) {
    const name = /^CREATE TABLE IF NOT EXISTS (\w+)/.exec(statement)?.[1];
    if (name !== undefined && !tables.has(name)) db.exec(statement.replace('CREATE TABLE', 'CREATE TEMP TABLE'));
  }
}

function checkRevision(db: Database.Database, path: string): void {
  const revision = db.prepare('SELECT version_num FROM alembic_version').pluck().get() as string | undefined;
  if (revision === undefined || revision === CURRENT_REVISION) return;
  const isOlder = (OPTUNA_REVISIONS as readonly string[]).includes(revision);
  throw new UsageError(
    isOlder
      ? `${path} has the schema of an earlier Optuna (${revision}; needed: ${CURRENT_REVISION}).`
      : `${path} has a schema that this version does not know (${revision}; known up to ${CURRENT_REVISION}): it is newer.`,
    {
      code: isOlder ? 'OLD_SCHEMA' : 'NEW_SCHEMA',
      hint: isOlder
        ? `resweep import ${path} --storage NEW.db   (the file stays), or on a copy: optuna storage upgrade --storage sqlite:///${path}`
        : 'Update resweep, or copy the study with the Optuna that wrote it.',
    },
  );
}

/** Repeats for a while what another process's lock refuses; opening happens before there is anything to wait for in turns. */
function waitFor(work: () => unknown): void {
  for (let attempt = 0; ; attempt++) {
    try {
      work();
      return;
    } catch (error) {
      const isBusy = error instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(error.code);
      if (!isBusy || attempt >= 100) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10 + Math.random() * 40);
    }
  }
}

function explain(error: unknown, path: string, readOnly: boolean): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const code = error.code;
  if (code.startsWith('SQLITE_CANTOPEN')) {
    return new UsageError(`${path} cannot be opened: ${messageOf(error)}.`, {
      cause: error,
      hint: readOnly
        ? 'Check the rights on the file and its folder.'
        : 'Check that the folder exists and may be written.',
    });
  }
  if (code.startsWith('SQLITE_READONLY')) {
    return new UsageError(`${path} may not be written: ${messageOf(error)}.`, {
      cause: error,
      hint: 'Check the rights on the file and its folder.',
    });
  }
  if (code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB')) {
    return new StorageError(`${path} is damaged: ${messageOf(error)}.`, {
      code: 'DAMAGED',
      cause: error,
      hint: DAMAGED_HINT,
    });
  }
  return new StorageError(`${path}: ${messageOf(error)} (${code}).`, { code, cause: error });
}
