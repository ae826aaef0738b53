/** One thing that is not as it should be. */
export interface Finding {
  readonly kind: 'database' | 'log' | 'lock' | 'folder' | 'place' | 'clock';
  readonly path: string;
  readonly problem: string;
  /** What was done about it, or is to be done by hand. */
  readonly remedy: string;
  readonly state: 'repaired' | 'repairable' | 'lost' | 'yours';
}
