import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import { lifeOf, thisPlace, type ProcessPlace } from '../../core/processes.js';
import { DestinationError, type Destination, type StoredObject } from '../destinations/destination.js';
import { sha256Of } from '../files/file-digest.js';
import { targetFolder } from '../format/catalog.js';

const recordSchema = z.object({
  format: z.literal('resweep-owner'),
  ownerId: z.string(),
  fence: z.number().int().nonnegative(),
  state: z.enum(['claiming', 'owner', 'released']),
  host: z.string(),
  pid: z.number().int(),
  bootId: z.string(),
  beat: z.number().int(),
  heartbeatAt: z.string(),
  leaseMs: z.number(),
});

export type OwnerRecord = z.infer<typeof recordSchema>;

/** Another process owns the target; this one must not go on writing it. */
export interface OwnerConflict {
  readonly holder: OwnerRecord;
  /** One sentence for people. */
  readonly message: string;
}

export interface OwnerFenceOptions {
  readonly ownerId: string;
  /** @default 60000 */
  readonly leaseMs?: number | undefined;
  /** Monotonic milliseconds. */
  readonly monotonic?: (() => number) | undefined;
  /** Where this process runs. @default where it does */
  readonly place?: ProcessPlace | undefined;
  /** Told what lies in the target's folder, as each look at the others finds it; `askedAt` by `performance.now`. */
  readonly onListed?: ((objects: readonly StoredObject[], askedAt: number) => void) | undefined;
}

const NAME = /owner-\d+-[0-9a-f]+\.json$/;
const NUMBERED = /^(?:owner-(\d+)-[0-9a-f]+\.json|fence-(\d+))$/;

/**
 * Who may write a target at one destination; the protocol stands in `docs/backup-format.md`. `renew` is called every third
 * of a lease. Clocks of other machines are never trusted: another owner is alive while its beat moves.
 */
export class OwnerFence {
  readonly #destination: Destination;
  readonly #folder: string;
  readonly #leaseMs: number;
  readonly #monotonic: () => number;
  readonly #me: Pick<OwnerRecord, 'ownerId' | 'host' | 'pid' | 'bootId'>;
  /** Others' beats as last seen, and since when they have not moved. */
  readonly #seen = new Map<string, { readonly beat: number; readonly since: number }>();
  #fence = 0;
  #beat = 0;
  #state: OwnerRecord['state'] = 'claiming';
  #conflict: OwnerConflict | undefined;
  /** Somebody else may be alive, as of the last look. */
  #hasRivals = true;
  /** When the last beat that arrived was sent: by the monotonic clock, and by the wall clock, which goes on in a suspended machine. */
  #beatAt: { readonly monotonic: number; readonly wall: number } | undefined;
  readonly #onListed: OwnerFenceOptions['onListed'];

  constructor(destination: Destination, target: string, options: OwnerFenceOptions) {
    this.#destination = destination;
    this.#folder = targetFolder(target);
    this.#leaseMs = options.leaseMs ?? 60_000;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#onListed = options.onListed;
    this.#me = {
      ownerId: options.ownerId,
      ...thisPlace(),
      ...options.place,
    };
  }

  /** Fencing number; 0 before `claim`. */
  get fence(): number {
    return this.#fence;
  }

  get state(): OwnerRecord['state'] {
    return this.#state;
  }

  get conflict(): OwnerConflict | undefined {
    return this.#conflict;
  }

  /**
   * Whether nobody else can have become the owner by now: none was alive at the last look, and the last beat is so young that it
   * cannot have been taken for silence.
   */
  get isSure(): boolean {
    if (this.#state !== 'owner' || this.#hasRivals || this.#beatAt === undefined) return false;
    const { monotonic, wall } = this.#beatAt;
    const age = Math.max(this.#monotonic() - monotonic, Math.abs(Date.now() - wall));
    return age < (this.#leaseMs * 2) / 3;
  }

  /** Whether another may be the owner, until it has shown itself or has been silent for a lease. */
  get isContested(): boolean {
    return this.#fence > 0 && this.#state === 'claiming';
  }

  /** Enters this process. Owner at once where nobody else can be alive; else `renew` decides within a lease. @throws DestinationError */
  async claim(signal?: AbortSignal): Promise<void> {
    // Only now is known whether one winner is promised.
    await this.#destination.check({ signal });
    const others = await this.#others(signal);
    const next = 1 + others.reduce((most, other) => Math.max(most, other.fence), 0);
    const isStrict = this.#destination.traits.exclusive === 'strict';
    this.#fence = isStrict ? await this.#claimNumber(next, signal) : next;
    this.#note(others);
    this.#state = others.some((other) => this.#maybeAlive(other)) ? 'claiming' : 'owner';
    await this.#write(signal);
    // Another that claimed in the same moment shows now.
    await this.#judge(signal);
  }

  /** Renews the own record and looks at the others'. Returns the conflict where this process has to stop. @throws DestinationError */
  async renew(signal?: AbortSignal): Promise<OwnerConflict | undefined> {
    if (this.#conflict !== undefined || this.#fence === 0) return this.#conflict;
    this.#beat++;
    await this.#judge(signal);
    await this.#write(signal);
    return this.#conflict;
  }

  /** Says that this process writes no more. @throws DestinationError */
  async release(signal?: AbortSignal): Promise<void> {
    if (this.#fence === 0 || this.#state === 'released') return;
    this.#state = 'released';
    await this.#write(signal);
  }

  /** One number, one winner: the key can be created only once. The first from `next` on that is free. */
  async #claimNumber(next: number, signal: AbortSignal | undefined): Promise<number> {
    for (let number = next; number < next + 100; number++) {
      const body = Buffer.from(`${JSON.stringify({ ownerId: this.#me.ownerId, nonce: randomUUID() })}\n`);
      try {
        const key = `${this.#folder}fence-${number}`;
        await this.#destination.put(key, body, { sha256: sha256Of(body), ifAbsent: true, signal });
        return number;
      } catch (error) {
        if (!(error instanceof DestinationError) || error.reason !== 'exists') throw error;
      }
    }
    throw new DestinationError('failed', `${this.#destination.name}: no fencing number could be had.`);
  }

  async #judge(signal: AbortSignal | undefined): Promise<void> {
    const others = (await this.#others(signal)).filter((other) => this.#maybeAlive(other));
    this.#hasRivals = others.length > 0;
    const now = this.#monotonic();
    const moved = others.filter((other) => {
      const seen = this.#seen.get(other.ownerId);
      return seen !== undefined && other.beat > seen.beat;
    });
    if (this.#state === 'owner') {
      // A later owner is there: this one was taken for dead. Among equals the smaller id goes on.
      const later = others.find(
        (other) =>
          other.state === 'owner' &&
          (other.fence > this.#fence || (other.fence === this.#fence && other.ownerId < this.#me.ownerId)),
      );
      if (later !== undefined) this.#stop(later, 'has taken over');
    } else {
      const alive = moved.find((other) => other.fence < this.#fence || other.state === 'owner');
      if (alive !== undefined) this.#stop(alive, 'is at work on');
      const silent = others.every((other) => {
        const seen = this.#seen.get(other.ownerId);
        return seen?.beat === other.beat && now - seen.since >= this.#leaseMs;
      });
      if (alive === undefined && silent) this.#state = 'owner';
    }
    this.#note(others);
  }

  #stop(holder: OwnerRecord, what: string): void {
    this.#state = 'released';
    this.#conflict = {
      holder,
      message:
        `Another process (${holder.host}, pid ${holder.pid}) ${what} this study on ${this.#destination.name}. ` +
        'This one writes no more backups there; both histories are kept.',
    };
  }

  #note(others: readonly OwnerRecord[]): void {
    const now = this.#monotonic();
    for (const { ownerId, beat } of others) {
      if (this.#seen.get(ownerId)?.beat !== beat) this.#seen.set(ownerId, { beat, since: now });
    }
  }

  /** False for one that has released, and for a process of this machine that is gone. */
  #maybeAlive(other: OwnerRecord): boolean {
    if (other.state === 'released') return false;
    const life = lifeOf(other, this.#me);
    // Of this process's own number: an earlier life of it, or this very process.
    return life === 'elsewhere' || (life === 'alive' && other.pid !== this.#me.pid);
  }

  async #others(signal: AbortSignal | undefined): Promise<OwnerRecord[]> {
    const askedAt = performance.now();
    const { objects } = await this.#destination.list(this.#folder, { signal });
    this.#onListed?.(objects, askedAt);
    const records: OwnerRecord[] = [];
    for (const { key } of objects) {
      if (!NAME.test(key) || key.includes(this.#me.ownerId)) continue;
      const bytes = await this.#destination.get(key, { signal });
      const record = bytes === undefined ? undefined : readOwnerRecord(bytes);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  async #write(signal: AbortSignal | undefined): Promise<void> {
    const record: OwnerRecord = {
      format: 'resweep-owner',
      ...this.#me,
      fence: this.#fence,
      state: this.#state,
      beat: this.#beat,
      heartbeatAt: new Date().toISOString(),
      leaseMs: this.#leaseMs,
    };
    const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
    const key = `${this.#folder}owner-${this.#fence}-${this.#me.ownerId}.json`;
    const sentAt = { monotonic: this.#monotonic(), wall: Date.now() };
    await this.#destination.put(key, bytes, { sha256: sha256Of(bytes), signal });
    this.#beatAt = sentAt;
  }
}

/** A record that has not changed for so long is left over. An owner that lives all the same writes its own again within a third of its lease. */
const LEFT_OVER_MS = 7 * 86_400_000;

/**
 * Removes what owners that were passed leave behind: those that have released, those that were killed long ago, strict numbers. The highest
 * number stays. `now`: milliseconds since 1970. @throws DestinationError
 */
export async function removeStaleOwners(
  destination: Destination,
  target: string,
  now: number,
  signal?: AbortSignal,
): Promise<void> {
  const folder = targetFolder(target);
  const { objects } = await destination.list(folder, { signal });
  const numbered = objects.flatMap(({ key }) => {
    const match = NUMBERED.exec(key.slice(folder.length));
    return match === null ? [] : [{ key, fence: Number(match[1] ?? match[2]), isOwner: match[1] !== undefined }];
  });
  const highest = numbered.reduce((most, { fence }) => Math.max(most, fence), 0);
  for (const { key, fence, isOwner } of numbered) {
    if (fence >= highest) continue;
    if (isOwner) {
      const bytes = await destination.get(key, { signal });
      const record = bytes && readOwnerRecord(bytes);
      if (record === undefined) continue;
      if (record.state !== 'released' && now - Date.parse(record.heartbeatAt) < LEFT_OVER_MS) continue;
    }
    await destination.remove(key, { signal });
  }
}

/** Whether an object of that name in a target's folder is an owner's record. */
export function isOwnerRecord(name: string): boolean {
  return NAME.test(name);
}

/** A record that cannot be read is one being written, or damaged: nobody can be told from it. */
export function readOwnerRecord(bytes: Uint8Array): OwnerRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}
