import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

import { isRunning } from '../../core/processes.js';
import { ORPHANED_FOLDER, TRIALS_FOLDER } from '../../core/study-paths.js';
import type { Finding } from './fsck-finding.js';
import { RESTORING_MARK } from '../backup/restoring-mark.js';

/** What a process writes under before it renames: younger than this it may be at work. */
const SETTLED_MS = 10 * 60_000;
const HALF = /^\.part-|^\.resweep-(?!fsck)|\.tmp$|\.tmp[-.]|\.part$|\.partial$|\.incomplete$/;

/**
 * Half-written files and folders, and locks whose process is gone, go to `trials/.orphaned/`; nothing is deleted. A folder whose restore
 * was cut short is named: the next run or restore completes it.
 */
export function checkFolder(studyDir: string, dryRun: boolean, now: number): Finding[] {
  const findings: Finding[] = [];
  for (const path of leftovers(studyDir)) {
    const isLock = path.endsWith('.lock');
    if (isLock ? !isStale(path, now) : !isSettled(path, now)) continue;
    const aside = dryRun ? undefined : setAside(studyDir, path);
    findings.push({
      kind: isLock ? 'lock' : 'folder',
      path,
      problem: isLock ? 'its process is gone' : 'it was being written when its process ended',
      remedy:
        aside === undefined
          ? `It goes to ${TRIALS_FOLDER}/${ORPHANED_FOLDER}/.`
          : `Moved to ${relative(studyDir, aside)}.`,
      state: dryRun ? 'repairable' : 'repaired',
    });
  }
  const mark = join(studyDir, RESTORING_MARK);
  if (existsSync(mark)) {
    findings.push({
      kind: 'folder',
      path: studyDir,
      problem: 'a restore of its checkpoints and logs was cut short',
      remedy: 'resweep run CONFIG or resweep restore CONFIG completes it; what is here is kept.',
      state: 'yours',
    });
  }
  return findings;
}

function* leftovers(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.name === ORPHANED_FOLDER) continue;
    if (HALF.test(entry.name) || entry.name.endsWith('.lock')) yield path;
    else if (entry.isDirectory()) yield* leftovers(path);
  }
}

/** Nobody has touched it for a while, or its name tells a process that is gone. */
function isSettled(path: string, now: number): boolean {
  const pid = /(?:^|[.-])(\d{2,})(?:-[0-9a-f]+)?(?:\.tmp)?$/.exec(basename(path))?.[1];
  if (pid !== undefined && !isRunning(Number(pid))) return true;
  return Math.abs(now - statSync(path).mtimeMs) > SETTLED_MS;
}

/** A lock is stale where the process that it names is gone; one that names none, after a day. */
function isStale(path: string, now: number): boolean {
  const stats = statSync(path);
  const text = stats.isFile() ? readFileSync(path, 'utf8') : '';
  const pid = /"pid":\s*(\d+)/.exec(text)?.[1] ?? /^\s*(\d+)\s*$/.exec(text)?.[1];
  return pid === undefined ? now - stats.mtimeMs > 24 * 3_600_000 : !isRunning(Number(pid));
}

function setAside(studyDir: string, path: string): string {
  const root = join(studyDir, TRIALS_FOLDER, ORPHANED_FOLDER);
  const inside = relative(studyDir, path).replaceAll(/[/\\]/g, '__');
  let target = join(root, inside);
  for (let n = 1; existsSync(target); n++) target = join(root, `${inside}.${n}`);
  mkdirSync(dirname(target), { recursive: true });
  renameSync(path, target);
  return target;
}
