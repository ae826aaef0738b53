import { join } from 'node:path';

import { messageOf } from '../../core/errors.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { STUDY_DB } from '../../core/study-paths.js';
import { BackupCoordinator, type BackupEvent, type DestinationStatus, type Drive } from '../../backup/index.js';
import type { Study } from '../../study/study.js';
import { unusableModels } from '../backup/check-models.js';
import { destinationsOf } from '../backup/create-drive.js';
import { exportStudy, SharedBackup } from '../shared/shared-backup.js';
import type { LocatedSweep } from '../studies/locate-sweep.js';
import { TrialCheckpoints } from '../trials/trial-checkpoints.js';
import { backupEventLine } from './backup-event-line.js';
import type { BackupState } from './backup-state.js';
import type { EventsLog, SweepEvent } from './events-log.js';
import { SafeNumbers } from './safe-numbers.js';
import type { MessageLevel } from './sweep-observer.js';
import { sweepPage } from './sweep-page.js';
import { sweepDrive, SweepRestore, type RestoredStudy } from './sweep-restore.js';

const FLUSH_MS = 60_000;
const LOOK_MS = 5_000;
/** A copy that is behind for longer is overdue. */
const OVERDUE_MS = 5 * 60_000;

export interface SweepBackupOptions {
  readonly sweep: LocatedSweep;
  readonly config: SweepConfig;
  readonly say: (level: MessageLevel, text: string) => void;
  readonly onStatus: (states: readonly BackupState[]) => void;
}

/** Restore before a sweep, backups beside it, and the final flush, for whatever destinations are configured (also none). */
export class SweepBackup {
  readonly #options: SweepBackupOptions;
  readonly #drive: Drive | undefined;
  /** Events from before the study's folder was known. */
  readonly #early: SweepEvent[] = [];
  #events: EventsLog | undefined;
  #coordinator: BackupCoordinator | undefined;
  #shared: SharedBackup | undefined;
  #study: Study | undefined;
  readonly #restore: SweepRestore;
  readonly #startedAt = Date.now();
  readonly #overdue = new Set<string>();
  /** By destination. */
  readonly #safe = new Map<string, SafeNumbers>();
  #watch: NodeJS.Timeout | undefined;

  /** @throws UsageError for a destination that cannot be */
  constructor(options: SweepBackupOptions) {
    this.#options = options;
    const { config, sweep, say } = options;
    this.#drive = sweepDrive(config, sweep.projectRoot, say, (event) => {
      this.#onEvent(event);
    });
    this.#restore = new SweepRestore(options, this.#drive);
  }

  get enabled(): boolean {
    return this.#drive !== undefined;
  }

  /** @throws as `SweepRestore.run` */
  restoreStudy(o: { require: boolean; shared?: boolean; signal: AbortSignal }): Promise<RestoredStudy> {
    return this.#restore.run(o);
  }

  /** The study is open, or there is none: others who wait for its restore go on. */
  settleRestore(): Promise<void> {
    return this.#restore.settle();
  }

  /** A full copy of the database as it is, before it is changed. Returns why there is none; undefined also where none is wanted. */
  async copyNow(study: Study, studyDb: string): Promise<string | undefined> {
    if (this.#drive === undefined) return undefined;
    if (this.#options.config.storage.kind === 'url') await exportStudy(study, studyDb);
    const { ok, error } = await this.#drive.backup(studyDb);
    return ok ? undefined : (error ?? 'no copy was made');
  }

  /** From now on events go to the study's own log. */
  logTo(events: EventsLog): void {
    this.#events = events;
    for (const event of this.#early.splice(0)) events.append(event);
  }

  /**
   * Begins backing up: a first copy at once, then after every trial. Of a study in a shared database one process at a time does
   * so, from a copy of the database in the study's folder; the others wait for its lease.
   */
  async start(study: Study, studyDir: string, onOwnershipLost: () => void): Promise<void> {
    if (this.#drive === undefined) return;
    this.#study = study;
    if (this.#options.config.storage.kind !== 'url') {
      this.#begin(studyDir, onOwnershipLost);
      return;
    }
    this.#shared = new SharedBackup(study, join(studyDir, STUDY_DB), {
      onHeld: () => {
        // Another worker's view of a destination is no reason to stop working on a shared study.
        this.#begin(studyDir, () => undefined);
      },
      onLost: async () => {
        await this.#coordinator?.close();
        this.#coordinator = undefined;
      },
      onWarning: (message) => {
        this.#options.say('warn', message);
      },
    });
    await this.#shared.start();
  }

  /** `onOwnershipLost`: what it says has been said. */
  #begin(studyDir: string, onOwnershipLost: () => void): void {
    if (this.#drive === undefined) return;
    try {
      this.#coordinator = new BackupCoordinator({
        drive: this.#drive,
        studyDb: join(studyDir, STUDY_DB),
        studyFolder: studyDir,
        folderEveryMs: this.#options.config.checkpoint.every,
        upkeep: { checkFolder: unusableModels },
        ...(this.#options.config.backup.statusPage && { statusPage: (states) => this.#page(states) }),
        onOwnershipLost: () => {
          onOwnershipLost();
        },
      });
    } catch (error) {
      // A study on Drive itself, or outside the project: it runs without backups, and says why.
      this.#options.say('warn', `No backups: ${messageOf(error)}`);
      return;
    }
    this.#coordinator.start();
    clearInterval(this.#watch);
    this.#watch = setInterval(() => {
      this.#look();
    }, LOOK_MS);
    this.#watch.unref();
    if (this.#coordinator.isSameDiskOnly) {
      this.#options.say(
        'warn',
        'Every backup destination lies on the same disk as the study: it is lost with that disk.',
      );
    }
  }

  /** Of a shared study each worker saves and restores its own trials' checkpoints; undefined where the whole folder is backed up. */
  checkpointsIn(studyDir: string): TrialCheckpoints | undefined {
    const { config, say } = this.#options;
    if (this.#drive === undefined || config.storage.kind !== 'url') return undefined;
    return new TrialCheckpoints({ drive: this.#drive, studyDir, everyMs: config.checkpoint.every, say });
  }

  /** After a trial is stored. Returns at once. */
  afterTrial(): void {
    if (this.#shared === undefined) this.#coordinator?.studyChanged();
    else this.#shared.changed(() => this.#coordinator?.studyChanged());
  }

  /** After a checkpoint was written. Returns at once. */
  afterCheckpoint(): void {
    this.#coordinator?.folderChanged();
  }

  /** The final backup, within a minute. */
  async flush(): Promise<readonly BackupState[]> {
    await this.#shared?.flush(() => this.#coordinator?.studyChanged());
    const report = await this.#coordinator?.flush(FLUSH_MS);
    const states = this.#states(report?.destinations ?? []);
    this.#options.onStatus(states);
    return states;
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    await this.settleRestore().catch(() => undefined);
    await this.#coordinator?.close();
    await this.#drive?.close();
  }

  /** Gives back what this process holds in a shared database, which can be closed then. */
  async leaveShared(): Promise<void> {
    if (this.#shared === undefined) return;
    await this.#coordinator?.close();
    await this.#shared.close();
  }

  #onEvent(event: BackupEvent): void {
    this.#restore.note(event);
    const line = backupEventLine(event);
    if (this.#events === undefined) this.#early.push(line);
    else this.#events.append(line);
    if (this.#coordinator !== undefined) this.#options.onStatus(this.#states(this.#coordinator.status()));
  }

  #states(destinations: readonly DestinationStatus[]): BackupState[] {
    return destinations.map((destination) => ({
      name: destination.name,
      lastVerifiedAt: destination.lastVerifiedAt,
      sha256: destination.sha256,
      error: destination.error,
      safeUpTo:
        destination.finishedTrials === undefined
          ? undefined
          : this.#safeUpTo(destination.name, destination.finishedTrials),
      sameDisk: destination.sameDisk,
      unconfirmed: destination.verified === 'handedToMount',
      bytes: destination.bytes,
      backlog: destination.backlog,
      overdueMs: this.#overdueMs(destination),
      ...problemOf(destination.verification),
    }));
  }

  #safeUpTo(destination: string, count: number): number {
    let safe = this.#safe.get(destination);
    if (safe === undefined) this.#safe.set(destination, (safe = new SafeNumbers()));
    return safe.upTo(this.#study?.history.finished ?? [], count);
  }

  /** What no event tells: copies that come late because nothing happens at all. */
  #look(): void {
    const states = this.status();
    this.#options.onStatus(states);
    for (const { name, overdueMs, backlog, error } of states) {
      if (overdueMs === undefined) this.#overdue.delete(name);
      if (overdueMs === undefined || this.#overdue.has(name)) continue;
      this.#overdue.add(name);
      const minutes = Math.round(overdueMs / 60_000);
      const message = `The backup on ${name} is overdue: ${backlog} changes are not there, the last copy is ${minutes} minutes old.${error === undefined ? '' : ` ${error}`} The sweep goes on.`;
      this.#options.say('warn', message);
      this.#events?.append({ event: 'backup-overdue', destination: name, minutes, backlog });
    }
  }

  /** How late a copy is, where it is later than its interval and a few minutes explain. */
  #overdueMs({ name, backlog, lastVerifiedAt }: DestinationStatus): number | undefined {
    if (backlog === 0) return undefined;
    const every = destinationsOf(this.#options.config).find((destination) => destination.name === name)?.every;
    const interval = every !== undefined && 'milliseconds' in every ? every.milliseconds : 0;
    const since = lastVerifiedAt === undefined ? this.#startedAt : Date.parse(lastVerifiedAt);
    const age = Date.now() - since;
    return age > 2 * interval + OVERDUE_MS ? age : undefined;
  }

  #page(destinations: readonly DestinationStatus[]): string | undefined {
    const { config, sweep } = this.#options;
    return this.#study === undefined ? undefined : sweepPage(this.#study, config, sweep.study8, destinations);
  }

  /** How each destination stands now. */
  status(): readonly BackupState[] {
    return this.#states(this.#coordinator?.status() ?? []);
  }
}

function problemOf(found: DestinationStatus['verification']): Pick<BackupState, 'damage' | 'unchecked'> {
  const isUnchecked = found !== undefined && found.damaged === undefined;
  return isUnchecked
    ? { damage: undefined, unchecked: found.problem }
    : { damage: found?.problem, unchecked: undefined };
}
