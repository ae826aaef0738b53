import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { explanationOf } from '../../core/errors.js';
import { DamagedDataError } from '../chunks/chunk-codec.js';
import { ChunkReader } from '../chunks/chunk-reader.js';
import type { Destination } from '../destinations/destination.js';
import type { DriveCore } from '../drive/drive-core.js';
import { coreOf, type Drive } from '../drive/drive.js';
import { digestFile } from '../files/file-digest.js';
import { isSidecar } from '../files/unfinished-names.js';
import { isWanted, listManifests, listTargets, loadManifest } from '../format/catalog.js';
import { keepState } from '../format/kept-states.js';
import { ManifestError, type ManifestName, type Member } from '../format/manifest.js';
import { packKey } from '../format/packs.js';

/** A local file, and where else it is safe. */
export interface LocalFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  /** Destinations that hold it, verified now; empty where none does. */
  readonly safeOn: readonly string[];
  /** Why it is safe nowhere. */
  readonly reason?: string | undefined;
}

interface SavedState {
  readonly destination: Destination;
  readonly target: string;
  readonly name: ManifestName;
  readonly members: ReadonlyMap<string, Member>;
}

/**
 * Holds every file at or below `path` against the newest whole state of each destination, whose packs are checked now. What a mount
 * took counts as nowhere: its upload is not confirmed. So does what lies on the same disk, unless that is asked for.
 */
export class SafeElsewhere {
  readonly #core: DriveCore;
  readonly #states: SavedState[] = [];
  /** Destinations that were looked through, with nothing wrong there. */
  readonly #answered: string[] = [];
  readonly #problems: string[] = [];
  readonly #used = new Map<string, SavedState>();
  readonly #signal: AbortSignal | undefined;

  private constructor(core: DriveCore, signal: AbortSignal | undefined) {
    this.#core = core;
    this.#signal = signal;
  }

  static async look(
    drive: Drive,
    path: string,
    o: {
      readonly destination?: string | undefined;
      /** Whether a copy on the disk of the project counts. @default false */
      readonly sameDisk?: boolean | undefined;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<{ readonly files: readonly LocalFile[]; readonly safe: SafeElsewhere }> {
    const core = coreOf(drive);
    if (core === undefined) throw new TypeError('SafeElsewhere needs a drive made by createDrive.');
    const safe = new SafeElsewhere(core, o.signal);
    const wanted = core.target(path);
    for (const destination of core.select(o.destination))
      await safe.#addDestination(destination, wanted, o.sameDisk === true);
    const files: LocalFile[] = [];
    for (const file of filesAt(path)) files.push(await safe.#judge(file));
    return { files, safe };
  }

  /** Marks the states that hold what is about to be freed, so that no retention removes them. @throws DestinationError */
  async keep(files: readonly LocalFile[]): Promise<void> {
    for (const file of files) {
      for (const state of this.#statesOf(this.#core.target(file.path)))
        if (file.safeOn.includes(state.destination.name))
          this.#used.set(`${state.destination.name} ${state.name.name}`, state);
    }
    for (const { destination, target, name } of this.#used.values())
      await keepState(destination, target, name, this.#signal);
  }

  async #addDestination(destination: Destination, wanted: string, sameDisk: boolean): Promise<void> {
    const options = { signal: this.#signal };
    const before = this.#problems.length;
    try {
      // What it can promise is known once it was asked.
      await destination.check(options);
      if (destination.traits.confirms !== 'verified') {
        this.#problems.push(`${destination.name} is a mount: the upload is not confirmed`);
        return;
      }
      if (!sameDisk && this.#core.isSameDisk(destination)) {
        this.#problems.push(
          `${destination.name} lies on the same disk, and would be lost with it (--same-disk counts it all the same)`,
        );
        return;
      }
      for (const target of await listTargets(destination, options)) {
        if (isWanted(target, wanted) || isWanted(wanted, target)) await this.#addTarget(destination, target);
      }
      if (this.#problems.length === before) this.#answered.push(destination.name);
    } catch (error) {
      this.#problems.push(`${destination.name} does not answer: ${explanationOf(error)}`);
    }
  }

  async #addTarget(destination: Destination, target: string): Promise<void> {
    const options = { signal: this.#signal };
    for (const name of await listManifests(destination, target, options)) {
      try {
        const manifest = await loadManifest(destination, target, name.name, options);
        for (const { sha256 } of manifest.packs) {
          const found = await destination.checksum(packKey(sha256), options);
          if (found?.sha256 !== sha256)
            throw new DamagedDataError(`pack ${sha256.slice(0, 16)}… is missing or damaged`);
        }
        const members = await new ChunkReader(destination, this.#signal).members(manifest);
        this.#states.push({
          destination,
          target,
          name,
          members: new Map(members.map((member) => [member.path, member])),
        });
        return;
      } catch (error) {
        if (!(error instanceof ManifestError) && !(error instanceof DamagedDataError)) throw error;
        this.#problems.push(`the newest copy on ${destination.name} is damaged`);
      }
    }
  }

  #statesOf(key: string): SavedState[] {
    return this.#states.filter(({ target, members }) =>
      key === target ? members.has('') : key.startsWith(`${target}/`) && members.has(key.slice(target.length + 1)),
    );
  }

  async #judge(path: string): Promise<LocalFile> {
    const { size } = lstatSync(path);
    const key = this.#core.target(path);
    const states = this.#statesOf(key);
    if (states.length === 0) {
      const places = this.#problems.length > 0 && this.#answered.length > 0 ? ` on ${this.#answered.join(', ')}` : '';
      const none = this.#problems.length === 0 || places !== '' ? [`no backup${places} holds it`] : [];
      return { path, bytes: size, safeOn: [], reason: [...none, ...new Set(this.#problems)].join('; ') };
    }
    const sha256 = await this.#contentOf(path);
    const safeOn = states
      .filter(
        ({ target, members }) => members.get(key === target ? '' : key.slice(target.length + 1))?.sha256 === sha256,
      )
      .map(({ destination }) => destination.name);
    const reason = safeOn.length > 0 ? undefined : 'it has changed since its last backup';
    return { path, bytes: size, safeOn: [...new Set(safeOn)], reason };
  }

  /** A database is compared as a backup would take it. */
  async #contentOf(path: string): Promise<string | undefined> {
    const { snapshots } = this.#core;
    if (snapshots === undefined || !(await snapshots.isDatabase(path)))
      return (await digestFile(path, Infinity, this.#signal)).sha256;
    const target = this.#core.target(path);
    try {
      const capture = await this.#core.capturer.capture({ target, path, isDirectory: false, full: true });
      this.#core.capturer.release(capture);
      return capture.files[0]?.digest.sha256;
    } catch {
      return undefined;
    }
  }
}

/** Every file at or below a path; logs of databases belong to these and are left out, links are not followed. */
function* filesAt(path: string): Generator<string> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() === true) yield path;
  if (stats?.isDirectory() !== true) return;
  const names = readdirSync(path).sort();
  const siblings = new Set(names);
  for (const name of names) {
    if (isSidecar(name, siblings)) continue;
    if (existsSync(join(path, name))) yield* filesAt(join(path, name));
  }
}
