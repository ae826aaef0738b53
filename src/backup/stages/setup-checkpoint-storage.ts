import { copyFileSync, fsyncSync, openSync, closeSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

import { explanationOf, messageOf } from '../../core/errors.js';
import { STUDY_DB, study8OfFolderName, studyFolderName } from '../../core/study-paths.js';
import { warn, type BackupOptions } from '../backup-options.js';
import type { DriveCore } from '../drive/drive-core.js';
import { coreOf } from '../drive/drive.js';
import { isDrivePath } from '../files/drive-path.js';
import { asidePath, putFileInPlace } from '../files/put-in-place.js';
import { listTargets } from '../format/catalog.js';
import { byPriority } from '../restore/restore-candidates.js';
import { ensureRestoredFromDrive } from './immediate-backup.js';
import { backboneFolders, findStudyFolder, isFile, listFolders, studyTreeOf, type StudyTree } from './study-folder.js';

export interface CheckpointStorage {
  /** Path of the database: one that exists where `resumed`, else where a new one belongs. Undefined where checkpoints are off. */
  readonly studyDb?: string;
  /** The same as `sqlite:///…`. */
  readonly storageUrl?: string;
  /** There is a study to go on with. */
  readonly resumed: boolean;
  /** It was brought back from a backup. */
  readonly restored: boolean;
}

/** Environments that a backup is asked for where its destinations cannot be listed. */
const COMMON_ENVIRONMENTS = ['local', 'colab', 'kaggle', 'slurm', 'ray', 'kubernetes', 'ci'];

/**
 * Finds the study to go on with, before anything is created: in v2 shape under any environment locally, then at the
 * destinations, then in the legacy shape `<backbone folder>/<study name>/study.db`, locally and at the destinations. A legacy
 * study is copied into v2 shape and its original kept. Judges by files that exist, never by names alone. Never throws.
 */
export async function setupCheckpointStorage(
  o: {
    readonly outputDir: string;
    readonly backbone: string;
    readonly study8: string;
    /** For the legacy shape. */
    readonly studyName?: string | undefined;
    /** @default true */
    readonly enabled?: boolean | undefined;
    /** Under which a new study is put. @default the one in `outputDir`, else local */
    readonly environment?: string | undefined;
  } & BackupOptions,
): Promise<CheckpointStorage> {
  if (o.enabled === false) return { resumed: false, restored: false };
  const { backbone, study8, studyName } = o;
  const tree = studyTreeOf(o.outputDir, backbone);
  for (const folder of backboneFolders(tree, backbone)) {
    const found = findStudyFolder(folder, study8);
    if (found !== undefined) return storageAt(join(found, STUDY_DB), true, false);
  }
  const home = join(tree.hpoDir, o.environment ?? tree.environment ?? 'local', backbone);
  const fresh = join(home, studyFolderName(study8), STUDY_DB);
  for (const candidate of await backedUpStudies(o, tree, home)) {
    if (await ensureRestoredFromDrive({ ...o, path: candidate, isDirectory: false }))
      return storageAt(candidate, true, true);
  }
  if (studyName !== undefined) {
    for (const folder of new Set([home, ...backboneFolders(tree, backbone)])) {
      const legacy = join(folder, studyName, STUDY_DB);
      const local = isFile(legacy);
      if (!local && !(await ensureRestoredFromDrive({ ...o, path: legacy, isDirectory: false }))) continue;
      const adopted = join(folder, studyFolderName(study8), STUDY_DB);
      if (await adopt(o, legacy, adopted, studyName)) return storageAt(adopted, true, !local);
    }
  }
  return storageAt(fresh, false, false);
}

function storageAt(studyDb: string, resumed: boolean, restored: boolean): CheckpointStorage {
  return { studyDb, storageUrl: `sqlite:///${studyDb.split(sep).join('/')}`, resumed, restored };
}

/** Local paths of `study.db` under any environment that a destination has, the own environment first. */
async function backedUpStudies(
  o: { readonly backbone: string; readonly study8: string } & BackupOptions,
  tree: StudyTree,
  home: string,
): Promise<string[]> {
  const own = join(home, studyFolderName(o.study8), STUDY_DB);
  if (o.restoreFromDrive === undefined || o.backupEnabled === false) return [];
  const core = coreOf(o.restoreFromDrive) ?? coreOf(o.backupToDrive);
  if (core === undefined) {
    // A callback of someone else's making can only be asked path by path.
    const environments = new Set([...COMMON_ENVIRONMENTS, ...listFolders(tree.hpoDir)]);
    const others = [...environments].map((name) =>
      join(tree.hpoDir, name, o.backbone, studyFolderName(o.study8), STUDY_DB),
    );
    return [...new Set([own, ...others])];
  }
  const found = await findBackedUpStudies(core, o.study8, o.backbone, relativeTo(core, tree.hpoDir));
  return [...new Set([own, ...found])];
}

function relativeTo(core: DriveCore, folder: string): string {
  return relative(core.projectRoot, folder).split(sep).join('/');
}

/**
 * Paths of `study.db` of a study8 that any destination has, by manifests or as plain copies, under any environment. What
 * cannot be asked is left out here; the restore that follows says so.
 */
async function findBackedUpStudies(
  core: DriveCore,
  study8: string,
  backbone: string,
  hpoKey: string,
): Promise<string[]> {
  const found = new Set<string>();
  await Promise.all(
    byPriority(core.destinations).map(async (destination) => {
      try {
        for (const target of await listTargets(destination)) {
          const parts = target.split('/');
          if (parts.at(-1) !== STUDY_DB || study8OfFolderName(parts.at(-2) ?? '') !== study8) continue;
          if (target.startsWith(`${hpoKey}/`) && parts.at(-3) === backbone) found.add(target);
        }
        if (!destination.traits.mirror) return;
        const { folders } = await destination.list(`${hpoKey}/`);
        for (const environment of folders) {
          const key = `${hpoKey}/${environment}/${backbone}/${studyFolderName(study8)}/${STUDY_DB}`;
          const { objects } = await destination.list(key.slice(0, -STUDY_DB.length));
          if (objects.some((object) => object.key === key)) found.add(key);
        }
      } catch (error) {
        core.reporter.emitOnce(`lookup ${destination.name}`, {
          type: 'restoreFailed',
          destination: destination.name,
          outcome: 'warning',
          message: `${destination.name} could not be searched for study ${study8}: ${explanationOf(error)}`,
        });
      }
    }),
  );
  return [...found].map((key) => join(core.projectRoot, ...key.split('/')));
}

/** Copies a legacy study into v2 shape: through a snapshot, checked by name, the original kept. */
async function adopt(o: BackupOptions, legacy: string, studyDb: string, studyName: string): Promise<boolean> {
  const core = coreOf(o.restoreFromDrive) ?? coreOf(o.backupToDrive);
  const aside = asidePath(studyDb);
  try {
    mkdirSync(dirname(studyDb), { recursive: true });
    if (core?.snapshots === undefined) {
      // Nothing here can open a database; one with a hot journal beside it must not be copied plainly.
      if (['-wal', '-journal'].some((suffix) => isFile(`${legacy}${suffix}`))) {
        warn(o, `${legacy} was left open and cannot be adopted here; open and close it once.`);
        return false;
      }
      copyFileSync(legacy, aside);
    } else {
      await core.snapshots.snapshot(legacy, aside);
      const report = await core.snapshots.inspect(aside);
      if (!report.intact || report.studyName !== studyName) {
        warn(o, `${legacy} is not adopted: ${report.problem ?? `it holds the study "${report.studyName ?? ''}"`}.`);
        return false;
      }
    }
    const file = openSync(aside, 'r+');
    fsyncSync(file);
    closeSync(file);
    if (isDrivePath(studyDb)) warn(o, `${studyDb} lies on Drive; it is used there as it is.`);
    putFileInPlace(aside, studyDb);
    return true;
  } catch (error) {
    warn(o, `${legacy} could not be adopted: ${messageOf(error)}`);
    return false;
  } finally {
    rmSync(aside, { force: true });
  }
}
