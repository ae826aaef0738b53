import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { lifeOf, thisPlace } from '../core/processes.js';
import type { ProcessIdentity } from './storage.js';

/** A new identity of this process. */
export function processIdentity(): ProcessIdentity {
  return { processId: randomUUID(), ...thisPlace(), startTime: startTimeOf(process.pid) ?? '' };
}

/** Whether the process behind an identity lives: `elsewhere` where only its heartbeat can tell. */
export function isAlive(identity: ProcessIdentity): 'alive' | 'dead' | 'elsewhere' {
  const life = lifeOf(identity);
  if (life !== 'alive') return life;
  const startTime = startTimeOf(identity.pid);
  return startTime !== undefined && identity.startTime !== '' && startTime !== identity.startTime ? 'dead' : 'alive';
}

/** Field 22 of /proc/<pid>/stat: clock ticks from boot to the process's start; undefined where the system does not tell. */
function startTimeOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field, the command's name, may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent has not noticed.
  return fields[0] === 'Z' ? 'ended' : fields[19];
}
