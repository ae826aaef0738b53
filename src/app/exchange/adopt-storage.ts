import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { UsageError } from '../../core/errors.js';
import { decoded, schemeOf } from '../../core/storage-url.js';
import { STUDY_DB } from '../../core/study-paths.js';
import { openStorage } from '../../storage/open-storage.js';
import { foreignKind, importFile, type ImportReport } from './import-file.js';
import { locateSweep } from '../studies/locate-sweep.js';
import { writableStorage } from '../studies/storage-target.js';

/** What `run --storage` comes to. */
export interface AdoptedStorage {
  /** URL in place of the configured storage; undefined where the study was taken over into the configured one. */
  readonly storage: string | undefined;
  readonly imported: ImportReport | undefined;
  readonly warnings: readonly string[];
}

/**
 * Makes a storage of what `run --storage` names. A server or a database of the current Optuna is worked on where it is; a journal or
 * the database of an earlier Optuna is taken over into the study's own place first, once, and stays as it is.
 * @throws UsageError
 */
export async function adoptStorage(options: {
  readonly configPath: string;
  readonly set?: readonly string[];
  readonly studyName?: string | undefined;
  readonly storage: string;
}): Promise<AdoptedStorage> {
  const { configPath, set = [], studyName, storage } = options;
  const scheme = schemeOf(storage);
  if (storage === 'memory' || (scheme !== undefined && scheme !== 'sqlite'))
    return { storage, imported: undefined, warnings: [] };
  const file =
    scheme === undefined
      ? writableStorage(storage)
      : writableStorage(decoded(storage.replace(/^[^:]+:\/\/\/?/, '').replace(/\?.*$/, '')));
  const url = `sqlite:///${file.replaceAll('%', '%25')}`;
  if (!existsSync(file) || statSync(file).size === 0) return { storage: url, imported: undefined, warnings: [] };
  const kind = await foreignKind(file);
  const sweep = await locateSweep(configPath, { set, studyName });
  if (kind === 'current') {
    const warnings = await besideOthers(file, sweep.config.study);
    return { storage: url, imported: undefined, warnings };
  }
  if (kind === undefined) {
    throw new UsageError(`${storage} is neither an SQLite database nor a journal of Optuna.`, { code: 'UNKNOWN_FILE' });
  }
  if (sweep.config.storage.kind === 'file' && existsSync(join(sweep.studyDir, STUDY_DB))) {
    const warnings = [`${storage} was taken over before: the study goes on in ${join(sweep.studyDir, STUDY_DB)}.`];
    return { storage: undefined, imported: undefined, warnings };
  }
  const renamed = studyName === undefined ? [] : [`study=${JSON.stringify(studyName)}`];
  const imported = await importFile({ file, config: configPath, set: [...set, ...renamed], studyName });
  return { storage: undefined, imported, warnings: imported.warnings };
}

async function besideOthers(file: string, name: string): Promise<string[]> {
  const storage = await openStorage(file, { readOnly: true });
  try {
    const names = (await storage.listStudies()).map((study) => study.studyName);
    if (names.length === 0 || names.includes(name)) return [];
    const others = names.map((other) => `"${other}"`).join(', ');
    return [`${file} holds ${others} but no study "${name}", which is begun beside. To go on with one: --study NAME`];
  } finally {
    await storage.close();
  }
}
