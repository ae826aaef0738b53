import { join } from 'node:path';

import { messageOf } from '../../core/errors.js';
import { STUDY_DB } from '../../core/study-paths.js';
import { warn, type BackupOptions, type BackupResult } from '../backup-options.js';
import { coreOf } from '../drive/drive.js';
import { isDrivePath } from '../files/drive-path.js';
import { digestFile } from '../files/file-digest.js';
import { findStudyFolder } from './study-folder.js';

/**
 * The backup at the end of a sweep. A study whose folder lies on Drive is only looked at: `study.db` is there and intact. A
 * local one is backed up, `study.db` first, then the folder around it. Never throws.
 */
export async function backupHpoStudyToDrive(
  o: { readonly backboneDir: string; readonly study8: string } & BackupOptions,
): Promise<BackupResult> {
  const { backboneDir, study8, backupToDrive, backupEnabled = true } = o;
  const nothing = { ok: false, path: backboneDir, bytes: 0, verified: 'no' } as const;
  try {
    const folder = findStudyFolder(backboneDir, study8);
    if (folder === undefined) return { ...nothing, error: `There is no study ${study8} in ${backboneDir}.` };
    const studyDb = join(folder, STUDY_DB);
    if (isDrivePath(studyDb)) return await verifyInPlace(o, studyDb);
    if (!backupEnabled || backupToDrive === undefined)
      return { ...nothing, path: studyDb, error: 'Backups are switched off.' };
    const database = toResult(studyDb, await backupToDrive(studyDb, false));
    if (!database.ok) warn(o, `Backup of ${studyDb} failed: ${database.error ?? ''}`);
    const around = toResult(folder, await backupToDrive(folder, true));
    if (!around.ok) warn(o, `Backup of ${folder} failed: ${around.error ?? ''}`);
    if (database.ok && !around.ok)
      return { ...database, ok: false, error: around.error ?? `Backup of ${folder} failed.` };
    return database;
  } catch (error) {
    return { ...nothing, error: messageOf(error) };
  }
}

/** It lies where it is kept; whether the upload behind the mount is done cannot be seen from here. */
async function verifyInPlace(o: BackupOptions, studyDb: string): Promise<BackupResult> {
  const report = await (coreOf(o.backupToDrive) ?? coreOf(o.restoreFromDrive))?.snapshots?.inspect(studyDb);
  const digest = await digestFile(studyDb);
  const base = { path: studyDb, bytes: digest.bytes, sha256: digest.sha256 };
  if (digest.bytes === 0) return { ...base, ok: false, verified: 'no', error: `${studyDb} is empty.` };
  if (report?.intact === false) {
    return { ...base, ok: false, verified: 'no', error: `${studyDb} is damaged: ${report.problem ?? ''}` };
  }
  return { ...base, ok: true, verified: 'handedToMount' };
}

function toResult(path: string, result: boolean | BackupResult): BackupResult {
  if (typeof result !== 'boolean') return result;
  return { ok: result, path, bytes: 0, verified: 'no', ...(result ? {} : { error: 'no copy was written' }) };
}
