import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { messageOf, ResweepError } from '../../core/errors.js';
import type { JsonValue } from '../../core/json.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { OUTPUTS_FOLDER, STUDY_DB } from '../../core/study-paths.js';
import {
  BackupCoordinator,
  isThere,
  setupCheckpointStorage,
  type BackupEvent,
  type DestinationStatus,
  type Drive,
  type RestoreResult,
} from '../../backup/index.js';
import type { Study } from '../../study/study.js';
import { unusableModels } from '../backup/check-models.js';
import { createConfiguredDrive, destinationsOf } from '../backup/create-drive.js';
import { exportStudy, SharedBackup } from '../shared/shared-backup.js';
import { inOwnFolder, SharedRestore } from '../shared/shared-restore.js';
import type { EventsLog, SweepEvent } from './events-log.js';
import type { LocatedSweep } from '../studies/locate-sweep.js';
import { RESTORING_MARK } from '../backup/restoring-mark.js';
import type { BackupState } from './backup-state.js';
import { sweepPage } from './sweep-page.js';
import type { MessageLevel } from './sweep-observer.js';
import { TrialCheckpoints } from '../trials/trial-checkpoints.js';

const FLUSH_MS = 60_000;
/** A copy that is behind for longer is overdue. */
const LOOK_MS = 5_000;
const OVERDUE_MS = 5 * 60_000;

/** What was found before the study was opened. */
export interface RestoredStudy {
  readonly studyDir: string;
  /** The database was brought back from a backup now. */
  readonly restored: boolean;
  readonly from: string | undefined;
  /** Of a study brought back into a shared database: numbers of the trials that ran when its backup was made. */
  readonly running?: readonly number[];
}

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
  #sharedRestore: SharedRestore | undefined;
  #study: Study | undefined;
  #restoredFrom: string | undefined;
  readonly #startedAt = Date.now();
  readonly #overdue = new Set<string>();
  #watch: NodeJS.Timeout | undefined;

  /** @throws UsageError for a destination that cannot be */
  constructor(options: SweepBackupOptions) {
    this.#options = options;
    const { config, sweep, say } = options;
    this.#drive =
      config.storage.kind !== 'memory'
        ? createConfiguredDrive(config, sweep.projectRoot, {
            log: {
              info: (message) => {
                say('info', message);
              },
              warn: (message) => {
                say('warn', message);
              },
            },
            onEvent: (event) => {
              this.#onEvent(event);
            },
          })
        : undefined;
  }

  get enabled(): boolean {
    return this.#drive !== undefined;
  }

  /**
   * Finds the study: locally under any environment, at the destinations, in its legacy shape; nothing is created. A copy that
   * exists but cannot be had is said, and with `require` ends the run.
   * @throws ResweepError with `require`, where a backup exists or may exist and cannot be restored
   */
  async restoreStudy(o: { require: boolean; shared?: boolean; signal: AbortSignal }): Promise<RestoredStudy> {
    const { sweep, config } = this.#options;
    const fresh = { studyDir: sweep.studyDir, restored: false, from: undefined };
    if (config.storage.kind === 'url' && o.shared === true && this.#drive !== undefined)
      return this.#restoreShared(this.#drive, o);
    if (config.storage.kind !== 'file') return fresh;
    if (sweep.exists && !existsSync(join(sweep.studyDir, RESTORING_MARK))) return fresh;
    const drive = this.#drive;
    const found = await this.#lookForFile(config.study);
    const studyDir = found.studyDb === undefined ? sweep.studyDir : dirname(found.studyDb);
    if (drive === undefined) return { ...fresh, studyDir };
    if (found.resumed) {
      if (found.restored || existsSync(join(studyDir, RESTORING_MARK)))
        await this.#restoreFolder(drive, studyDir, o.signal);
      return {
        studyDir,
        restored: found.restored,
        from: found.restored ? (this.#restoredFrom ?? 'a backup') : undefined,
      };
    }
    await this.#askWhy(drive, join(studyDir, STUDY_DB), o);
    return { ...fresh, studyDir };
  }

  async #lookForFile(studyName: string | undefined): ReturnType<typeof setupCheckpointStorage> {
    const { sweep, config } = this.#options;
    const drive = this.#drive;
    return setupCheckpointStorage({
      outputDir: join(sweep.projectRoot, OUTPUTS_FOLDER),
      backbone: config.backbone,
      study8: sweep.study8,
      studyName,
      environment: config.environment,
      log: {
        warn: (message) => {
          this.#options.say('warn', message);
        },
      },
      ...(drive === undefined ? {} : { backupToDrive: drive.backupToDrive, restoreFromDrive: drive.restoreFromDrive }),
    });
  }

  /**
   * A study that its server lost is brought back from its backup by one of the workers that begin; `settleRestore` lets the others
   * go on. A copy of it on this machine is not used: it may be older than what the destinations have.
   */
  async #restoreShared(drive: Drive, o: { require: boolean; signal: AbortSignal }): Promise<RestoredStudy> {
    const { sweep, config, say } = this.#options;
    const fresh = { studyDir: sweep.studyDir, restored: false, from: undefined };
    const restore = await SharedRestore.begin(config, o.signal);
    if (restore === undefined) return fresh;
    this.#sharedRestore = restore;
    if (sweep.exists) {
      return inOwnFolder(async (to) => {
        const studyDb = join(sweep.studyDir, STUDY_DB);
        const found = await drive.restore(studyDb, { to, studyName: config.study, signal: o.signal });
        if (isThere(found)) return this.#addShared(restore, found.path, fresh);
        this.#sayWhy(found, o.require);
        return fresh;
      });
    }
    const found = await this.#lookForFile(undefined);
    if (found.studyDb === undefined || !found.restored) {
      await this.#askWhy(drive, join(sweep.studyDir, STUDY_DB), o);
      return fresh;
    }
    const studyDir = dirname(found.studyDb);
    await this.#restoreFolder(drive, studyDir, o.signal);
    say('info', `${found.studyDb} was restored.`);
    return this.#addShared(restore, found.studyDb, { ...fresh, studyDir });
  }

  async #addShared(restore: SharedRestore, path: string, fresh: RestoredStudy): Promise<RestoredStudy> {
    const added = await restore.add(path);
    if (added === undefined) return fresh;
    const from = this.#restoredFrom ?? 'a backup';
    this.#options.say(
      'info',
      `The study was not in its database; its ${added.trials} trials were brought back from ${from}${added.idsKept ? '' : ' under other ids'}.`,
    );
    return { ...fresh, restored: true, from, running: added.running };
  }

  /** The study is open, or there is none: others who wait for its restore go on. */
  async settleRestore(): Promise<void> {
    const restore = this.#sharedRestore;
    this.#sharedRestore = undefined;
    await restore?.close();
  }

  /** A full copy of the database as it is, before it is changed. Returns why there is none; undefined also where none is wanted. */
  async copyNow(study: Study, studyDb: string): Promise<string | undefined> {
    if (this.#drive === undefined) return undefined;
    if (this.#options.config.storage.kind === 'url') await exportStudy(study, studyDb);
    const { ok, error } = await this.#drive.backup(studyDb);
    return ok ? undefined : (error ?? 'no copy was made');
  }

  /** There is no study to go on with: because there never was one, or because its copy cannot be had? */
  async #askWhy(drive: Drive, studyDb: string, o: { require: boolean; signal: AbortSignal }): Promise<void> {
    this.#sayWhy(await drive.restore(studyDb, { signal: o.signal }), o.require);
  }

  #sayWhy(result: RestoreResult, isRequired: boolean): void {
    if (result.status === 'absent' || isThere(result)) return;
    const problem = result.error ?? `the backup is ${result.status}`;
    if (isRequired) {
      throw new ResweepError('RESTORE_FAILED', `The study cannot be restored: ${problem}`, {
        exitCode: 3,
        hint: 'Without --require-restore a fresh study begins beside it; nothing of the backup is overwritten.',
      });
    }
    this.#options.say(
      'warn',
      `The study could not be restored: ${problem.replace(/\.?$/, '.')} A fresh one begins under a lineage of its own; the backup is kept ` +
        `beside it. To have the backup instead: stop this run, mend that, move ${this.#options.sweep.studyDir} away, and run again.`,
    );
  }

  /** Checkpoints, events, configuration and logs of a study whose database has just come back. */
  async #restoreFolder(drive: Drive, studyDir: string, signal: AbortSignal): Promise<void> {
    const mark = join(studyDir, RESTORING_MARK);
    try {
      mkdirSync(studyDir, { recursive: true });
      writeFileSync(mark, '');
      const result = await drive.restore(studyDir, { isDirectory: true, signal });
      if (!isThere(result) && result.status !== 'absent') {
        this.#options.say('warn', `Checkpoints and logs could not be restored: ${result.error ?? result.status}`);
      }
      rmSync(mark, { force: true });
    } catch (error) {
      this.#options.say('warn', `Checkpoints and logs could not be restored: ${messageOf(error)}`);
    }
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
  async start(study: Study, studyDir: string, onOwnershipLost: (message: string) => void): Promise<void> {
    if (this.#drive === undefined) return;
    this.#study = study;
    if (this.#options.config.storage.kind !== 'url') {
      this.#begin(studyDir, onOwnershipLost);
      return;
    }
    const warn = (message: string): void => {
      this.#options.say('warn', message);
    };
    this.#shared = new SharedBackup(study, join(studyDir, STUDY_DB), {
      onHeld: () => {
        // Another worker's view of a destination is no reason to stop working on a shared study.
        this.#begin(studyDir, warn);
      },
      onLost: async () => {
        await this.#coordinator?.close();
        this.#coordinator = undefined;
      },
      onWarning: warn,
    });
    await this.#shared.start();
  }

  #begin(studyDir: string, onOwnershipLost: (message: string) => void): void {
    if (this.#drive === undefined) return;
    try {
      this.#coordinator = new BackupCoordinator({
        drive: this.#drive,
        studyDb: join(studyDir, STUDY_DB),
        studyFolder: studyDir,
        folderEveryMs: this.#options.config.checkpoint.every,
        upkeep: { checkFolder: unusableModels },
        ...(this.#options.config.backup.statusPage && { statusPage: (states) => this.#page(states) }),
        onOwnershipLost: (conflict) => {
          onOwnershipLost(conflict.message);
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
    if (event.type === 'restore' && event.outcome === 'ok' && event.destination !== undefined) {
      this.#restoredFrom ??= event.destination;
    }
    const { type, at: _at, ...fields } = event;
    const line = { event: eventName(type), ...withoutUndefined(fields) };
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
        destination.finishedTrials === undefined ? undefined : safeUpTo(this.#study, destination.finishedTrials),
      sameDisk: destination.sameDisk,
      unconfirmed: destination.verified === 'handedToMount',
      bytes: destination.bytes,
      backlog: destination.backlog,
      overdueMs: this.#overdueMs(destination),
      damage: destination.verification?.problem,
    }));
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

/** The highest number up to which every trial is among the first `count` that finished; -1 for none. */
function safeUpTo(study: Study | undefined, count: number): number {
  const saved = new Set((study?.history.finished ?? []).slice(0, count).map((trial) => trial.number));
  let number = -1;
  while (saved.has(number + 1)) number++;
  return number;
}

/** `backupFailed` → `backup-failed`. */
function eventName(type: string): string {
  return type.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function withoutUndefined(record: Readonly<Record<string, unknown>>): Record<string, JsonValue> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Record<
    string,
    JsonValue
  >;
}
