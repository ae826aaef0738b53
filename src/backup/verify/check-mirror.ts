import { DamagedDataError } from '../chunks/chunk-codec.js';
import { ChunkReader } from '../chunks/chunk-reader.js';
import type { Destination } from '../destinations/destination.js';
import { listManifests, loadManifest } from '../format/catalog.js';
import { ManifestError, type ManifestName, type Member } from '../format/manifest.js';

/** A plain copy that no saved state describes. */
export interface MirrorDamage {
  /** Where it lies. */
  readonly key: string;
  /** Relative to the target. */
  readonly member: string;
  readonly problem: string;
}

const PROBLEM = 'The plain copy is none of the saved states: damaged, or changed by someone else.';

/** Holds the plain copies of one target against the saved states: each must be as one of them says. */
export class MirrorCheck {
  readonly #destination: Destination;
  readonly #target: string;
  readonly #signal: AbortSignal | undefined;
  /** Contents of each member, by the manifests read so far. */
  readonly #known = new Map<string, Set<string>>();
  readonly #read = new Set<string>();
  /** Bytes held against their checksum. */
  bytes = 0;

  constructor(destination: Destination, target: string, signal: AbortSignal | undefined) {
    this.#destination = destination;
    this.#target = target;
    this.#signal = signal;
  }

  /** `share`: of a folder's files that are looked at. @throws DestinationError */
  async damages(share: number): Promise<MirrorDamage[]> {
    if (!this.#destination.traits.mirror) return [];
    const options = { signal: this.#signal };
    const names = await listManifests(this.#destination, this.#target, options);
    const members = await this.#newest(names);
    const found: MirrorDamage[] = [];
    for (const { path } of members) {
      if (share < 1 && path !== '' && Math.random() >= share) continue;
      const key = path === '' ? this.#target : `${this.#target}/${path}`;
      const there = await this.#destination.checksum(key, options);
      if (there === undefined) continue;
      this.bytes += there.bytes;
      if (this.#known.get(path)?.has(there.sha256) === true) continue;
      if (await this.#isDescribed(path, there.sha256)) continue;
      found.push({ key, member: path, problem: PROBLEM });
    }
    return found;
  }

  /** Members of the newest state that can be read. */
  async #newest(names: readonly ManifestName[]): Promise<readonly Member[]> {
    for (const { name } of names) {
      const members = await this.#members(name);
      if (members !== undefined) return members;
    }
    return [];
  }

  /** Looks through every state, also those that a running sweep has saved meanwhile. */
  async #isDescribed(path: string, sha256: string): Promise<boolean> {
    const names = await listManifests(this.#destination, this.#target, { signal: this.#signal });
    if (path === '' && names.some(({ content }) => sha256.startsWith(content))) return true;
    for (const { name } of names) {
      await this.#members(name);
      if (this.#known.get(path)?.has(sha256) === true) return true;
    }
    return false;
  }

  async #members(name: string): Promise<readonly Member[] | undefined> {
    if (this.#read.has(name)) return undefined;
    this.#read.add(name);
    try {
      const manifest = await loadManifest(this.#destination, this.#target, name, { signal: this.#signal });
      const members = await new ChunkReader(this.#destination, this.#signal).members(manifest);
      for (const { path, sha256 } of members) {
        const contents = this.#known.get(path);
        if (contents === undefined) this.#known.set(path, new Set([sha256]));
        else contents.add(sha256);
      }
      return members;
    } catch (error) {
      if (error instanceof ManifestError || error instanceof DamagedDataError) return undefined;
      throw error;
    }
  }
}
