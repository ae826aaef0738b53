import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { STUDY_DB, studyFolderName } from '../core/study-paths.js';

/** The folder `<environment>/<backbone>/study-<study8>` that holds a study.db, under whatever environment it began. */
export function findStudyDirectory(hpoRoot: string, study8: string): string | undefined {
  for (const environment of folderNames(hpoRoot)) {
    for (const backbone of folderNames(join(hpoRoot, environment))) {
      const studyDir = join(hpoRoot, environment, backbone, studyFolderName(study8));
      if (existsSync(join(studyDir, STUDY_DB))) return studyDir;
    }
  }
  return undefined;
}

function folderNames(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => entry.name)
    .sort();
}
