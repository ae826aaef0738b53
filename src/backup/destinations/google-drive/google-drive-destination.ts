import { resolve } from 'node:path';

import { z } from 'zod';

import { userStateFolder } from '../../../core/user-folders.js';
import { defineDestinationKind } from '../destination-kind.js';
import type { CallOptions, Destination, DestinationPolicy, DestinationTraits, Listing } from '../destination.js';
import type { ObjectBody, ObjectChecksum, PutOptions, PutReceipt } from '../destination.js';
import { assertSafeKey } from '../object-key.js';
import { isSafeServer } from '../transfer/server-url.js';
import type { TokenSource } from './access-token.js';
import { findCredentials } from './credentials.js';
import { DriveClient } from './drive-client.js';
import { DriveStore } from './drive-store.js';
import { FolderTree } from './folder-tree.js';
import { PART_UNIT } from './resumable-upload.js';
import { UploadSessions } from './upload-sessions.js';

const ROOT_URL = 'https://www.googleapis.com/';
const PART_BYTES = 32 * PART_UNIT;

export interface GoogleDriveDestinationOptions {
  readonly name: string;
  readonly credentials: TokenSource;
  /** Names from the root of the Drive (or from `folderId`), with `/`; made where it is missing. */
  readonly folder: string;
  readonly folderId?: string | undefined;
  /** Identifier of a shared drive. */
  readonly drive?: string | undefined;
  readonly rootUrl?: string | undefined;
  /** Prefix, so that several projects share the folder. */
  readonly project?: string | undefined;
  readonly policy?: DestinationPolicy | undefined;
  /** Size of a part of a large upload, a multiple of 262144. @default 8 MiB */
  readonly partBytes?: number | undefined;
  /** Wait after making a folder or claiming a key, for what another machine did in the same moment to show. @default 250 */
  readonly settleMs?: number | undefined;
  /** Where uploads under way are noted. @default the user's state folder */
  readonly stateFolder?: string | undefined;
}

/**
 * A folder of Google Drive, through its API (v3). A key is a path of folders and a name, so that a person finds the plain copies where
 * they belong. An object is one file; replacing it makes a new revision of that file. Drive computes the checksums that confirm.
 */
export class GoogleDriveDestination implements Destination {
  readonly type = 'google-drive';
  readonly name: string;
  readonly location: string;
  readonly policy: DestinationPolicy | undefined;
  readonly traits: DestinationTraits = {
    exclusive: 'advisory',
    rename: 'atomic',
    checksum: 'byDestination',
    confirms: 'verified',
    mirror: true,
    mirrorRefresh: 'withFullSnapshots',
    latencyMs: 300,
  };
  readonly #options: GoogleDriveDestinationOptions;
  #store: DriveStore | undefined;

  constructor(options: GoogleDriveDestinationOptions) {
    const { name, folder, project, drive, folderId, policy } = options;
    for (const path of [folder, project]) if (path !== undefined && path !== '') assertSafeKey(path);
    this.name = name;
    this.policy = policy;
    this.#options = options;
    const place = [folderId === undefined ? '' : `folder ${folderId}`, folder, project].filter(Boolean).join('/');
    this.location = `Google Drive${drive === undefined ? '' : ` (shared drive ${drive})`}: ${place}`;
  }

  check(options?: CallOptions): Promise<void> {
    return this.#opened.check(options?.signal);
  }

  async put(key: string, body: ObjectBody, options: PutOptions): Promise<PutReceipt> {
    assertSafeKey(key);
    return { bytes: await this.#opened.put(key, body, options), confirmation: 'verified' };
  }

  async get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
    assertSafeKey(key);
    return this.#opened.get(key, options?.signal);
  }

  async download(key: string, file: string, options?: CallOptions): Promise<ObjectChecksum | undefined> {
    assertSafeKey(key);
    return this.#opened.download(key, file, options?.signal);
  }

  async checksum(key: string, options?: CallOptions): Promise<ObjectChecksum | undefined> {
    assertSafeKey(key);
    return this.#opened.checksum(key, options?.signal);
  }

  async list(prefix: string, options?: CallOptions): Promise<Listing> {
    if (prefix !== '') assertSafeKey(`${prefix}x`);
    return this.#opened.list(prefix, options?.signal);
  }

  async remove(key: string, options?: CallOptions): Promise<void> {
    assertSafeKey(key);
    await this.#opened.remove(key, options?.signal);
  }

  close(): Promise<void> {
    this.#store = undefined;
    return Promise.resolve();
  }

  get #opened(): DriveStore {
    if (this.#store !== undefined) return this.#store;
    const { name, credentials, folder, folderId, drive, project, rootUrl = ROOT_URL } = this.#options;
    const {
      partBytes = PART_BYTES,
      settleMs = 250,
      stateFolder = `${userStateFolder()}/google-drive-uploads`,
    } = this.#options;
    const root = rootUrl.endsWith('/') ? rootUrl : `${rootUrl}/`;
    const client = new DriveClient({ name, rootUrl: root, tokens: credentials, driveId: drive });
    const base = [folder, project ?? ''].join('/').split('/').filter(Boolean);
    const tree = new FolderTree(client, folderId ?? drive ?? 'root', base, settleMs);
    return (this.#store = new DriveStore(client, tree, new UploadSessions(stateFolder), {
      folderId,
      partBytes,
      settleMs,
    }));
  }
}

const identifier = z
  .string()
  .regex(/^[A-Za-z0-9_-]{5,}$/, 'an identifier as in the address of the folder or shared drive');

export const googleDriveDestinationKind = defineDestinationKind({
  type: 'google-drive',
  summary: 'A folder of Google Drive, through its API; no mount needed.',
  schema: z.strictObject({
    folder: z
      .string()
      .default('resweep')
      .describe('Path of names below the root of the Drive, or below folder_id; made where it is missing.'),
    folderId: identifier
      .optional()
      .describe('Identifier of a folder where `folder` begins; needs scope drive unless resweep made that folder.'),
    drive: identifier.optional().describe('Identifier of a shared drive; a service account needs one.'),
    scope: z
      .enum(['drive.file', 'drive'])
      .default('drive.file')
      .describe('drive.file: only what resweep itself made is seen; drive: everything.'),
    credentials: z
      .string()
      .min(1)
      .regex(/^[^{]/, 'the path of a file; credentials themselves never stand here')
      .optional()
      .describe('Path of a JSON file with credentials, relative to the project root.'),
    auth: z
      .enum(['auto', 'login', 'default'])
      .default('auto')
      .describe(
        'Without credentials: login is what `resweep auth google` stored, default the application default credentials, ' +
          'auto the first there is of GOOGLE_APPLICATION_CREDENTIALS, login, default.',
      ),
    rootUrl: z
      .url()
      .refine(isSafeServer, 'https, or http to this machine')
      .default(ROOT_URL)
      .describe('Server that speaks the Drive API, where it is not the usual one.'),
  }),
  create: ({ credentials, auth, scope, ...options }, context) => {
    const file = credentials === undefined ? undefined : resolve(context.projectRoot, credentials);
    const tokens = findCredentials(context.name, { file, auth, scope });
    return new GoogleDriveDestination({ ...options, ...context, credentials: tokens });
  },
});
