import type { CallOptions } from '../destination.js';
import type { Asset, GitHubApi, Release } from './api.js';
import { folderCode, formatAssetName, LABELS, parseAssetName, segmentCode, splitKey } from './asset-names.js';
import { GitHubError } from './errors.js';

/** One version of an object: its parts in order, where all are there. */
export interface StoredVersion {
  readonly version: number;
  readonly assets: readonly Asset[];
  readonly isWhole: boolean;
}

export interface IndexedRelease {
  readonly release: Release;
  readonly number: number;
  readonly assets: Map<number, Asset>;
}

/** Where an object's assets are filed: folder and segment code of its key. */
export function slotOf(key: string): string {
  const { folder, name } = splitKey(key);
  return `${folderCode(folder)}__${segmentCode(name)}`;
}

export function labelSlot(code: string): string {
  return `${LABELS}__${segmentCode(code)}`;
}

/**
 * What the releases of one destination hold, as GitHub last said it. `refresh` asks again; unchanged pages cost nothing of the hour's
 * requests.
 */
export class ReleaseIndex {
  readonly #api: GitHubApi;
  readonly #tag: RegExp;
  readonly #tagPrefix: string;
  #releases: IndexedRelease[] = [];
  #slots = new Map<string, Map<number, Asset[]>>();
  #refreshing: Promise<void> | undefined;
  #isLoaded = false;

  /** `tagPrefix`: the releases' tags are `<tagPrefix>-<number>`. */
  constructor(api: GitHubApi, tagPrefix: string) {
    this.#api = api;
    this.#tagPrefix = tagPrefix;
    this.#tag = new RegExp(`^${tagPrefix.replaceAll('.', '\\.')}-(\\d{4,})$`);
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** All, by number. */
  get releases(): readonly IndexedRelease[] {
    return this.#releases;
  }

  /** Those that take new assets: of equal tags (drafts may have such) the older one. */
  get open(): readonly IndexedRelease[] {
    return this.#releases.filter(({ number }, at) => this.#releases[at - 1]?.number !== number);
  }

  tagOf(number: number): string {
    return `${this.#tagPrefix}-${String(number).padStart(4, '0')}`;
  }

  /** Slots with what is filed there. */
  get slots(): ReadonlyMap<string, ReadonlyMap<number, readonly Asset[]>> {
    return this.#slots;
  }

  async refresh(options: CallOptions): Promise<void> {
    // Who asks while one is under way may know of something newer: it waits for a new one.
    await this.#refreshing?.catch(() => undefined);
    const run = this.#load(options);
    this.#refreshing = run;
    await run;
  }

  /** Versions of an object, the newest first. */
  versions(slot: string): StoredVersion[] {
    const found = [...(this.#slots.get(slot) ?? [])].map(([version, assets]) => toVersion(version, assets));
    return found.sort((a, b) => b.version - a.version);
  }

  current(slot: string): StoredVersion | undefined {
    return this.versions(slot).find(({ isWhole }) => isWhole);
  }

  addRelease(release: Release, number: number): IndexedRelease {
    const entry = { release, number, assets: new Map<number, Asset>() };
    this.#releases.push(entry);
    this.#releases.sort((a, b) => a.number - b.number || a.release.id - b.release.id);
    return entry;
  }

  add(release: IndexedRelease, asset: Asset): void {
    release.assets.set(asset.id, asset);
    this.#file(asset);
  }

  remove(asset: Asset): void {
    for (const { assets } of this.#releases) assets.delete(asset.id);
    const name = parseAssetName(asset.name);
    const versions = name && this.#slots.get(`${name.folder}__${name.segment}`);
    if (name === undefined || versions === undefined) return;
    const left = (versions.get(name.version) ?? []).filter(({ id }) => id !== asset.id);
    if (left.length > 0) versions.set(name.version, left);
    else versions.delete(name.version);
    if (versions.size === 0) this.#slots.delete(`${name.folder}__${name.segment}`);
  }

  async #load(options: CallOptions): Promise<void> {
    const found = (await this.#api.releases(options)).flatMap((release) => {
      const number = this.#tag.exec(release.tag_name)?.[1];
      return number === undefined ? [] : [{ release, number: Number(number) }];
    });
    const lists = await Promise.all(
      found.map(async ({ release }) => {
        try {
          return await this.#api.assets(release.id, options);
        } catch (error) {
          // Removed since: one of two that were made at once.
          if (error instanceof GitHubError && error.status === 404) return [];
          throw error;
        }
      }),
    );
    this.#releases = [];
    this.#slots = new Map();
    found.forEach(({ release, number }, index) => {
      const entry = this.addRelease(release, number);
      for (const asset of lists[index] ?? []) this.add(entry, asset);
    });
    this.#isLoaded = true;
  }

  #file(asset: Asset): void {
    const name = parseAssetName(asset.name);
    if (name === undefined) return;
    const slot = `${name.folder}__${name.segment}`;
    let versions = this.#slots.get(slot);
    if (versions === undefined) this.#slots.set(slot, (versions = new Map<number, Asset[]>()));
    const others = (versions.get(name.version) ?? []).filter(({ id }) => id !== asset.id);
    versions.set(name.version, [...others, asset]);
  }
}

/** Where two releases hold the same part, the older one counts. */
function toVersion(version: number, assets: readonly Asset[]): StoredVersion {
  const parts = new Map<number, Asset>();
  let count = 0;
  for (const asset of [...assets].sort((a, b) => a.id - b.id)) {
    const name = parseAssetName(asset.name);
    if (name === undefined || asset.state !== 'uploaded' || parts.has(name.part)) continue;
    parts.set(name.part, asset);
    count = name.parts;
  }
  const ordered = Array.from({ length: count }, (_, index) => parts.get(index + 1));
  const isWhole = count > 0 && ordered.every((asset) => asset !== undefined);
  return { version, assets: isWhole ? ordered : assets, isWhole };
}

export function assetName(slot: string, version: number, part: number, parts: number): string {
  const [folder = '', segment = ''] = slot.split('__');
  return formatAssetName({ folder, segment, version, part, parts });
}
