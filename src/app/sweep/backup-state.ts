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
  /** Size of the newest good copy. */
  readonly bytes: number;
  /** Changes (finished trials, as a rule) that are not there yet. */
  readonly backlog: number;
  /** Since when the backlog has grown beyond what the destination's interval explains, as milliseconds; undefined where all is in time. */
  readonly overdueMs: number | undefined;
  /** What the last scheduled verification found wrong. */
  readonly damage: string | undefined;
  /** Why the last scheduled verification could not look. */
  readonly unchecked: string | undefined;
}
