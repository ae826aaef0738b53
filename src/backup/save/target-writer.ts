import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import { explanationOf } from '../../core/errors.js';
import type { StudyFileReport } from '../../core/snapshot-source.js';
import type { Capture } from '../capture/capture.js';
import type { ChunkIndex } from '../chunks/chunk-index.js';
import type { PackUse } from '../chunks/pack-use.js';
import { PackWriter } from '../chunks/pack-writer.js';
import { DestinationError, type Confirmation, type Destination } from '../destinations/destination.js';
import { sha256Of } from '../files/file-digest.js';
import { branchHeads, listManifests, loadManifest, targetFolder } from '../format/catalog.js';
import {
  encodeManifest,
  FORMAT,
  FORMAT_VERSION,
  ManifestError,
  parseManifestName,
  type Manifest,
  type ManifestName,
} from '../format/manifest.js';
import { listPacks } from '../format/packs.js';
import { containsStudy } from '../format/study-content.js';
import { knownAt } from './known-at-destination.js';
import { MirrorWriter } from './mirror-writer.js';
import { storeFiles } from './store-files.js';

/** Who writes: in each manifest, and in the owner's fence. */
export interface WriterIdentity {
  readonly ownerId: string;
  readonly projectRoot: string;
  /** The fence of the target as it stands; undefined where this process takes part in no fencing. */
  readonly fence?: (() => TargetFence | undefined) | undefined;
  /** Of the destination: what a prune in this process must leave. */
  readonly packUse?: PackUse | undefined;
}

/** What a writer asks of the owner's fence of its target. */
export interface TargetFence {
  /** Fencing number. */
  readonly fence: number;
  /** Nobody else can write the target now. */
  readonly isSure: boolean;
  /** Another may own the target: whether it is alive shows within a lease. */
  readonly isContested: boolean;
}

export interface SaveOptions {
  /** Refresh the plain copy too. */
  readonly mirror: boolean;
  /** Nothing is saved after this: the plain copy cannot wait until it is known who owns the target. */
  readonly isLast?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SaveOutcome {
  /** Name of the manifest. */
  readonly name: string;
  readonly manifest: Manifest;
  readonly confirmation: Confirmation;
  readonly sentBytes: number;
  readonly requests: number;
  readonly durationMs: number;
  /** `kept`: the one that is there holds trials that this state lacks. */
  readonly mirror: 'written' | 'kept' | 'notDue' | 'failed';
  readonly mirrorError: string | undefined;
  /** Keys of an encrypted destination that were damaged there or missing, and were written again. */
  readonly mendedKeys: readonly string[];
  /** The manifest that was found in the way, where this save began a branch of its own. */
  readonly forkedFrom: ManifestName | undefined;
}

/**
 * Writes the states of one target to one destination, by the commit protocol of `docs/backup-format.md`: packs, manifest,
 * mirror. One save at a time; what it knows of the destination it learns at its first save and checks then. While its process is
 * surely the only owner, it remembers which manifests there are, and an incremental save asks for nothing.
 */
export class TargetWriter {
  readonly #destination: Destination;
  readonly #target: string;
  readonly #identity: WriterIdentity;
  readonly #mirror: MirrorWriter;
  #index: ChunkIndex | undefined;
  /** Manifests that are there, and by `performance.now` since when this is known of each. */
  #names: { readonly all: ManifestName[]; readonly since: Map<string, number> } | undefined;
  /** Names that were there when they were last asked for or written. One that goes without a prune: somebody was at the place. */
  #lastNames: ReadonlySet<string> = new Set();
  #branch: string | undefined;
  #last: SaveOutcome | undefined;
  #lastSequence = 0;
  #lastFiles = '';
  #head: { readonly name: string; readonly manifest: Manifest } | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    destination: Destination,
    target: string,
    identity: WriterIdentity,
    inspect: (path: string) => Promise<StudyFileReport | undefined>,
    temporary: string,
  ) {
    this.#destination = destination;
    this.#target = target;
    this.#identity = identity;
    this.#mirror = new MirrorWriter(destination, target, inspect, temporary);
  }

  /** @throws DestinationError; nothing that was there before is changed by a failed save. */
  save(capture: Capture, options: SaveOptions): Promise<SaveOutcome> {
    const run = this.#queue.then(() => this.#save(capture, options));
    this.#queue = run.catch(() => undefined);
    return run;
  }

  /** The next save learns again what the destination holds. */
  forgetKnown(): void {
    this.#index = undefined;
    this.#names = undefined;
  }

  /** The destination was pruned: manifests are listed again, and nothing is built on a pack that went. */
  pruned(gone: ReadonlySet<string>): void {
    this.#names = undefined;
    this.#lastNames = new Set();
    if ([...(this.#index?.packs.keys() ?? [])].some((pack) => gone.has(pack))) this.#index = undefined;
  }

  /** Manifests as another's look at the destination, begun at `askedAt`, found them. Where they are not as remembered, they are forgotten. */
  seen(names: readonly ManifestName[], askedAt: number): void {
    if (this.#names === undefined) return;
    const { since } = this.#names;
    const there = new Set(names.map(({ name }) => name));
    const isNew = names.some(({ name }) => !since.has(name));
    const isGone = [...since].some(([name, at]) => at < askedAt && !there.has(name));
    if (isNew || isGone) this.#names = undefined;
  }

  async #save(capture: Capture, options: SaveOptions): Promise<SaveOutcome> {
    try {
      return await this.#trySave(capture, options);
    } catch (error) {
      // What arrived of it is not known.
      this.#names = undefined;
      throw error;
    }
  }

  /** What there is: remembered, where nobody else can have changed it and little hangs on it; else asked for. */
  async #list(capture: Capture, options: SaveOptions): Promise<ManifestName[]> {
    const isSure = this.#identity.fence?.()?.isSure === true;
    if (this.#names !== undefined && isSure && !capture.full && !options.mirror) return [...this.#names.all];
    const askedAt = performance.now();
    const names = await listManifests(this.#destination, this.#target, options);
    this.#names = { all: names, since: new Map(names.map(({ name }) => [name, askedAt])) };
    const there = new Set(names.map(({ name }) => name));
    // The place was emptied, or is another one: what is remembered of packs holds no more.
    if ([...this.#lastNames].some((name) => !there.has(name))) this.#index = undefined;
    this.#lastNames = there;
    return [...names];
  }

  async #trySave(capture: Capture, options: SaveOptions): Promise<SaveOutcome> {
    // A later state of this same process is saved already: the older one adds nothing.
    if (this.#last !== undefined && capture.sequence < this.#lastSequence) return this.#last;
    const startedAt = performance.now();
    const { signal } = options;
    if (this.#index === undefined) await this.#destination.check({ signal });
    const remembered = this.#names;
    const names = await this.#list(capture, options);
    const isThere = this.#head !== undefined && names.some(({ name }) => name === this.#head?.name);
    // What this process wrote is gone: nothing that is remembered holds any more.
    if (this.#head !== undefined && !isThere) this.#index = undefined;
    const isWhole = !capture.full || (await this.#holdsItsPacks(signal));
    // A backup whose key is lost is none: looked at before each full state.
    const damagedKeys =
      capture.full || !isThere ? ((await this.#destination.checkKeys?.({ mend: true, signal })) ?? []) : [];
    const mendedKeys = damagedKeys.map(({ key }) => key);
    if (
      isThere &&
      isWhole &&
      this.#last !== undefined &&
      this.#isSame(capture) &&
      (await this.#mirror.isCurrent(capture, signal))
    ) {
      this.#lastSequence = capture.sequence;
      return { ...this.#last, mendedKeys };
    }
    const index = (this.#index ??= await knownAt(this.#destination, this.#target, names, signal));
    const writer = new PackWriter(this.#destination, index, signal, this.#identity.packUse);
    try {
      return await this.#send(capture, options, {
        names,
        index,
        writer,
        mendedKeys,
        startedAt,
        hasListed: this.#names !== remembered,
      });
    } finally {
      writer.release();
    }
  }

  async #send(
    capture: Capture,
    options: SaveOptions,
    begun: {
      readonly names: ManifestName[];
      readonly index: ChunkIndex;
      readonly writer: PackWriter;
      readonly mendedKeys: readonly string[];
      readonly startedAt: number;
      readonly hasListed: boolean;
    },
  ): Promise<SaveOutcome> {
    const { signal } = options;
    const { names, index, writer, mendedKeys, startedAt } = begun;
    let requests = begun.hasListed ? 1 : 0;
    if (options.mirror && this.#destination.traits.mirror) {
      const found = await this.#mirror.takeInForeign(capture, names, signal);
      if (found !== undefined) {
        const adopted = await storeFiles(found.files, index, writer, false);
        const name = await this.#commit(
          found,
          adopted,
          names,
          { branch: newBranch(), parent: null, origin: 'found' },
          signal,
        );
        this.#mirror.know(name.manifest);
        names.push(name.parsed);
        requests++;
      }
    }

    const { branch, parent, forkedFrom } = await this.#follow(capture, names, signal);
    const stored = await storeFiles(capture.files, index, writer, capture.full);
    const { manifest, name, bytes } = await this.#commit(
      capture,
      stored,
      names,
      { branch, parent, origin: 'saved' },
      signal,
    );
    this.#branch = branch;
    this.#head = { name, manifest };
    let mirror: SaveOutcome['mirror'] = 'notDue';
    let mirrorError: string | undefined;
    // With trials of a process that has to stop, it could never be replaced by the owner's.
    const isTheirs = options.isLast !== true && this.#identity.fence?.()?.isContested === true;
    if (options.mirror && this.#destination.traits.mirror && !isTheirs) {
      try {
        const written = await this.#mirror.write(capture, manifest, signal);
        mirror = written === undefined ? 'kept' : 'written';
        requests += written?.requests ?? 0;
        writer.sentBytes += written?.bytes ?? 0;
        if (written?.confirmation === 'handedToMount') writer.confirmation = 'handedToMount';
      } catch (error) {
        // The state is safe by its manifest; only the plain copy is late. A file that goes on changing comes with the next one.
        const isChanging = error instanceof DestinationError && error.reason === 'sourceChanged';
        mirror = isChanging ? 'notDue' : 'failed';
        mirrorError = isChanging ? undefined : explanationOf(error);
      }
    }
    index.retainPacks(new Set(stored.packs.map((pack) => pack.sha256)));
    this.#lastSequence = capture.sequence;
    this.#lastFiles = contentOf(capture);
    return (this.#last = {
      name,
      manifest,
      confirmation: writer.confirmation,
      sentBytes: writer.sentBytes + bytes,
      requests: requests + writer.requests + 1,
      durationMs: performance.now() - startedAt,
      mirror,
      mirrorError,
      mendedKeys,
      forkedFrom,
    });
  }

  /** Whether the packs that are built on are all there still, by name and size; those that are not are sent again. */
  async #holdsItsPacks(signal: AbortSignal | undefined): Promise<boolean> {
    const index = this.#index;
    if (index === undefined) return false;
    const there = new Map((await listPacks(this.#destination, signal)).map(({ sha256, bytes }) => [sha256, bytes]));
    const whole = [...index.packs].filter(([sha256, bytes]) => there.get(sha256) === bytes);
    if (whole.length === index.packs.size) return true;
    index.retainPacks(new Set(whole.map(([sha256]) => sha256)));
    return false;
  }

  /** Whether it holds what was saved last; a full snapshot of a database says more than an incremental one. */
  #isSame(capture: Capture): boolean {
    if (capture.full && capture.report !== undefined && this.#last?.manifest.snapshot !== 'full') return false;
    return contentOf(capture) === this.#lastFiles;
  }

  /** Which branch this state goes on with: the one it contains, or a new one. */
  async #follow(
    capture: Capture,
    names: readonly ManifestName[],
    signal: AbortSignal | undefined,
  ): Promise<{ branch: string; parent: string | null; forkedFrom: ManifestName | undefined }> {
    const heads = branchHeads(names);
    const own =
      heads.find(({ name }) => name === this.#head?.name) ?? heads.find(({ branch }) => branch === this.#branch);
    if (own !== undefined && own.name === this.#head?.name && this.#contains(capture, this.#head.manifest)) {
      return { branch: own.branch, parent: own.name, forkedFrom: undefined };
    }
    // Own branch first, then the best: what this state contains whole, it may follow.
    const order = own === undefined ? heads : [own, ...heads.filter((head) => head !== own)];
    let inTheWay: ManifestName | undefined;
    for (const head of order) {
      try {
        const manifest = await loadManifest(this.#destination, this.#target, head.name, { signal });
        if (this.#contains(capture, manifest)) return { branch: head.branch, parent: head.name, forkedFrom: inTheWay };
        inTheWay ??= head;
      } catch (error) {
        signal?.throwIfAborted();
        // A damaged head: nothing can be said of it, so it is left alone and not followed.
        if ((error as { code?: string }).code !== 'MANIFEST') throw error;
      }
    }
    return { branch: newBranch(), parent: null, forkedFrom: inTheWay };
  }

  #contains(capture: Capture, manifest: Manifest): boolean {
    if (manifest.study === null) return true;
    return capture.report !== undefined && containsStudy(capture.report.trialDigests, manifest.study);
  }

  async #commit(
    capture: Capture,
    stored: Pick<Manifest, 'members' | 'memberPages' | 'packs'>,
    names: readonly ManifestName[],
    place: { readonly branch: string; readonly parent: string | null; readonly origin: Manifest['origin'] },
    signal: AbortSignal | undefined,
  ): Promise<{ manifest: Manifest; name: string; bytes: number; parsed: ManifestName }> {
    const generation = 1 + names.reduce((most, name) => Math.max(most, name.generation), 0);
    const { ownerId, projectRoot, fence } = this.#identity;
    const manifest: Manifest = {
      format: FORMAT,
      formatVersion: FORMAT_VERSION,
      path: this.#target,
      kind: capture.kind,
      projectRoot,
      createdAt: new Date(capture.takenAt).toISOString(),
      branch: place.branch,
      generation,
      parent: place.parent,
      owner: { id: ownerId, fence: fence?.()?.fence ?? 0, host: hostname() },
      snapshot: capture.full ? 'full' : 'incremental',
      lineage: capture.report?.lineage ?? null,
      study: capture.study ?? null,
      bytes: capture.bytes,
      ...stored,
      origin: place.origin,
    };
    const { name, bytes } = encodeManifest(manifest, contentOf(capture));
    await this.#destination.put(`${targetFolder(this.#target)}${name}`, bytes, { sha256: sha256Of(bytes), signal });
    const parsed = parseManifestName(name);
    if (parsed === undefined) throw new ManifestError(`${name} is not the name of a manifest.`);
    this.#names?.all.unshift(parsed);
    this.#names?.since.set(name, performance.now());
    this.#lastNames = new Set(this.#lastNames).add(name);
    return { manifest, name, bytes: bytes.length, parsed };
  }
}

function contentOf({ kind, files }: Capture): string {
  if (kind === 'file') return files[0]?.digest.sha256 ?? sha256Of(new Uint8Array());
  return sha256Of(Buffer.from(files.map(({ path, digest }) => `${path}\n${digest.sha256}\n`).join('')));
}

function newBranch(): string {
  return randomBytes(4).toString('hex');
}
