import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';

import { DestinationError, type CallOptions, type ObjectBody } from '../destination.js';
import { receivedChecksum } from '../transfer/received-file.js';
import { sizeOf } from '../transfer/source-bytes.js';
import type { Asset, GitHubApi } from './api.js';
import { GitHubError } from './errors.js';
import { assetName, type IndexedRelease, type ReleaseIndex, type StoredVersion } from './release-index.js';

export interface ReleaseStoreOptions {
  readonly name: string;
  readonly isDraft: boolean;
  /** A release takes so many assets; GitHub allows 1000. */
  readonly assetsPerRelease: number;
  /** Larger objects are cut; GitHub allows less than 2 GiB. */
  readonly partBytes: number;
  /** An upload that did not end within this time is given up by others. */
  readonly abandonedAfterMs: number;
}

/** Puts objects into releases: one asset each, or one for each part; in a new release once the others are full. */
export class ReleaseStore {
  readonly #api: GitHubApi;
  readonly #index: ReleaseIndex;
  readonly #options: ReleaseStoreOptions;
  /** Names whose upload by this process failed: what is left of them is its own. */
  readonly #failed = new Set<string>();

  constructor(api: GitHubApi, index: ReleaseIndex, options: ReleaseStoreOptions) {
    this.#api = api;
    this.#index = index;
    this.#options = options;
  }

  /**
   * Adds a version of an object. `exclusive`: into the first release, where its name is unique.
   * @throws DestinationError `exists` where the name is taken
   */
  async add(
    slot: string,
    version: number,
    body: ObjectBody,
    sha256: string,
    exclusive: boolean,
    options: CallOptions,
  ): Promise<void> {
    const bytes = sizeOf(body);
    const { partBytes } = this.#options;
    const parts = Math.max(1, Math.ceil(bytes / partBytes));
    const digests = await partDigests(this.#options.name, body, parts, partBytes, sha256);
    for (let part = 1; part <= parts; part++) {
      const offset = (part - 1) * partBytes;
      const length = Math.min(partBytes, bytes - offset);
      const name = assetName(slot, version, part, parts);
      const release = exclusive ? await this.#first(options) : await this.#room(options);
      const data = () => slice(body, offset, length);
      await this.#upload(release, name, data, length, digests[part - 1] ?? '', options);
    }
  }

  /** Removes assets, so that an interruption never shows an older version again: oldest versions first. */
  async remove(versions: readonly StoredVersion[], options: CallOptions): Promise<void> {
    for (const { assets } of [...versions].sort((a, b) => a.version - b.version)) {
      for (const asset of assets) {
        await this.#api.deleteAsset(asset.id, options);
        this.#index.remove(asset);
      }
    }
  }

  /** Removes what uploads have left behind that never ended, and versions that were replaced. */
  async tidy(options: CallOptions): Promise<void> {
    for (const { assets } of this.#index.releases) {
      for (const asset of [...assets.values()]) {
        if (!this.#isAbandoned(asset)) continue;
        await this.#api.deleteAsset(asset.id, options);
        this.#index.remove(asset);
      }
    }
    for (const slot of [...this.#index.slots.keys()]) {
      const [newest, ...older] = this.#index.versions(slot).filter(({ isWhole }) => isWhole);
      if (newest !== undefined && older.length > 0) await this.remove(older, options);
    }
  }

  async #upload(
    release: IndexedRelease,
    name: string,
    data: () => Uint8Array | Readable,
    bytes: number,
    sha256: string,
    options: CallOptions,
  ): Promise<void> {
    for (let tries = 0; ; tries++) {
      let asset: Asset;
      try {
        asset = await this.#api.upload(release.release, name, data(), bytes, options);
      } catch (error) {
        if (tries === 0 && error instanceof DestinationError && error.reason === 'exists') {
          if (await this.#clearLeftover(release, name, options)) continue;
        }
        this.#failed.add(name);
        throw error;
      }
      const problem = await this.#problemOf(asset, name, bytes, sha256, options);
      if (problem === undefined) {
        this.#failed.delete(name);
        this.#index.add(release, asset);
        return;
      }
      await this.#api.deleteAsset(asset.id, options);
      throw new DestinationError('damaged', `${this.#options.name}: upload ${name}: ${problem}.`);
    }
  }

  /** Whether an upload's leftover was in the way and is gone now. Another process that is uploading is left in peace. */
  async #clearLeftover(release: IndexedRelease, name: string, options: CallOptions): Promise<boolean> {
    await this.#index.refresh(options);
    const again = this.#index.releases.find((entry) => entry.release.id === release.release.id);
    const asset = [...(again?.assets.values() ?? [])].find((candidate) => candidate.name === name);
    if (asset === undefined || asset.state === 'uploaded') return false;
    if (!this.#failed.has(name) && !this.#isAbandoned(asset)) {
      throw new DestinationError('failed', `${this.#options.name}: another process is uploading ${name}.`);
    }
    await this.#api.deleteAsset(asset.id, options);
    this.#index.remove(asset);
    return true;
  }

  #isAbandoned({ state, created_at: createdAt }: Asset): boolean {
    if (state === 'uploaded') return false;
    return this.#api.serverTime() - Date.parse(createdAt) >= this.#options.abandonedAfterMs;
  }

  async #problemOf(
    asset: Asset,
    name: string,
    bytes: number,
    sha256: string,
    options: CallOptions,
  ): Promise<string | undefined> {
    if (asset.name !== name) return `GitHub named it ${asset.name}`;
    if (asset.state !== 'uploaded') return `its state is ${asset.state}`;
    if (asset.size !== bytes) return `${asset.size} bytes arrived in place of ${bytes}`;
    const digest = asset.digest ?? undefined;
    if (digest !== undefined) return digest === `sha256:${sha256}` ? undefined : 'its digest differs';
    const there = await this.#api.download(
      asset.id,
      (stream) => receivedChecksum(stream, asset.size, options.signal),
      options,
    );
    return there?.sha256 === sha256 ? undefined : 'what was read back differs';
  }

  /** The release in which names are unique: the first of all. */
  async #first(options: CallOptions): Promise<IndexedRelease> {
    const [first] = this.#index.open;
    return first ?? this.#create(1, options);
  }

  async #room(options: CallOptions): Promise<IndexedRelease> {
    const { open } = this.#index;
    const free = open.find(({ assets }) => assets.size < this.#options.assetsPerRelease);
    if (free !== undefined) return free;
    return this.#create(1 + open.reduce((most, { number }) => Math.max(most, number), 0), options);
  }

  /** Two machines may make the same release at once (drafts may share a tag): the older one stays. */
  async #create(number: number, options: CallOptions): Promise<IndexedRelease> {
    let created: number | undefined;
    try {
      const tag = this.#index.tagOf(number);
      created = (await this.#api.createRelease(tag, this.#options.isDraft, options)).id;
    } catch (error) {
      // Another has published one of this tag.
      if (!(error instanceof GitHubError) || error.reason !== 'exists') throw error;
    }
    await this.#index.refresh(options);
    const kept = this.#index.open.find((entry) => entry.number === number);
    if (kept === undefined)
      throw new DestinationError('failed', `${this.#options.name}: a new release is not shown yet.`);
    if (created !== undefined && kept.release.id !== created) await this.#api.deleteRelease(created, options);
    return kept;
  }
}

function slice(body: ObjectBody, offset: number, length: number): Uint8Array | Readable {
  if (body instanceof Uint8Array) return body.subarray(offset, offset + length);
  if (length === 0) return new Uint8Array();
  return createReadStream(body.file, { start: offset, end: offset + length - 1, highWaterMark: 1 << 18 });
}

/** SHA-256 of each part. @throws DestinationError where the whole is not what was announced */
async function partDigests(
  name: string,
  body: ObjectBody,
  parts: number,
  partBytes: number,
  sha256: string,
): Promise<string[]> {
  const whole = createHash('sha256');
  const digests: string[] = [];
  for (let part = 0; part < parts; part++) {
    const hash = createHash('sha256');
    const offset = part * partBytes;
    const data = slice(body, offset, Math.min(partBytes, sizeOf(body) - offset));
    try {
      for await (const chunk of data instanceof Uint8Array ? [data] : data) {
        hash.update(chunk as Uint8Array);
        whole.update(chunk as Uint8Array);
      }
    } catch (error) {
      throw new DestinationError('sourceChanged', `${name}: the file to be sent cannot be read any more.`, {
        cause: error,
      });
    }
    digests.push(hash.digest('hex'));
  }
  if (whole.digest('hex') === sha256) return digests;
  throw body instanceof Uint8Array
    ? new DestinationError('damaged', `${name}: the bytes to be sent are not what their checksum says.`)
    : new DestinationError('sourceChanged', `${body.file} changed while it was read.`);
}
