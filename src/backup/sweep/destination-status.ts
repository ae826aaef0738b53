import type { UpkeepResult } from './upkeep.js';

/** How far a destination is, for the live display, `status` and `run --json`. */
export interface DestinationStatus {
  readonly name: string;
  readonly type: string;
  readonly location: string;
  /** When the last state was confirmed there, ISO 8601. */
  readonly lastVerifiedAt: string | undefined;
  /** How that was confirmed; `handedToMount`: in the mount, upload unconfirmed. */
  readonly verified: 'verified' | 'handedToMount' | 'no';
  readonly sha256: string | undefined;
  readonly bytes: number;
  /** "Safe up to": finished trials in the last state there. */
  readonly finishedTrials: number | undefined;
  readonly generation: number | undefined;
  /** Why the last try failed; undefined after a success. */
  readonly error: string | undefined;
  /** Changes (finished trials, as a rule) that are not there yet. */
  readonly backlog: number;
  readonly saving: boolean;
  /** It lies on the disk of the project and goes with it. */
  readonly sameDisk: boolean;
  /** What the last scheduled verification found; undefined before the first. */
  readonly verification?: UpkeepResult | undefined;
}
