import type { drive_v3 } from '@googleapis/drive';

import { loadOptional } from '../../../core/optional-package.js';
import { TokenCache, type TokenSource } from './access-token.js';
import { ConcurrencyLimit } from './concurrency-limit.js';
import { sendHttp, type HttpRequest } from './http.js';
import { FOLDER_TYPE } from './query.js';
import { DriveRequestError, noAnswer, refusal, type Answer } from './request-error.js';

/** What is asked of every file. */
export const FILE_FIELDS = 'id,name,mimeType,size,createdTime,trashed,sha256Checksum,md5Checksum';
/** Requests of one destination at a time. */
const AT_ONCE = 8;
/** Longest time of one request without a bound from outside, before what its size adds. */
const LIMIT_MS = 60_000;
const SLOWEST_BYTES_PER_MS = 64;
/** Identifiers that are asked for together. */
const IDS = 100;
const PAGE = 1000;

/** A file or folder, as far as it matters here. */
export interface DriveFile {
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
  /** Undefined for folders and for Google's own documents, which have no bytes. */
  readonly bytes: number | undefined;
  readonly createdTime: string;
  readonly trashed: boolean;
  readonly sha256: string | undefined;
  readonly md5: string | undefined;
}

export interface DriveClientOptions {
  /** Of the destination, for messages. */
  readonly name: string;
  /** Ends with `/`. */
  readonly rootUrl: string;
  readonly tokens: TokenSource;
  readonly driveId?: string | undefined;
}

/** Options of the library's calls. */
export interface MethodOptions {
  readonly rootUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly retry: false;
}

/**
 * Drive's requests: a token for each, one renewal where it is refused, errors in our words, no repetition. Shared drives are always
 * meant too.
 */
export class DriveClient {
  readonly name: string;
  readonly rootUrl: string;
  readonly account: TokenSource['account'];
  readonly #tokens: TokenCache;
  readonly #limit = new ConcurrencyLimit(AT_ONCE);
  #api: Promise<drive_v3.Drive> | undefined;
  #driveId: string | undefined;
  readonly #ids: string[] = [];

  constructor({ name, rootUrl, tokens, driveId }: DriveClientOptions) {
    this.name = name;
    this.rootUrl = rootUrl;
    this.account = tokens.account;
    this.#tokens = new TokenCache(tokens);
    this.#driveId = driveId;
  }

  /** The shared drive that is asked; undefined for the account's own. */
  get driveId(): string | undefined {
    return this.#driveId;
  }

  /** A folder was found to lie in this shared drive. */
  useDrive(driveId: string): void {
    this.#driveId = driveId;
  }

  /** All files that a query finds, over all pages; the one that counts among equal names first. @throws DestinationError */
  async list(what: string, q: string, signal: AbortSignal | undefined): Promise<DriveFile[]> {
    const files: DriveFile[] = [];
    let pageToken: string | undefined;
    do {
      const page = await this.call(what, signal, (api, options) =>
        api.files.list(
          {
            q,
            pageSize: PAGE,
            fields: `nextPageToken,incompleteSearch,files(${FILE_FIELDS})`,
            spaces: 'drive',
            supportsAllDrives: true,
            includeItemsFromAllDrives: true,
            ...(this.#driveId === undefined ? {} : { corpora: 'drive', driveId: this.#driveId }),
            ...(pageToken === undefined ? {} : { pageToken }),
          },
          options,
        ),
      );
      if (page.incompleteSearch === true) {
        throw new DriveRequestError('unreachable', `${this.name}: ${what}: Drive searched only in part.`);
      }
      files.push(...(page.files ?? []).map(toDriveFile));
      pageToken = page.nextPageToken ?? undefined;
    } while (pageToken !== undefined);
    return files.sort(byAge);
  }

  async file(what: string, fileId: string, signal: AbortSignal | undefined): Promise<DriveFile> {
    return toDriveFile(
      await this.call(what, signal, (api, options) =>
        api.files.get({ fileId, fields: FILE_FIELDS, supportsAllDrives: true }, options),
      ),
    );
  }

  /** Makes a folder under an identifier chosen before, so that a repetition makes no second one. */
  async createFolder(
    what: string,
    folder: { id: string; name: string; parent: string },
    signal?: AbortSignal,
  ): Promise<void> {
    const { id, name, parent } = folder;
    await this.call(what, signal, (api, options) =>
      api.files.create(
        {
          requestBody: { id, name, parents: [parent], mimeType: FOLDER_TYPE },
          fields: 'id',
          supportsAllDrives: true,
        },
        options,
      ),
    );
  }

  async trash(what: string, fileId: string, signal: AbortSignal | undefined): Promise<void> {
    await this.call(what, signal, (api, options) =>
      api.files.update({ fileId, requestBody: { trashed: true }, fields: 'id', supportsAllDrives: true }, options),
    );
  }

  /** An identifier for a new file or folder. */
  async newId(signal: AbortSignal | undefined): Promise<string> {
    for (;;) {
      const id = this.#ids.pop();
      if (id !== undefined) return id;
      const { ids } = await this.call('asking for identifiers', signal, (api, options) =>
        api.files.generateIds({ count: IDS, space: 'drive', type: 'files' }, options),
      );
      if (ids === undefined || ids === null || ids.length === 0) {
        throw new DriveRequestError('failed', `${this.name}: Drive gave no identifiers.`);
      }
      this.#ids.push(...ids);
    }
  }

  /** One call of Google's client. `bytes`: what it may transfer, for its time limit. @throws DestinationError */
  async call<T>(
    what: string,
    signal: AbortSignal | undefined,
    run: (api: drive_v3.Drive, options: MethodOptions) => Promise<{ readonly data: T }>,
    bytes = 0,
  ): Promise<T> {
    this.#api ??= loadOptional('@googleapis/drive', 'Google Drive', () => import('@googleapis/drive')).then(
      ({ drive }) => drive({ version: 'v3', rootUrl: this.rootUrl }),
    );
    const api = await this.#api;
    const reply = await this.#authorized(what, signal, bytes, async (authorization, limited) => {
      try {
        const { data } = await run(api, {
          rootUrl: this.rootUrl,
          headers: { authorization },
          signal: limited,
          retry: false,
        });
        return { data };
      } catch (error) {
        const answer = answerOf(error);
        if (answer === undefined) throw error;
        return { answer };
      }
    });
    if ('answer' in reply) throw this.refuse(what, reply.answer);
    return reply.data;
  }

  /** One request by hand, as uploads need it. Gives back any answer but 401. @throws DestinationError */
  async send(what: string, request: Omit<HttpRequest, 'signal'>, signal: AbortSignal | undefined): Promise<Answer> {
    const { answer } = await this.#authorized(
      what,
      signal,
      request.body?.length ?? 0,
      async (authorization, limited) => {
        // The address of a session comes from outside: no token goes to another server.
        const isOurs = new URL(request.url).origin === new URL(this.rootUrl).origin;
        const headers = { ...request.headers, ...(isOurs ? { authorization } : {}) };
        return { answer: await sendHttp(`${this.name}: ${what}`, { ...request, headers, signal: limited }) };
      },
    );
    return answer;
  }

  /** The error of an answer, without anything secret. */
  refuse(what: string, answer: Answer): Error {
    return refusal(`${this.name}: ${what}`, answer, this.#tokens.secrets);
  }

  async #authorized<T extends object>(
    what: string,
    signal: AbortSignal | undefined,
    bytes: number,
    run: (authorization: string, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const where = `${this.name}: ${what}`;
    const timeout = AbortSignal.timeout(LIMIT_MS + Math.ceil(bytes / SLOWEST_BYTES_PER_MS));
    const limited = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    try {
      signal?.throwIfAborted();
      return await this.#limit.run(limited, async () => {
        let refused: string | undefined;
        for (;;) {
          const token = await stoppable(this.#tokens.get(refused), limited);
          const reply = await run(`Bearer ${token}`, limited);
          if (!('answer' in reply) || (reply.answer as Answer).status !== 401) return reply;
          // A token may be withdrawn before its time: one renewal, then it is the account that is refused.
          if (refused !== undefined) throw this.refuse(what, reply.answer as Answer);
          refused = token;
        }
      });
    } catch (error) {
      throw noAnswer(where, error, limited);
    }
  }
}

/** Equal names are possible: the oldest counts, on every machine; of the same moment, that with the smaller identifier. */
function byAge(a: DriveFile, b: DriveFile): number {
  if (a.createdTime !== b.createdTime) return a.createdTime < b.createdTime ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

export function toDriveFile(file: drive_v3.Schema$File): DriveFile {
  return {
    id: file.id ?? '',
    name: file.name ?? '',
    mimeType: file.mimeType ?? '',
    bytes: typeof file.size === 'string' ? Number(file.size) : undefined,
    createdTime: file.createdTime ?? '',
    trashed: file.trashed ?? false,
    sha256: file.sha256Checksum ?? undefined,
    md5: file.md5Checksum ?? undefined,
  };
}

/** The server's answer in an error of Google's client; undefined where there was none. */
function answerOf(error: unknown): Answer | undefined {
  const { response } = error as { response?: { status?: number; headers?: Answer['headers']; data?: unknown } };
  if (response?.status === undefined || typeof response.headers?.get !== 'function') return undefined;
  return { status: response.status, headers: response.headers, body: response.data };
}

async function stoppable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}
