import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import {
  DestinationError,
  type Listing,
  type ObjectBody,
  type ObjectChecksum,
  type PutOptions,
} from '../destination.js';
import { unsafePathReason } from '../object-key.js';
import { newFile } from '../transfer/received-file.js';
import type { DriveClient, DriveFile } from './drive-client.js';
import { uploadFile } from './file-upload.js';
import type { FolderTree } from './folder-tree.js';
import { readAll } from './http.js';
import { childrenQuery, FOLDER_TYPE } from './query.js';
import { DriveRequestError } from './request-error.js';
import type { UploadSessions } from './upload-sessions.js';
import { UploadSource } from './upload-source.js';

const NO_STORAGE =
  'A service account owns no storage: make a shared drive, add the account to it as "Content manager", and name it with `drive:`; ' +
  'or sign in as a person with `resweep auth google`.';

interface Place {
  readonly folder: readonly string[];
  readonly name: string;
}

/** Objects by key on Drive: equal names, the trash, lost replies and checksums are dealt with here. */
export class DriveStore {
  readonly #client: DriveClient;
  readonly #tree: FolderTree;
  readonly #sessions: UploadSessions;
  readonly #folderId: string | undefined;
  readonly #partBytes: number;
  readonly #settleMs: number;
  /** New files whose upload has not been answered: tried again, they keep their identifier. */
  readonly #unanswered = new Map<string, string>();
  /** Keys that this process has put. */
  readonly #seen = new Set<string>();
  #ownsNoStorage = false;

  constructor(
    client: DriveClient,
    tree: FolderTree,
    sessions: UploadSessions,
    options: { readonly folderId: string | undefined; readonly partBytes: number; readonly settleMs: number },
  ) {
    this.#client = client;
    this.#tree = tree;
    this.#sessions = sessions;
    this.#folderId = options.folderId;
    this.#partBytes = options.partBytes;
    this.#settleMs = options.settleMs;
  }

  /** Learns whether the account, the shared drive and the folder are there, and whether there is any room. */
  async check(signal: AbortSignal | undefined): Promise<void> {
    const client = this.#client;
    const { storageQuota } = await client.call('asking for the account', signal, (api, options) =>
      api.about.get({ fields: 'user(permissionId),storageQuota(limit,usage)' }, options),
    );
    const { driveId } = client;
    if (driveId !== undefined) {
      await this.#explained(
        `The shared drive ${driveId} is not there for this account: add the account to it, as "Content manager".`,
        () =>
          client.call('asking for the shared drive', signal, (api, options) =>
            api.drives.get({ driveId, fields: 'id' }, options),
          ),
      );
    }
    if (this.#folderId !== undefined) await this.#checkFolder(this.#folderId, signal);
    this.#ownsNoStorage = client.driveId === undefined && storageQuota?.limit === '0';
  }

  async #checkFolder(fileId: string, signal: AbortSignal | undefined): Promise<void> {
    const found = await this.#explained(
      'With scope drive.file a folder that a person made is invisible: leave folder_id out, or use `scope: drive`.',
      () =>
        this.#client.call('asking for the folder', signal, (api, options) =>
          api.files.get({ fileId, fields: 'id,mimeType,trashed,driveId', supportsAllDrives: true }, options),
        ),
    );
    const fault =
      found.trashed === true ? 'lies in the trash' : found.mimeType === FOLDER_TYPE ? undefined : 'is no folder';
    if (fault !== undefined) throw new DestinationError('denied', `${this.#client.name}: ${fileId} ${fault}.`);
    if (typeof found.driveId === 'string') this.#client.useDrive(found.driveId);
  }

  /** Returns the size. */
  async put(key: string, body: ObjectBody, options: PutOptions): Promise<number> {
    const { sha256, signal, ifAbsent = false } = options;
    const source = await UploadSource.open(body, sha256, `${this.#client.name}: ${key}`, signal);
    try {
      if (this.#ownsNoStorage) throw this.#noStorage();
      await this.#put(key, source, sha256, ifAbsent, signal);
      return source.bytes;
    } catch (error) {
      if (error instanceof DriveRequestError && error.driveReason === 'storageQuotaExceeded') {
        if (this.#client.account === 'serviceAccount' && this.#client.driveId === undefined) throw this.#noStorage();
      }
      throw error;
    } finally {
      await source.close();
    }
  }

  async get(key: string, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const [file] = await this.#find(key, signal);
    return file && this.#read(`getting ${key}`, file, signal, readAll);
  }

  async download(key: string, target: string, signal: AbortSignal | undefined): Promise<ObjectChecksum | undefined> {
    const [file] = await this.#find(key, signal);
    if (file === undefined) return undefined;
    return newFile(target, async (write) => {
      const hash = createHash('sha256');
      const read = await this.#read(`getting ${key}`, file, signal, (stream) =>
        consume(stream, async (block) => {
          hash.update(block);
          await write(block);
        }),
      );
      return read && { bytes: read.length, sha256: hash.digest('hex') };
    });
  }

  async checksum(key: string, signal: AbortSignal | undefined): Promise<ObjectChecksum | undefined> {
    const [file] = await this.#find(key, signal);
    if (file === undefined) return undefined;
    if (file.sha256 !== undefined) return { bytes: file.bytes ?? 0, sha256: file.sha256 };
    return this.#readBack(`checking ${key}`, file, signal);
  }

  async list(prefix: string, signal: AbortSignal | undefined): Promise<Listing> {
    const segments = prefix.split('/').filter(Boolean);
    const wasRemembered = this.#tree.isRemembered(segments);
    let files = await this.#children(prefix, segments, signal);
    if (files.length === 0 && wasRemembered) {
      // Empty, or a folder that went to the trash while another of its name was made.
      this.#tree.forget();
      files = await this.#children(prefix, segments, signal);
    }
    const objects = new Map<string, number>();
    const folders = new Set<string>();
    for (const { name, mimeType, bytes } of files) {
      if (unsafePathReason(name) !== undefined || name.includes('/')) continue; // Not ours, and no key spells it.
      if (mimeType === FOLDER_TYPE) folders.add(name);
      else if (bytes !== undefined && !objects.has(name)) objects.set(name, bytes);
    }
    return {
      objects: [...objects]
        .map(([name, bytes]) => ({ key: `${prefix}${name}`, bytes }))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
      folders: [...folders].sort(),
    };
  }

  /** Into the trash, where a person can still find it; all of that name, or an older one would show again. */
  async remove(key: string, signal: AbortSignal | undefined): Promise<void> {
    this.#unanswered.delete(key);
    for (const { id } of await this.#find(key, signal)) await this.#discard(`removing ${key}`, id, signal);
  }

  async #put(
    key: string,
    source: UploadSource,
    sha256: string,
    ifAbsent: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { folder, name } = placeOf(key);
    const folders = await this.#tree.create(folder, signal);
    const own = this.#unanswered.get(key);
    // In a folder that was just made there is hardly anything; what there is all the same, `#settle` finds.
    const isNew = own === undefined && !ifAbsent && !this.#seen.has(key) && this.#tree.isOwn(folders);
    this.#seen.add(key);
    const [winner] = isNew ? [] : await this.#named(key, name, folders, signal);
    const upload = { what: `putting ${key}`, source, sha256, partBytes: this.#partBytes, signal };
    if (winner !== undefined && !(ifAbsent && winner.id === own)) {
      if (ifAbsent) throw new DestinationError('exists', `${this.#client.name}: ${key} is there already.`);
      // What is there already, byte for byte, need not travel again.
      if (winner.sha256 !== sha256) await this.#replace(key, winner.id, upload);
      this.#unanswered.delete(key);
      return;
    }
    const id = own ?? (await this.#client.newId(signal));
    this.#unanswered.set(key, id);
    const made = await this.#sent(
      uploadFile(this.#client, this.#sessions, { ...upload, to: { id, name, folder: folders[0] ?? '' } }),
      { folder, ids: folders, signal },
    );
    if (made.trashed) {
      // Its folder lies in the trash since it was looked up.
      this.#tree.forget();
      this.#unanswered.delete(key);
      throw this.#replaced(`the folder of ${key} went to the trash meanwhile`);
    }
    if (!(await this.#isWhole(upload.what, made, source, sha256, signal))) {
      await this.#discard(upload.what, made.id, signal);
      this.#unanswered.delete(key);
      throw await this.#damaged(key, source, sha256);
    }
    // Equal content under equal names: whichever counts, it is this.
    if (ifAbsent || !key.includes(sha256.slice(0, 16))) await this.#settle(key, name, made, ifAbsent, upload);
    this.#unanswered.delete(key);
  }

  /** Looks whether another machine made the same key in the same moment, and agrees with it on one. */
  async #settle(
    key: string,
    name: string,
    made: DriveFile,
    ifAbsent: boolean,
    upload: Omit<Parameters<typeof uploadFile>[2], 'to'>,
  ): Promise<void> {
    const { signal, sha256, what } = upload;
    if (ifAbsent) await delay(this.#settleMs, undefined, signal === undefined ? {} : { signal });
    const folders = await this.#tree.find(placeOf(key).folder, signal);
    const [winner] = await this.#named(key, name, folders, signal);
    if (winner === undefined || winner.id === made.id) return;
    if (!ifAbsent && winner.sha256 !== sha256) await this.#replace(key, winner.id, upload);
    await this.#discard(what, made.id, signal);
    if (ifAbsent) {
      this.#unanswered.delete(key);
      throw new DestinationError(
        'exists',
        `${this.#client.name}: ${key} was made by another machine at the same time.`,
      );
    }
  }

  async #replace(key: string, replace: string, upload: Omit<Parameters<typeof uploadFile>[2], 'to'>): Promise<void> {
    const { what, source, sha256, signal } = upload;
    const file = await this.#sent(uploadFile(this.#client, this.#sessions, { ...upload, to: { replace } }));
    if (!(await this.#isWhole(what, file, source, sha256, signal))) throw await this.#damaged(key, source, sha256);
  }

  /** A file or folder that was looked up has gone: the next try looks again. One that was just made may not be seen everywhere yet. */
  async #sent(
    sending: Promise<DriveFile>,
    into?: {
      readonly folder: readonly string[];
      readonly ids: readonly string[];
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<DriveFile> {
    try {
      return await sending;
    } catch (error) {
      if (!(error instanceof DriveRequestError) || error.status !== 404) throw error;
      const isFresh = into === undefined || this.#tree.isFresh(into.ids);
      this.#tree.forget();
      if (isFresh) throw error;
      const [there] = await this.#tree.find(into.folder, into.signal);
      throw there === into.ids[0] ? error : this.#replaced(`the folder ${into.folder.join('/')} has gone`);
    }
  }

  /** What lay in the folder before has gone with it: nothing is tried again within the same save, which may count on it. */
  #replaced(why: string): DriveRequestError {
    const hint = 'Everything is sent anew with the next save.';
    return new DriveRequestError('unreachable', `${this.#client.name}: ${why}.`, { permanent: true, hint });
  }

  async #isWhole(
    what: string,
    file: DriveFile,
    source: UploadSource,
    sha256: string,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (file.bytes !== source.bytes) return false;
    if (file.sha256 !== undefined) return file.sha256 === sha256;
    if (file.md5 !== undefined) return file.md5 === (await source.hash('md5', signal));
    return (await this.#readBack(what, file, signal))?.sha256 === sha256;
  }

  async #damaged(key: string, source: UploadSource, sha256: string): Promise<DestinationError> {
    return (await source.isUnchanged(sha256))
      ? new DestinationError('damaged', `${this.#client.name}: ${key} arrived with other bytes than were sent.`)
      : new DestinationError('sourceChanged', `${this.#client.name}: the file for ${key} changed while it was sent.`);
  }

  async #discard(what: string, id: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#client.trash(what, id, signal);
    } catch (error) {
      if (!(error instanceof DriveRequestError) || error.status !== 404) throw error; // Gone already.
    }
  }

  async #readBack(what: string, file: DriveFile, signal: AbortSignal | undefined): Promise<ObjectChecksum | undefined> {
    const hash = createHash('sha256');
    const read = await this.#read(what, file, signal, (stream) =>
      consume(stream, (block) => {
        hash.update(block);
        return Promise.resolve();
      }),
    );
    return read && { bytes: read.length, sha256: hash.digest('hex') };
  }

  /** Undefined where the file has gone meanwhile. A short read is an error. */
  async #read<T extends { readonly length: number }>(
    what: string,
    file: DriveFile,
    signal: AbortSignal | undefined,
    take: (stream: Readable) => Promise<T>,
  ): Promise<T | undefined> {
    let taken: T;
    try {
      taken = await this.#client.call(
        what,
        signal,
        async (api, options) => {
          const reply = await api.files.get(
            { fileId: file.id, alt: 'media', supportsAllDrives: true },
            { ...options, responseType: 'stream' },
          );
          return { data: await take(reply.data) };
        },
        file.bytes,
      );
    } catch (error) {
      if (error instanceof DriveRequestError && error.status === 404) return undefined;
      throw error;
    }
    if (taken.length === file.bytes) return taken;
    throw new DriveRequestError(
      'unreachable',
      `${this.#client.name}: ${what}: ${taken.length} bytes came in place of ${file.bytes ?? 0}.`,
    );
  }

  /** Files of a key, the one that counts first. */
  async #find(key: string, signal: AbortSignal | undefined): Promise<DriveFile[]> {
    const { folder, name } = placeOf(key);
    const folders = await this.#tree.find(folder, signal);
    return folders.length === 0 ? [] : this.#named(key, name, folders, signal);
  }

  async #named(
    key: string,
    name: string,
    folders: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<DriveFile[]> {
    const files = await this.#client.list(`looking for ${key}`, childrenQuery(folders, { name }), signal);
    // Drive compares names without regard to case; its own documents and links have no bytes.
    return files.filter((file) => file.name === name && file.mimeType !== FOLDER_TYPE && file.bytes !== undefined);
  }

  async #children(
    prefix: string,
    segments: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<readonly DriveFile[]> {
    const folders = await this.#tree.find(segments, signal);
    return folders.length === 0 ? [] : this.#client.list(`listing ${prefix}`, childrenQuery(folders), signal);
  }

  #noStorage(): DestinationError {
    return new DestinationError('full', `${this.#client.name}: this service account owns no storage.`, {
      hint: NO_STORAGE,
    });
  }

  async #explained<T>(explanation: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof DriveRequestError) || error.status !== 404) throw error;
      throw new DestinationError('denied', error.message, { hint: explanation });
    }
  }
}

function placeOf(key: string): Place {
  const segments = key.split('/');
  const name = segments.pop() ?? '';
  return { folder: segments, name };
}

/** Hands a stream on in blocks, each awaited; gives back how much it was. */
async function consume(stream: Readable, take: (block: Buffer) => Promise<void>): Promise<{ readonly length: number }> {
  let length = 0;
  for await (const block of stream) {
    await take(block as Buffer);
    length += (block as Buffer).length;
  }
  return { length };
}
