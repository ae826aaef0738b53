import { toDatabaseTime, type Clock } from '../core/clock.js';
import { UpdateFinishedTrialError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { SyncCursor, TrialWrite } from '../storage/storage.js';
import type { Presence } from './presence.js';
import type { Failure } from './retry.js';
import type { StudyHistory } from './study-history.js';

/** What giving trials up needs of their study. */
export interface StaleTrialsHost {
  readonly studyId: number;
  readonly history: StudyHistory;
  /** How far the history is known. */
  place(): SyncCursor | undefined;
  /** Brings the history up to date, with whatever was replaced in running trials. */
  sync(): Promise<void>;
  giveUp(trial: FrozenTrial, failure: Failure, at: string): { writes: TrialWrite[]; after: FrozenTrial };
  write(writes: readonly TrialWrite[], after: FrozenTrial): Promise<void>;
}

/** A trial to be given up, and why. */
export interface InterruptedTrial {
  readonly trialId: number;
  readonly reason: string;
  /** Its process ended while the machine went on. */
  readonly processEnded?: boolean;
}

/** Running trials whose process is gone: found, marked as interrupted and, within their budget, queued again. */
export class StaleTrials {
  readonly #host: StaleTrialsHost;
  readonly #presence: Presence;
  readonly #clock: Clock;
  #lastCheck = -Infinity;
  /** Trials that ran at the last look: who reads no history knows of them by it alone. */
  #running = 0;

  constructor(host: StaleTrialsHost, presence: Presence, clock: Clock) {
    this.#host = host;
    this.#presence = presence;
    this.#clock = clock;
  }

  /** Looks several times per heartbeat, all processes together at a rate that does not grow with their number. */
  async takeOverNowAndThen(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#lastCheck < this.#presence.lookEveryMs(this.#running)) return;
    this.#lastCheck = now;
    await this.interruptStale();
  }

  /** Looks now. Returns the trials that were given up. */
  async interruptStale(): Promise<FrozenTrial[]> {
    const { running, stale } = await this.#presence.findStale(this.#host.studyId, this.#host.place());
    this.#running = running;
    return this.interrupt(
      stale.map(({ owner, reason, processEnded }) => ({ trialId: owner.trialId, reason, processEnded })),
    );
  }

  /** Gives these running trials up. Returns those that were. */
  async interrupt(trials: readonly InterruptedTrial[]): Promise<FrozenTrial[]> {
    if (trials.length === 0) return [];
    const host = this.#host;
    await host.sync();
    const given: FrozenTrial[] = [];
    const at = toDatabaseTime(this.#clock.now());
    for (const { trialId, reason, processEnded = false } of [...trials].sort((a, b) => a.trialId - b.trialId)) {
      const trial = host.history.unfinished.find((candidate) => candidate.trialId === trialId);
      if (trial?.state !== 'RUNNING') continue;
      const { writes, after } = host.giveUp(
        trial,
        { interrupted: true, message: reason, ...(processEnded ? { details: { process_ended: true } } : {}) },
        at,
      );
      try {
        await host.write(writes, after);
        given.push(after);
      } catch (error) {
        // Someone else noticed first, or it has ended after all.
        if (!(error instanceof UpdateFinishedTrialError)) throw error;
        await host.sync();
      }
    }
    return given;
  }
}
