import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { messageOf, ResweepError } from '../../core/errors.js';
import type { SweepConfig } from '../../core/sweep-config.js';
import { OUTPUTS_FOLDER, STUDY_DB } from '../../core/study-paths.js';
import {
  isThere,
  setupCheckpointStorage,
  type BackupEvent,
  type Drive,
  type RestoreResult,
} from '../../backup/index.js';
import { createConfiguredDrive } from '../backup/create-drive.js';
import { RESTORING_MARK } from '../backup/restoring-mark.js';
import { inOwnFolder, SharedRestore } from '../shared/shared-restore.js';
import type { LocatedSweep } from '../studies/locate-sweep.js';
import type { MessageLevel } from './sweep-observer.js';

/** What was found before the study was opened. */
export interface RestoredStudy {
  readonly studyDir: string;
  /** The database was brought back from a backup now. */
  readonly restored: boolean;
  readonly from: string | undefined;
  /** Of a study brought back into a shared database: numbers of the trials that ran when its backup was made. */
  readonly running?: readonly number[];
}

export interface SweepRestoreOptions {
  readonly sweep: LocatedSweep;
  readonly config: SweepConfig;
  readonly say: (level: MessageLevel, text: string) => void;
}

/** Brings a study back before anything of it is created, for whatever destinations are configured (also none). */
export class SweepRestore {
  readonly #options: SweepRestoreOptions;
  readonly #drive: Drive | undefined;
  #shared: SharedRestore | undefined;
  #from: string | undefined;

  constructor(options: SweepRestoreOptions, drive: Drive | undefined) {
    this.#options = options;
    this.#drive = drive;
  }

  /** Takes note of the destination that gives the study. */
  note({ type, destination }: BackupEvent): void {
    if (type === 'restore') this.#from ??= destination;
  }

  /**
   * Finds the study: locally under any environment, at the destinations, in its legacy shape; nothing is created. A copy that
   * exists but cannot be had is said, and with `require` ends the run.
   * @throws ResweepError with `require`, where a backup exists or may exist and cannot be restored
   */
  async run(o: { require: boolean; shared?: boolean; signal: AbortSignal }): Promise<RestoredStudy> {
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
        from: found.restored ? (this.#from ?? 'a backup') : undefined,
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
    this.#shared = restore;
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
    const from = this.#from ?? 'a backup';
    this.#options.say(
      'info',
      `The study was not in its database; its ${added.trials} trials were brought back from ${from}${added.idsKept ? '' : ' under other ids'}.`,
    );
    return { ...fresh, restored: true, from, running: added.running };
  }

  /** The study is open, or there is none: others who wait for its restore go on. */
  async settle(): Promise<void> {
    const restore = this.#shared;
    this.#shared = undefined;
    await restore?.close();
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
      const problem = folderProblem(result);
      if (problem !== undefined) this.#options.say('warn', `Checkpoints and logs could not be restored: ${problem}`);
      // What could not be had now, the next run asks for again.
      if (problem === undefined || result.status === 'refused' || result.status === 'damaged')
        rmSync(mark, { force: true });
    } catch (error) {
      this.#options.say('warn', `Checkpoints and logs could not be restored: ${messageOf(error)}`);
    }
  }
}

/** Why the folder of a study that has just come back lacks what its backup has; undefined where it lacks nothing. */
function folderProblem(result: RestoreResult): string | undefined {
  const { status, searched, error } = result;
  // Some of it is here, and nobody could say what belongs to it.
  const silent = searched.find(({ state }) => state === 'unreachable');
  if (status === 'present' && searched.every(({ state }) => state !== 'found')) return silent?.error;
  return isThere(result) || status === 'absent' ? undefined : (error ?? status);
}

/** For readers: a study that is missing here is brought back, as a run does it. */
export async function restoreStudy(options: SweepRestoreOptions, signal: AbortSignal): Promise<RestoredStudy> {
  const { config, sweep, say } = options;
  const drive = sweepDrive(config, sweep.projectRoot, say, (event) => {
    restore.note(event);
  });
  const restore = new SweepRestore(options, drive);
  try {
    return await restore.run({ require: false, signal });
  } finally {
    await restore.settle();
    await drive?.close();
  }
}

/** The destinations of a sweep, with their words for people; none for a study in memory. @throws UsageError for a destination that cannot be */
export function sweepDrive(
  config: SweepConfig,
  projectRoot: string,
  say: SweepRestoreOptions['say'],
  onEvent: (event: BackupEvent) => void,
): Drive | undefined {
  if (config.storage.kind === 'memory') return undefined;
  const log = {
    info: (message: string) => {
      say('info', message);
    },
    warn: (message: string) => {
      say('warn', message);
    },
  };
  return createConfiguredDrive(config, projectRoot, { log, onEvent });
}
