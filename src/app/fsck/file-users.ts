import { readdirSync, readlinkSync, realpathSync } from 'node:fs';

/** Processes, other than this one, that have a file open. Empty where the system does not tell. */
export function fileUsers(path: string): number[] {
  const users: number[] = [];
  let real: string;
  let processes: string[];
  try {
    real = realpathSync(path);
    processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return users;
  }
  for (const pid of processes) {
    if (Number(pid) === process.pid) continue;
    try {
      const files = readdirSync(`/proc/${pid}/fd`);
      if (files.some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === real)) users.push(Number(pid));
    } catch {
      // Ended meanwhile, or another user's.
    }
  }
  return users;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
