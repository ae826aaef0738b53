import { randomUUID } from 'node:crypto';

import type { LeaseRecord, Storage } from '../../storage/storage.js';

export interface SharedLeaseOptions {
  /** How often it is renewed, or asked for. @default 5_000 */
  readonly intervalMs?: number | undefined;
  /** How long another's beat must stand still before it counts as dead. @default 20_000 */
  readonly patienceMs?: number | undefined;
}

/**
 * What only one of many workers does at a time, such as writing backups: a lease in the study's own database. Clocks of machines
 * play no part: a holder lives while its beat moves.
 */
export class SharedLease {
  readonly #storage: Storage;
  readonly #name: string;
  readonly #intervalMs: number;
  readonly #patienceMs: number;
  readonly #me = randomUUID();
  #isHeld = false;
  #other: { readonly record: LeaseRecord; readonly since: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> = Promise.resolve();
  #isClosed = false;
  #onChange: ((isHeld: boolean) => void) | undefined;

  constructor(storage: Storage, name: string, options: SharedLeaseOptions = {}) {
    this.#storage = storage;
    this.#name = name;
    this.#intervalMs = options.intervalMs ?? 5_000;
    this.#patienceMs = options.patienceMs ?? 20_000;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Begins asking; `onChange` is told whenever this process becomes the holder or ceases to be. Returns after the first answer. */
  async start(onChange: (isHeld: boolean) => void): Promise<void> {
    this.#onChange = onChange;
    await this.ask();
    this.#timer = setInterval(() => void this.ask(), this.#intervalMs);
    this.#timer.unref();
  }

  /** Asks now, or renews. */
  ask(): Promise<void> {
    this.#asking = this.#asking.then(() => this.#ask());
    return this.#asking;
  }

  async #ask(): Promise<void> {
    if (this.#isClosed) return;
    try {
      const now = performance.now();
      const isSilent = this.#other !== undefined && now - this.#other.since >= this.#patienceMs;
      const record = await this.#storage.lease(this.#name, this.#me, isSilent ? this.#other?.record : undefined);
      const isHeld = record.holder === this.#me;
      const isSame = this.#other?.record.holder === record.holder && this.#other.record.beat === record.beat;
      if (isHeld) this.#other = undefined;
      else if (!isSame) this.#other = { record, since: now };
      if (isHeld === this.#isHeld) return;
      this.#isHeld = isHeld;
      this.#onChange?.(isHeld);
    } catch {
      // A database that cannot be asked now is asked again; whoever takes over meanwhile will show then.
    }
  }

  /** Gives it back and stops asking. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#asking;
    if (!this.#isHeld) return;
    this.#isHeld = false;
    await this.#storage.releaseLease(this.#name, this.#me).catch(() => undefined);
  }
}
