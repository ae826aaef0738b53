import { messageOf } from '../core/errors.js';
import type { TrackedStudy, TrackedTrial, Tracker } from './tracker.js';

export interface TrackerState {
  readonly name: string;
  readonly location: string;
  /** Finished trials that are there whole. */
  readonly written: number;
  /** Finished trials that are not there yet. */
  readonly missing: number;
  /** Why the last try failed; undefined once one succeeds. */
  readonly error: string | undefined;
}

export interface QueueOptions {
  /** Told of each failure whose text is not the one before. */
  readonly onError?: ((message: string) => void) | undefined;
  /** Shortest time between two writes of a running trial. @default 2000 */
  readonly intervalMs?: number | undefined;
  /** Wait after a failure; doubles up to a minute. @default 1000 */
  readonly retryMs?: number | undefined;
}

const LONGEST_WAIT_MS = 60_000;
/** Trials that are written at the same time. */
const AT_ONCE = 6;

/**
 * Feeds one tracker beside the sweep: the newest state of each trial, one call at a time. What fails is tried again, later and later;
 * what is still missing at the end is written by the next run.
 */
export class TrackerQueue {
  readonly #tracker: Tracker;
  readonly #options: QueueOptions;
  readonly #pending = new Map<number, TrackedTrial>();
  readonly #whole = new Set<number>();
  readonly #abort = new AbortController();
  #study: TrackedStudy | undefined;
  #hasBegun = false;
  #worker: Promise<void> | undefined;
  #error: string | undefined;
  #failures = 0;
  #wake: () => void = () => undefined;
  #isClosing = false;

  constructor(tracker: Tracker, options: QueueOptions = {}) {
    this.#tracker = tracker;
    this.#options = options;
  }

  get state(): TrackerState {
    const missing = [...this.#pending.values()].filter((trial) => trial.state !== 'running').length;
    const { name, location } = this.#tracker;
    return { name, location, written: this.#whole.size, missing, error: this.#error };
  }

  /** Begins with the trials that the study has; those that are there whole are left alone. Returns at once. */
  start(study: TrackedStudy, trials: readonly TrackedTrial[]): void {
    this.#study = study;
    for (const trial of trials) this.#pending.set(trial.number, trial);
    this.#run();
  }

  /** A trial as it is now. Returns at once. */
  push(trial: TrackedTrial): void {
    this.#pending.set(trial.number, trial);
    if (trial.state !== 'running') this.#wake();
    this.#run();
  }

  /** Writes what is left, for so long at most. */
  async close(isComplete: boolean, boundMs: number): Promise<void> {
    this.#isClosing = true;
    for (const [number, trial] of this.#pending) if (trial.state === 'running') this.#pending.delete(number);
    this.#wake();
    this.#run();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, boundMs);
    });
    const finish = async (): Promise<void> => {
      await this.#worker;
      if (this.#hasBegun && this.#error === undefined) await this.#attempt(() => this.#tracker.end(isComplete));
    };
    await Promise.race([finish(), late]);
    clearTimeout(timer);
    this.#abort.abort();
    this.#wake();
  }

  #run(): void {
    if (this.#study === undefined) return;
    this.#worker ??= this.#work(this.#study).finally(() => {
      this.#worker = undefined;
    });
  }

  async #work(study: TrackedStudy): Promise<void> {
    while (this.#pending.size > 0 || !this.#hasBegun) {
      if (this.#abort.signal.aborted) return;
      const good = await this.#attempt(() => this.#step(study));
      // At the end one more failure is enough to know.
      if (!good && this.#isClosing && this.#failures > 1) return;
      await this.#wait(good ? this.#pause() : this.#retryDelay());
    }
  }

  async #step(study: TrackedStudy): Promise<void> {
    if (!this.#hasBegun) {
      for (const number of await this.#tracker.begin(study)) {
        this.#whole.add(number);
        if (this.#pending.get(number)?.state !== 'running') this.#pending.delete(number);
      }
      this.#hasBegun = true;
    }
    const waiting = [...this.#pending.keys()];
    const writeNext = async (): Promise<void> => {
      for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
        if (this.#abort.signal.aborted) return;
        await this.#write(number);
      }
    };
    const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, writeNext));
    for (const result of results) if (result.status === 'rejected') throw result.reason as Error;
  }

  async #write(number: number): Promise<void> {
    const trial = this.#pending.get(number);
    if (trial === undefined) return;
    await this.#tracker.write(trial);
    if (trial.state !== 'running') this.#whole.add(number);
    if (this.#pending.get(number) === trial) this.#pending.delete(number);
  }

  async #attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      this.#failures = 0;
      this.#error = undefined;
      return true;
    } catch (error) {
      this.#failures++;
      const message = messageOf(error);
      if (message !== this.#error) this.#options.onError?.(message);
      this.#error = message;
      return false;
    }
  }

  /** Running trials are written at intervals, finished ones at once. */
  #pause(): number {
    const isUrgent = this.#isClosing || [...this.#pending.values()].some((trial) => trial.state !== 'running');
    return isUrgent ? 0 : (this.#options.intervalMs ?? 2000);
  }

  #retryDelay(): number {
    return this.#isClosing
      ? 250
      : Math.min(LONGEST_WAIT_MS, (this.#options.retryMs ?? 1000) * 2 ** (this.#failures - 1));
  }

  #wait(milliseconds: number): Promise<void> {
    if (milliseconds === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      timer.unref();
      // A finished trial need not wait for the pause between reports, but does for the one after a failure.
      this.#wake = () => {
        if (this.#failures > 0 && !this.#isClosing) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
