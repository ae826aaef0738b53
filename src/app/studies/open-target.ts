import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { UsageError } from '../../core/errors.js';
import { EVENTS_FILE, hpoFolder, STUDY_DB, study8OfFolderName } from '../../core/study-paths.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { findProjectRoot } from '../../config/project-root.js';
import { loadStudy } from '../../study/create-study.js';
import type { Study } from '../../study/study.js';
import { openStorage } from '../../storage/open-storage.js';
import { NopPruner } from '../../pruners/nop-pruner.js';
import { RandomSampler } from '../../samplers/random-sampler.js';
import { locateSweep, type LocatedSweep } from './locate-sweep.js';
import { storedConfigOf } from './stored-config.js';
import type { MessageLevel } from '../sweep/sweep-observer.js';
import { restoreStudy } from '../sweep/sweep-restore.js';

/** A study opened for looking at it. */
export interface OpenTarget {
  readonly study: Study;
  readonly studyDir: string | undefined;
  readonly study8: string | undefined;
  /** Trials that the study shall have, where that is known. */
  readonly target: number | undefined;
  readonly config: SweepConfig | undefined;
  /** It was missing and came back from a backup just now. */
  readonly isRestored: boolean;
  close(): Promise<void>;
}

/**
 * Opens what a user names: a configuration, a study folder, a database file, a storage URL, or nothing (the study last worked on).
 * @throws UsageError where nothing is there, naming each place searched
 */
export async function openTarget(
  target: string | undefined,
  options: { studyName?: string | undefined; readOnly?: boolean } = {},
): Promise<OpenTarget> {
  const readOnly = options.readOnly ?? true;
  const found = target === undefined ? newestStudy() : await resolveTarget(target);
  const storage = await openStorage(found.storage, { readOnly });
  const close = (): Promise<void> => storage.close();
  try {
    const study = await loadStudy({
      storage,
      studyName: options.studyName ?? found.studyName,
      sampler: new RandomSampler(),
      pruner: new NopPruner(),
    });
    const { studyDir, study8, config, isRestored = false } = found;
    // What the sweep really works towards: an edit in the dashboard, or of the last run, wins over the file.
    const total = storedConfigOf(study)?.trials ?? config?.trials;
    return { study, studyDir, study8, config, target: total, isRestored, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where a study is, nothing of it open. */
export interface FoundTarget {
  /** Path of a database, or a URL. */
  readonly storage: string;
  readonly studyDir?: string;
  readonly study8?: string;
  readonly studyName?: string;
  readonly config?: SweepConfig;
  /** It was missing and came back from a backup just now. */
  readonly isRestored?: boolean;
}

/**
 * Where the study is that a user names; a configuration's is restored where it is missing.
 * @throws UsageError where nothing is there, naming each place searched
 */
export async function resolveTarget(target: string): Promise<FoundTarget> {
  if (target.includes('://')) return { storage: target };
  const path = resolve(target);
  if (/\.ya?ml$/i.test(path)) return await fromConfig(path);
  if (!existsSync(path)) {
    throw new UsageError(`There is no ${target}.`, {
      hint: 'Name a configuration (.yaml), a study folder, a database file (.db) or a storage URL.',
    });
  }
  if (!statSync(path).isDirectory()) return { storage: path, ...placeOf(dirname(path)) };
  const studyDb = join(path, STUDY_DB);
  if (!existsSync(studyDb)) throw new UsageError(`${target} holds no study.db.`);
  return { storage: studyDb, ...placeOf(path) };
}

async function fromConfig(path: string): Promise<FoundTarget> {
  const sweep = await locateSweep(path);
  const { config } = sweep;
  if (config.storage.kind === 'url' && config.storage.url !== undefined) {
    return {
      storage: config.storage.url,
      studyDir: sweep.studyDir,
      study8: sweep.study8,
      studyName: config.study,
      config,
    };
  }
  let { studyDir } = sweep;
  const isRestored = !existsSync(join(studyDir, STUDY_DB));
  if (isRestored) studyDir = await restoreMissing(sweep);
  const studyDb = join(studyDir, STUDY_DB);
  if (!existsSync(studyDb)) {
    throw new UsageError(`The study of ${path} is nowhere: ${studyDb} does not exist, and no backup was found.`, {
      hint: `resweep run ${path} starts it.`,
    });
  }
  return { storage: studyDb, studyDir, study8: sweep.study8, studyName: config.study, config, isRestored };
}

/** A reader brings a missing study back, as a run does. Returns its folder, restored or not. */
export async function restoreMissing(sweep: LocatedSweep): Promise<string> {
  const say = (level: MessageLevel, text: string): void => {
    if (level !== 'info') process.emitWarning(text, 'ResweepBackupWarning');
  };
  const { signal } = new AbortController();
  return (await restoreStudy({ sweep, config: sweep.config, say }, signal)).studyDir;
}

function placeOf(folder: string): { studyDir?: string; study8?: string } {
  const study8 = study8OfFolderName(basename(folder));
  return study8 === undefined ? {} : { studyDir: folder, study8 };
}

/** The study under `outputs/hpo/` whose database or events changed last. */
function newestStudy(): FoundTarget {
  const root = hpoFolder(findProjectRoot(process.cwd()));
  let newest: { path: string; time: number } | undefined;
  for (const studyDir of studyFolders(root)) {
    for (const name of [STUDY_DB, `${STUDY_DB}-wal`, EVENTS_FILE]) {
      const path = join(studyDir, name);
      if (!existsSync(path)) continue;
      const time = statSync(path).mtimeMs;
      if (newest === undefined || time > newest.time) newest = { path: studyDir, time };
    }
  }
  if (newest === undefined || !existsSync(join(newest.path, STUDY_DB))) {
    throw new UsageError(`There is no study under ${root}.`, { hint: 'resweep run CONFIG starts one.' });
  }
  return { storage: join(newest.path, STUDY_DB), ...placeOf(newest.path) };
}

/** All `<environment>/<backbone>/study-*` folders below. */
export function studyFolders(root: string): string[] {
  const folders = (path: string): string[] =>
    existsSync(path)
      ? readdirSync(path, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map((entry) => join(path, entry.name))
      : [];
  return folders(root)
    .flatMap(folders)
    .flatMap(folders)
    .filter((path) => basename(path).startsWith('study-'));
}
