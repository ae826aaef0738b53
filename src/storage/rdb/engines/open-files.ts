import { statSync } from 'node:fs';

import type Database from 'better-sqlite3';

/*
 * Database files that this thread has open. Closing any other handle of such a file drops all locks that the process holds on it
 * (POSIX; see "How To Corrupt An SQLite Database File", 2.2): another process could then delete the write-ahead log under us. So nobody
 * may read such a file but SQLite itself.
 */
const open = new Map<string, number>();

function keyOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** Whether a connection of this thread has the file open. */
export function isOpenHere(path: string): boolean {
  const key = keyOf(path);
  return key !== undefined && open.has(key);
}

/** Counts a connection until it is closed. */
export function holdOpen(db: Database.Database, path: string): void {
  const key = keyOf(path);
  if (key === undefined) return;
  open.set(key, (open.get(key) ?? 0) + 1);
  const close = db.close.bind(db);
  db.close = () => {
    if (db.open) {
      const left = (open.get(key) ?? 1) - 1;
      if (left > 0) open.set(key, left);
      else open.delete(key);
    }
    return close();
  };
}
