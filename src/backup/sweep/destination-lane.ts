import { explanationOf } from '../../core/errors.js';
import { after } from '../../core/long-timers.js';
import type { BackupJob, SharedCaptures } from '../capture/shared-captures.js';
import { DestinationError, type Destination } from '../destinations/destination.js';
import { MIRROR_EVERY_SAVE_BYTES, type DriveCore } from '../drive/drive-core.js';
import { reportFailure } from '../drive/drive.js';
import { sha256Of } from '../files/file-digest.js';
import type { DestinationStatus } from './destination-status.js';

/** One job as one destination sees it. */
export interface LaneJob {
  readonly job: BackupJob;
  readonly captures: SharedCaptures;
  /** Whether its state is what `status` shows: the study, not the folder around it. */
  readonly isMain: boolean;
  /** Shortest time between two saves. */
  readonly minIntervalMs: number;
}

/** A page for people beside the copy. */
export interface LanePage {
  /** Key at the destination. */
  readonly key: string;
  readonly render: () => string | undefined;
}

interface Progress {
  savedVersion: number;
  savedAt: number;
  fullAt: number;
  lastWasFull: boolean;
  wantFull: boolean;
}

/** Shortest time between two pages. */
const PAGE_EVERY_MS = 60_000;
/** Waits after failures that nothing but time can mend. */
const RETRY_MS = [5_000, 15_000, 60_000, 300_000] as const;

/**
 * Carries the states of all jobs to one destination: one save at a time, always the newest state next. Lanes know nothing of
 * each other, so a destination that fails or is slow delays no other.
 */
export class DestinationLane {
  readonly destination: Destination;
  readonly #core: DriveCore;
  readonly #jobs: readonly LaneJob[];
  readonly #fullEveryMs: number;
  readonly #page: LanePage | undefined;
  #pageAt = -Infinity;
  readonly #progress: readonly Progress[];
  #status: DestinationStatus;
  #running: Promise<void> | undefined;
  #stopWaiting: (() => void) | undefined;
  #failures = 0;
  #failedAt = -Infinity;
  /** What the destination asked for with its last failure. */
  #askedToWaitMs = 0;
  #flushing = false;
  #stopped = false;
  readonly #abort = new AbortController();

  constructor(
    core: DriveCore,
    destination: Destination,
    jobs: readonly LaneJob[],
    fullEveryMs: number,
    page?: LanePage,
  ) {
    this.#page = page;
    this.#core = core;
    this.destination = destination;
    this.#jobs = jobs;
    this.#fullEveryMs = fullEveryMs;
    this.#progress = jobs.map(() => ({
      savedVersion: -1,
      savedAt: -Infinity,
      fullAt: -Infinity,
      lastWasFull: false,
      wantFull: true,
    }));
    this.#status = {
      name: destination.name,
      type: destination.type,
      location: destination.location,
      lastVerifiedAt: undefined,
      verified: 'no',
      sha256: undefined,
      bytes: 0,
      finishedTrials: undefined,
      generation: undefined,
      error: undefined,
      backlog: 0,
      saving: false,
      sameDisk: false,
    };
  }

  get status(): DestinationStatus {
    const main = this.#jobs.findIndex((job) => job.isMain);
    const version = this.#jobs[main]?.captures.version ?? 0;
    const backlog = version - Math.max(0, this.#progress[main]?.savedVersion ?? 0);
    return { ...this.#status, backlog, saving: this.#running !== undefined };
  }

  /** Whether everything up to now is saved here. */
  get isUpToDate(): boolean {
    return this.#jobs.every(({ captures }, index) => (this.#progress[index]?.savedVersion ?? -1) >= captures.version);
  }

  /** Something changed, or time has passed: start a save unless one is running or it is too early. */
  kick(): void {
    if (this.#running !== undefined || this.#stopped) return;
    this.#stopWaiting?.();
    const next = this.#next();
    if (next === undefined) return;
    if (next.waitMs > 0) {
      this.#stopWaiting = after(next.waitMs, () => {
        this.kick();
      });
      return;
    }
    this.#running = this.#save(next.index).then(() => {
      this.#running = undefined;
      this.kick();
    });
  }

  /** Saves the present state of every job with full snapshots. Resolves when that is done or has failed once. */
  async flush(): Promise<void> {
    this.#flushing = true;
    try {
      await this.#running;
      for (const [index, { captures }] of this.#jobs.entries()) {
        const progress = this.#progress[index];
        if (progress === undefined || this.#stopped) continue;
        if (progress.savedVersion >= captures.version && progress.lastWasFull) continue;
        progress.wantFull = true;
        if (!(await this.#save(index))) break;
      }
      await this.#writePage();
    } finally {
      this.#flushing = false;
      this.kick(); // What has changed meanwhile.
    }
  }

  /** Ends writing; what is in flight is stopped. */
  stop(reason?: string): void {
    this.#stopped = true;
    this.#stopWaiting?.();
    if (reason !== undefined) this.#status = { ...this.#status, error: reason };
    this.#abort.abort(new DestinationError('aborted', reason ?? `${this.destination.name}: backups have ended.`));
  }

  async settled(): Promise<void> {
    await this.#running;
  }

  /** The page for people, where plain copies are kept. Whatever becomes of it, the copy itself is safe. */
  async #writePage(): Promise<void> {
    if (this.#page === undefined || this.#stopped || !this.destination.traits.mirror) return;
    this.#pageAt = performance.now();
    try {
      const text = this.#page.render();
      if (text === undefined) return;
      const body = Buffer.from(text);
      await this.destination.put(this.#page.key, body, { sha256: sha256Of(body), signal: this.#abort.signal });
    } catch (error) {
      if (!this.#abort.signal.aborted) reportFailure(this.#core, this.destination.name, this.#page.key, error);
    }
  }

  /** The job that is due first, and how long to wait for it; undefined where all is saved. */
  #next(): { readonly index: number; readonly waitMs: number } | undefined {
    if (this.#flushing) return undefined;
    let best: { index: number; waitMs: number } | undefined;
    const now = performance.now();
    this.#jobs.forEach(({ captures, minIntervalMs, isMain }, index) => {
      const progress = this.#progress[index];
      if (progress === undefined || progress.savedVersion >= captures.version) return;
      const first = progress.savedVersion < 0;
      const { every } = this.destination.policy ?? {};
      let interval = minIntervalMs;
      if (every !== undefined && 'milliseconds' in every) interval = Math.max(interval, every.milliseconds);
      else if (every !== undefined && isMain) {
        // Enough trials, or a while without any more.
        if (captures.version - progress.savedVersion < every.trials) interval = Math.max(interval, 60_000);
      }
      const sinceSave = first ? 0 : Math.max(0, progress.savedAt + interval - now);
      const usual = this.#failures === 0 ? 0 : (RETRY_MS[Math.min(this.#failures, RETRY_MS.length) - 1] ?? 0);
      const failure = Math.max(usual, this.#askedToWaitMs);
      const afterFailure = failure === 0 ? 0 : Math.max(0, this.#failedAt + failure - now);
      const waitMs = Math.max(sinceSave, afterFailure, captures.restMs);
      if (best === undefined || waitMs < best.waitMs) best = { index, waitMs };
    });
    return best;
  }

  async #save(index: number): Promise<boolean> {
    const entry = this.#jobs[index];
    const progress = this.#progress[index];
    if (entry === undefined || progress === undefined) return true;
    const { job, captures } = entry;
    const full = progress.wantFull || performance.now() - progress.fullAt >= this.#fullEveryMs;
    try {
      for (let attempt = 1; ; attempt++) {
        const taken = await captures.take(full);
        try {
          const { capture, version } = taken;
          const often = this.destination.traits.mirrorRefresh !== 'withFullSnapshots';
          const mirror = full || capture.full || (often && capture.bytes <= MIRROR_EVERY_SAVE_BYTES);
          const outcome = await this.#core.save(this.destination, capture, {
            mirror,
            isLast: this.#flushing,
            signal: this.#abort.signal,
          });
          Object.assign(progress, {
            savedVersion: version,
            savedAt: performance.now(),
            lastWasFull: capture.full,
            wantFull: false,
            ...(capture.full ? { fullAt: performance.now() } : {}),
          });
          this.#failures = 0;
          this.#askedToWaitMs = 0;
          if (entry.isMain) {
            this.#status = {
              ...this.#status,
              lastVerifiedAt: new Date().toISOString(),
              verified: outcome.confirmation,
              sha256: capture.files.length === 1 ? capture.files[0]?.digest.sha256 : undefined,
              bytes: capture.bytes,
              finishedTrials: outcome.manifest.study?.finished,
              generation: outcome.manifest.generation,
            };
          }
          const { mirrorError } = outcome;
          const error = mirrorError === undefined ? undefined : `The plain copy was not refreshed: ${mirrorError}`;
          this.#status = { ...this.#status, error, sameDisk: this.#core.isSameDisk(this.destination) };
          if (performance.now() - this.#pageAt >= PAGE_EVERY_MS) await this.#writePage();
          return true;
        } catch (error) {
          // A file of a folder went on changing: a new capture sees it as it is now.
          const changed = error instanceof DestinationError && error.reason === 'sourceChanged';
          if (!changed || attempt === 3) throw error;
          captures.changed();
        } finally {
          taken.release();
        }
      }
    } catch (error) {
      if (this.#stopped) return false;
      this.#failures++;
      this.#askedToWaitMs = (error instanceof DestinationError ? error.retryAfterMs : undefined) ?? 0;
      this.#failedAt = performance.now();
      this.#status = { ...this.#status, error: explanationOf(error) };
      reportFailure(this.#core, this.destination.name, job.target, error);
      return false;
    }
  }
}
