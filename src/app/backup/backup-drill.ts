import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { messageOf, UsageError } from '../../core/errors.js';
import { EVENTS_FILE, STUDY_DB } from '../../core/study-paths.js';
import type { TrialState } from '../../core/trial-state.js';
import {
  destinationsIn,
  isThere,
  listBackups,
  type BackupLog,
  type Drive,
  type RestoreResult,
} from '../../backup/index.js';
import { SqliteSnapshotSource } from '../../storage/rdb/sqlite-snapshot.js';
import { createConfiguredDrive } from './create-drive.js';
import { EventsLog } from '../sweep/events-log.js';
import { locateSweep, type LocatedSweep } from '../studies/locate-sweep.js';
import { exportShared } from '../shared/shared-study.js';
import { runSweep } from '../sweep/run-sweep.js';

/** One step of a drill. */
export interface DrillStep {
  readonly name: 'reach' | 'restore' | 'open' | 'compare' | 'folder' | 'train';
  readonly ok: boolean;
  /** What was found, for people. */
  readonly detail: string;
  readonly seconds: number;
}

/** What a drill found of one destination. */
export interface DrilledDestination {
  readonly destination: string;
  /** Kind of the destination, such as `s3`. */
  readonly type: string;
  readonly location: string;
  readonly ok: boolean;
  readonly steps: readonly DrillStep[];
  /** From nothing to an open, verified study: the time a real recovery takes. Null where it did not come so far. */
  readonly recoverySeconds: number | null;
  readonly snapshot: string | null;
  /** When the restored state was saved, ISO 8601. */
  readonly savedAt: string | null;
  readonly finishedTrials: number | null;
  /** Finished trials that the local study has and this copy has not; null without a local study. */
  readonly missingTrials: number | null;
}

export interface DrillReport {
  readonly ok: boolean;
  readonly study: string;
  readonly study8: string;
  /** ISO 8601. */
  readonly at: string;
  readonly destinations: readonly DrilledDestination[];
}

export interface DrillOptions {
  readonly configPath: string;
  readonly set?: readonly string[] | undefined;
  /** Only this one. */
  readonly destination?: string | undefined;
  /** Train one more trial on the restored copy. @default true */
  readonly train?: boolean | undefined;
  readonly log?: BackupLog;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Rehearses the loss of this machine: from each destination the study is restored into an empty place, opened, compared with what
 * its manifest says and with the local study, and trained for one more trial. The real study and the destinations are only read.
 * @throws UsageError where no destination is configured
 */
export async function drillBackups(options: DrillOptions): Promise<DrillReport> {
  const sweep = await locateSweep(options.configPath, { set: options.set });
  const { log } = options;
  const drive = createConfiguredDrive(sweep.config, sweep.projectRoot, log === undefined ? {} : { log });
  if (drive === undefined) throw new UsageError(`${options.configPath} has no backup destination in force.`);
  try {
    const destinations: DrilledDestination[] = [];
    for (const { name, type, location } of destinationsIn(drive, options.destination)) {
      destinations.push({ type, ...(await new DestinationDrill(drive, sweep, options, name, location).run()) });
    }
    recordDrill(sweep.studyDir, destinations);
    return {
      ok: destinations.every(({ ok }) => ok),
      study: sweep.config.study,
      study8: sweep.study8,
      at: new Date().toISOString(),
      destinations,
    };
  } finally {
    await drive.close();
  }
}

/** Keeps the result among the study's events, where the study is here: dashboards show when recovery was last rehearsed. */
function recordDrill(studyDir: string, destinations: readonly DrilledDestination[]): void {
  if (!existsSync(studyDir)) return;
  const events = new EventsLog(join(studyDir, EVENTS_FILE));
  for (const { destination, ok, recoverySeconds, finishedTrials, steps } of destinations) {
    const failed = steps.find((step) => !step.ok);
    events.append({
      event: 'drill',
      destination,
      ok,
      recoverySeconds,
      finishedTrials,
      message: ok
        ? `${destination}: recovered with ${finishedTrials ?? 0} trials in ${recoverySeconds ?? 0} s`
        : `${destination}: ${failed?.name ?? 'recovery'} failed: ${failed?.detail ?? ''}`,
    });
  }
  events.close();
}

/** A step found that recovery would fail. */
class DrillFailure extends Error {}

class DestinationDrill {
  readonly #drive: Drive;
  readonly #sweep: LocatedSweep;
  readonly #options: DrillOptions;
  readonly #name: string;
  readonly #location: string;
  readonly #place = mkdtempSync(join(tmpdir(), 'resweep-drill-'));
  readonly #steps: DrillStep[] = [];
  #recoverySeconds: number | null = null;
  #snapshot: string | null = null;
  #savedAt: string | null = null;
  #finished: number | null = null;
  #missing: number | null = null;

  constructor(drive: Drive, sweep: LocatedSweep, options: DrillOptions, name: string, location: string) {
    this.#drive = drive;
    this.#sweep = sweep;
    this.#options = options;
    this.#name = name;
    this.#location = location;
  }

  async run(): Promise<Omit<DrilledDestination, 'type'>> {
    const startedAt = performance.now();
    try {
      await this.#step('reach', () => this.#reach());
      const studyDb = await this.#step('restore', () => this.#restore());
      await this.#step('open', () => this.#open(studyDb));
      await this.#step('compare', () => this.#compare());
      await this.#step('folder', () => this.#folder());
      this.#recoverySeconds = seconds(startedAt);
      if (this.#options.train !== false) await this.#step('train', () => this.#train(studyDb));
    } catch (error) {
      if (!(error instanceof DrillFailure)) throw error;
    } finally {
      rmSync(this.#place, { recursive: true, force: true });
    }
    return {
      destination: this.#name,
      location: this.#location,
      ok: this.#steps.every(({ ok }) => ok),
      steps: this.#steps,
      recoverySeconds: this.#recoverySeconds,
      snapshot: this.#snapshot,
      savedAt: this.#savedAt,
      finishedTrials: this.#finished,
      missingTrials: this.#missing,
    };
  }

  /** Runs a step and notes how it went. @throws DrillFailure where it failed: later ones make no sense */
  async #step<T>(name: DrillStep['name'], work: () => Promise<readonly [T, string]>): Promise<T> {
    const startedAt = performance.now();
    try {
      const [result, detail] = await work();
      this.#steps.push({ name, ok: true, detail, seconds: seconds(startedAt) });
      return result;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      this.#steps.push({ name, ok: false, detail: messageOf(error), seconds: seconds(startedAt) });
      throw new DrillFailure(name);
    }
  }

  async #reach(): Promise<readonly [undefined, string]> {
    const { backups, errors } = await listBackups(this.#drive, {
      path: join(this.#sweep.studyDir, STUDY_DB),
      destination: this.#name,
    });
    const [error] = errors;
    if (error !== undefined) throw new Error(`it did not answer: ${error.error}`);
    const [newest] = backups;
    if (newest === undefined) throw new Error('it holds no copy of this study');
    return [undefined, `${backups.length} saved states, the newest of ${newest.createdAt}`];
  }

  async #restore(): Promise<readonly [string, string]> {
    const result = await this.#drive.restore(join(this.#sweep.studyDir, STUDY_DB), {
      from: this.#name,
      to: this.#place,
      studyName: this.#sweep.config.study,
      ...(this.#options.signal && { signal: this.#options.signal }),
    });
    if (!isThere(result)) throw new Error(result.error ?? result.status);
    this.#snapshot = result.snapshot ?? null;
    this.#savedAt = result.createdAt ?? null;
    this.#finished = result.finishedTrials ?? null;
    refuseOlder(result);
    return [result.path, `${result.bytes} bytes, ${result.finishedTrials ?? 0} finished trials`];
  }

  async #open(studyDb: string): Promise<readonly [undefined, string]> {
    const report = await new SqliteSnapshotSource().inspect(studyDb);
    if (!report.intact) throw new Error(report.problem ?? 'the database is not intact');
    if (report.finished !== this.#finished) {
      throw new Error(
        `it holds ${report.finished} finished trials, and its manifest says ${this.#finished ?? 'nothing'}`,
      );
    }
    return [undefined, `integrity_check passed, ${report.finished} finished trials, best ${report.best ?? 'none'}`];
  }

  /** Against the study on this machine, where there is one. */
  async #compare(): Promise<readonly [undefined, string]> {
    const { exists, studyDir, config } = this.#sweep;
    const isShared = config.storage.kind === 'url';
    if (!exists && !isShared) return [undefined, 'no local study to compare with'];
    const source = new SqliteSnapshotSource();
    const copy = join(this.#place, 'local.db');
    // What a worker keeps on this machine of a shared study may be behind it.
    if (isShared) {
      try {
        await exportShared(config, copy);
      } catch (error) {
        return [undefined, `not compared: ${messageOf(error)}`];
      }
    } else await source.snapshot(join(studyDir, STUDY_DB), copy);
    const local = await source.inspect(copy);
    rmSync(copy, { force: true });
    if (!local.intact) return [undefined, `the local study is itself damaged: ${local.problem ?? ''}`];
    const restored = await source.inspect(join(this.#place, this.#drive.drivePathFor(join(studyDir, STUDY_DB))));
    let same = 0;
    for (const [number, digest] of restored.trialDigests) {
      const here = local.trialDigests.get(number);
      if (here !== undefined && here !== digest)
        throw new Error(`trial ${number} differs from the local one: another history`);
      if (here !== undefined) same++;
    }
    this.#missing = local.finished - same;
    const ahead = restored.finished - same;
    return [
      undefined,
      `${same} finished trials equal the local ones, ${this.#missing} not saved yet${ahead > 0 ? `, ${ahead} only in the copy` : ''}`,
    ];
  }

  async #folder(): Promise<readonly [undefined, string]> {
    const result = await this.#drive.restore(this.#sweep.studyDir, {
      isDirectory: true,
      from: this.#name,
      to: this.#place,
      ...(this.#options.signal && { signal: this.#options.signal }),
    });
    if (result.status === 'absent') return [undefined, 'no checkpoints or logs are saved'];
    if (!isThere(result)) throw new Error(result.error ?? result.status);
    refuseOlder(result);
    return [undefined, `${result.files.length} files, ${result.bytes} bytes`];
  }

  async #train(studyDb: string): Promise<readonly [undefined, string]> {
    const warnings: string[] = [];
    let ended: { readonly state: TrialState; readonly number: number; readonly reason: string | undefined } | undefined;
    const { summary } = await runSweep({
      configPath: this.#options.configPath,
      // What the real study may still spend must not keep its copy from showing that it works.
      set: [...(this.#options.set ?? []), 'backup.enabled=false', 'limits={}'],
      rehearsal: { studyDir: dirname(studyDb) },
      jobs: 1,
      observer: {
        message: (level, text) => {
          if (level !== 'info') warnings.push(text);
        },
        trialEnded: ({ state, number }, { reason }) => {
          ended = { state, number, reason };
        },
      },
      ...(this.#options.signal && { signal: this.#options.signal }),
    });
    if (ended === undefined) throw new Error([`no further trial ran: ${summary.stopped}`, ...warnings].join('; '));
    const { state, number, reason } = ended;
    if (state !== 'COMPLETE' && state !== 'PRUNED')
      throw new Error(`trial ${number} failed: ${reason ?? 'no reason is known'}`);
    return [undefined, `trial ${number} ran on the copy: ${state.toLowerCase()}`];
  }
}

/** That the newest copy is damaged is what a drill is there to find. */
function refuseOlder({ fellBack }: RestoreResult): void {
  if (fellBack.length === 0) return;
  const passed = fellBack.map(({ snapshot, reason }) => `; passed over ${snapshot}: ${reason}`).join('');
  throw new Error(`an older state had to be used${passed}`);
}

function seconds(since: number): number {
  return Math.round(performance.now() - since) / 1000;
}
