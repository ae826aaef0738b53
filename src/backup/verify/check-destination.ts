import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { messageOf } from '../../core/errors.js';
import { STUDY_DB } from '../../core/study-paths.js';
import { DamagedDataError } from '../chunks/chunk-codec.js';
import { ChunkReader } from '../chunks/chunk-reader.js';
import { callsAtOnce, eachAtOnce } from '../destinations/at-once.js';
import { DestinationError, type Destination } from '../destinations/destination.js';
import type { DriveCore } from '../drive/drive-core.js';
import { digestFile } from '../files/file-digest.js';
import { isWanted, listManifests, listTargets, loadManifest } from '../format/catalog.js';
import type { Manifest, ManifestName, Member } from '../format/manifest.js';
import { listPacks, packKey } from '../format/packs.js';
import { archiveProblem } from './check-content.js';
import { MirrorCheck } from './check-mirror.js';
import { damagedRecords } from './check-records.js';
import { MISSING, type Damage } from './damage.js';

export interface VerifyOptions {
  /** Only this target, and what lies below it. */
  readonly path?: string | undefined;
  /** Name of the only destination. */
  readonly destination?: string | undefined;
  /** Read every byte, assemble every file, open every database. */
  readonly deep?: boolean | undefined;
  /** Share of the saved states that is looked at, 0 to 1; the newest of each target always is. @default 1 */
  readonly sample?: number | undefined;
  /** With `deep`: told where a state was assembled; returns what in it cannot be used, such as a model that does not load. */
  readonly checkFolder?: ((folder: string) => Promise<readonly string[]>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const NOTHING_THERE = 'no saved state of it is there';
const STUDY_FOLDER = /(?:^|\/)study-[0-9a-f]{8}$/;

/** Holds what one destination keeps against its manifests. */
export class DestinationCheck {
  readonly #core: DriveCore;
  readonly #destination: Destination;
  readonly #options: VerifyOptions;
  readonly #damages: Damage[];
  /** What lies in a class of storage from which it has to be thawed first; one entry for each object. */
  readonly frozen: Damage[] = [];
  #packClasses: Promise<ReadonlyMap<string, string>> | undefined;
  /** Packs looked at, with what is wrong with each. */
  readonly #packs = new Map<string, Promise<string | undefined>>();
  #reader: ChunkReader | undefined;
  snapshots = 0;
  bytes = 0;

  constructor(core: DriveCore, destination: Destination, options: VerifyOptions, damages: Damage[]) {
    this.#core = core;
    this.#destination = destination;
    this.#options = options;
    this.#damages = damages;
  }

  /** @throws DestinationError where it does not answer */
  async all(): Promise<void> {
    const { signal, sample = 1, path } = this.#options;
    const wanted = path === undefined ? undefined : this.#core.target(path);
    await this.#destination.check({ signal });
    const targets = await listTargets(this.#destination, { signal });
    for (const { key, problem } of await damagedRecords(this.#destination, targets, signal))
      this.#damaged(key, 'record', problem);
    const there = new Set<string>();
    for (const target of targets) {
      if (!isWanted(target, wanted)) continue;
      const names = await listManifests(this.#destination, target, { signal });
      if (names.length > 0) there.add(target);
      const chosen = names.filter((_, index) => index === 0 || sample >= 1 || Math.random() < sample);
      // Read whole, a state needs the memory and the disk for itself.
      const most = this.#options.deep === true ? 1 : callsAtOnce(this.#destination);
      await eachAtOnce(chosen, most, (name) => this.#snapshot(target, name));
      const mirror = new MirrorCheck(this.#destination, target, signal);
      for (const { key, problem } of await mirror.damages(sample)) this.#damaged(key, 'mirror', problem);
      this.bytes += mirror.bytes;
    }
    // An emptied disk, a bucket made anew, a mount that is not mounted: nothing is damaged there, and nothing is safe.
    if (there.size === 0) this.#damaged(wanted ?? '', MISSING, NOTHING_THERE);
    // A study's folder is saved after its database.
    for (const target of there) {
      const database = `${target}/${STUDY_DB}`;
      if (STUDY_FOLDER.test(target) && !there.has(database)) this.#damaged(database, MISSING, NOTHING_THERE);
    }
  }

  #damaged(path: string, snapshot: string, problem: string): void {
    this.#damages.push({ destination: this.#destination.name, path, snapshot, problem });
  }

  async #snapshot(target: string, name: ManifestName): Promise<void> {
    this.snapshots++;
    try {
      const manifest = await loadManifest(this.#destination, target, name.name, { signal: this.#options.signal });
      await eachAtOnce(manifest.packs, callsAtOnce(this.#destination), async ({ sha256 }) => {
        const problem = await this.#pack(sha256);
        if (problem !== undefined) throw new DamagedDataError(problem);
      });
      if (this.#options.deep === true) await this.#deep(manifest);
      else await this.#chain(manifest);
    } catch (error) {
      if (error instanceof DestinationError && error.reason === 'archived') {
        await this.#frozen(target, name, error);
        return;
      }
      if (error instanceof DestinationError) throw error;
      this.#damaged(target, name.name, messageOf(error));
    }
  }

  /** Every object that a state needs and that has to be thawed: the one that was come upon, and the others of its packs. */
  async #frozen(target: string, name: ManifestName, first: DestinationError): Promise<void> {
    const { signal } = this.#options;
    const problems = new Set([first.message]);
    const classes = await (this.#packClasses ??= listPacks(this.#destination, signal).then(
      (packs) => new Map(packs.map(({ sha256, storageClass }) => [sha256, storageClass ?? ''])),
    ));
    const { packs } = await loadManifest(this.#destination, target, name.name, { signal });
    for (const { sha256 } of packs) {
      if ((classes.get(sha256) ?? '') === '') continue;
      try {
        // What is frozen is refused at once; what was thawed can be read.
        await this.#destination.get(packKey(sha256), { signal });
      } catch (error) {
        if (!(error instanceof DestinationError) || error.reason !== 'archived') throw error;
        problems.add(error.message);
      }
    }
    for (const problem of problems) {
      if (this.frozen.some((known) => known.problem === problem)) continue;
      this.frozen.push({ destination: this.#destination.name, path: target, snapshot: name.name, problem });
    }
  }

  #pack(sha256: string): Promise<string | undefined> {
    const known = this.#packs.get(sha256) ?? this.#checkPack(sha256);
    this.#packs.set(sha256, known);
    return known;
  }

  async #checkPack(sha256: string): Promise<string | undefined> {
    const found = await this.#destination.checksum(packKey(sha256), { signal: this.#options.signal });
    this.bytes += found?.bytes ?? 0;
    if (found?.sha256 === sha256) return undefined;
    const short = sha256.slice(0, 16);
    return found === undefined ? `Pack ${short}… is missing.` : `Pack ${short}… is damaged: its checksum differs.`;
  }

  /** Every chunk that the manifest needs lies in a pack that it names. */
  async #chain(manifest: Manifest): Promise<void> {
    // One for all states: they share most lists.
    const reader = (this.#reader ??= new ChunkReader(this.#destination, this.#options.signal));
    const packs = new Set(manifest.packs.map((pack) => pack.sha256.slice(0, 16)));
    for (const member of await reader.members(manifest)) {
      const { chunks, lists } = await reader.places(manifest, member);
      const lost = [...chunks, ...lists.map(({ list }) => list)].find(([, pack]) => !packs.has(pack));
      if (lost !== undefined) throw new DamagedDataError(`${member.path}: pack ${lost[1]}… is not listed.`);
    }
  }

  /** Assembles every file, hashes it, and opens what can be opened: databases, archives, models. */
  async #deep(manifest: Manifest): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'resweep-verify-'));
    const reader = new ChunkReader(this.#destination, this.#options.signal);
    try {
      for (const member of await reader.members(manifest)) {
        const file = join(folder, member.path === '' ? 'file' : member.path);
        mkdirSync(dirname(file), { recursive: true });
        // No help from the mirror here: the question is whether the chunks are whole.
        await reader.writeFile(manifest, member, file, () => Promise.resolve(undefined));
        const { sha256, bytes } = await digestFile(file, Infinity, this.#options.signal);
        this.bytes += bytes;
        if (sha256 !== member.sha256)
          throw new DamagedDataError(`${member.path}: the checksum of the whole file differs.`);
        await this.#open(manifest, member, file);
      }
      const [problem] = (await this.#options.checkFolder?.(folder)) ?? [];
      if (problem !== undefined) throw new DamagedDataError(problem);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #open(manifest: Manifest, member: Member, file: string): Promise<void> {
    const archive = await archiveProblem(file, member.path === '' ? manifest.path : member.path);
    if (archive !== undefined) throw new DamagedDataError(`${member.path}: ${archive}`);
    const { snapshots } = this.#core;
    if (snapshots === undefined || !(await snapshots.isDatabase(file))) return;
    const report = await snapshots.inspect(file);
    if (!report.intact && report.sound !== true)
      throw new DamagedDataError(report.problem ?? 'The database is not intact.');
    const { study } = manifest;
    if (study === null || manifest.kind !== 'file') return;
    if (report.finished !== study.finished) {
      throw new DamagedDataError(`It holds ${report.finished} finished trials, not ${study.finished}.`);
    }
    const best = report.best !== undefined && Number.isFinite(report.best) ? report.best : null;
    if (best !== study.best)
      throw new DamagedDataError(`Its best value is ${String(report.best)}, not ${String(study.best)}.`);
  }
}
