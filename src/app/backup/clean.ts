import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

import { UsageError } from '../../core/errors.js';
import { OUTPUTS_FOLDER, STUDY_DB } from '../../core/study-paths.js';
import { SafeElsewhere, type LocalFile } from '../../backup/index.js';
import { withDrive, type BackupCommandOptions } from './backup-commands.js';
import { fileUsers } from '../fsck/file-users.js';

export interface CleanOptions extends BackupCommandOptions {
  /** File or folder below `outputs/`; default: the study. */
  readonly path?: string | undefined;
  /** Count only this destination. */
  readonly destination?: string | undefined;
  /** Count copies on the disk of the project too. @default false */
  readonly sameDisk?: boolean | undefined;
  readonly dryRun: boolean;
}

export interface CleanReport {
  readonly dryRun: boolean;
  readonly path: string;
  /** Removed here; with `dryRun`: would be. */
  readonly freed: readonly LocalFile[];
  /** Left, each with its reason. */
  readonly refused: readonly LocalFile[];
  readonly freedBytes: number;
}

/**
 * `resweep clean`: removes local files that a destination holds, verified now; every other file stays and is named. The states that
 * hold what goes are kept for good first.
 * @throws UsageError where the study is in use, or the path lies outside `outputs/`
 */
export async function cleanLocal(options: CleanOptions): Promise<CleanReport> {
  return withDrive(options, async (drive, sweep) => {
    const path = options.path === undefined ? sweep.studyDir : resolve(options.path);
    const outputs = join(sweep.projectRoot, OUTPUTS_FOLDER);
    if (relative(outputs, path).startsWith('..') || path === outputs)
      throw new UsageError(`${path} does not lie in ${outputs}: nothing else is cleaned.`);
    if (!existsSync(path)) throw new UsageError(`There is no ${path}.`);
    const studyDb = join(sweep.studyDir, STUDY_DB);
    const users = existsSync(studyDb) ? fileUsers(studyDb) : [];
    if (users.length > 0)
      throw new UsageError(`The study is in use by process ${users.join(', ')}: nothing was removed.`, {
        hint: 'resweep stop',
      });
    const { files, safe } = await SafeElsewhere.look(drive, path, {
      destination: options.destination,
      sameDisk: options.sameDisk,
    });
    const freed = files.filter(({ safeOn }) => safeOn.length > 0);
    const refused = files.filter(({ safeOn }) => safeOn.length === 0);
    if (!options.dryRun && freed.length > 0) {
      await safe.keep(freed);
      for (const file of freed) remove(file.path);
      if (existsSync(path)) removeEmpty(path);
    }
    return {
      dryRun: options.dryRun,
      path,
      freed,
      refused,
      freedBytes: freed.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  });
}

/** A file, and the empty logs beside a database. */
function remove(path: string): void {
  rmSync(path);
  for (const suffix of ['-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
}

function removeEmpty(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}
