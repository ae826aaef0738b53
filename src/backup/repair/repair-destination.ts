import { DestinationError, type Destination } from '../destinations/destination.js';
import type { DriveCore } from '../drive/drive-core.js';
import { isContinuedBy, isWanted, listManifests, listTargets, loadManifest, targetFolder } from '../format/catalog.js';
import { ManifestError, type Manifest, type ManifestName } from '../format/manifest.js';
import { packKey } from '../format/packs.js';
import { MirrorCheck } from '../verify/check-mirror.js';
import { damagedRecords } from '../verify/check-records.js';
import { ChunkPool } from './chunk-pool.js';
import { rebuildPack } from './rebuild-pack.js';
import { fetchState, resaveState, writeMirror } from './resave-state.js';

/** One thing that was mended. */
export interface Repaired {
  readonly destination: string;
  readonly path: string;
  /** Pack, manifest or `mirror`. */
  readonly what: string;
  /** Where the bytes came from; for a state that was let go, what holds its trials. */
  readonly from: string;
}

interface State {
  readonly name: ManifestName;
  /** Undefined where the document is damaged. */
  readonly manifest: Manifest | undefined;
}

/** Mends what one destination keeps. */
export class DestinationRepair {
  readonly #core: DriveCore;
  readonly #destination: Destination;
  readonly #path: string | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #repaired: Repaired[];
  /** Packs that were looked at: whether each is whole now. */
  readonly #whole = new Map<string, boolean>();

  constructor(
    core: DriveCore,
    destination: Destination,
    options: { readonly path?: string | undefined; readonly signal?: AbortSignal | undefined },
    repaired: Repaired[],
  ) {
    this.#core = core;
    this.#destination = destination;
    this.#path = options.path === undefined ? undefined : core.target(options.path);
    this.#signal = options.signal;
    this.#repaired = repaired;
  }

  /** @throws DestinationError where it does not answer */
  async all(): Promise<void> {
    const options = { signal: this.#signal };
    await this.#destination.check(options);
    const targets = new Set(await listTargets(this.#destination, options));
    for (const { key, repair } of await damagedRecords(this.#destination, [...targets], this.#signal)) {
      try {
        if (repair !== undefined) this.#note(key, 'record', await repair());
      } catch (error) {
        if (error instanceof DestinationError) throw error;
      }
    }
    for (const target of targets) {
      if (!isWanted(target, this.#path)) continue;
      const pool = new ChunkPool(this.#core, target, this.#destination, this.#signal);
      try {
        await this.#target(target, pool);
      } finally {
        pool.close();
      }
    }
  }

  get #others(): readonly Destination[] {
    return this.#core.destinations.filter((other) => other !== this.#destination);
  }

  #note(path: string, what: string, from: string): void {
    this.#repaired.push({ destination: this.#destination.name, path, what, from });
  }

  async #target(target: string, pool: ChunkPool): Promise<void> {
    const states = await this.#states(target);
    const manifests = states.flatMap(({ manifest }) => (manifest === undefined ? [] : [manifest]));
    for (const pack of new Set(manifests.flatMap(({ packs }) => packs.map(({ sha256 }) => sha256)))) {
      await this.#pack(target, pack, manifests, pool);
    }
    for (const state of states) if (!this.#isWhole(state)) await this.#state(target, state);
    await this.#letGo(target, await this.#states(target));
    await this.#mirrors(target);
  }

  /** Every state that is listed, newest first. */
  async #states(target: string): Promise<State[]> {
    const options = { signal: this.#signal };
    const states: State[] = [];
    for (const name of await listManifests(this.#destination, target, options)) {
      try {
        states.push({ name, manifest: await loadManifest(this.#destination, target, name.name, options) });
      } catch (error) {
        if (!(error instanceof ManifestError)) throw error;
        states.push({ name, manifest: undefined });
      }
    }
    return states;
  }

  #isWhole({ manifest }: State): boolean {
    return manifest?.packs.every(({ sha256 }) => this.#whole.get(sha256) !== false) === true;
  }

  async #pack(target: string, sha256: string, manifests: readonly Manifest[], pool: ChunkPool): Promise<void> {
    if (this.#whole.has(sha256)) return;
    const key = packKey(sha256);
    const found = await this.#destination.checksum(key, { signal: this.#signal });
    this.#whole.set(sha256, found?.sha256 === sha256);
    if (found?.sha256 === sha256) return;
    const rebuilt = await rebuildPack(sha256, this.#destination, this.#others, manifests, pool, this.#signal);
    if (rebuilt === undefined) return;
    await this.#destination.put(key, rebuilt.bytes, { sha256, signal: this.#signal });
    this.#whole.set(sha256, true);
    this.#note(target, `pack ${sha256.slice(0, 16)}`, rebuilt.from);
  }

  /** The same state from elsewhere, saved again in its own place. */
  async #state(target: string, { name }: State): Promise<void> {
    const fetched = await fetchState(this.#core, this.#destination, target, name, this.#signal);
    if (fetched === undefined) return;
    try {
      const written = await resaveState(this.#destination, target, name, fetched, this.#signal);
      if (written !== name.name) await this.#destination.remove(this.#keyOf(target, name), { signal: this.#signal });
      this.#note(target, name.name, fetched.from);
    } finally {
      fetched.remove();
    }
  }

  /** Removes states that can be had nowhere and whose trials a later whole one of their branch holds. */
  async #letGo(target: string, states: readonly State[]): Promise<void> {
    const names = states.map(({ name }) => name);
    for (const state of states) {
      if (this.#isWhole(state) || state.name.finished === 0) continue;
      const later = states.find(
        (other) =>
          this.#isWhole(other) &&
          isContinuedBy(names, state.name, other.name) &&
          other.name.finished >= state.name.finished,
      );
      if (later === undefined) continue;
      await this.#destination.remove(this.#keyOf(target, state.name), { signal: this.#signal });
      this.#note(target, state.name.name, `let go: ${later.name.name} holds all of its trials`);
    }
  }

  #keyOf(target: string, { name }: ManifestName): string {
    return `${targetFolder(target)}${name}`;
  }

  async #mirrors(target: string): Promise<void> {
    const damaged = await new MirrorCheck(this.#destination, target, this.#signal).damages(1);
    for (const { key, member } of damaged) {
      const from = await writeMirror(this.#core, this.#destination, target, member, this.#signal);
      if (from !== undefined) this.#note(key, 'mirror', from);
    }
  }
}
