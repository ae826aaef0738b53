import { stringify } from 'yaml';

import { findProjectRoot } from '../../config/project-root.js';
import { configsOf, loadConfig, loadConfigText, type LoadedConfig } from '../../config/load-config.js';
import { configRegistry } from '../studies/config-registry.js';
import { locateLoaded, type LocatedSweep } from '../studies/locate-sweep.js';

/** A configuration as the functions of the stages take it: the path of a YAML file, one that is loaded, or the same as an object. */
export type ConfigInput = string | LoadedConfig | Readonly<Record<string, unknown>>;

/** The sweeps of a configuration: one for each backbone. @throws ConfigError */
export async function locateInput(input: ConfigInput, set: readonly string[] = []): Promise<LocatedSweep[]> {
  const loaded = await load(input, set);
  return Promise.all(configsOf(loaded.config).map((config) => locateLoaded({ ...loaded, config })));
}

async function load(input: ConfigInput, set: readonly string[]): Promise<LoadedConfig> {
  const registry = await configRegistry();
  if (typeof input === 'string') return loadConfig(input, { registry, set });
  if (isLoaded(input)) return input;
  const projectRoot = findProjectRoot(process.cwd());
  return loadConfigText(stringify(input), { registry, set, name: 'the configuration', projectRoot });
}

function isLoaded(input: LoadedConfig | Readonly<Record<string, unknown>>): input is LoadedConfig {
  return typeof input['resolvedText' as keyof typeof input] === 'string' && 'projectRoot' in input;
}

/** How a person names the configuration on the command line. */
export function nameOfInput(input: ConfigInput): string {
  return typeof input === 'string' ? input : 'CONFIG';
}
