import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';

import type { FrozenTrial } from '../../core/frozen-trial.js';
import { parseJson, type JsonValue } from '../../core/json.js';
import type { Study } from '../../study/study.js';
import { TrialFolders } from './trial-folders.js';

export interface TrialFile {
  /** Relative to the trial's folder. */
  readonly name: string;
  readonly bytes: number;
  readonly changedAt: string;
}

/** A piece of a log. */
export interface LogPiece {
  readonly text: string;
  /** Where the next piece begins. */
  readonly next: number;
  readonly size: number;
}

const MOST_FILES = 500;
const LOG_PIECE = 64 * 1024;

/** The folder of a trial, where it is there and really inside its study's. */
export function trialDirectory(
  study: Study,
  trial: FrozenTrial,
  place: { readonly studyDir: string | undefined; readonly study8: string | undefined },
): string | undefined {
  const { studyDir, study8 } = place;
  if (studyDir === undefined || study8 === undefined) return undefined;
  const folders = new TrialFolders(studyDir, study8);
  const path = folders.pathOf(trial, study.history.logicalIndexOf(trial), trial.params);
  return existsSync(path) && isInside(path, studyDir) ? path : undefined;
}

function isInside(path: string, folder: string): boolean {
  return realpathSync(path).startsWith(realpathSync(folder) + sep);
}

/** Files of a trial, checkpoints and models too; links are left out. */
export function listTrialFiles(trialDir: string): TrialFile[] {
  return readdirSync(trialDir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .slice(0, MOST_FILES)
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { size, mtimeMs } = statSync(path);
      const name = relative(trialDir, path).split(sep).join('/');
      return { name, bytes: size, changedAt: new Date(mtimeMs).toISOString() };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A piece of the trial's log from a byte on; without one, its end. Undefined where there is no log. */
export function readLog(trialDir: string, from?: number): LogPiece | undefined {
  const path = join(trialDir, 'log.txt');
  if (!existsSync(path) || !isInside(path, trialDir)) return undefined;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const start = Math.max(0, from === undefined || from > size ? size - LOG_PIECE : from);
    const bytes = Buffer.alloc(Math.min(LOG_PIECE, size - start));
    const read = readSync(file, bytes, 0, bytes.length, start);
    return { text: bytes.subarray(0, read).toString('utf8'), next: start + read, size };
  } finally {
    closeSync(file);
  }
}

/** A JSON file of a folder, where it is there and can be read. */
export function readJsonFile(folder: string, name: string): JsonValue | undefined {
  try {
    const path = join(folder, name);
    if (!isInside(path, folder) || statSync(path).size > 4_000_000) return undefined;
    return parseJson(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
