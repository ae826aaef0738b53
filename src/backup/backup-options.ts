/** What became of one backup. */
export interface BackupResult {
  /** A copy was written, to at least one destination. */
  readonly ok: boolean;
  /** What went wrong, at any of them. */
  readonly error?: string;
  readonly path: string;
  readonly bytes: number;
  /** Of a single file. */
  readonly sha256?: string;
  /** The best that a destination could say; `handedToMount`: in the mount, upload unconfirmed. */
  readonly verified: 'verified' | 'handedToMount' | 'no';
}

/** Writes a copy of a file or folder. `true` or `ok`: a copy was written. Rejects never because a backup failed. */
export type BackupToDrive = (path: string, isDirectory?: boolean) => Promise<boolean | BackupResult>;

/** Brings a missing file or folder back. `true`: it is there now, verified (or was there already). */
export type RestoreFromDrive = (path: string, isDirectory?: boolean) => Promise<boolean>;

/** What every stage takes, all of it optional. Without a callback nothing happens. */
export interface BackupOptions {
  readonly backupToDrive?: BackupToDrive | undefined;
  /** @default true */
  readonly backupEnabled?: boolean | undefined;
  readonly restoreFromDrive?: RestoreFromDrive | undefined;
  /** Where failures are said. @default a process warning */
  readonly log?: { readonly warn: (message: string) => void } | undefined;
}

/** Whether a callback's answer means that a copy was written. */
export function isWritten(result: boolean | BackupResult): boolean {
  return typeof result === 'boolean' ? result : result.ok;
}

export function warn(options: Pick<BackupOptions, 'log'>, message: string): void {
  if (options.log === undefined) process.emitWarning(message, 'ResweepBackupWarning');
  else options.log.warn(message);
}
