import { readdirSync, readFileSync } from 'node:fs';

/** Resident bytes of a process and all its descendants; undefined where the system does not tell (no /proc) or it has ended. */
export function residentBytesOfTree(pid: number): number | undefined {
  const own = residentBytes(pid);
  if (own === undefined) return undefined;
  let total = 0;
  const pending = [pid];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    total += residentBytes(next) ?? 0;
    pending.push(...childrenOf(next));
  }
  return total;
}

/** Resident bytes of one process; undefined likewise. */
export function residentBytes(pid: number): number | undefined {
  try {
    // Not `statm`, which counts in pages, whose size differs between systems.
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Sends a signal to a process group; nothing where it has ended. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}
