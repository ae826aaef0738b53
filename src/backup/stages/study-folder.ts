import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { STUDY_DB, studyFolderName } from '../../core/study-paths.js';

/**
 * Folder of a study in v2 shape, `<backboneDir>/study-<study8>`, where its `study.db` really exists. Looks at the local disk
 * only; `setupCheckpointStorage` searches environments, destinations and the legacy shape.
 */
export function findStudyFolder(backboneDir: string, study8: string): string | undefined {
  const folder = join(backboneDir, studyFolderName(study8));
  return isFile(join(folder, STUDY_DB)) ? folder : undefined;
}

/** Where studies lie: `outputDir` may be the outputs folder, its `hpo`, an environment or a backbone folder in it. */
export interface StudyTree {
  /** `…/hpo`. */
  readonly hpoDir: string;
  /** Environment that `outputDir` names, where it does. */
  readonly environment: string | undefined;
}

export function studyTreeOf(outputDir: string, backbone: string): StudyTree {
  let folder = outputDir;
  if (basename(folder) === backbone && basename(dirname(dirname(folder))) === 'hpo') folder = dirname(folder);
  if (basename(folder) === 'hpo') return { hpoDir: folder, environment: undefined };
  if (basename(dirname(folder)) === 'hpo') return { hpoDir: dirname(folder), environment: basename(folder) };
  return { hpoDir: join(folder, 'hpo'), environment: undefined };
}

/** Backbone folders that exist, the named environment first. */
export function backboneFolders(tree: StudyTree, backbone: string): string[] {
  const environments = listFolders(tree.hpoDir).sort(
    (a, b) => Number(b === tree.environment) - Number(a === tree.environment) || (a < b ? -1 : 1),
  );
  return environments
    .map((environment) => join(tree.hpoDir, environment, backbone))
    .filter((folder) => existsSync(folder));
}

export function listFolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
