/** Something at a destination that is not what it must be. */
export interface Damage {
  readonly destination: string;
  /** Target, relative to the project root. */
  readonly path: string;
  /** Name of a manifest, or `mirror`. */
  readonly snapshot: string;
  readonly problem: string;
}
