import { randomBytes } from 'node:crypto';
import { lstatSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { UsageError } from '../../core/errors.js';
import { nearestName } from '../../core/nearest-name.js';
import type { SnapshotSource } from '../../core/snapshot-source.js';
import { BackupReporter, type BackupEvent, type BackupLog } from '../backup-event.js';
import { TargetCapturer } from '../capture/capture-target.js';
import type { Capture } from '../capture/capture.js';
import { PackUse } from '../chunks/pack-use.js';
import type { Destination, StoredObject } from '../destinations/destination.js';
import { RetryingDestination, type RetryOptions } from '../destinations/retrying-destination.js';
import { targetOf } from '../files/drive-path.js';
import { removeLeftovers, temporaryName } from '../files/temporary-names.js';
import { manifestNames } from '../format/catalog.js';
import type { RestoreTools } from '../restore/restore-file.js';
import type { RestoreResult } from '../restore/restore-result.js';
import { restore, type RestoreRequest } from '../restore/restore.js';
import { TargetWriter, type SaveOptions, type SaveOutcome, type TargetFence } from '../save/target-writer.js';
import { KnownPacks } from './known-packs.js';

export interface DriveOptions {
  readonly projectRoot: string;
  /** Folders under which a Drive is mounted, beyond the known ones. */
  readonly mounts?: readonly string[] | undefined;
  /** Each is given time-outs and retries, unless it is a `RetryingDestination` already. */
  readonly destinations: readonly Destination[];
  /** How databases are read; without it a database is refused. */
  readonly snapshotSource?: SnapshotSource | undefined;
  readonly log?: BackupLog | undefined;
  readonly onEvent?: ((event: BackupEvent) => void) | undefined;
  readonly retry?: RetryOptions | undefined;
  /** Longest time of one restore. @default 15 minutes */
  readonly restoreTimeoutMs?: number | undefined;
}

/** Backups of a study of at most this size refresh the plain copy each time; larger ones with full snapshots. */
export const MIRROR_EVERY_SAVE_BYTES = 8 << 20;

const TEMPORARY = 'backup-';

/** What the functions of this module share: destinations, captures, writers, reports. */
export class DriveCore {
  readonly projectRoot: string;
  readonly destinations: readonly Destination[];
  readonly snapshots: SnapshotSource | undefined;
  readonly reporter: BackupReporter;
  readonly ownerId = randomBytes(16).toString('hex');
  readonly capturer: TargetCapturer;
  /** Packs of manifests by name, learnt once: content under such a name never changes. */
  readonly knownPacks = new KnownPacks();
  /** A folder of this process alone, made when it is needed. */
  readonly temporary: string;
  readonly #mounts: readonly string[];
  readonly #restoreTimeoutMs: number;
  readonly #writers = new Map<string, TargetWriter>();
  readonly #fences = new Map<string, TargetFence>();
  readonly #saves = new Map<string, number>();
  readonly #packUses = new Map<string, PackUse>();

  constructor(options: DriveOptions) {
    this.projectRoot = resolve(options.projectRoot);
    this.snapshots = options.snapshotSource;
    this.reporter = new BackupReporter(options.log, options.onEvent);
    this.#mounts = options.mounts ?? [];
    this.#restoreTimeoutMs = options.restoreTimeoutMs ?? 15 * 60_000;
    this.destinations = options.destinations.map((destination) =>
      destination instanceof RetryingDestination ? destination : new RetryingDestination(destination, options.retry),
    );
    const base = join(this.projectRoot, '.resweep', 'tmp');
    if (lstatSync(base, { throwIfNoEntry: false }) !== undefined) removeLeftovers(base, TEMPORARY);
    this.temporary = join(base, temporaryName(TEMPORARY));
    this.capturer = new TargetCapturer(this.snapshots, join(this.temporary, 'captures'));
  }

  /** Key of a local path. @throws DrivePathError */
  target(path: string): string {
    return targetOf(path, {
      projectRoot: this.projectRoot,
      mounts: this.#mounts,
      destinationFolders: this.destinations.flatMap(({ localFolder }) =>
        localFolder === undefined ? [] : [localFolder],
      ),
    });
  }

  /** Every destination, or the one of that name. @throws UsageError for a name that none has */
  select(name: string | undefined): readonly Destination[] {
    if (name === undefined) return this.destinations;
    const found = this.destinations.filter((destination) => destination.name === name);
    if (found.length > 0) return found;
    const names = this.destinations.map((destination) => destination.name);
    const near = nearestName(name, names);
    throw new UsageError(`There is no destination "${name}". There are: ${names.join(', ')}.`, {
      ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
    });
  }

  /** Saves a capture to one destination and reports it. @throws DestinationError */
  async save(destination: Destination, capture: Capture, options: SaveOptions): Promise<SaveOutcome> {
    const outcome = await this.#writer(destination, capture.target).save(capture, options);
    this.#saves.set(destination.name, this.savesTo(destination) + 1);
    this.knownPacks.learn(destination, capture.target, outcome.name, outcome.manifest);
    this.#report(destination, capture, outcome);
    return outcome;
  }

  restore(
    request: RestoreRequest,
    more: Pick<RestoreTools, 'studyName' | 'signal' | 'onProgress'> = {},
  ): Promise<RestoreResult> {
    const limit = AbortSignal.timeout(this.#restoreTimeoutMs);
    const tools: RestoreTools = {
      snapshots: this.snapshots,
      temporary: this.temporary,
      studyName: more.studyName,
      onProgress: more.onProgress,
      signal: more.signal === undefined ? limit : AbortSignal.any([more.signal, limit]),
    };
    return restore(this.destinations, request, tools, this.reporter);
  }

  /** Whether a destination lies on the device of the project: it goes when that disk goes. */
  isSameDisk(destination: Destination): boolean {
    if (destination.localDevice === undefined) return false;
    try {
      return statSync(this.projectRoot).dev === destination.localDevice;
    } catch {
      return false;
    }
  }

  /** Saves to a destination so far. */
  savesTo(destination: Destination): number {
    return this.#saves.get(destination.name) ?? 0;
  }

  /** The fence under which a target is written from now on. */
  setFence(destination: Destination, target: string, fence: TargetFence): void {
    this.#fences.set(writerKey(destination, target), fence);
  }

  /** Packs of a destination on which saves of this process count. */
  packUse(destination: Destination): PackUse {
    let use = this.#packUses.get(destination.name);
    if (use === undefined) this.#packUses.set(destination.name, (use = new PackUse()));
    return use;
  }

  /** What was found in a target's folder: its writer holds that against what it remembers. */
  seen(destination: Destination, target: string, objects: readonly StoredObject[], askedAt: number): void {
    this.#writers.get(writerKey(destination, target))?.seen(manifestNames(target, objects), askedAt);
  }

  /** Objects at a destination were mended: what writers remember of it is learnt and checked again. */
  forgetKnown(destination: Destination): void {
    for (const writer of this.#writersTo(destination)) writer.forgetKnown();
  }

  /** Manifests and packs went from a destination. */
  pruned(destination: Destination, packs: ReadonlySet<string>): void {
    this.knownPacks.forgetPacks(packs);
    for (const writer of this.#writersTo(destination)) writer.pruned(packs);
  }

  async close(): Promise<void> {
    await Promise.all(this.destinations.map((destination) => destination.close()));
    this.capturer.close();
    rmSync(this.temporary, { recursive: true, force: true });
  }

  #writersTo(destination: Destination): TargetWriter[] {
    return [...this.#writers].flatMap(([key, writer]) => (key.startsWith(`${destination.name}\n`) ? [writer] : []));
  }

  #writer(destination: Destination, target: string): TargetWriter {
    const key = writerKey(destination, target);
    let writer = this.#writers.get(key);
    if (writer === undefined) {
      const inspect = (path: string) => this.snapshots?.inspect(path) ?? Promise.resolve(undefined);
      writer = new TargetWriter(
        destination,
        target,
        {
          ...{ ownerId: this.ownerId, projectRoot: this.projectRoot },
          fence: () => this.#fences.get(key),
          packUse: this.packUse(destination),
        },
        inspect,
        join(this.temporary, 'found'),
      );
      this.#writers.set(key, writer);
    }
    return writer;
  }

  #report(destination: Destination, capture: Capture, outcome: SaveOutcome): void {
    const { name } = destination;
    const { manifest, durationMs, sentBytes, confirmation, forkedFrom } = outcome;
    const common = { destination: name, path: capture.target, snapshot: outcome.name, branch: manifest.branch };
    const finishedTrials = manifest.study?.finished;
    if (this.reporter.recovered(`${name} ${capture.target}`)) {
      const message = `Backups to ${name} work again.`;
      this.reporter.emit({ type: 'backupRecovered', ...common, outcome: 'ok', message });
    }
    const trials = finishedTrials === undefined ? '' : `, safe up to ${finishedTrials} finished trials`;
    const sure = confirmation === 'verified' ? 'verified' : 'in the mount, upload unconfirmed';
    this.reporter.emit({
      type: 'backup',
      ...common,
      bytes: capture.bytes,
      sentBytes,
      sha256: capture.files.length === 1 ? capture.files[0]?.digest.sha256 : undefined,
      durationMs,
      outcome: 'ok',
      verified: confirmation,
      finishedTrials,
      generation: manifest.generation,
      message: `Backup saved: ${capture.target} to ${name}, ${capture.bytes} bytes (${sentBytes} sent), ${Math.round(durationMs)} ms, ${sure}${trials}.`,
    });
    if (outcome.mendedKeys.length > 0) {
      const message = `The key of ${name} was damaged or missing there (${outcome.mendedKeys.join(', ')}), and was written again.`;
      this.reporter.emit({ type: 'repair', destination: name, outcome: 'warning', message });
    }
    if (forkedFrom !== undefined) {
      this.reporter.emitOnce(`fork ${name} ${capture.target}`, {
        type: 'fork',
        ...common,
        outcome: 'warning',
        message:
          `${name} holds another history of ${capture.target} with ${forkedFrom.finished} finished trials (branch ${forkedFrom.branch}): ` +
          `both are kept, this one as branch ${manifest.branch}. \`resweep restore --branch\` chooses.`,
      });
    }
    if (outcome.mirror === 'kept' || outcome.mirror === 'failed') {
      const why =
        outcome.mirror === 'kept' ? 'it holds finished trials that this state lacks.' : (outcome.mirrorError ?? '');
      this.reporter.emitOnce(`mirror ${name} ${capture.target}`, {
        type: 'mirrorKept',
        ...common,
        outcome: 'warning',
        message: `The plain copy of ${capture.target} on ${name} was left as it is: ${why} The backup itself is complete.`,
      });
    }
    for (const { path, reason } of capture.skipped) {
      this.reporter.emitOnce(`skipped ${capture.target} ${path}`, {
        type: 'backupFailed',
        ...common,
        outcome: 'warning',
        message: `${capture.target}/${path} was left out of the backup: ${reason}.`,
      });
    }
  }
}

function writerKey(destination: Destination, target: string): string {
  return `${destination.name}\n${target}`;
}
