import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import type Database from 'better-sqlite3';

import { fromDatabaseTime, toDatabaseTime } from '../../core/clock.js';
import { UNSAFE_FILE_SYSTEMS } from './engines/sqlite-file.js';
import { openDatabase } from './engines/sqlite-database.js';

/** Clocks of several machines differ by less than this. */
const CLOCK_TOLERANCE_MS = 10 * 60_000;

/** Name of the network or FUSE file system that a file lies on; undefined for a local disk. */
export function unsafeFileSystemOf(
  path: string,
  typeOf = (folder: string) => statfsSync(folder).type,
): string | undefined {
  return UNSAFE_FILE_SYSTEMS[typeOf(dirname(path)) >>> 0];
}

/** Bytes in the log that SQLite would play back at the next opening: the `-wal` or, of another journal mode, the `-journal`. */
export function hotLogBytes(path: string): number {
  return ['-wal', '-journal'].reduce(
    (sum, suffix) => sum + (existsSync(path + suffix) ? statSync(path + suffix).size : 0),
    0,
  );
}

/** Plays the log back into the database and leaves the file closed, alone and in WAL mode as before. @throws SqliteError */
export function settleLog(path: string): void {
  const db = openDatabase(path, { fileMustExist: true });
  try {
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
}

/** A time in the database that cannot be. */
export interface OddTime {
  /** Number of the trial, or a process. */
  readonly what: string;
  readonly problem: string;
}

/** Times in the future, and trials that ended before they began: a clock has jumped. @throws SqliteError */
export function oddTimes(path: string, now: number): OddTime[] {
  const db = openDatabase(path, { readonly: true, fileMustExist: true });
  try {
    const latest = now + CLOCK_TOLERANCE_MS;
    const odd: OddTime[] = [];
    for (const row of db.prepare('SELECT number, datetime_start, datetime_complete FROM trials').all() as {
      number: number;
      datetime_start: string | null;
      datetime_complete: string | null;
    }[]) {
      const [start, end] = [timeOf(row.datetime_start), timeOf(row.datetime_complete)];
      const what = `trial ${row.number}`;
      if (start !== undefined && end !== undefined && end < start)
        odd.push({
          what,
          problem: `it ended (${String(row.datetime_complete)}) before it began (${String(row.datetime_start)})`,
        });
      else if (Math.max(start ?? 0, end ?? 0) > latest)
        odd.push({
          what,
          problem: `its time (${String(row.datetime_complete ?? row.datetime_start)} UTC) lies in the future`,
        });
    }
    for (const { sql, what } of HEARTBEATS)
      if (hasTable(db, sql.table))
        for (const row of db.prepare(`SELECT ${sql.column} AS at, ${sql.id} AS id FROM ${sql.table}`).all() as {
          at: string;
          id: unknown;
        }[])
          if ((timeOf(row.at) ?? 0) > latest)
            odd.push({
              what: `${what} ${String(row.id)}`,
              problem: `its last sign of life (${row.at} UTC) lies in the future`,
            });
    return odd;
  } finally {
    db.close();
  }
}

const HEARTBEATS = [
  { what: 'heartbeat of trial id', sql: { table: 'trial_heartbeats', column: 'heartbeat', id: 'trial_id' } },
  { what: 'process', sql: { table: 'resweep_processes', column: 'heartbeat_at', id: 'pid' } },
] as const;

/**
 * Sets heartbeats of the future to now, so that a process that is gone is noticed, and the beginning of a trial that ended before it
 * to its end. Results are not touched. @throws SqliteError
 */
export function mendTimes(path: string, now: number): void {
  const db = openDatabase(path, { fileMustExist: true });
  try {
    const latest = toDatabaseTime(now + CLOCK_TOLERANCE_MS);
    db.exec('BEGIN IMMEDIATE');
    for (const { sql } of HEARTBEATS)
      if (hasTable(db, sql.table))
        db.prepare(`UPDATE ${sql.table} SET ${sql.column} = ? WHERE ${sql.column} > ?`).run(
          toDatabaseTime(now),
          latest,
        );
    db.exec('UPDATE trials SET datetime_start = datetime_complete WHERE datetime_complete < datetime_start');
    db.exec('COMMIT');
  } finally {
    db.close();
  }
}

function hasTable(db: Database.Database, table: string): boolean {
  return db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table) !== undefined;
}

function timeOf(text: string | null): number | undefined {
  return text === null ? undefined : fromDatabaseTime(text)?.getTime();
}

/** Version of the SQLite library. @throws Error where it cannot be loaded */
export function sqliteVersion(): string {
  const db = openDatabase(':memory:');
  try {
    return db.prepare('SELECT sqlite_version()').pluck().get() as string;
  } finally {
    db.close();
  }
}
