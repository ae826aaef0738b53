import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Where a process runs, so that others can tell whether it still does. */
export interface ProcessPlace {
  readonly host: string;
  /** Of the machine's boot and, in a container, of its numbering of processes; empty where the system does not tell. */
  readonly bootId: string;
  readonly pid: number;
}

/** The numbering of processes outside of containers. */
const OUTER_NAMESPACE = 'pid:[4026531836]';
/** Between the two parts of a boot id. */
const SEPARATOR = '/';

/** Where this process runs. */
export function thisPlace(): ProcessPlace {
  const boot = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  const namespace = pidNamespace();
  const isOuter = namespace === '' || namespace === OUTER_NAMESPACE;
  const bootId = boot === '' || isOuter ? boot : `${boot}${SEPARATOR}${namespace.replaceAll(/\D/g, '')}`;
  return { host: hostname(), bootId, pid: process.pid };
}

/**
 * Whether the process at a place runs, as seen from `here`. `elsewhere`: only its heartbeat can tell, since it is on another machine, or
 * in a container whose processes have other numbers.
 */
export function lifeOf(
  place: ProcessPlace,
  here: Omit<ProcessPlace, 'pid'> = thisPlace(),
): 'alive' | 'dead' | 'elsewhere' {
  if (place.host !== here.host) return 'elsewhere';
  if (place.bootId !== here.bootId) {
    if (place.bootId === '' || here.bootId === '') return 'elsewhere';
    return place.bootId.split(SEPARATOR)[0] === here.bootId.split(SEPARATOR)[0] ? 'elsewhere' : 'dead';
  }
  return isRunning(place.pid) ? 'alive' : 'dead';
}

/** Whether this machine (or this container) has a process of that number. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Eight letters for names of temporary files: who has the same, numbers processes as this one does. Folders may be shared between machines. */
export function machineMark(): string {
  return createHash('sha256').update(`${hostname()}\n${pidNamespace()}`).digest('hex').slice(0, 8);
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
