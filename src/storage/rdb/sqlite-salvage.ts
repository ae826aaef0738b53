import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

import type Database from 'better-sqlite3';

import { StorageError } from '../../core/errors.js';
import { OPTUNA_SCHEMA, OPTUNA_VERSION_ROWS, RESWEEP_SCHEMA } from './engines/sqlite-schema.js';
import { mendSalvagedRows, type SalvageHints } from './salvaged-rows.js';
import { readableRows } from './readable-rows.js';
import { openDatabase } from './engines/sqlite-database.js';

/** Tables that are carried over, parents first. */
const TABLES = [
  'studies',
  'study_directions',
  'study_user_attributes',
  'study_system_attributes',
  'trials',
  'trial_user_attributes',
  'trial_system_attributes',
  'trial_params',
  'trial_values',
  'trial_intermediate_values',
  'trial_heartbeats',
  'resweep_processes',
  'resweep_trial_owners',
  'resweep_counters',
] as const;

/** Of every database made here. */
const PAGE_BYTES = 4096;
const HEADER_BYTES = 100;
/** A page count beyond this is itself damaged. */
const MOST_BYTES = 2 ** 36;

/** Values of a header that are the same in every database made here: offset and bytes. */
const FIXED_HEADER: readonly (readonly [number, readonly number[]])[] = [
  [0, [...Buffer.from('SQLite format 3\0')]],
  [20, [0, 64, 32, 32]],
  [44, [0, 0, 0, 4]],
  [56, [0, 0, 0, 1]],
];

/** What could be read from a damaged study. */
export interface SalvageReport {
  /** Rows carried over, and those known to be lost, by table. */
  readonly tables: Readonly<Record<string, { readonly rows: number; readonly lost: number }>>;
  /** Trials in the new file, finished ones among them. */
  readonly trials: number;
  readonly finished: number;
  /** Trials of which parts were lost: numbers. */
  readonly incomplete: readonly number[];
}

/**
 * Reads every row that can still be read from `damaged` into the new study file `target`, with whole tables, indexes and constraints.
 * `damaged` is a working copy: its header may be mended. Trials whose own row is lost are made again from their parameters and values;
 * gaps are filled with failed trials, so that numbers stay what they were.
 * @throws StorageError where nothing can be read
 */
export function salvageStudyFile(damaged: string, target: string, hints: SalvageHints = {}): SalvageReport {
  mendHeader(damaged);
  const source = openDamaged(damaged) ?? openWithOwnSchema(damaged);
  const out = openDatabase(target);
  try {
    out.pragma('foreign_keys = OFF');
    for (const statement of [...OPTUNA_SCHEMA, ...OPTUNA_VERSION_ROWS]) out.exec(statement);
    // The trigger comes last: it is there for those who work on the study.
    for (const statement of RESWEEP_SCHEMA.filter((text) => text.startsWith('CREATE TABLE'))) out.exec(statement);
    const tables: Record<string, { rows: number; lost: number }> = {};
    out.exec('BEGIN');
    for (const table of TABLES) tables[table] = copyTable(source, out, table);
    const incomplete = mendSalvagedRows(out, hints);
    out.exec('COMMIT');
    for (const statement of RESWEEP_SCHEMA.filter((text) => !text.startsWith('CREATE TABLE'))) out.exec(statement);
    const count = (where: string): number =>
      out.prepare(`SELECT COUNT(*) FROM trials WHERE ${where}`).pluck().get() as number;
    return { tables, trials: count('1'), finished: count("state IN ('COMPLETE', 'PRUNED', 'FAIL')"), incomplete };
  } finally {
    out.close();
    source.close();
  }
}

/** Undefined where not even the list of tables can be read, or tables are missing from it. */
function openDamaged(path: string): Database.Database | undefined {
  let db: Database.Database | undefined;
  try {
    db = openDatabase(path, { fileMustExist: true });
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all();
    if (tables.includes('studies') && tables.includes('trials')) return db;
  } catch {
    // Its list of tables is damaged.
  }
  db?.close();
  return undefined;
}

/**
 * Every database made here begins with the same tables in the same pages: where the list of tables is damaged, that of a new database
 * takes its place.
 */
function openWithOwnSchema(path: string): Database.Database {
  const fresh = `${path}-fresh`;
  const made = openDatabase(fresh);
  made.exec([...OPTUNA_SCHEMA, ...OPTUNA_VERSION_ROWS, ...RESWEEP_SCHEMA].join(';\n'));
  const pages = made
    .prepare("SELECT pageno FROM dbstat WHERE name IN ('sqlite_schema', 'sqlite_master')")
    .pluck()
    .all();
  made.close();
  const bytes = readFileSync(fresh);
  const file = openSync(path, 'r+');
  try {
    for (const page of pages as number[]) {
      const from = page === 1 ? HEADER_BYTES : (page - 1) * PAGE_BYTES;
      writeSync(file, bytes, from, page * PAGE_BYTES - from, from);
    }
  } finally {
    closeSync(file);
  }
  const db = openDamaged(path);
  if (db !== undefined) return db;
  throw new StorageError(`Nothing in ${path} can be read: the list of its tables is lost.`, {
    code: 'DAMAGED',
    hint: 'resweep restore brings back the newest good backup.',
  });
}

/** Puts right what every header has, and gives a file that was cut off its length back, with empty pages. */
function mendHeader(path: string): void {
  const file = openSync(path, 'r+');
  try {
    for (const [at, bytes] of FIXED_HEADER) {
      const there = Buffer.alloc(bytes.length);
      readSync(file, there, 0, bytes.length, at);
      if (!there.equals(Buffer.from(bytes))) writeSync(file, Buffer.from(bytes), 0, bytes.length, at);
    }
    const sizes = Buffer.alloc(HEADER_BYTES);
    readSync(file, sizes, 0, HEADER_BYTES, 0);
    const length = sizes.readUInt32BE(28) * PAGE_BYTES;
    if (sizes.readUInt16BE(16) === PAGE_BYTES && length > fstatSync(file).size && length < MOST_BYTES)
      ftruncateSync(file, length);
  } finally {
    closeSync(file);
  }
}

function copyTable(source: Database.Database, out: Database.Database, table: string): { rows: number; lost: number } {
  const columns = (out.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name);
  let insert: Database.Statement | undefined;
  let rows = 0;
  const { lost } = readableRows(source, table, (row) => {
    const names = columns.filter((name) => name in row);
    insert ??= out.prepare(
      `INSERT OR IGNORE INTO ${table} (${names.map((name) => `"${name}"`).join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    );
    rows += insert.run(...names.map((name) => row[name])).changes;
  });
  return { rows, lost };
}
