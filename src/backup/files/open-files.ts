import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Lowest bits of an open file's flags: 0 is reading only. */
const ACCESS_MODE = 3;

/**
 * Files below a folder that some process has open for writing, relative to it with `/`: what they hold may be half of what will be
 * there. Empty where the system does not tell (it does on Linux, for this user's processes).
 */
export function filesBeingWritten(folder: string): ReadonlySet<string> {
  const found = new Set<string>();
  let root: string;
  let processes: string[];
  try {
    root = `${realpathSync(folder)}/`;
    processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return found;
  }
  for (const pid of processes) {
    for (const fd of namesIn(`/proc/${pid}/fd`)) {
      try {
        const path = readlinkSync(join('/proc', pid, 'fd', fd));
        if (!path.startsWith(root)) continue;
        const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(join('/proc', pid, 'fdinfo', fd), 'utf8'))?.[1];
        if (flags !== undefined && (Number.parseInt(flags, 8) & ACCESS_MODE) !== 0) found.add(relative(root, path));
      } catch {
        // Closed meanwhile.
      }
    }
  }
  return found;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Ended meanwhile, or another user's.
  }
}
