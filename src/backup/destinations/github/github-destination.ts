import { z } from 'zod';

import { sha256Of } from '../../files/file-digest.js';
import { defineDestinationKind } from '../destination-kind.js';
import {
  DestinationError,
  type CallOptions,
  type Destination,
  type DestinationPolicy,
  type DestinationTraits,
  type Listing,
  type ObjectBody,
  type ObjectChecksum,
  type PutOptions,
  type PutReceipt,
  type StoredObject,
} from '../destination.js';
import { assertSafeKey } from '../object-key.js';
import { Once } from '../once.js';
import { received, receivedFile } from '../transfer/received-file.js';
import { isSafeServer } from '../transfer/server-url.js';
import { sizeOf } from '../transfer/source-bytes.js';
import { GitHubApi, type Asset } from './api.js';
import { folderCode, LABELS, segmentCode, segmentName, splitKey } from './asset-names.js';
import { labelSlot, ReleaseIndex, slotOf, type StoredVersion } from './release-index.js';
import { ReleaseStore } from './release-store.js';

export interface GitHubDestinationOptions {
  readonly name: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly project?: string | undefined;
  readonly policy?: DestinationPolicy | undefined;
  /** Releases that only those see who may write. @default true */
  readonly draft?: boolean | undefined;
  readonly tokenEnv?: string | undefined;
  /** @default GITHUB_API_URL, or https://api.github.com */
  readonly apiUrl?: string | undefined;
  readonly allowPublic?: boolean | undefined;
  /** Everything is encrypted before it comes here. */
  readonly encrypted?: boolean | undefined;
  /** @default 900 */
  readonly assetsPerRelease?: number | undefined;
  /** @default 2 GiB less 1 MiB */
  readonly partBytes?: number | undefined;
  /** @default 1 hour */
  readonly abandonedAfterMs?: number | undefined;
}

const MIB = 1 << 20;
const HOUR_MS = 3_600_000;

/** Assets of releases of a GitHub repository. */
export class GitHubDestination implements Destination {
  readonly name: string;
  readonly type = 'github';
  readonly location: string;
  readonly policy: DestinationPolicy | undefined;
  readonly traits: DestinationTraits = {
    exclusive: 'strict',
    rename: 'atomic',
    checksum: 'byDestination',
    confirms: 'verified',
    mirror: false,
    // A beat writes and removes an asset; GitHub allows 500 writes an hour.
    leaseMs: 30 * 60_000,
    latencyMs: 500,
  };
  readonly #options: GitHubDestinationOptions;
  readonly #api: GitHubApi;
  readonly #index: ReleaseIndex;
  readonly #store: ReleaseStore;
  /** Texts behind codes of folders and long names. */
  readonly #labels = new Map<string, string>();
  readonly #ready = new Once<void>();
  #isTidy = false;

  constructor(options: GitHubDestinationOptions) {
    const { name, repository, project, tokenEnv } = options;
    const [owner = '', repo = ''] = repository.split('/');
    const apiUrl = (options.apiUrl ?? process.env['GITHUB_API_URL'] ?? 'https://api.github.com').replace(/\/+$/, '');
    if (project !== undefined) assertSafeKey(project);
    const tag = `resweep-${project === undefined ? 'backups' : segmentCode(project)}`;
    this.name = name;
    this.policy = options.policy;
    this.#options = options;
    this.location = `github:${repository} (releases ${tag}-…)`;
    this.#api = new GitHubApi({ name, owner, repo, apiUrl, tokenEnv });
    this.#index = new ReleaseIndex(this.#api, tag);
    this.#store = new ReleaseStore(this.#api, this.#index, {
      name,
      isDraft: options.draft ?? true,
      assetsPerRelease: options.assetsPerRelease ?? 900,
      partBytes: options.partBytes ?? 2048 * MIB - MIB,
      abandonedAfterMs: options.abandonedAfterMs ?? HOUR_MS,
    });
  }

  async check(options: CallOptions = {}): Promise<void> {
    await this.#open(options);
    await this.#index.refresh(options);
    if (this.#isTidy) return;
    this.#isTidy = true;
    // Only tidying: what cannot be removed now is in nobody's way.
    await this.#store.tidy(options).catch((error: unknown) => {
      if (error instanceof DestinationError && error.reason === 'aborted') throw error;
    });
  }

  async put(key: string, body: ObjectBody, options: PutOptions): Promise<PutReceipt> {
    assertSafeKey(key);
    await this.#open(options);
    const { sha256, ifAbsent = false } = options;
    const slot = slotOf(key);
    const receipt: PutReceipt = { bytes: sizeOf(body), confirmation: 'verified' };
    if (ifAbsent || !this.#index.isLoaded) await this.#index.refresh(options);
    if (ifAbsent && this.#index.current(slot) !== undefined) throw this.#exists(key);
    if (this.#holds(slot, sha256)) return receipt;
    await this.#label(key, options);
    for (let tries = 0; ; tries++) {
      const versions = this.#index.versions(slot);
      const version = 1 + (versions[0]?.version ?? 0);
      try {
        await this.#store.add(slot, ifAbsent ? 1 : version, body, sha256, ifAbsent, options);
        break;
      } catch (error) {
        const isTaken = error instanceof DestinationError && error.reason === 'exists';
        if (ifAbsent && isTaken) throw this.#exists(key);
        // What is there now is unknown: an upload may have arrived and only its answer was lost.
        await this.#index.refresh(options).catch(() => undefined);
        if (!ifAbsent && this.#holds(slot, sha256)) return receipt;
        if (!isTaken || tries === 2) throw error;
      }
    }
    const older = this.#index.versions(slot).filter(({ version }, at) => at > 0 && version > 0);
    // They count no more; where they cannot be removed now, a later `check` does it.
    await this.#store.remove(older, options).catch(() => undefined);
    return receipt;
  }

  async get(key: string, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    assertSafeKey(key);
    return this.#read(slotOf(key), options, async (assets) => {
      const parts: Buffer[] = [];
      for (const { id, size } of assets) {
        const part = await this.#api.download(id, (stream) => received(stream, size, options.signal), options);
        if (part === undefined) return undefined;
        parts.push(part);
      }
      return parts.length === 1 ? parts[0] : Buffer.concat(parts);
    });
  }

  async download(key: string, file: string, options: CallOptions = {}): Promise<ObjectChecksum | undefined> {
    assertSafeKey(key);
    return this.#read(slotOf(key), options, (assets) => {
      return this.#api.downloadAll(assets, (streams) => receivedFile(streams, file, options.signal), options);
    });
  }

  async checksum(key: string, options: CallOptions = {}): Promise<ObjectChecksum | undefined> {
    assertSafeKey(key);
    return this.#read(slotOf(key), options, async (assets) => {
      const [only] = assets;
      const digest = assets.length === 1 ? only?.digest : undefined;
      if (typeof digest === 'string' && digest.startsWith('sha256:') && only !== undefined) {
        return { bytes: only.size, sha256: digest.slice('sha256:'.length) };
      }
      const bytes = await this.get(key, options);
      return bytes && { bytes: bytes.length, sha256: sha256Of(bytes) };
    });
  }

  async list(prefix: string, options: CallOptions = {}): Promise<Listing> {
    if (prefix !== '') assertSafeKey(`${prefix}x`);
    await this.#open(options);
    await this.#index.refresh(options);
    const here = folderCode(prefix.slice(0, -1));
    const objects: StoredObject[] = [];
    const folders = new Set<string>();
    for (const slot of this.#index.slots.keys()) {
      const [code = '', segment = ''] = slot.split('__');
      const current = code === LABELS ? undefined : this.#index.current(slot);
      if (current === undefined) continue;
      if (code === here) {
        const name = segmentName(segment) ?? (await this.#textOf(segment, options));
        if (name === undefined) continue;
        objects.push({ key: prefix + name, bytes: current.assets.reduce((sum, { size }) => sum + size, 0) });
        continue;
      }
      const folder = await this.#textOf(code, options);
      if (folder?.startsWith(prefix) === true) folders.add(folder.slice(prefix.length).split('/')[0] ?? '');
    }
    folders.delete('');
    return { objects: objects.sort((a, b) => (a.key < b.key ? -1 : 1)), folders: [...folders].sort() };
  }

  async remove(key: string, options: CallOptions = {}): Promise<void> {
    assertSafeKey(key);
    await this.#open(options);
    await this.#index.refresh(options);
    await this.#store.remove(this.#index.versions(slotOf(key)), options);
  }

  close(): Promise<void> {
    this.#api.forget();
    return Promise.resolve();
  }

  /** Whether the object is there with this content. */
  #holds(slot: string, sha256: string): boolean {
    const assets = this.#index.current(slot)?.assets ?? [];
    return assets.length === 1 && assets[0]?.digest === `sha256:${sha256}`;
  }

  /** Makes sure that folder and name of a key can be read back from their codes. */
  async #label(key: string, options: CallOptions): Promise<void> {
    const { folder, name } = splitKey(key);
    const texts = [[folderCode(folder), folder]] as [string, string][];
    const segment = segmentCode(name);
    if (segmentName(segment) === undefined) texts.push([segment, name]);
    for (const [code, text] of texts) {
      const slot = labelSlot(code);
      if (text === '' || this.#index.current(slot) !== undefined) continue;
      const bytes = Buffer.from(text);
      try {
        await this.#store.add(slot, 1, bytes, sha256Of(bytes), false, options);
      } catch (error) {
        // Another process has written the same in the same moment.
        if (!(error instanceof DestinationError) || error.reason !== 'exists') throw error;
      }
      this.#labels.set(code, text);
    }
  }

  async #textOf(code: string, options: CallOptions): Promise<string | undefined> {
    const known = this.#labels.get(code);
    if (known !== undefined) return known;
    const [asset] = this.#index.current(labelSlot(code))?.assets ?? [];
    if (asset === undefined) return undefined;
    const bytes = await this.#api.download(asset.id, (stream) => received(stream, asset.size, options.signal), options);
    const text = bytes?.toString('utf8');
    // Held against its code, as everything is that was read.
    if (text === undefined || (folderCode(text) !== code && segmentCode(text) !== code)) return undefined;
    this.#labels.set(code, text);
    return text;
  }

  /** Reads the newest version; what is not known, or has gone meanwhile, is asked for again. */
  async #read<T>(
    slot: string,
    options: CallOptions,
    use: (assets: readonly Asset[]) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    await this.#open(options);
    let current: StoredVersion | undefined = this.#index.current(slot);
    for (let tries = 0; tries < 3; tries++) {
      if (current === undefined || tries > 0) {
        await this.#index.refresh(options);
        current = this.#index.current(slot);
        if (current === undefined) return undefined;
      }
      const result = await use(current.assets);
      if (result !== undefined) return result;
    }
    throw new DestinationError('failed', `${this.name}: an object changes while it is read.`);
  }

  #exists(key: string): DestinationError {
    return new DestinationError('exists', `${this.name}: ${key} exists already.`);
  }

  #open(options: CallOptions): Promise<void> {
    return this.#ready.get(() => this.#look(options));
  }

  async #look(options: CallOptions): Promise<void> {
    const { allowPublic = false, encrypted = false, repository } = this.#options;
    const { isPrivate } = await this.#api.repository(options);
    if (isPrivate || allowPublic || encrypted) return;
    const hint = 'Use a private repository, encrypt (encrypt: {passphrase_env: NAME}), or say allow_public: true.';
    throw new DestinationError(
      'denied',
      `${this.name}: ${repository} is public: anyone could read the backups. ${hint}`,
      { hint },
    );
  }
}

export const githubDestinationKind = defineDestinationKind({
  type: 'github',
  summary: 'Assets of releases of a GitHub repository.',
  // Each save is two assets, and GitHub limits requests by the hour.
  defaultEvery: { milliseconds: 15 * 60_000 },
  schema: z.strictObject({
    repository: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+$/, 'is not of the form owner/name')
      .describe('owner/name of the repository, a private one. The token comes from the environment, never from here.'),
    draft: z.boolean().default(true).describe('Releases that only those see who may write to the repository.'),
    tokenEnv: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of a variable')
      .optional()
      .describe('Variable with the token. Default: GITHUB_TOKEN, else GH_TOKEN.'),
    apiUrl: z
      .url()
      .refine(isSafeServer, 'https (or http to this machine), and without credentials')
      .optional()
      .describe('Of a GitHub Enterprise Server, such as https://github.example.com/api/v3.'),
    allowPublic: z
      .boolean()
      .default(false)
      .describe('Also where the repository is public and nothing is encrypted: anyone can read it then.'),
  }),
  create: (options, { name, project, policy, encrypted }) =>
    new GitHubDestination({ ...options, name, project, policy, encrypted }),
});
