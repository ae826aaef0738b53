import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { findProjectRoot } from '../../config/project-root.js';
import { UsageError } from '../../core/errors.js';
import { hpoFolder, STUDY_DB } from '../../core/study-paths.js';
import {
  exportArchive,
  openArchive,
  verifyBackups,
  type BackupLog,
  type ExportReport,
  type RestoreProgress,
  type RestoreResult,
  type VerifyReport,
} from '../../backup/index.js';
import { SqliteSnapshotSource } from '../../storage/rdb/sqlite-snapshot.js';
import { studyDirectories } from '../studies/find-study-directory.js';
import { locateSweep } from '../studies/locate-sweep.js';
import { checkPlace } from './backup-commands.js';

export { isArchiveFile, type RestoreProgress, type RestoreResult, type VerifyReport } from '../../backup/index.js';

/**
 * `resweep backup export FILE`: the study of a configuration, or every study of the project, in one file.
 * @throws UsageError where there is no study, or `file` exists
 */
export async function exportStudies(options: {
  readonly file: string;
  readonly configPath?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly log?: BackupLog;
}): Promise<ExportReport> {
  const { file, configPath, set, log } = options;
  let projectRoot = findProjectRoot(process.cwd());
  let folders: string[];
  if (configPath === undefined) folders = studyDirectories(hpoFolder(projectRoot));
  else {
    const sweep = await locateSweep(configPath, { set });
    ({ projectRoot } = sweep);
    folders = existsSync(join(sweep.studyDir, STUDY_DB)) ? [sweep.studyDir] : [];
  }
  if (folders.length === 0) {
    throw new UsageError(
      `There is no study to export ${configPath === undefined ? `under ${hpoFolder(projectRoot)}` : `for ${configPath}`}.`,
    );
  }
  const studies = folders.map((studyFolder) => ({ studyDb: join(studyFolder, STUDY_DB), studyFolder }));
  return exportArchive(file, { projectRoot, snapshotSource: new SqliteSnapshotSource(), studies, ...(log && { log }) });
}

/** Opens an archive for one piece of work. @throws UsageError, ArchiveError */
async function withArchive<T>(
  file: string,
  log: BackupLog | undefined,
  use: (archive: Awaited<ReturnType<typeof openArchive>>, projectRoot: string) => Promise<T>,
): Promise<T> {
  const projectRoot = findProjectRoot(process.cwd());
  const archive = await openArchive(file, {
    projectRoot,
    snapshotSource: new SqliteSnapshotSource(),
    ...(log && { log }),
  });
  try {
    return await use(archive, projectRoot);
  } finally {
    await archive.close();
  }
}

/** Everything in an archive, or what lies at or below `path` in it, into the project or `to`. @throws UsageError, ArchiveError */
export async function restoreFromArchive(options: {
  readonly file: string;
  readonly path?: string | undefined;
  readonly at?: string | undefined;
  readonly to?: string | undefined;
  readonly log?: BackupLog;
  readonly onProgress?: (progress: RestoreProgress) => void;
}): Promise<RestoreResult[]> {
  const { file, path, at, to, log, onProgress } = options;
  if (to !== undefined) checkPlace(to);
  return await withArchive(file, log, async (archive, projectRoot) => {
    const wanted = path === undefined ? undefined : archive.drive.drivePathFor(path);
    const chosen = archive.targets.filter(
      (target) => wanted === undefined || target.path === wanted || target.path.startsWith(`${wanted}/`),
    );
    if (chosen.length === 0) {
      throw new UsageError(`${file} holds nothing of ${path ?? ''}.`, {
        hint: `It holds: ${archive.targets.map((target) => target.path).join(', ')}.`,
      });
    }
    const results: RestoreResult[] = [];
    for (const target of chosen) {
      const { isDirectory } = target;
      results.push(
        await archive.drive.restore(join(projectRoot, target.path), {
          isDirectory,
          ...(onProgress && { onProgress }),
          ...(to === undefined ? {} : { to }),
          ...(at === undefined || isDirectory ? {} : { at }),
        }),
      );
    }
    return results;
  });
}

/** Every byte and every database of an archive. @throws UsageError, ArchiveError */
export async function verifyArchive(file: string, log?: BackupLog): Promise<VerifyReport> {
  return await withArchive(file, log, (archive) => verifyBackups(archive.drive, { deep: true }));
}
