/** Parts that a running trial may get. */
export const GROWING_PARTS = ['params', 'reports', 'userAttrs', 'systemAttrs'] as const;

/** A key of each of their tables. */
export type PartKeys = Readonly<Record<(typeof GROWING_PARTS)[number], number>>;

/** How far the rows of running trials' parts are known, on a server. */
export interface KnownParts {
  /** What is read next lies above these: the highest keys that were there at `at`, or before. */
  readonly from: PartKeys;
  /** Highest keys at `at` (ms of `performance.now()`). */
  readonly to: PartKeys;
  readonly at: number;
  /** When everything was read last. */
  readonly wholeAt: number;
}
