import { basename, relative } from 'node:path';
import { dirname } from 'node:path/posix';

import { explanationOf, UsageError } from '../../core/errors.js';
import { every } from '../../core/long-timers.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { StudyView } from '../../core/study-view.js';
import { SharedCaptures, type BackupJob } from '../capture/shared-captures.js';
import type { DriveCore } from '../drive/drive-core.js';
import { coreOf, type Drive } from '../drive/drive.js';
import { OwnerFence, type OwnerConflict } from '../ownership/owner-fence.js';
import { DestinationLane, type LaneJob } from './destination-lane.js';
import type { DestinationStatus } from './destination-status.js';
import { Upkeep, type UpkeepOptions } from './upkeep.js';

export interface CoordinatorOptions {
  /** Made by `createDrive`. */
  readonly drive: Drive;
  /** The live database. */
  readonly studyDb: string;
  /** Its folder: checkpoints, configuration, events, logs; backed up at intervals, without the database. */
  readonly studyFolder?: string | undefined;
  /** Longest age of the folder's backup while something changes. @default 5 minutes */
  readonly folderEveryMs?: number | undefined;
  /** Longest time between two full snapshots. @default 10 minutes */
  readonly fullEveryMs?: number | undefined;
  /** Share of all processors' time that snapshots may take. @default 0.01 */
  readonly cpuShare?: number | undefined;
  /** @default what the destination asks for, else 1 minute */
  readonly leaseMs?: number | undefined;
  /** Makes the page for people that is written beside the copy, `status.html` in the study's folder; undefined: not now. */
  readonly statusPage?: ((destinations: readonly DestinationStatus[]) => string | undefined) | undefined;
  /** When the destinations are pruned. */
  readonly upkeep?: UpkeepOptions | undefined;
  /** Told once, when another process turns out to own the study: stop the run, it writes no more backups there. */
  readonly onOwnershipLost?: ((conflict: OwnerConflict & { readonly destination: string }) => void) | undefined;
}

/** Name of the page for people beside a copy. */
const STATUS_PAGE = 'status.html';

/** The owner's fence at one destination. */
interface Fenced {
  readonly lane: DestinationLane;
  readonly fence: OwnerFence;
  readonly leaseMs: number;
  /** The beat under way; undefined between two. */
  beating: Promise<void> | undefined;
}

export interface FlushReport {
  /** Everything is saved at every destination. */
  readonly complete: boolean;
  readonly durationMs: number;
  readonly destinations: readonly DestinationStatus[];
}

/**
 * Backs up a running study, off the trials' path. `start` asks for the first copy, `trialCallback` for one after every
 * finished trial; saves run beside the sweep, one at a time for each destination, the newest state next. Nothing here throws
 * because of a backup, and nothing waits for one but `firstCopy` and `flush`.
 */
export class BackupCoordinator {
  readonly #core: DriveCore;
  readonly #options: CoordinatorOptions;
  readonly #study: SharedCaptures;
  readonly #folder: SharedCaptures | undefined;
  readonly #lanes: readonly DestinationLane[];
  readonly #fences: readonly Fenced[];
  readonly #upkeep: readonly Upkeep[];
  readonly #stops: (() => void)[] = [];
  #started = false;
  #closed = false;

  /** @throws DrivePathError where the study lies on Drive, outside the project or in a destination; UsageError for a foreign drive */
  constructor(options: CoordinatorOptions) {
    const core = coreOf(options.drive);
    if (core === undefined) throw new UsageError('A coordinator needs a drive made by createDrive.');
    this.#core = core;
    this.#options = options;
    const share = options.cpuShare ?? 0.01;
    const study: BackupJob = { target: core.target(options.studyDb), path: options.studyDb, isDirectory: false };
    this.#study = new SharedCaptures(core.capturer, study, share);
    const jobs: LaneJob[] = [{ job: study, captures: this.#study, isMain: true, minIntervalMs: 0 }];
    const { studyFolder } = options;
    if (studyFolder !== undefined) {
      const inside = relative(studyFolder, options.studyDb);
      const exclude = inside.startsWith('..') ? [] : [inside.split('\\').join('/')];
      const job: BackupJob = { target: core.target(studyFolder), path: studyFolder, isDirectory: true, exclude };
      this.#folder = new SharedCaptures(core.capturer, job, share);
      jobs.push({ job, captures: this.#folder, isMain: false, minIntervalMs: options.folderEveryMs ?? 5 * 60_000 });
    }
    const { statusPage } = options;
    const page =
      statusPage === undefined
        ? undefined
        : { key: `${dirname(study.target)}/${STATUS_PAGE}`, render: () => statusPage(this.status()) };
    this.#lanes = core.destinations.map(
      (destination) => new DestinationLane(core, destination, jobs, options.fullEveryMs ?? 10 * 60_000, page),
    );
    this.#upkeep = core.destinations.map(
      (destination) => new Upkeep(options.drive, core, destination, studyFolder ?? options.studyDb),
    );
    this.#fences = this.#lanes.map((lane) => {
      const leaseMs = options.leaseMs ?? lane.destination.traits.leaseMs ?? 60_000;
      const fence = new OwnerFence(lane.destination, study.target, {
        ...{ ownerId: core.ownerId, leaseMs },
        onListed: (objects, askedAt) => {
          core.seen(lane.destination, study.target, objects, askedAt);
        },
      });
      core.setFence(lane.destination, study.target, fence);
      return { lane, fence, leaseMs, beating: undefined };
    });
  }

  /** Called right after the study was created or resumed: a full copy to every destination begins now. Does not wait. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const fenced of this.#fences) {
      const beat = (): void => {
        // One that a destination holds up stands for those that were due meanwhile.
        fenced.beating ??= this.#beat(fenced).finally(() => {
          fenced.beating = undefined;
        });
      };
      beat();
      this.#stops.push(every(fenced.leaseMs / 3, beat));
    }
    this.#stops.push(
      every(this.#options.folderEveryMs ?? 5 * 60_000, () => {
        this.folderChanged();
      }),
    );
    for (const lane of this.#lanes) lane.kick();
    for (const upkeep of this.#upkeep) upkeep.start(this.#options.upkeep);
  }

  /** Resolves when every destination has had its first try, or after `boundMs`. True where at least one holds a copy. */
  async firstCopy(boundMs = 30_000): Promise<boolean> {
    this.start();
    await within(boundMs, Promise.all(this.#lanes.map((lane) => lane.settled())));
    return this.status().some((destination) => destination.finishedTrials !== undefined);
  }

  /** For `study.optimize({ callbacks })`: notes that the study has changed and returns at once. */
  readonly trialCallback = (_study: StudyView, _trial: FrozenTrial): Promise<void> => {
    this.studyChanged();
    return Promise.resolve();
  };

  /** The database has changed. */
  studyChanged(): void {
    if (this.#closed) return;
    this.#study.changed();
    for (const lane of this.#lanes) lane.kick();
  }

  /** Something in the study's folder has changed, such as a checkpoint; saved when its interval allows. */
  folderChanged(): void {
    if (this.#closed || this.#folder === undefined) return;
    this.#folder.changed();
    for (const lane of this.#lanes) lane.kick();
  }

  /** Saves everything to every destination with full snapshots, within `boundMs`. Call it at the end and at a signal. */
  async flush(boundMs = 60_000): Promise<FlushReport> {
    const startedAt = performance.now();
    this.#folder?.changed();
    await within(boundMs, Promise.all(this.#lanes.map((lane) => lane.flush())));
    const complete = this.#lanes.every((lane) => lane.isUpToDate);
    const durationMs = performance.now() - startedAt;
    const late = this.#lanes.filter((lane) => !lane.isUpToDate).map((lane) => lane.destination.name);
    const bound = durationMs < boundMs ? '' : ` within ${Math.round(boundMs / 1000)} s`;
    if (this.#lanes.length > 0) {
      this.#core.reporter.emit({
        type: 'flush',
        durationMs,
        outcome: complete ? 'ok' : 'warning',
        message: complete
          ? `Final backup complete on ${this.#lanes.map((lane) => lane.destination.name).join(', ')} (${Math.round(durationMs)} ms).`
          : `Final backup incomplete${bound} on ${late.join(', ')}.`,
      });
    }
    return { complete, durationMs, destinations: this.status() };
  }

  /** Saves once more what a flush itself changed in the folder, such as the events that tell of it, where the flush went well. */
  async flushFolder(boundMs = 60_000): Promise<void> {
    this.#folder?.changed();
    const good = this.#lanes.filter((lane) => lane.status.error === undefined);
    await within(boundMs, Promise.all(good.map((lane) => lane.flush())));
  }

  /** How far each destination is. */
  status(): DestinationStatus[] {
    return this.#lanes.map((lane, index) => ({ ...lane.status, verification: this.#upkeep[index]?.verification }));
  }

  /** Every destination that holds a copy lies on the project's own disk. */
  get isSameDiskOnly(): boolean {
    const status = this.status();
    return status.length > 0 && status.every((destination) => destination.sameDisk);
  }

  /** Releases ownership and stops. Does not flush, and does not close the drive. */
  async close(boundMs = 5_000): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const stop of this.#stops) stop();
    for (const lane of this.#lanes) lane.stop();
    const bound = AbortSignal.timeout(boundMs);
    const release = this.#fences.map(async ({ fence, beating }) => {
      await beating;
      await fence.release(bound).catch(() => undefined);
    });
    await within(
      boundMs,
      Promise.all([
        ...release,
        ...this.#upkeep.map((upkeep) => upkeep.stop()),
        ...this.#lanes.map((lane) => lane.settled()),
      ]),
    );
    this.#study.close();
    this.#folder?.close();
  }

  /** Never rejects. */
  async #beat({ lane, fence }: Fenced): Promise<void> {
    const { name } = lane.destination;
    try {
      const before = fence.conflict;
      if (fence.fence === 0) await fence.claim();
      else await fence.renew();
      const { conflict } = fence;
      if (conflict === undefined || before !== undefined || this.#closed) return;
      lane.stop(conflict.message);
      this.#core.reporter.emit({
        type: 'ownership',
        destination: name,
        path: basename(this.#options.studyDb),
        outcome: 'failed',
        message: conflict.message,
      });
      this.#options.onOwnershipLost?.({ ...conflict, destination: name });
    } catch (error) {
      // A destination that cannot be asked says so with its saves; fencing is advice there, never a reason to stop.
      if (this.#closed) return;
      this.#core.reporter.emitOnce(`fence ${name}`, {
        type: 'ownership',
        destination: name,
        outcome: 'warning',
        message: `Ownership on ${name} could not be checked: ${explanationOf(error)}`,
      });
    }
  }
}

async function within(boundMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, boundMs);
  });
  await Promise.race([work.then(() => undefined), bound]);
  clearTimeout(timer);
}
