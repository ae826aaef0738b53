import { createHash, randomBytes } from 'node:crypto';

import { parseQuery } from './query.js';

export const FOLDER = 'application/vnd.google-apps.folder';

/** Who asks: an account, the app it uses, and what that app may see. */
export interface Account {
  readonly email: string;
  readonly app: string;
  readonly scope: 'drive' | 'drive.file';
  readonly isServiceAccount: boolean;
}

export interface Item {
  readonly id: string;
  name: string;
  mimeType: string;
  parents: string[];
  /** Put there by itself; what lies in such a folder is trashed too. */
  trashedItself: boolean;
  readonly createdTime: string;
  modifiedTime: string;
  appProperties: Record<string, string>;
  properties: Record<string, string>;
  /** Undefined for folders. */
  content: Buffer | undefined;
  readonly driveId: string | undefined;
  readonly owner: string;
  /** App that made it. */
  readonly app: string;
  /** Seen in lists from this time on. */
  readonly visibleAt: number;
  revisions: number;
}

export interface NewItem {
  readonly id?: string | undefined;
  readonly name: string;
  readonly mimeType?: string | undefined;
  readonly parents?: readonly string[] | undefined;
  readonly appProperties?: Record<string, string> | undefined;
  readonly properties?: Record<string, string> | undefined;
  readonly content?: Buffer | undefined;
}

/** A refusal as the API words it. */
export class DriveFault extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

const notFound = (id: string): DriveFault => new DriveFault(404, 'notFound', `File not found: ${id}.`);

/** Files and folders of one Drive with its shared drives: what the protocol promises, in memory. */
export class DriveState {
  readonly items = new Map<string, Item>();
  readonly drives = new Map<string, { readonly name: string; readonly members: Set<string> }>();
  /** Bytes that an account may own, by e-mail; without an entry: without end. */
  readonly limits = new Map<string, number>();
  readonly rootId = 'root0000000000000001';
  /** How late lists show what was just made. */
  listDelayMs = 0;
  /** Milliseconds that the server's clock is ahead. */
  clockAheadMs = 0;
  /** Items that a shared drive holds at most. */
  driveItemLimit = 500_000;
  readonly #given = new Set<string>();

  now(): Date {
    return new Date(Date.now() + this.clockAheadMs);
  }

  addDrive(name: string, members: readonly string[]): string {
    const id = `0A${randomBytes(12).toString('base64url').replaceAll(/[-_]/g, 'x')}PVA`;
    this.drives.set(id, { name, members: new Set(members) });
    return id;
  }

  generateIds(count: number): string[] {
    return Array.from({ length: count }, () => {
      const id = `1${randomBytes(24).toString('base64url')}`;
      this.#given.add(id);
      return id;
    });
  }

  /** Whether an account may see an item at all. */
  sees(account: Account, item: Item): boolean {
    if (item.driveId !== undefined && this.drives.get(item.driveId)?.members.has(account.email) !== true) return false;
    if (item.driveId === undefined && item.owner !== account.email) return false;
    return account.scope === 'drive' || item.app === account.app;
  }

  /** @throws DriveFault */
  item(account: Account, id: string, allDrives: boolean): Item {
    const item = this.items.get(id);
    if (item === undefined || !this.sees(account, item)) throw notFound(id);
    if (item.driveId !== undefined && !allDrives) throw notFound(id);
    return item;
  }

  isTrashed(item: Item): boolean {
    if (item.trashedItself) return true;
    return item.parents.some((id) => {
      const parent = this.items.get(id);
      return parent !== undefined && this.isTrashed(parent);
    });
  }

  /** @throws DriveFault */
  create(account: Account, entry: NewItem, allDrives: boolean): Item {
    const { id = this.generateIds(1)[0] ?? '', name, mimeType = 'application/octet-stream', content } = entry;
    if (this.items.has(id)) throw new DriveFault(409, 'fileIdInUse', 'A file already exists with the provided ID.');
    if (!this.#given.has(id)) throw new DriveFault(400, 'invalid', 'The provided file ID is not usable.');
    const parents = [...(entry.parents ?? ['root'])];
    if (parents.length !== 1) throw new DriveFault(400, 'invalidParents', 'A file has exactly one parent.');
    const { parent, driveId } = this.#parent(account, parents[0] ?? '', allDrives);
    if (driveId === undefined) this.makeRoom(account, content?.length ?? 0);
    else if ([...this.items.values()].filter((item) => item.driveId === driveId).length >= this.driveItemLimit)
      throw new DriveFault(
        403,
        'teamDriveFileLimitExceeded',
        'The file limit for this shared drive has been exceeded.',
      );
    if (account.isServiceAccount && driveId === undefined && content !== undefined)
      throw new DriveFault(403, 'storageQuotaExceeded', 'Service Accounts do not have storage quota.');
    const time = this.now().toISOString();
    const item: Item = {
      id,
      name,
      mimeType: content === undefined ? FOLDER : mimeType,
      parents: [parent],
      trashedItself: false,
      createdTime: time,
      modifiedTime: time,
      appProperties: { ...entry.appProperties },
      properties: { ...entry.properties },
      content,
      driveId,
      owner: account.email,
      app: account.app,
      visibleAt: Date.now() + this.listDelayMs,
      revisions: 1,
    };
    this.items.set(id, item);
    return item;
  }

  /** @throws DriveFault */
  replaceContent(account: Account, item: Item, content: Buffer): void {
    if (item.content === undefined) throw new DriveFault(403, 'fileNotDownloadable', 'A folder has no content.');
    if (item.driveId === undefined) this.makeRoom(account, content.length - item.content.length);
    item.content = content;
    item.revisions++;
    item.modifiedTime = this.now().toISOString();
  }

  /** The shared drive in which a folder lies. */
  driveOf(parent: string | undefined): string | undefined {
    if (parent === undefined) return undefined;
    return this.drives.has(parent) ? parent : this.items.get(parent)?.driveId;
  }

  usage(email: string): number {
    let sum = 0;
    for (const item of this.items.values()) {
      // The trash counts until it is emptied.
      if (item.driveId === undefined && item.owner === email) sum += item.content?.length ?? 0;
    }
    return sum;
  }

  /** Items that a query finds, newest first as Drive gives them. @throws QueryError */
  search(
    account: Account,
    q: string | undefined,
    where: { readonly driveId?: string | undefined; readonly allDrives: boolean },
  ): Item[] {
    const query = q === undefined || q === '' ? () => true : parseQuery(q);
    const now = Date.now();
    return [...this.items.values()]
      .filter((item) => {
        if (item.visibleAt > now || !this.sees(account, item)) return false;
        if (
          where.driveId !== undefined ? item.driveId !== where.driveId : item.driveId !== undefined && !where.allDrives
        )
          return false;
        const parents = item.parents.flatMap((id) => (id === this.rootId ? [id, 'root'] : [id]));
        return query({ ...item, parents, trashed: this.isTrashed(item) });
      })
      .sort((a, b) => (a.modifiedTime < b.modifiedTime ? 1 : -1));
  }

  /** The document of an item, with all its fields. */
  describe(item: Item, withoutChecksums: 'none' | 'sha256' | 'all'): Record<string, unknown> {
    const { content } = item;
    const hash = (algorithm: string): string =>
      createHash(algorithm)
        .update(content ?? '')
        .digest('hex');
    return {
      kind: 'drive#file',
      id: item.id,
      name: item.name,
      mimeType: item.mimeType,
      parents: item.parents,
      trashed: this.isTrashed(item),
      explicitlyTrashed: item.trashedItself,
      createdTime: item.createdTime,
      modifiedTime: item.modifiedTime,
      appProperties: item.appProperties,
      properties: item.properties,
      ...(item.driveId === undefined ? {} : { driveId: item.driveId }),
      ...(content === undefined ? {} : { size: String(content.length), headRevisionId: String(item.revisions) }),
      ...(content === undefined || withoutChecksums !== 'none' ? {} : { sha256Checksum: hash('sha256') }),
      ...(content === undefined || withoutChecksums === 'all' ? {} : { md5Checksum: hash('md5') }),
    };
  }

  #parent(account: Account, id: string, allDrives: boolean): { parent: string; driveId: string | undefined } {
    if (id === 'root' || id === this.rootId) return { parent: this.rootId, driveId: undefined };
    if (this.drives.get(id)?.members.has(account.email) === true && allDrives) return { parent: id, driveId: id };
    const parent = this.item(account, id, allDrives);
    if (parent.content !== undefined)
      throw new DriveFault(403, 'parentNotAFolder', 'The specified parent is not a folder.');
    return { parent: parent.id, driveId: parent.driveId };
  }

  /** @throws DriveFault where so much more does not fit */
  makeRoom(account: Account, more: number): void {
    const limit = this.limits.get(account.email);
    if (limit !== undefined && more > 0 && this.usage(account.email) + more > limit)
      throw new DriveFault(403, 'storageQuotaExceeded', "The user's Drive storage quota has been exceeded.");
  }
}
