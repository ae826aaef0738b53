/** A copy of the study at one destination, as shown to people. */
export interface BackupState {
  readonly name: string;
  readonly lastVerifiedAt: string | undefined;
  readonly sha256: string | undefined;
  readonly error: string | undefined;
  /** All trials up to this number are in the newest good copy; undefined where there is none. */
  readonly safeUpTo: number | undefined;
  /** The destination lies on the same disk as the study. */
  readonly sameDisk: boolean;
  /** Taken by a mount whose upload nobody has confirmed. */
  readonly unconfirmed: boolean;
}
