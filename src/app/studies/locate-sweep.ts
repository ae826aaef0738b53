import { hpoFolder, studyDirOf } from '../../core/study-paths.js';
import { withoutPassword } from '../../core/storage-url.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { loadConfig, type LoadedConfig } from '../../config/load-config.js';
import { dataFingerprintOf } from '../../config/data-fingerprint.js';
import { hashedTextOf, study8Of } from '../../config/study-key.js';
import { STORAGE_VARIABLE } from '../../launch/worker-script.js';
import { configRegistry } from './config-registry.js';
import { findStudyDirectory } from './find-study-directory.js';

/** A configuration with the identity and place of its study. */
export interface LocatedSweep {
  readonly loaded: LoadedConfig;
  readonly config: SweepConfig;
  readonly projectRoot: string;
  readonly study8: string;
  /** The text whose hash is the identity. */
  readonly hashedText: string;
  /** Its folder where it exists under any environment, else where it will be made. */
  readonly studyDir: string;
  readonly exists: boolean;
}

export interface LocateOptions {
  readonly set?: readonly string[] | undefined;
  /** Name of the study in place of the configured one. */
  readonly studyName?: string | undefined;
  readonly storage?: string | undefined;
}

/** Reads a configuration, computes its study8, and looks for the study's folder. @throws ConfigError */
export async function locateSweep(path: string, options: LocateOptions = {}): Promise<LocatedSweep> {
  const set = [
    ...(options.set ?? []),
    ...(options.studyName === undefined ? [] : [`study=${JSON.stringify(options.studyName)}`]),
  ];
  const { storage } = options;
  const storageSet = storage === undefined ? { set, env: undefined } : withStorage(set, storage);
  return locateLoaded(loadConfig(path, { registry: await configRegistry(), ...storageSet }));
}

/**
 * What makes a storage URL take the place of the configured one, without its password getting into any text: a variable
 * stands for it wherever the configuration in force is shown or stored.
 */
export function withStorage(
  set: readonly string[],
  url: string,
): { set: readonly string[]; env: Readonly<Record<string, string | undefined>> } {
  const isSecret = withoutPassword(url) !== url;
  const value = isSecret ? `\${${STORAGE_VARIABLE}}` : url;
  return {
    set: [...set, `storage=${JSON.stringify(value)}`],
    env: isSecret ? { ...process.env, [STORAGE_VARIABLE]: url } : process.env,
  };
}

/** The same for a configuration that was read already. */
export async function locateLoaded(loaded: LoadedConfig): Promise<LocatedSweep> {
  const { config, projectRoot } = loaded;
  const fingerprint = await dataFingerprintOf(config, loaded);
  const hashedText = hashedTextOf(config, fingerprint);
  const study8 = study8Of(hashedText);
  const existing = findStudyDirectory(hpoFolder(projectRoot), study8);
  return {
    loaded,
    config,
    projectRoot,
    study8,
    hashedText,
    studyDir: existing ?? studyDirOf(projectRoot, config, study8),
    exists: existing !== undefined,
  };
}
