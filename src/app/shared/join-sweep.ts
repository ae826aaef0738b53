import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { messageOf, UsageError } from '../../core/errors.js';
import { schemeOf } from '../../core/storage-url.js';
import { loadConfigText } from '../../config/load-config.js';
import { findProjectRoot } from '../../config/project-root.js';
import { NopPruner } from '../../pruners/nop-pruner.js';
import { RandomSampler } from '../../samplers/random-sampler.js';
import { STORAGE_FILE_VARIABLE, STORAGE_VARIABLE } from '../../launch/worker-script.js';
import { openStorage } from '../../storage/open-storage.js';
import { loadStudy } from '../../study/create-study.js';
import { configRegistry } from '../studies/config-registry.js';
import { isConfigFile } from '../studies/find-config.js';
import { locateLoaded, locateSweep, withStorage, type LocatedSweep } from '../studies/locate-sweep.js';
import { storedConfigOf, type StoredConfig } from '../studies/stored-config.js';

export { LAUNCH_VARIABLE } from '../../launch/worker-script.js';

/** What a worker joins. */
export interface JoinedSweep {
  readonly sweep: LocatedSweep;
  /** Total and parallelism as the study holds them; undefined where the configuration's own hold. */
  readonly trials: number | undefined;
  readonly parallel: number | undefined;
  /** The study's own configuration is in force, and is not stored anew. */
  readonly byUrl: boolean;
}

/**
 * The storage's URL as an engine hands it over: in a variable, or in a file (a mounted secret) that a variable names.
 * @throws UsageError where there is neither
 */
export function storageFromEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const url = env[STORAGE_VARIABLE];
  if (url !== undefined && url !== '') return url;
  const file = env[STORAGE_FILE_VARIABLE];
  if (file === undefined || file === '') {
    throw new UsageError('Nothing names the study to join.', {
      hint: `resweep worker postgresql://USER@HOST/DATABASE --study NAME, or set ${STORAGE_VARIABLE}, or ${STORAGE_FILE_VARIABLE} to a file that holds the URL`,
    });
  }
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`${STORAGE_FILE_VARIABLE} names ${file}, which cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * The sweep that a worker is to join: of a configuration with a storage URL, or of a URL alone, whose study holds its
 * configuration.
 * @throws UsageError where the study is not shared, is not there, or holds no configuration; ConfigError
 */
export async function joinSweep(
  target: string,
  options: { studyName?: string | undefined; set?: readonly string[] | undefined } = {},
): Promise<JoinedSweep> {
  if (isConfigFile(target) && schemeOf(target) === undefined) return joinByConfig(target, options);
  if (schemeOf(target) === undefined) {
    throw new UsageError(`${target} is neither a configuration (.yaml) nor a storage URL.`, {
      hint: 'resweep worker postgresql://USER@HOST/DATABASE --study NAME',
    });
  }
  const { name, stored } = await readStored(target, options.studyName);
  const loaded = loadConfigText(stored.text, {
    registry: await configRegistry(),
    name: `the configuration of study "${name}"`,
    ...placeOf(stored),
    ...withStorage([...(options.set ?? []), `study=${JSON.stringify(name)}`], target),
  });
  return { sweep: await locateLoaded(loaded), trials: stored.trials, parallel: stored.parallel, byUrl: true };
}

function placeOf(stored: StoredConfig): { projectRoot: string; configFolder: string | undefined } {
  const projectRoot = findProjectRoot(process.cwd());
  const { folder } = stored;
  return { projectRoot, configFolder: typeof folder === 'string' ? join(projectRoot, folder) : undefined };
}

async function joinByConfig(
  target: string,
  options: { studyName?: string | undefined; set?: readonly string[] | undefined },
): Promise<JoinedSweep> {
  const sweep = await locateSweep(target, options);
  if (sweep.config.storage.kind !== 'url') {
    throw new UsageError(`${target} keeps its study in a file of its own: there is nothing to join.`, {
      hint: `Set "storage:" to a URL (postgresql://…), or run it alone: resweep run ${target}`,
    });
  }
  return { sweep, trials: undefined, parallel: undefined, byUrl: false };
}

async function readStored(url: string, studyName: string | undefined): Promise<{ name: string; stored: StoredConfig }> {
  const storage = await openStorage(url, { readOnly: true });
  try {
    const study = await loadStudy({ storage, studyName, sampler: new RandomSampler(), pruner: new NopPruner() });
    const stored = storedConfigOf(study);
    if (stored === undefined) {
      throw new UsageError(`Study "${study.studyName}" in ${storage.location} holds no configuration.`, {
        hint: 'Begin it with resweep run CONFIG or resweep worker CONFIG.',
      });
    }
    return { name: study.studyName, stored };
  } finally {
    await storage.close();
  }
}
