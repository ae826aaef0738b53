import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

import { STUDY_DB, study8OfFolderName, studyFolderName } from '../../core/study-paths.js';

/** The folder `<environment>/<backbone>/study-<study8>` that holds a study.db, under whatever environment it began. */
export function findStudyDirectory(hpoRoot: string, study8: string): string | undefined {
  return studyDirectories(hpoRoot).find((studyDir) => basename(studyDir) === studyFolderName(study8));
}

/** Every study folder with a study.db below `outputs/hpo`. */
export function studyDirectories(hpoRoot: string): string[] {
  return folderNames(hpoRoot)
    .flatMap((environment) =>
      folderNames(join(hpoRoot, environment)).map((backbone) => join(hpoRoot, environment, backbone)),
    )
    .flatMap((folder) => folderNames(folder).map((name) => join(folder, name)))
    .filter((folder) => study8OfFolderName(basename(folder)) !== undefined && existsSync(join(folder, STUDY_DB)));
}

function folderNames(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => entry.name)
    .sort();
}
