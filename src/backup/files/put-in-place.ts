import { linkSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { syncFolder } from '../../core/atomic-file.js';
import { ResweepError } from '../../core/errors.js';
import { removeLeftovers, temporaryName } from './temporary-names.js';
import { ASIDE } from './unfinished-names.js';

/** Something is in the way of a restore; nothing was changed. */
export class InTheWayError extends ResweepError {
  constructor(path: string, what: string) {
    super('RESTORE_IN_THE_WAY', `${path} ${what}: nothing was restored there.`);
  }
}

/** A name beside `path`, on the same file system, that no backup takes for finished. Removes what killed processes left there. */
export function asidePath(path: string): string {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  removeLeftAside(folder);
  return join(folder, temporaryName(ASIDE));
}

/** Removes what killed processes left in a folder. */
export function removeLeftAside(folder: string): void {
  removeLeftovers(folder, ASIDE);
}

/**
 * Gives a complete, synced file its name. Stale `-wal`, `-shm` and `-journal` files of a database that is gone are removed
 * first: SQLite would play them back into the restored data.
 * @throws InTheWayError where a file is there; it is never replaced.
 */
export function putFileInPlace(aside: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw new InTheWayError(path, 'exists');
  let removed = false;
  for (const suffix of ['-wal', '-shm', '-journal']) {
    if (lstatSync(`${path}${suffix}`, { throwIfNoEntry: false }) === undefined) continue;
    rmSync(`${path}${suffix}`, { force: true });
    removed = true;
  }
  // Durable before the file appears, or a power cut could bring them back beside it.
  if (removed) syncFolder(dirname(path));
  try {
    linkSync(aside, path);
    rmSync(aside, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new InTheWayError(path, 'exists');
    // No hard links there.
    renameSync(aside, path);
  }
  syncFolder(dirname(path));
}

/** The same for a folder that is complete. @throws InTheWayError */
export function putFolderInPlace(aside: string, path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory() === false) throw new InTheWayError(path, 'is no folder');
  try {
    renameSync(aside, path); // Replaces an empty folder, and only an empty one.
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM') throw new InTheWayError(path, 'is not empty');
    throw error;
  }
  syncFolder(dirname(path));
}

/** The local path of a member, where no link lies between it and `root`. @throws InTheWayError */
export function memberPath(root: string, member: string): string {
  let path = root;
  for (const segment of member.split('/')) {
    path = join(path, segment);
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
      throw new InTheWayError(path, `(${basename(path)}) is a link`);
    }
  }
  return path;
}
