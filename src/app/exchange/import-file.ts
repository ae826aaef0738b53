import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { writeFileAtomically } from '../../core/atomic-file.js';
import { UsageError } from '../../core/errors.js';
import { nearestName } from '../../core/nearest-name.js';
import { schemeOf } from '../../core/storage-url.js';
import { STUDY_DB } from '../../core/study-paths.js';
import { loadConfig } from '../../config/load-config.js';
import { isWandbSweep } from '../../config/wandb/wandb-sweep.js';
import { openStorage } from '../../storage/open-storage.js';
import { isJournalFile, readJournal } from '../../storage/foreign/read-journal.js';
import type { ForeignStudies, ForeignStudy } from '../../storage/foreign/foreign-studies.js';
import { parse } from 'yaml';
import { addTo } from './copy-study.js';
import { configRegistry } from '../studies/config-registry.js';
import { isConfigFile } from '../studies/find-config.js';
import { locateSweep, type LocatedSweep } from '../studies/locate-sweep.js';
import { writableStorage } from '../studies/storage-target.js';

export interface ImportOptions {
  readonly file: string;
  /** The study goes into the folder of this configuration's study, … */
  readonly config?: string | undefined;
  readonly set?: readonly string[] | undefined;
  /** … or into this storage. */
  readonly storage?: string | undefined;
  /** Which study, where the file holds several. */
  readonly studyName?: string | undefined;
  /** Name that it gets (with a configuration: the configuration's). */
  readonly newName?: string | undefined;
  /** Of a W&B sweep file: where its configuration is written. */
  readonly out?: string | undefined;
}

/** What was taken over. */
export interface ImportReport {
  readonly file: string;
  readonly kind: 'optuna-database' | 'optuna-journal' | 'wandb-sweep';
  /** Revision of an earlier schema, where it was one. */
  readonly revision: string | null;
  readonly study: string;
  readonly name: string;
  /** Database or configuration that was written. */
  readonly to: string;
  readonly trials: number | null;
  readonly warnings: readonly string[];
}

/**
 * Takes a study of Optuna (database of any version, journal) or a sweep file of W&B over. The file itself is only read.
 * @throws UsageError where it is none of these, where the study or the place is not clear, or where the place is taken
 */
export async function importFile(options: ImportOptions): Promise<ImportReport> {
  const path = resolve(options.file);
  if (schemeOf(options.file) !== undefined)
    throw new UsageError('import reads files.', { hint: 'For a database server: resweep copy URL study.db' });
  if (!existsSync(path) || !statSync(path).isFile()) throw new UsageError(`There is no file ${options.file}.`);
  if (isConfigFile(path)) return importSweepFile(path, options);
  const { kind, revision, studies, warnings } = await readForeign(path);
  const found = choose(studies, options.studyName, options.file);
  const { study, trials } = found;
  const place = await placeFor(found, options);
  const name = place.name ?? options.newName ?? study.studyName;
  if (place.folder !== undefined) mkdirSync(place.folder, { recursive: true });
  const { to } = await addTo(place.to, { ...study, studyName: name }, trials);
  return { file: path, kind, revision, study: study.studyName, name, to, trials: trials.length, warnings };
}

interface Foreign extends ForeignStudies {
  readonly kind: 'optuna-database' | 'optuna-journal';
  readonly revision: string | null;
}

/** What a file is that a study could be taken over from; undefined for anything else. */
export async function foreignKind(path: string): Promise<'current' | 'earlier' | 'journal' | undefined> {
  const head = Buffer.alloc(16);
  const file = openSync(path, 'r');
  readSync(file, head, 0, 16, 0);
  closeSync(file);
  if (head.toString('latin1') === 'SQLite format 3\0') {
    const { isOldRevision, revisionOf } = await import('../../storage/rdb/old-sqlite-studies.js');
    return isOldRevision(revisionOf(path)) ? 'earlier' : 'current';
  }
  return isJournalFile(path) ? 'journal' : undefined;
}

async function readForeign(path: string): Promise<Foreign> {
  switch (await foreignKind(path)) {
    case 'journal':
      return { kind: 'optuna-journal', revision: null, ...(await readJournal(path)) };
    case 'earlier': {
      const { readOldStudies, revisionOf } = await import('../../storage/rdb/old-sqlite-studies.js');
      return { kind: 'optuna-database', revision: revisionOf(path) ?? null, ...readOldStudies(path) };
    }
    case 'current':
      return { kind: 'optuna-database', revision: null, ...(await readCurrent(path)) };
    case undefined:
      throw new UsageError(`${path} is neither a database or journal of Optuna nor a sweep file of W&B (.yaml).`, {
        code: 'UNKNOWN_FILE',
        hint: 'A journal is what JournalFileBackend writes: one JSON object with "op_code" in each line.',
      });
  }
}

async function readCurrent(path: string): Promise<ForeignStudies> {
  const storage = await openStorage(path, { readOnly: true });
  try {
    const studies: ForeignStudy[] = [];
    for (const { studyId } of await storage.listStudies()) studies.push(await storage.export(studyId));
    return { studies, warnings: [] };
  } finally {
    await storage.close();
  }
}

function choose(studies: readonly ForeignStudy[], name: string | undefined, file: string): ForeignStudy {
  const names = studies.map(({ study }) => study.studyName);
  const listed = names.map((known) => `"${known}"`).join(', ');
  if (name !== undefined) {
    const found = studies.find(({ study }) => study.studyName === name);
    if (found !== undefined) return found;
    const nearest = nearestName(name, names);
    throw new UsageError(`${file} holds no study "${name}".`, {
      code: 'STUDY_NOT_FOUND',
      hint: nearest === undefined ? `It holds ${listed === '' ? 'none' : listed}.` : `Did you mean "${nearest}"?`,
    });
  }
  const [only, another] = studies;
  if (only === undefined) throw new UsageError(`${file} holds no study.`, { code: 'STUDY_NOT_FOUND' });
  if (another !== undefined)
    throw new UsageError(`${file} holds ${studies.length} studies: name one with --study.`, {
      hint: `They are ${listed}.`,
    });
  return only;
}

/** Where a study goes: the database, its folder where that has to be made, and its name there. */
async function placeFor(
  { study }: ForeignStudy,
  options: ImportOptions,
): Promise<{ to: string; folder?: string; name?: string }> {
  if (options.config === undefined) {
    if (options.storage === undefined) {
      throw new UsageError('Where shall the study go?', {
        hint: `--config CONFIG.yaml (the study of that configuration), or --storage study.db, or --storage postgresql://…`,
      });
    }
    return { to: writableStorage(options.storage) };
  }
  const sweep = await locateSweep(options.config, { set: options.set, storage: options.storage });
  requireSameGoals(study.directions, sweep, options.config);
  const { config, studyDir } = sweep;
  if (config.storage.kind === 'url' && config.storage.url !== undefined)
    return { to: config.storage.url, name: config.study };
  const to = join(studyDir, STUDY_DB);
  if (existsSync(to)) {
    throw new UsageError(`The study of ${options.config} exists already: ${to}.`, {
      hint: 'Import it beside: --set study=ANOTHER-NAME, or --storage FILE without --config.',
    });
  }
  return { to, folder: studyDir, name: config.study };
}

function requireSameGoals(directions: readonly string[], { config }: LocatedSweep, file: string): void {
  const goals = config.metrics.map(({ goal }) => goal);
  if (goals.join() === directions.join()) return;
  throw new UsageError(
    `The study has the directions ${directions.join(', ')}, but the metrics of ${file} are to be ${goals.join(', ')}.`,
    { hint: 'Change "goal:" in the configuration to what the study was run with.' },
  );
}

async function importSweepFile(path: string, options: ImportOptions): Promise<ImportReport> {
  const text = readFileSync(path, 'utf8');
  if (!isWandbSweep(parse(text))) {
    throw new UsageError(`${options.file} is no sweep file of W&B: it names no method and parameters.`, {
      hint: `A configuration of resweep runs as it is: resweep run ${options.file}`,
    });
  }
  const out = resolve(options.out ?? join(dirname(path), `${basename(path).replace(/\.ya?ml$/i, '')}.resweep.yaml`));
  if (existsSync(out))
    throw new UsageError(`${out} exists already; nothing was changed.`, { hint: 'Name another file: --out FILE.yaml' });
  const loaded = loadConfig(path, { registry: await configRegistry(), set: options.set });
  writeFileAtomically(out, loaded.resolvedText);
  return {
    file: path,
    kind: 'wandb-sweep',
    revision: null,
    study: loaded.config.study,
    name: loaded.config.study,
    to: out,
    trials: null,
    warnings: loaded.warnings,
  };
}
