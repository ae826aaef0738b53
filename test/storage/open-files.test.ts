import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import type Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { isOpenHere } from '../../src/storage/rdb/engines/open-files.js';
import { openSqliteFile } from '../../src/storage/rdb/engines/sqlite-file.js';
import { SqliteSnapshotSource } from '../../src/storage/rdb/sqlite-snapshot.js';
import { folders } from '../support/study-files.js';

/** Whether another process may begin to write at once. */
const OTHER_PROCESS = `
  const db = new (require('better-sqlite3'))(process.argv[1], { timeout: 0 });
  try {
    db.exec('BEGIN IMMEDIATE');
    console.log('writes');
  } catch (error) {
    console.log(error.message);
  }
  db.close();`;

function whatAnotherProcessGets(path: string): string {
  return execFileSync(process.execPath, ['-e', OTHER_PROCESS, path], { encoding: 'utf8' }).trim();
}

describe('a database file that this process has open', () => {
  const newFolder = folders();
  let path: string;
  let writer: Database.Database;
  beforeEach(() => {
    path = join(newFolder(), 'study.db');
    writer = openSqliteFile(path, { busyMs: 1_000 });
  });
  afterEach(() => {
    if (writer.open) writer.close();
  });
  it.each([
    [
      'a second connection',
      (): Promise<void> => {
        openSqliteFile(path, { busyMs: 1_000, readOnly: true }).close();
        return Promise.resolve();
      },
    ],
    [
      'the question whether it is a database',
      async (): Promise<void> => {
        expect(await new SqliteSnapshotSource().isDatabase(path)).toBe(true);
      },
    ],
  ])('keeps its locks through %s', async (_, look) => {
    // As Optuna leaves a file: all locks are on the file itself.
    writer.pragma('journal_mode = DELETE');
    writer.exec('BEGIN IMMEDIATE');
    writer.prepare('INSERT INTO studies (study_name) VALUES (?)').run('mine');
    await look();
    expect(whatAnotherProcessGets(path)).toBe('database is locked');
    writer.exec('COMMIT');
    expect(whatAnotherProcessGets(path)).toBe('writes');
  });

  it('is known as open until its last connection is closed', () => {
    const second = openSqliteFile(path, { busyMs: 1_000 });
    writer.close();
    writer.close();
    expect(isOpenHere(path)).toBe(true);
    second.close();
    expect(isOpenHere(path)).toBe(false);
    expect(isOpenHere(`${path}.missing`)).toBe(false);
  });
});
