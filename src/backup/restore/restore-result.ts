import type { SearchedDestination } from './restore-candidates.js';

/** Why a state was passed over. */
export interface Fallback {
  readonly destination: string;
  /** Name of the manifest, or `mirror`. */
  readonly snapshot: string;
  readonly reason: string;
  /** True where the destination did not answer; false where the copy is damaged. */
  readonly unreachable: boolean;
  /** It has to be thawed first; the reason says how. */
  readonly frozen?: boolean | undefined;
}

export type RestoreStatus =
  /** Verified and in place. */
  | 'restored'
  /** Was there already; nothing was touched. */
  | 'present'
  /** A folder of which some was there, completed. */
  | 'completed'
  /** Every destination answered: none has it. */
  | 'absent'
  /** None of those that answered has it, and at least one did not answer. */
  | 'unreachable'
  /** There are backups, and none could be used. */
  | 'damaged'
  /** Those that are whole have to be thawed first; `error` says how. */
  | 'frozen'
  /** Something here is in the way: a Drive path, a link, files of another generation, a disk that is full. */
  | 'refused';

export interface RestoreResult {
  readonly status: RestoreStatus;
  /** Local path. */
  readonly path: string;
  readonly destination?: string | undefined;
  readonly snapshot?: string | undefined;
  readonly branch?: string | undefined;
  /** When the state was taken, ISO 8601. */
  readonly createdAt?: string | undefined;
  readonly bytes: number;
  readonly sha256?: string | undefined;
  readonly finishedTrials?: number | undefined;
  /** Files written, relative to `path`; empty string for a file itself. */
  readonly files: readonly string[];
  /** Better states that could not be used. */
  readonly fellBack: readonly Fallback[];
  readonly searched: readonly SearchedDestination[];
  /** Other histories that exist, each with its best state; `--branch` chooses one. */
  readonly otherBranches: readonly {
    readonly branch: string;
    readonly destination: string;
    readonly finished: number;
    /** Given where it has the branch of the restored state: `--at` with this chooses it. */
    readonly snapshot?: string | undefined;
  }[];
  readonly durationMs: number;
  /** One sentence where it is not there now. */
  readonly error?: string | undefined;
}

/** Whether the target is there now, verified or untouched. */
export function isThere(result: RestoreResult): boolean {
  return result.status === 'restored' || result.status === 'present' || result.status === 'completed';
}
