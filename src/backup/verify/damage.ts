/** Stands for the name of a manifest where a destination holds no saved state at all of what was asked for, or of a study's database. */
export const MISSING = 'missing';

/** Something at a destination that is not what it must be. */
export interface Damage {
  readonly destination: string;
  /** Target, relative to the project root; empty where all of a destination is meant. */
  readonly path: string;
  /** Name of a manifest, `mirror`, `record`, or `missing`. */
  readonly snapshot: string;
  readonly problem: string;
}
