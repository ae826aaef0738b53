import { UsageError } from '../core/errors.js';
import { schemeOf } from '../core/storage-url.js';
import { loadConfigText } from '../config/load-config.js';
import { findProjectRoot } from '../config/project-root.js';
import { NopPruner } from '../pruners/nop-pruner.js';
import { RandomSampler } from '../samplers/random-sampler.js';
import { openStorage } from '../storage/open-storage.js';
import { loadStudy } from '../study/create-study.js';
import { configRegistry } from './config-registry.js';
import { isConfigFile } from './find-config.js';
import { locateLoaded, locateSweep, withStorage, type LocatedSweep } from './locate-sweep.js';
import { storedConfigOf, type StoredConfig } from './stored-config.js';

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
    projectRoot: findProjectRoot(process.cwd()),
    ...withStorage([...(options.set ?? []), `study=${JSON.stringify(name)}`], target),
  });
  return { sweep: await locateLoaded(loaded), trials: stored.trials, parallel: stored.parallel, byUrl: true };
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
