/** Beginning of names that this module writes aside while restoring. */
export const ASIDE = '.resweep-aside-';

const UNFINISHED =
  /^\.part-|^\.resweep-|^\.orphaned$|\.tmp$|\.tmp[-.]|\.part$|\.partial$|\.incomplete$|\.new$|\.old$|\.lock$/;
const SIDECAR = /^(.*)-(?:wal|shm|journal)$/;
const LOG = /\.(?:jsonl|log)$|^log\.txt$/;

/** Whether a name marks something that is being written, or left over: never backed up. */
export function isUnfinished(name: string): boolean {
  return UNFINISHED.test(name);
}

/** Whether a name is the `-wal`, `-shm` or `-journal` of a database beside it. */
export function isSidecar(name: string, siblings: ReadonlySet<string>): boolean {
  const base = SIDECAR.exec(name)?.[1];
  return base !== undefined && (siblings.has(base) || /\.(?:db|sqlite3?)$/.test(base));
}

/** Whether a file only grows, line by line: any prefix of whole lines is a consistent copy. */
export function isGrowingLog(name: string): boolean {
  return LOG.test(name);
}
