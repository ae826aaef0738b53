import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { isRunning, machineMark } from '../../core/processes.js';

/** Of another machine, or another container, nobody here can tell whether it is at work; untouched for so long, it is not. */
const LEFT_OVER_MS = 7 * 86_400_000;

/** A name that tells which process of which machine works there, `<prefix><machine>-<pid>-<random>`. */
export function temporaryName(prefix: string): string {
  return `${prefix}${machineMark()}-${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** Removes from a folder what processes that are gone left under such names. The folder may be shared with other machines. */
export function removeLeftovers(folder: string, prefix: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(folder, name);
    const [machine, pid] = name.slice(prefix.length).split('-');
    const isGone = machine === machineMark() ? !isRunning(Number(pid)) : isOld(path);
    if (isGone) rmSync(path, { recursive: true, force: true });
  }
}

/** Of a folder, what lies directly in it counts too. */
function isOld(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || Date.now() - stats.mtimeMs < LEFT_OVER_MS) return false;
  return !stats.isDirectory() || readdirSync(path).every((name) => isOld(join(path, name)));
}
