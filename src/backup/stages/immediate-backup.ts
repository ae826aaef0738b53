import { lstatSync } from 'node:fs';

import { messageOf } from '../../core/errors.js';
import { isWritten, warn, type BackupOptions } from '../backup-options.js';
import { isDrivePath } from '../files/drive-path.js';

/**
 * Backs up now, where three checks pass: backups are enabled and there is a callback; the path exists; it does not lie on Drive.
 * Used alike by every stage. True where a copy was written. Never throws.
 */
export async function immediateBackupIfNeeded(
  o: { readonly path: string; readonly isDirectory?: boolean | undefined } & BackupOptions,
): Promise<boolean> {
  const { path, isDirectory = false, backupToDrive, backupEnabled = true } = o;
  if (!backupEnabled || backupToDrive === undefined) return false;
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined || isDrivePath(path)) return false;
    const result = await backupToDrive(path, isDirectory);
    if (isWritten(result)) return true;
    warn(o, `Backup of ${path} failed${typeof result === 'boolean' ? '' : `: ${result.error ?? ''}`}.`);
    return false;
  } catch (error) {
    warn(o, `Backup of ${path} failed: ${messageOf(error)}`);
    return false;
  }
}

/**
 * For stages, which have callbacks only. True where the path is there now: untouched where it was, else restored and verified.
 * False: it has to be made. Any failure is logged and means false.
 */
export async function ensureRestoredFromDrive(
  o: { readonly path: string; readonly isDirectory?: boolean | undefined } & BackupOptions,
): Promise<boolean> {
  const { path, isDirectory = false, restoreFromDrive, backupEnabled = true } = o;
  try {
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there !== undefined && !(isDirectory && there.isDirectory())) return true;
    // A folder that is here may be here in part: the restore completes it, or refuses.
    if (!backupEnabled || restoreFromDrive === undefined || isDrivePath(path)) return there !== undefined;
    return await restoreFromDrive(path, isDirectory);
  } catch (error) {
    warn(o, `Restore of ${path} failed: ${messageOf(error)}`);
    return false;
  }
}
