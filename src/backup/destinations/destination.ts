import { ResweepError } from '../../core/errors.js';
import type { KeepConfig, StorageClasses } from '../../core/sweep-config.js';

/*
 * The promise that every destination keeps; `test/contracts/destination-contract.ts` holds each of them to it, directly
 * and through the retrying wrapper.
 *
 * - A destination is a flat store of objects. A key is a relative path with `/`, without empty segments, `.` or `..`.
 * - `put` is atomic: under `key` a reader finds the whole new object, or what was there before. It resolves only when
 *   the bytes are confirmed as `PutReceipt.confirmation` says, and rejects where they differ from `sha256`.
 * - Objects under different keys are independent: no order is promised between calls that were not awaited. A caller
 *   that needs an order awaits.
 * - Not found is not an error: `get`, `download` and `checksum` give undefined, `list` gives nothing, `remove` does
 *   nothing. Every one of them rejects where the destination could not be asked: nobody may take "unreachable" for
 *   "not there".
 * - A short read is an error. What `get` returns is whole, but may be damaged: the caller compares checksums.
 * - Every call ends: at `signal`, or with an error. No destination retries by itself; see `retrying-destination.ts`.
 * - Errors are `DestinationError`s, classified by the destination.
 */

/** How sure a destination is that it holds what it was given. */
export type Confirmation = 'verified' | 'handedToMount';

/** Bytes in memory, or a file of this machine that nobody writes. */
export type ObjectBody = Uint8Array | { readonly file: string; readonly bytes: number };

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions extends CallOptions {
  /** SHA-256 of the body, hexadecimal. What arrives otherwise is refused. */
  readonly sha256: string;
  /** Fail with reason `exists` where the key is taken. One winner among many only where `traits.exclusive` is strict. */
  readonly ifAbsent?: boolean | undefined;
}

export interface PutReceipt {
  readonly bytes: number;
  readonly confirmation: Confirmation;
  /** How often it was sent, where once was not enough: a try that was given up may go on reading what it was given. */
  readonly tries?: number | undefined;
}

export interface ObjectChecksum {
  readonly bytes: number;
  readonly sha256: string;
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** Where the kind has such. */
  readonly storageClass?: string | undefined;
}

/** Classes of storage from which an object has to be thawed before it can be read, which takes hours. */
export const FROZEN_CLASSES: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE']);

export interface Listing {
  /** Objects directly below the prefix, by key. Unfinished ones are not shown. */
  readonly objects: readonly StoredObject[];
  /** Names of the folders directly below the prefix, sorted. */
  readonly folders: readonly string[];
}

/** What a kind of destination can promise; facts, read by those who use it. */
export interface DestinationTraits {
  /** Whether `ifAbsent` has one winner among several machines. */
  readonly exclusive: 'strict' | 'advisory';
  /** How an object is replaced. */
  readonly rename: 'atomic' | 'asMounted' | 'deleteAndAdd';
  /** Where the confirming checksum comes from. */
  readonly checksum: 'readBack' | 'byDestination';
  /** Best confirmation that `put` can give. */
  readonly confirms: Confirmation;
  /** Whether plain copies at the same relative path are kept. */
  readonly mirror: boolean;
  /**
   * When the plain copy of a small study is refreshed. `withFullSnapshots` where each refresh sends all of it over a network, so that
   * what a trial costs does not grow with the study. @default 'withEverySave'
   */
  readonly mirrorRefresh?: 'withEverySave' | 'withFullSnapshots' | undefined;
  /** Lease of an owner where requests are counted or dear. @default the coordinator's */
  readonly leaseMs?: number | undefined;
  /** Usual time of one call; calls overlap more where it is long. */
  readonly latencyMs: number;
}

/** How a person wants a destination to be used. */
export interface DestinationPolicy {
  readonly every?: { readonly trials: number } | { readonly milliseconds: number } | undefined;
  /** Order of restoring: lower first. */
  readonly priority?: number | undefined;
  /** How many saved states stay. @default DEFAULT_RETENTION */
  readonly keep?: KeepConfig | undefined;
  /** Class of storage by what keeps a state; see `storage-classes.ts`. */
  readonly storageClasses?: StorageClasses | undefined;
  /** How often the copies are verified during a sweep, and whether all of them is downloaded and opened. */
  readonly verify?: { readonly everyMs?: number | undefined; readonly deep: boolean } | undefined;
}

export interface Destination {
  readonly name: string;
  readonly type: string;
  /** Where it is, for people; never a secret. */
  readonly location: string;
  /** Set where it is a folder of this machine's file tree. */
  readonly localFolder?: string | undefined;
  /** Number of the device on which that folder lies, once `check` or another call has learnt it. */
  readonly localDevice?: number | undefined;
  readonly policy?: DestinationPolicy | undefined;
  readonly traits: DestinationTraits;

  /** Reaches out without writing; rejects where the destination cannot be used. Learns what `traits` could not know before. */
  check(options?: CallOptions): Promise<void>;
  put(key: string, body: ObjectBody, options: PutOptions): Promise<PutReceipt>;
  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined>;
  /** Into a new local file, synced; returns the checksum of what was written there. Nothing is left of it after an error. */
  download(key: string, file: string, options?: CallOptions): Promise<ObjectChecksum | undefined>;
  /** Size and checksum, computed by the destination or from bytes read from it. */
  checksum(key: string, options?: CallOptions): Promise<ObjectChecksum | undefined>;
  /** `prefix` is empty or ends with `/`. */
  list(prefix: string, options?: CallOptions): Promise<Listing>;
  remove(key: string, options?: CallOptions): Promise<void>;
  /** Its own keys that are damaged or missing; with `mend` they are written again. Absent where nothing is encrypted. */
  readonly checkKeys?:
    | ((options?: CallOptions & { readonly mend?: boolean }) => Promise<readonly { key: string; problem: string }[]>)
    | undefined;
  /** Moves an object to another class of storage; absent where the kind has none. */
  readonly setStorageClass?: ((key: string, storageClass: string, options?: CallOptions) => Promise<void>) | undefined;
  /** Lets go of connections and helpers. A later call opens them again. */
  close(): Promise<void>;
}

export type DestinationErrorReason =
  /** Not there, not mounted, no network, connection cut. */
  | 'unreachable'
  /** No answer in time. */
  | 'timeout'
  /** Bad credentials, read-only, not permitted. */
  | 'denied'
  /** Disk full or quota used up. */
  | 'full'
  | 'rateLimited'
  /** What arrived is not what was sent. */
  | 'damaged'
  /** The local file changed or went while it was read. */
  | 'sourceChanged'
  /** A local file cannot be written (full disk, no such folder): no fault of the destination. */
  | 'localFile'
  /** `ifAbsent`, and the key is taken. */
  | 'exists'
  /** There, but in a class of storage from which it has to be thawed before it can be read. */
  | 'archived'
  /** Stopped by the caller. */
  | 'aborted'
  | 'failed';

const PERMANENT: ReadonlySet<DestinationErrorReason> = new Set([
  'denied',
  'full',
  'exists',
  'sourceChanged',
  'localFile',
  'archived',
  'aborted',
]);

/** A destination could not do what it was asked. `permanent`: asking again at once cannot help. */
export class DestinationError extends ResweepError {
  readonly reason: DestinationErrorReason;
  readonly permanent: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: DestinationErrorReason,
    message: string,
    options: { cause?: unknown; hint?: string; permanent?: boolean; retryAfterMs?: number } = {},
  ) {
    super(`DESTINATION_${reason.toUpperCase()}`, message, options);
    this.reason = reason;
    this.permanent = options.permanent ?? PERMANENT.has(reason);
    this.retryAfterMs = options.retryAfterMs;
  }
}
