import { systemClock, toDatabaseTime, fromDatabaseTime, type Clock } from '../core/clock.js';
import { isAlive, processIdentity } from '../storage/process-identity.js';
import type { ProcessIdentity, ProcessRecord, Storage, SyncCursor, TrialOwner } from '../storage/storage.js';

/** How often heartbeats are written, and how long one may be silent before its trials are taken over: below two intervals by default. */
export interface HeartbeatOptions {
  readonly intervalMs: number;
  readonly graceMs: number;
}

export const DEFAULT_HEARTBEAT: HeartbeatOptions = { intervalMs: 30_000, graceMs: 50_000 };

/** A running trial without its process. */
export interface StaleTrial {
  readonly owner: TrialOwner;
  readonly reason: string;
  /** The process ended while its machine went on: the trial itself may be the cause. */
  readonly processEnded: boolean;
}

/** This process, as others see it in the storage: entered before its first trial, renewed while it lives, removed when it leaves. */
export class Presence {
  readonly #storage: Storage;
  readonly #options: HeartbeatOptions;
  readonly #clock: Clock;
  readonly #identity: ProcessIdentity = processIdentity();
  readonly #running = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #entered: Promise<void> | undefined;

  constructor(storage: Storage, options: HeartbeatOptions = DEFAULT_HEARTBEAT, clock: Clock = systemClock) {
    this.#storage = storage;
    this.#options = options;
    this.#clock = clock;
  }

  /** Key of this process; its trials carry it. */
  get processId(): string {
    return this.#identity.processId;
  }

  /** How often to look for trials that lost their process; less often the more run, since all who run them look. */
  lookEveryMs(running: number): number {
    return (this.#options.intervalMs / 6) * Math.max(1, running / 20);
  }

  /** Enters this process once and begins its heartbeat. Nothing to do for a storage that no other process can see. */
  async enter(): Promise<void> {
    if (!this.#storage.persistent) return;
    this.#entered ??= this.#begin();
    await this.#entered;
  }

  async #begin(): Promise<void> {
    await this.#storage.registerProcess(this.#identity, toDatabaseTime(this.#clock.now()));
    this.#timer = setInterval(() => {
      // A missed beat is made up for by the next; the grace period spans several.
      void this.beat().catch(() => undefined);
    }, this.#options.intervalMs);
    this.#timer.unref();
  }

  async beat(): Promise<void> {
    await this.#storage.heartbeat(this.#identity.processId, [...this.#running], toDatabaseTime(this.#clock.now()));
  }

  /** No trial of this process is running. */
  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  add(trialId: number): void {
    this.#running.add(trialId);
  }

  /** Whether this process runs the trial and has not ended it. */
  has(trialId: number): boolean {
    return this.#running.has(trialId);
  }

  /** Returns whether it was there. */
  remove(trialId: number): boolean {
    return this.#running.delete(trialId);
  }

  /** Leaves. Trials still running keep their state: `ask` in one process and `tell` in another is normal use. */
  async leave(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#entered === undefined) return;
    await this.#entered;
    this.#entered = undefined;
    await this.#storage.unregisterProcess(this.#identity.processId);
  }

  /**
   * How many trials run, and which of them have lost their process: dead on this machine, at once; elsewhere, or unknown but with a heartbeat,
   * after the grace period. One that never had either belongs to whoever asked for it and is left alone.
   */
  async findStale(studyId: number, place?: SyncCursor): Promise<{ running: number; stale: StaleTrial[] }> {
    if (!this.#storage.persistent) return { running: 0, stale: [] };
    const stale: StaleTrial[] = [];
    const owners = await this.#storage.runningTrials(studyId, place);
    for (const owner of owners) {
      const stopped = this.#endOf(owner);
      if (stopped !== undefined) stale.push({ owner, ...stopped });
    }
    return { running: owners.length, stale };
  }

  /** Other processes that work on studies of this storage: alive on this machine, or elsewhere and not silent for long. */
  async others(): Promise<ProcessRecord[]> {
    const all = await this.#storage.processes();
    return all.filter((process) => {
      if (process.processId === this.#identity.processId) return false;
      const life = isAlive(process);
      return life === 'alive' || (life !== 'dead' && !this.#isSilent(process.heartbeatAt));
    });
  }

  #endOf(owner: TrialOwner): Omit<StaleTrial, 'owner'> | undefined {
    const { process } = owner;
    if (process?.processId === this.#identity.processId) return undefined;
    if (process !== undefined) {
      const life = isAlive(process);
      if (life === 'alive') return undefined;
      if (life === 'dead') {
        const sameBoot = process.bootId === this.#identity.bootId;
        return { reason: `process ${process.pid} on ${process.host} is gone`, processEnded: sameBoot };
      }
      if (!this.#isSilent(process.heartbeatAt)) return undefined;
      const reason = `no sign of process ${process.pid} on ${process.host} since ${process.heartbeatAt} UTC`;
      return { reason, processEnded: false };
    }
    if (owner.trialHeartbeatAt === undefined || !this.#isSilent(owner.trialHeartbeatAt)) return undefined;
    return { reason: `no heartbeat since ${owner.trialHeartbeatAt} UTC`, processEnded: false };
  }

  #isSilent(since: string): boolean {
    const time = fromDatabaseTime(since);
    return time !== undefined && this.#clock.now() - time.getTime() > this.#options.graceMs;
  }
}
