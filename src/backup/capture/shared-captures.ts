import { availableParallelism } from 'node:os';

import type { TargetCapturer } from './capture-target.js';
import type { Capture } from './capture.js';

/** What is backed up by a coordinator: one file, database or folder. */
export interface BackupJob {
  readonly target: string;
  readonly path: string;
  readonly isDirectory: boolean;
  readonly exclude?: readonly string[] | undefined;
}

interface Held {
  readonly capture: Capture;
  /** State of the job that it surely holds. */
  readonly version: number;
  users: number;
}

/** Longest rest between two captures; and for small ones, whose measured cost is mostly that of whatever else the machine does. */
const LONGEST_REST_MS = 30_000;
const SMALL_BYTES = 8 << 20;
const REST_AFTER_SMALL_MS = 1_000;

/**
 * Captures of one job, shared by all destinations: taken once, used by each that asks for a state not newer than it. Taking
 * them is bounded to a share of the machine's processors: after each, captures rest.
 */
export class SharedCaptures {
  readonly #capturer: TargetCapturer;
  readonly #job: BackupJob;
  readonly #share: number;
  #version = 0;
  #current: Held | undefined;
  #taking: { readonly version: number; readonly full: boolean; readonly held: Promise<Held> } | undefined;
  #restUntil = 0;

  /** `share`: of the time of all processors together. */
  constructor(capturer: TargetCapturer, job: BackupJob, share: number) {
    this.#capturer = capturer;
    this.#job = job;
    this.#share = share * availableParallelism();
  }

  /** Counts the changes of the job. */
  get version(): number {
    return this.#version;
  }

  changed(): void {
    this.#version++;
  }

  /** Milliseconds until a capture may be taken. */
  get restMs(): number {
    return Math.max(0, this.#restUntil - performance.now());
  }

  /** A capture of at least the present state; give it back with `release`. @throws CaptureError */
  async take(full: boolean): Promise<{ readonly capture: Capture; readonly version: number; release: () => void }> {
    const wanted = this.#version;
    for (;;) {
      if (this.#current !== undefined && this.#current.version >= wanted && (!full || this.#current.capture.full)) {
        return this.#use(this.#current);
      }
      if (this.#taking === undefined) return this.#use(await this.#start(full));
      const { version, full: isFull, held } = this.#taking;
      if (version >= wanted && (isFull || !full)) return this.#use(await held);
      await held.catch(() => undefined);
    }
  }

  /** Lets go of the last capture, where nobody uses it. */
  close(): void {
    this.#drop(this.#current);
    this.#current = undefined;
  }

  async #start(full: boolean): Promise<Held> {
    const version = this.#version;
    const held = this.#capturer.capture({ ...this.#job, full }).then((capture) => ({ capture, version, users: 0 }));
    this.#taking = { version, full, held };
    try {
      const taken = await held;
      const before = this.#current;
      this.#current = taken;
      this.#drop(before);
      const { bytes, costMs } = taken.capture;
      const longest = bytes <= SMALL_BYTES ? REST_AFTER_SMALL_MS : LONGEST_REST_MS;
      const rest = Math.min(longest, costMs * Math.max(0, 1 / this.#share - 1));
      this.#restUntil = performance.now() + rest;
      return taken;
    } finally {
      this.#taking = undefined;
    }
  }

  #use(held: Held): { capture: Capture; version: number; release: () => void } {
    held.users++;
    let used = true;
    const release = (): void => {
      if (!used) return;
      used = false;
      held.users--;
      if (held !== this.#current) this.#drop(held);
    };
    return { capture: held.capture, version: held.version, release };
  }

  #drop(held: Held | undefined): void {
    if (held?.users === 0) this.#capturer.release(held.capture);
  }
}
