import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { StudyView } from '../../core/study-view.js';
import type { BackupOptions } from '../backup-options.js';
import { isDrivePath } from '../files/drive-path.js';
import { immediateBackupIfNeeded } from './immediate-backup.js';

/** Called after every finished trial. */
export type TrialCallback = (study: StudyView, trial: FrozenTrial) => Promise<void>;

/**
 * Backs up a file or folder after every finished trial. Skips what is missing or lies on Drive; a failure is logged and never
 * thrown. One backup at a time: trials that finish meanwhile share the next one, which holds them all. The promise resolves
 * when a backup that holds this trial has ended.
 */
export function createIncrementalBackupCallback(
  o: { readonly targetPath: string; readonly isDirectory?: boolean | undefined } & BackupOptions,
): TrialCallback {
  const { targetPath, ...options } = o;
  if (options.backupEnabled === false || options.backupToDrive === undefined || isDrivePath(targetPath)) {
    return () => Promise.resolve();
  }
  let running: Promise<unknown> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    const run = immediateBackupIfNeeded({ ...options, path: targetPath }).then(() => {
      if (running === run) running = undefined;
    });
    running = run;
    return run;
  };
  return () => {
    if (running === undefined) return start();
    next ??= running.then(() => {
      next = undefined;
      return start();
    });
    return next;
  };
}

/** The same for a study's database. */
export function createStudyDbBackupCallback(o: { readonly studyDb: string } & BackupOptions): TrialCallback {
  const { studyDb, ...options } = o;
  return createIncrementalBackupCallback({ ...options, targetPath: studyDb, isDirectory: false });
}

/** Runs several callbacks after a trial; one that fails does not keep the others from running. Rejects with the first failure, at the end. */
export function combineCallbacks(...callbacks: readonly TrialCallback[]): TrialCallback {
  return async (study, trial) => {
    const results = await Promise.allSettled(callbacks.map(async (callback) => callback(study, trial)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  };
}
