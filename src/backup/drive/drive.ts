import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';

import { explanationOf } from '../../core/errors.js';
import { STUDY_DB } from '../../core/study-paths.js';
import type { BackupResult, BackupToDrive, RestoreFromDrive } from '../backup-options.js';
import type { Capture } from '../capture/capture.js';
import { DestinationError, type Confirmation, type Destination } from '../destinations/destination.js';
import { DrivePathError } from '../files/drive-path.js';
import type { RestoreProgress } from '../restore/restore-file.js';
import { isThere, type RestoreResult } from '../restore/restore-result.js';
import { DriveCore, type DriveOptions } from './drive-core.js';

/** The configured set of destinations; a mounted Drive folder is one kind of them. */
export interface Drive {
  /** A Drive path, a missing path, a failure: `{ ok: false, error }`, never a throw. Takes a full, verified copy to every destination. */
  backup(path: string, o?: { isDirectory?: boolean }): Promise<BackupResult>;
  /** Key under which a local path is kept. @throws DrivePathError for a Drive path or one outside the project root */
  drivePathFor(path: string): string;
  readonly backupToDrive: BackupToDrive;
  readonly restoreFromDrive: RestoreFromDrive;
  /** True where the path is there: untouched if it was, restored and verified else. False: create it. Never throws. */
  ensureRestoredFromDrive(path: string, o?: { isDirectory?: boolean; enabled?: boolean }): Promise<boolean>;
  /** The same with everything that is known about it. @throws UsageError for an unknown `from` or an `at` that is none */
  restore(
    path: string,
    o?: {
      isDirectory?: boolean;
      at?: string;
      branch?: string;
      /** Only this destination. */
      from?: string;
      /** Folder to restore into, instead of the project root. */
      to?: string;
      studyName?: string;
      /** Where the path has no saved states of its own, as a part of this folder that has. */
      within?: string;
      onProgress?: (progress: RestoreProgress) => void;
      signal?: AbortSignal;
    },
  ): Promise<RestoreResult>;
  /** Ends helpers and removes temporary files. */
  close(): Promise<void>;
}

const CORES = new WeakMap<object, DriveCore>();

/** The parts behind a drive, or behind one of its two callbacks; undefined for what was not made by `createDrive`. */
export function coreOf(driveOrCallback: object | undefined): DriveCore | undefined {
  return driveOrCallback === undefined ? undefined : CORES.get(driveOrCallback);
}

/**
 * Makes the functions that back up to, and restore from, a set of destinations. Every SQLite file, alone or in a folder, goes
 * through `snapshotSource`; its `-wal`, `-shm` and `-journal` are never sent.
 */
export function createDrive(options: DriveOptions): Drive {
  const core = new DriveCore(options);
  const drive: Drive = {
    backup: (path, o) => backup(core, path, o?.isDirectory),
    drivePathFor: (path) => core.target(path),
    backupToDrive: (path, isDirectory) => backup(core, path, isDirectory),
    restoreFromDrive: async (path, isDirectory = false) => isThere(await restorePath(core, path, { isDirectory })),
    ensureRestoredFromDrive: async (path, o = {}) => {
      const { isDirectory = false, enabled = true } = o;
      if (!enabled) return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
      return isThere(await restorePath(core, path, { isDirectory }));
    },
    restore: (path, o = {}) => restorePath(core, path, o),
    close: () => core.close(),
  };
  for (const key of [drive, drive.backupToDrive, drive.restoreFromDrive]) CORES.set(key, core);
  return drive;
}

/** Of one backup, where files are replaced while they are sent. */
const CAPTURES = 5;

async function backup(
  core: DriveCore,
  path: string,
  isDirectory?: boolean,
  exclude?: readonly string[],
): Promise<BackupResult> {
  const nothing = { ok: false, path, bytes: 0, verified: 'no' } as const;
  try {
    const target = core.target(path);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return { ...nothing, error: `${path} is missing: nothing to back up.` };
    if (core.destinations.length === 0) return { ...nothing, error: 'There is no backup destination.' };
    const errors: string[] = [];
    const confirmations: Confirmation[] = [];
    let last: Capture | undefined;
    let left = core.destinations;
    for (let attempt = 1; left.length > 0; attempt++) {
      const request = { target, path, isDirectory: isDirectory ?? stats.isDirectory(), full: true, exclude };
      const capture = (last = await core.capturer.capture(request));
      const changed: Destination[] = [];
      await Promise.all(
        left.map(async (destination) => {
          try {
            const { confirmation, mirrorError } = await core.save(destination, capture, { mirror: true });
            confirmations.push(confirmation);
            if (mirrorError !== undefined) errors.push(`The plain copy was not refreshed: ${mirrorError}`);
          } catch (error) {
            // A file was replaced after it was captured: a new capture sees it as it is now.
            if (attempt < CAPTURES && error instanceof DestinationError && error.reason === 'sourceChanged') {
              changed.push(destination);
              return;
            }
            errors.push(explanationOf(error));
            reportFailure(core, destination.name, target, error);
          }
        }),
      ).finally(() => {
        core.capturer.release(capture);
      });
      left = changed;
    }
    const verified: BackupResult['verified'] = confirmations.includes('verified')
      ? 'verified'
      : (confirmations[0] ?? 'no');
    const result = { ok: confirmations.length > 0, path, bytes: last?.bytes ?? 0, verified };
    const sha256 = last?.kind === 'file' ? last.files[0]?.digest.sha256 : undefined;
    return {
      ...result,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(errors.length === 0 ? {} : { error: errors.join(' ') }),
    };
  } catch (error) {
    const message = explanationOf(error);
    core.reporter.emitOnce(`backup ${path}`, { type: 'backupFailed', path, outcome: 'failed', message });
    return { ...nothing, error: message };
  }
}

/**
 * Backs up a study's folder without its database, by `createDrive`'s callback or anybody's. The database is saved by itself: in the
 * folder's copies too, it would lie twice at one place, and the folder's history would seem to count trials.
 */
export async function backUpStudyFolder(backupToDrive: BackupToDrive, folder: string): Promise<void> {
  const core = coreOf(backupToDrive);
  await (core === undefined ? backupToDrive(folder, true) : backup(core, folder, true, [STUDY_DB]));
}

/** Says once that a destination fails; again when the reason changes or it worked between. */
export function reportFailure(core: DriveCore, destination: string, target: string, error: unknown): void {
  core.reporter.emitOnce(`${destination} ${target}`, {
    type: 'backupFailed',
    destination,
    path: target,
    outcome: 'failed',
    verified: 'no',
    message: `Backup of ${target} to ${destination} failed: ${explanationOf(error)} The sweep goes on.`,
  });
}

async function restorePath(
  core: DriveCore,
  path: string,
  o: NonNullable<Parameters<Drive['restore']>[1]>,
): Promise<RestoreResult> {
  const { isDirectory = false, at, branch, from, to, studyName, within, onProgress, signal } = o;
  const empty = { path, bytes: 0, files: [], fellBack: [], searched: [], otherBranches: [], durationMs: 0 };
  let target: string;
  try {
    target = core.target(path);
  } catch (error) {
    if (!(error instanceof DrivePathError)) throw error;
    // What lies on Drive is used as it is, or is not there.
    const there = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    return { ...empty, status: there ? 'present' : 'refused', ...(there ? {} : { error: error.message }) };
  }
  core.select(from);
  const local = to === undefined ? path : resolve(to, target);
  const folder = within === undefined ? undefined : core.target(within);
  const part = folder === undefined ? undefined : target.slice(folder.length + 1);
  const request = { target: folder ?? target, part, path: local, isDirectory, at, branch, from };
  const result = await core.restore(request, { studyName, onProgress, signal });
  if (result.status === 'present') {
    core.reporter.emitOnce(`present ${target}`, {
      type: 'restore',
      path: target,
      outcome: 'ok',
      message: `${local} is there already: kept as it is, nothing restored.`,
    });
  }
  return result;
}
