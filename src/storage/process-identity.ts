import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

import type { ProcessIdentity } from './storage.js';

/** A new identity of this process. */
export function processIdentity(): ProcessIdentity {
  return {
    processId: randomUUID(),
    host: hostname(),
    bootId: bootId(),
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? '',
  };
}

/** Whether the process behind an identity lives: `elsewhere` where only its heartbeat can tell. */
export function isAlive(identity: ProcessIdentity): 'alive' | 'dead' | 'elsewhere' {
  if (identity.host !== hostname()) return 'elsewhere';
  const boot = bootId();
  if (identity.bootId !== boot) return identity.bootId === '' || boot === '' ? 'elsewhere' : 'dead';
  if (!exists(identity.pid)) return 'dead';
  const startTime = startTimeOf(identity.pid);
  return startTime !== undefined && identity.startTime !== '' && startTime !== identity.startTime ? 'dead' : 'alive';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

/** Field 22 of /proc/<pid>/stat: clock ticks from boot to the process's start; undefined where the system does not tell. */
function startTimeOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field, the command's name, may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent has not noticed.
  return fields[0] === 'Z' ? 'ended' : fields[19];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
