import { existsSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

import { ConfigError } from '../../config/config-error.js';
import { findProjectRoot } from '../../config/project-root.js';
import { UsageError } from '../../core/errors.js';
import { listBackups } from '../../backup/index.js';
import { createConfiguredDrive } from '../backup/create-drive.js';
import { locateSweep } from './locate-sweep.js';

const YAML = /\.ya?ml$/i;

/** Whether a word on the command line names a configuration. */
export function isConfigFile(word: string): boolean {
  return YAML.test(word);
}

/**
 * The configuration to which a path under `outputs/` belongs, also where that path is lost: the one whose study8 the path names,
 * else one whose destinations hold the path. Looked for in the project's root and its `configs/`.
 * @throws UsageError where there is none, with what was looked at
 */
export async function configForPath(path: string): Promise<string> {
  const root = findProjectRoot(process.cwd());
  const files = yamlFiles(root);
  const study8 = /(?:^|[/\\])study-([0-9a-f]{8})(?:[/\\.]|$)/.exec(path)?.[1];
  const usable: string[] = [];
  for (const file of files) {
    try {
      const sweep = await locateSweep(file);
      if (sweep.study8 === study8) return file;
      usable.push(file);
    } catch (error) {
      // Another kind of YAML file, or one for other data: not the one.
      if (!(error instanceof ConfigError) && !(error instanceof UsageError)) throw error;
    }
  }
  for (const file of usable) if (await holds(file, path)) return file;
  const looked = files.map((file) => relative(root, file)).join(', ');
  throw new UsageError(`No configuration was found whose backups hold ${path}.`, {
    hint: `Looked at: ${looked === '' ? `no YAML file in ${root} or its configs/` : looked}. Name one: resweep restore CONFIG ${path}`,
  });
}

async function holds(configPath: string, path: string): Promise<boolean> {
  const { config, projectRoot } = await locateSweep(configPath);
  const drive = createConfiguredDrive(config, projectRoot, { log: { info: () => undefined, warn: () => undefined } });
  if (drive === undefined) return false;
  try {
    return (await listBackups(drive, { path: resolve(path) })).backups.length > 0;
  } finally {
    await drive.close();
  }
}

function yamlFiles(root: string): string[] {
  const inside = (folder: string, recursive: boolean): string[] =>
    existsSync(folder)
      ? readdirSync(folder, { withFileTypes: true, recursive })
          .filter((entry) => entry.isFile() && YAML.test(entry.name))
          .map((entry) => join(entry.parentPath, entry.name))
          .sort()
      : [];
  return [...inside(join(root, 'configs'), true), ...inside(root, false)];
}
