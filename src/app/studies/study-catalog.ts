import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { messageOf, ResweepError, UsageError } from '../../core/errors.js';
import { STUDY_DB, study8OfFolderName } from '../../core/study-paths.js';
import { findProjectRoot } from '../../config/project-root.js';
import { openStorage } from '../../storage/open-storage.js';
import type { CatalogEntry } from './catalog-entry.js';
import { isConfigFile } from './find-config.js';
import { locateSweep } from './locate-sweep.js';
import { resolveTarget } from './open-target.js';
import { restoreResults } from '../stages/restore-results.js';

export { openEntry, type CatalogEntry, type Study } from './catalog-entry.js';

/** Folders that cannot hold studies, or would take for ever. */
const SKIPPED = new Set([
  'node_modules',
  'trials',
  '.git',
  '.resweep',
  'best_configuration',
  'final_training',
  'conversion',
]);
const DEEPEST = 6;
/** So often the backups are asked for a study that is nowhere. */
const SEARCH_MS = 30_000;

/**
 * All studies below some places: a project, `outputs/`, a study folder, a database file, a configuration, a URL.
 * @throws UsageError for a place that is not there
 */
export async function findStudies(
  places: readonly string[],
  memory: CatalogMemory = new Map(),
): Promise<CatalogEntry[]> {
  const entries: CatalogEntry[] = [];
  const wanted = places.length > 0 ? places : [findProjectRoot(process.cwd())];
  for (const place of wanted) entries.push(...(await studiesAt(place, memory)));
  return [...new Map(entries.map((entry) => [entry.id, entry])).values()];
}

async function studiesAt(place: string, memory: CatalogMemory): Promise<readonly CatalogEntry[]> {
  if (place.includes('://')) return await studiesIn(place, undefined, memory);
  if (isConfigFile(place)) return await studyOfConfig(place, memory);
  const path = resolve(place);
  if (!existsSync(path)) {
    throw new UsageError(`There is no ${place}.`, {
      hint: 'Name a project, a study folder, a database file (.db), a configuration (.yaml) or a storage URL.',
    });
  }
  if (!statSync(path).isDirectory()) return await studiesIn(path, studyFolderOf(path), memory);
  const files = existsSync(join(path, 'outputs')) ? databasesBelow(join(path, 'outputs')) : databasesBelow(path);
  const found: CatalogEntry[] = [];
  for (const file of files) found.push(...(await studiesIn(file, studyFolderOf(file), memory)));
  return found;
}

/** The study of a configuration, restored where it is missing; one that is nowhere is shown as such, and looked for again. */
async function studyOfConfig(path: string, memory: CatalogMemory): Promise<readonly CatalogEntry[]> {
  const { config, studyDir, study8, exists } = await locateSweep(path);
  const { kind, url } = config.storage;
  const storage = kind === 'url' && url !== undefined ? url : join(studyDir, STUDY_DB);
  if (storage === url || exists) return await ofName(storage, studyDir, config.study, memory);
  const mark = String(Math.floor(Date.now() / SEARCH_MS));
  const known = memory.get(path);
  if (known?.mark === mark) return known.entries;
  try {
    const found = await resolveTarget(path);
    if (found.isRestored === true) await restoreResults(path);
    return await ofName(found.storage, found.studyDir, config.study, memory);
  } catch (error) {
    const place = relative(process.cwd(), storage);
    const common = { id: idOf(storage, config.study), storage, studyName: config.study, studyDir, study8, place };
    const hint = error instanceof ResweepError && error.hint !== undefined ? ` ${error.hint}` : '';
    const entries = [{ ...common, error: `${messageOf(error)}${hint}` }];
    memory.set(path, { mark, entries });
    return entries;
  }
}

/** A server, or a file of several, may hold other studies too. */
async function ofName(
  storage: string,
  studyDir: string | undefined,
  name: string,
  memory: CatalogMemory,
): Promise<readonly CatalogEntry[]> {
  const entries = await studiesIn(storage, studyDir, memory);
  return entries.filter(({ studyName }) => studyName === undefined || studyName === name);
}

function studyFolderOf(file: string): string | undefined {
  const folder = dirname(file);
  return basename(file) === STUDY_DB ? folder : undefined;
}

function databasesBelow(folder: string, depth = 0): string[] {
  if (existsSync(join(folder, STUDY_DB))) return [join(folder, STUDY_DB)];
  if (depth >= DEEPEST) return [];
  let children: string[];
  try {
    children = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith('.'))
      .map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
  return children.sort().flatMap((child) => databasesBelow(child, depth + 1));
}

/** What was found in a database, until it changes hands: a file is not opened again only to read the names in it. */
export type CatalogMemory = Map<string, { readonly mark: string; readonly entries: readonly CatalogEntry[] }>;

async function studiesIn(
  storage: string,
  studyDir: string | undefined,
  memory: CatalogMemory,
): Promise<readonly CatalogEntry[]> {
  const mark = markOf(storage);
  const known = memory.get(storage);
  if (known?.mark === mark) return known.entries;
  const entries = await readStudies(storage, studyDir);
  memory.set(storage, { mark, entries });
  return entries;
}

/** Another file, another size of an unreadable or shared one, another half minute of a server: then it is looked at anew. */
function markOf(storage: string): string {
  if (storage.includes('://')) return String(Math.floor(Date.now() / 30_000));
  try {
    const { ino, size, mtimeMs } = statSync(storage);
    return basename(storage) === STUDY_DB && size > 4096 ? String(ino) : `${ino} ${size} ${mtimeMs}`;
  } catch {
    return 'missing';
  }
}

async function readStudies(storage: string, studyDir: string | undefined): Promise<CatalogEntry[]> {
  const isUrl = storage.includes('://');
  const shown = isUrl ? storage.replace(/\/\/[^@/]*@/, '//') : relative(process.cwd(), storage) || storage;
  const study8 = studyDir === undefined ? undefined : study8OfFolderName(basename(studyDir));
  const common = { storage, studyDir, study8, place: shown.startsWith('../..') ? storage : shown };
  let names: string[];
  try {
    const opened = await openStorage(storage, { readOnly: true });
    try {
      names = (await opened.listStudies()).map(({ studyName }) => studyName);
    } finally {
      await opened.close();
    }
  } catch (error) {
    return [{ ...common, id: idOf(storage, ''), studyName: undefined, error: messageOf(error) }];
  }
  return names.map((studyName) => ({ ...common, id: idOf(storage, studyName), studyName, error: undefined }));
}

function idOf(storage: string, name: string): string {
  return createHash('sha256').update(`${storage}\0${name}`).digest('hex').slice(0, 12);
}
