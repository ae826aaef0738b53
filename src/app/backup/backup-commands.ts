import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

import { ResweepError, UsageError } from '../../core/errors.js';
import { EVENTS_FILE, OUTPUTS_FOLDER, STUDY_DB } from '../../core/study-paths.js';
import {
  BackupCoordinator,
  isThere,
  listBackups,
  pruneBackups,
  repairBackups,
  verifyBackups,
  type BackupEvent,
  type BackupLog,
  type BackupList,
  type Drive,
  type FlushReport,
  type PruneReport,
  type RepairReport,
  type RestoreProgress,
  type RestoreResult,
  type VerifyReport,
} from '../../backup/index.js';
import { unusableModels } from './check-models.js';
import { createConfiguredDrive } from './create-drive.js';
import { locateSweep, type LocatedSweep } from '../studies/locate-sweep.js';
import { backupSharedNow } from '../shared/shared-study.js';
import { backupEventLine } from '../sweep/backup-event-line.js';
import { EventsLog } from '../sweep/events-log.js';

export { MISSING } from '../../backup/index.js';

/** Work with the backups of one configured sweep. */
export interface BackupCommandOptions {
  readonly configPath: string;
  readonly set?: readonly string[] | undefined;
  readonly log?: BackupLog;
  readonly onEvent?: ((event: BackupEvent) => void) | undefined;
}

/** Does `work` with the drive of a configuration and closes it. @throws UsageError where no destination is configured */
export async function withDrive<T>(
  options: BackupCommandOptions,
  work: (drive: Drive, sweep: LocatedSweep) => Promise<T>,
): Promise<T> {
  const sweep = await locateSweep(options.configPath, { set: options.set });
  const { log, onEvent } = options;
  const drive = createConfiguredDrive(sweep.config, sweep.projectRoot, {
    ...(log === undefined ? {} : { log }),
    ...(onEvent === undefined ? {} : { onEvent }),
  });
  if (drive === undefined) {
    throw new UsageError(`${options.configPath} has no backup destination in force.`, {
      hint: 'Add one under backup.destinations, or leave backup.enabled: false out.',
    });
  }
  try {
    return await work(drive, sweep);
  } finally {
    await drive.close();
  }
}

/** Whether a configuration has a destination of that name: `--from` means it then, also where a file is called so. */
export async function hasDestination({ configPath, set }: BackupCommandOptions, name: string): Promise<boolean> {
  const { config } = await locateSweep(configPath, { set });
  return config.backup.destinations.some((destination) => destination.name === name);
}

/** `resweep backup now`: the study and its folder, to every destination. */
export async function backupNow(options: BackupCommandOptions): Promise<FlushReport> {
  let events: EventsLog | undefined;
  const onEvent = (event: BackupEvent): void => {
    // That the folder was saved cannot stand in the folder that was saved.
    if (event.path?.endsWith(STUDY_DB) === true || event.outcome !== 'ok') events?.append(backupEventLine(event));
  };
  return withDrive({ ...options, onEvent }, async (drive, sweep) => {
    if (sweep.config.storage.kind === 'url') return backupSharedNow(drive, sweep);
    if (!existsSync(join(sweep.studyDir, STUDY_DB))) {
      throw new UsageError(`There is no study to back up: ${join(sweep.studyDir, STUDY_DB)} does not exist.`, {
        hint: `resweep run ${options.configPath} starts it, or restores it from a backup.`,
      });
    }
    const { studyDir } = sweep;
    const coordinator = new BackupCoordinator({ drive, studyDb: join(studyDir, STUDY_DB), studyFolder: studyDir });
    events = new EventsLog(join(studyDir, EVENTS_FILE));
    try {
      const report = await coordinator.flush();
      await coordinator.flushFolder();
      return report;
    } finally {
      await coordinator.close();
      events.close();
    }
  });
}

/** `resweep backup list`: every saved state of the sweep's files. */
export async function listSweepBackups(
  options: BackupCommandOptions & { readonly all: boolean; readonly destination?: string | undefined },
): Promise<BackupList> {
  const { all, destination } = options;
  return withDrive(options, (drive, sweep) =>
    listBackups(drive, { destination, ...(all ? {} : { path: sweep.studyDir }) }),
  );
}

/** `resweep backup verify`. */
export async function verifySweepBackups(
  options: BackupCommandOptions & {
    readonly deep: boolean;
    readonly sample?: number | undefined;
    readonly all: boolean;
    readonly destination?: string | undefined;
  },
): Promise<VerifyReport> {
  const { deep, sample, all, destination } = options;
  return withRecord(options, (drive, sweep) =>
    verifyBackups(drive, {
      deep,
      destination,
      checkFolder: unusableModels,
      ...(sample === undefined ? {} : { sample }),
      ...(all ? {} : { path: sweep.studyDir }),
    }),
  );
}

/** As `withDrive`; what it does is kept among the study's events, where the study is here: status and dashboard show it. */
async function withRecord<T>(
  options: BackupCommandOptions,
  work: (drive: Drive, sweep: LocatedSweep) => Promise<T>,
): Promise<T> {
  const done: BackupEvent[] = [];
  const onEvent = (event: BackupEvent): void => void done.push(event);
  return withDrive({ ...options, onEvent }, async (drive, sweep) => {
    const result = await work(drive, sweep);
    if (existsSync(sweep.studyDir)) record(sweep.studyDir, done);
    return result;
  });
}

function record(studyDir: string, done: readonly BackupEvent[]): void {
  const events = new EventsLog(join(studyDir, EVENTS_FILE));
  for (const event of done) events.append(backupEventLine(event));
  events.close();
}

/** `resweep backup repair`: mends what is damaged from whatever is whole elsewhere. */
export async function repairSweepBackups(
  options: BackupCommandOptions & { readonly all: boolean; readonly destination?: string | undefined },
): Promise<RepairReport> {
  const { all, destination } = options;
  return withRecord(options, (drive, sweep) =>
    repairBackups(drive, { destination, ...(all ? {} : { path: sweep.studyDir }) }),
  );
}

/** `resweep backup prune`: what retention needs no more goes, or is only named. */
export async function pruneSweepBackups(
  options: BackupCommandOptions & {
    readonly dryRun: boolean;
    readonly all: boolean;
    readonly destination?: string | undefined;
  },
): Promise<PruneReport> {
  const { dryRun, all, destination } = options;
  return (dryRun ? withDrive : withRecord)(options, (drive, sweep) =>
    pruneBackups(drive, { dryRun, destination, ...(all ? {} : { path: sweep.studyDir }) }),
  );
}

export interface RestoreCommandOptions extends BackupCommandOptions {
  /** File or folder to bring back; default: the study of the configuration. */
  readonly path?: string | undefined;
  readonly at?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly branch?: string | undefined;
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * `resweep restore`: the study's database and then its folder, or one path.
 * @throws ResweepError where there are copies and none can be used (exit code 3 for damage, 1 for what can be tried again);
 * UsageError where there is none, and for a place that is none
 */
export async function restoreSweep(options: RestoreCommandOptions): Promise<RestoreResult[]> {
  const done: BackupEvent[] = [];
  const onEvent = (event: BackupEvent): void => void done.push(event);
  return withDrive({ ...options, onEvent }, async (drive, sweep) => {
    const results = await restoreWith(options, drive, sweep);
    // Begun here, the file would stand in the way of the one that is saved.
    if (options.to === undefined && existsSync(join(sweep.studyDir, EVENTS_FILE))) record(sweep.studyDir, done);
    return results;
  });
}

async function restoreWith(
  options: RestoreCommandOptions,
  drive: Drive,
  sweep: LocatedSweep,
): Promise<RestoreResult[]> {
  const { at, from, to, branch, onProgress, signal } = options;
  if (to !== undefined) checkPlace(to);
  const choice = {
    ...(at === undefined ? {} : { at }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(branch === undefined ? {} : { branch }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  };
  if (options.path !== undefined) {
    const path = resolve(options.path);
    const outputs = join(sweep.projectRoot, OUTPUTS_FOLDER);
    if (to === undefined && relative(outputs, path).startsWith('..')) {
      throw new UsageError(`${path} does not lie in ${outputs}: a restore writes nowhere else.`, {
        hint: 'Name a folder for it: --to DIR',
      });
    }
    return [check(await drive.restore(path, { ...choice, ...(await howSaved(drive, sweep, path)) }))];
  }
  const database = check(await drive.restore(join(sweep.studyDir, STUDY_DB), choice));
  return [database, await restoreFolderOf(drive, sweep, database, choice)];
}

/** The folder around a restored database: as of the same time, where one was asked for. */
async function restoreFolderOf(
  drive: Drive,
  sweep: LocatedSweep,
  database: RestoreResult,
  choice: Parameters<Drive['restore']>[1],
): Promise<RestoreResult> {
  const { at, branch: _branch, ...others } = choice ?? {};
  const folder = { ...others, isDirectory: true };
  const time = at !== undefined && Number.isNaN(Date.parse(at)) ? database.createdAt : at;
  if (time !== undefined) {
    const result = await drive.restore(sweep.studyDir, { ...folder, at: time });
    // None is as old as that: its first one is the nearest.
    if (result.status !== 'absent') return result;
  }
  return drive.restore(sweep.studyDir, folder);
}

/** Whether a path is kept by itself, as a file or folder, or as a part of a folder that is. */
async function howSaved(
  drive: Drive,
  sweep: LocatedSweep,
  path: string,
): Promise<{ readonly isDirectory: boolean; readonly within?: string }> {
  const key = drive.drivePathFor(path);
  const { backups } = await listBackups(drive);
  const targets = new Set(backups.map((backup) => backup.path));
  if (targets.has(key)) {
    const isDirectory = existsSync(path) ? statSync(path).isDirectory() : !/\.[A-Za-z0-9]+$/.test(key);
    return { isDirectory };
  }
  const around = [...targets].filter((target) => key.startsWith(`${target}/`)).sort((a, b) => b.length - a.length);
  const [within] = around;
  if (within !== undefined) return { isDirectory: false, within: join(sweep.projectRoot, within) };
  return { isDirectory: existsSync(path) ? statSync(path).isDirectory() : true };
}

function check(result: RestoreResult): RestoreResult {
  if (isThere(result)) return result;
  const searched = result.searched.map(({ destination }) => destination).join(', ');
  if (result.status === 'absent') {
    throw new UsageError(`No backup of ${result.path} was found. Searched: ${searched}.`, {
      code: 'NO_BACKUP',
      hint: 'resweep backup list CONFIG --all shows everything that is saved.',
    });
  }
  const hint = failureHint(result);
  throw new ResweepError('RESTORE_FAILED', `${result.path} could not be restored: ${result.error ?? result.status}`, {
    exitCode: restoreExitCode(result),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** What a restore ends with: damage is told from what a network, a key or a full disk is to blame for. */
export function restoreExitCode(result: RestoreResult): 0 | 1 | 3 {
  if (isThere(result) || result.status === 'absent') return 0;
  return result.status === 'damaged' ? 3 : 1;
}

function failureHint({ status }: RestoreResult): string | undefined {
  if (status === 'unreachable')
    return 'Bring one of them within reach and repeat this, or restore from an exported file: resweep restore --from FILE';
  return status === 'damaged'
    ? 'resweep backup verify CONFIG --deep shows which copies are whole; resweep backup repair CONFIG mends what it can.'
    : undefined;
}

/** `--to` is a folder, or becomes one. @throws UsageError */
export function checkPlace(to: string): void {
  let place = resolve(to);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  if (!statSync(place).isDirectory())
    throw new UsageError(`--to takes a folder to restore into, but ${place} is a file.`);
}
