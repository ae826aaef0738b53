import type { DriveRequest, DriveServer, DriveServerFault } from './drive-server.js';
import { DriveFault, FOLDER, type Account, type Item, type NewItem } from './drive-state.js';
import { FieldsError, select } from './fields.js';
import { QueryError } from './query.js';
import { readMultipart } from './uploads.js';

export interface ApiReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const FILE_FIELDS = [
  'kind', 'id', 'name', 'mimeType', 'parents', 'trashed', 'explicitlyTrashed', 'createdTime', 'modifiedTime', 'appProperties',
  'properties', 'driveId', 'size', 'headRevisionId', 'sha256Checksum', 'md5Checksum',
]; // prettier-ignore
const DEFAULT_FIELDS = 'kind,id,name,mimeType';
const MULTIPART_LIMIT = 5 * 1024 * 1024;

/** Parameters that each method takes; another is refused. */
const COMMON = ['fields', 'alt', 'prettyPrint', 'supportsAllDrives', 'key', 'quotaUser'];
const TAKES = {
  list: [
    ...COMMON,
    'q',
    'pageSize',
    'pageToken',
    'orderBy',
    'spaces',
    'corpora',
    'driveId',
    'includeItemsFromAllDrives',
  ],
  get: [...COMMON, 'acknowledgeAbuse'],
  create: [...COMMON, 'uploadType', 'keepRevisionForever', 'ignoreDefaultVisibility'],
  update: [...COMMON, 'uploadType', 'addParents', 'removeParents', 'keepRevisionForever'],
  remove: COMMON,
  ids: [...COMMON, 'count', 'space', 'type'],
  other: COMMON,
} as const;

/** The methods of the Drive API, version 3, as far as backups and their tests need them. */
export class DriveApi {
  readonly #server: DriveServer;
  readonly #pages = new Map<string, { readonly q: string | undefined; readonly ids: readonly string[] }>();

  constructor(server: DriveServer) {
    this.#server = server;
  }

  async answer(request: DriveRequest, body: Buffer, fault: DriveServerFault): Promise<ApiReply> {
    await Promise.resolve();
    const { method, path, query } = request;
    const { oauth, state } = this.#server;
    if (method === 'GET' && path === '/auth') return this.#consent(query);
    if (method === 'POST' && path === '/token') {
      const now = state.now().getTime();
      const reply = oauth.grant(new URLSearchParams(body.toString('utf8')), now, `${this.#server.url}token`);
      return json(reply.body, reply.status);
    }
    const session = query.get('upload_id');
    if (method === 'PUT' && path.startsWith('/upload/') && session !== null)
      return this.#part(request, session, body, fault);
    const account = oauth.accountOf(request.headers.authorization);
    if (account === undefined) throw new DriveFault(401, 'authError', 'Invalid Credentials');
    const upload = /^\/upload\/drive\/v3\/files(?:\/([^/]+))?$/.exec(path);
    if (upload !== null) return this.#upload(request, account, upload[1], body, fault);
    const files = /^\/drive\/v3\/files(?:\/([^/]+))?$/.exec(path);
    const id = files?.[1] === undefined ? undefined : decodeURIComponent(files[1]);
    if (files !== null && id === undefined) {
      if (method === 'GET') return this.#list(query, account);
      if (method === 'POST') return this.#create(request, account, body);
    }
    if (id === 'generateIds' && method === 'GET') return this.#ids(query);
    if (id !== undefined) return this.#file(request, account, id, body);
    if (method === 'GET' && path === '/drive/v3/about') return this.#about(query, account);
    const drive = /^\/drive\/v3\/drives\/([^/]+)$/.exec(path)?.[1];
    if (method === 'GET' && drive !== undefined) {
      checkParameters(query, TAKES.other);
      const found = state.drives.get(drive);
      if (found?.members.has(account.email) !== true)
        throw new DriveFault(404, 'notFound', `Shared drive not found: ${drive}`);
      return json(
        select({ kind: 'drive#drive', id: drive, name: found.name }, query.get('fields') ?? 'kind,id,name', [
          'kind',
          'id',
          'name',
        ]),
      );
    }
    throw new DriveFault(404, 'notFound', `Not Found: ${method} ${path}`);
  }

  refusal(error: unknown): ApiReply {
    const fault =
      error instanceof DriveFault
        ? error
        : error instanceof QueryError || error instanceof FieldsError || error instanceof SyntaxError
          ? new DriveFault(400, 'invalid', error.message)
          : new DriveFault(500, 'internalError', String(error));
    const { status, reason, message, headers } = fault;
    const document = { error: { code: status, message, errors: [{ domain: 'global', reason, message }] } };
    return {
      ...json(document, status || 500),
      headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
    };
  }

  #list(query: URLSearchParams, account: Account): ApiReply {
    checkParameters(query, TAKES.list);
    const { state } = this.#server;
    const pageSize = Number(query.get('pageSize') ?? 100);
    if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > 1000)
      throw new DriveFault(400, 'invalid', 'Invalid pageSize.');
    if ((query.get('spaces') ?? 'drive') !== 'drive') throw new DriveFault(400, 'invalid', 'Invalid spaces.');
    const allDrives = query.get('includeItemsFromAllDrives') === 'true';
    if (allDrives && query.get('supportsAllDrives') !== 'true')
      throw new DriveFault(403, 'teamDrivesNotSupported', 'includeItemsFromAllDrives needs supportsAllDrives.');
    const driveId = query.get('driveId') ?? undefined;
    if ((query.get('corpora') === 'drive') !== (driveId !== undefined))
      throw new DriveFault(400, 'invalid', 'corpora drive and driveId go together.');
    if (driveId !== undefined && !allDrives)
      throw new DriveFault(403, 'teamDrivesNotSupported', 'A shared drive needs includeItemsFromAllDrives.');
    if (driveId !== undefined && state.drives.get(driveId)?.members.has(account.email) !== true)
      throw new DriveFault(404, 'notFound', `Shared drive not found: ${driveId}`);
    const q = query.get('q') ?? undefined;
    const token = query.get('pageToken');
    let ids: readonly string[];
    if (token === null) ids = state.search(account, q, { driveId, allDrives }).map((item) => item.id);
    else {
      const page = this.#pages.get(token);
      if (page === undefined || page.q !== q) throw new DriveFault(400, 'invalid', 'Invalid pageToken.');
      ids = page.ids;
    }
    const left = ids.slice(pageSize);
    const next = left.length === 0 ? undefined : `~!!~${Buffer.from(`${this.#pages.size}`).toString('base64url')}`;
    if (next !== undefined) this.#pages.set(next, { q, ids: left });
    const files = ids.slice(0, pageSize).flatMap((id) => {
      const item = state.items.get(id);
      return item === undefined ? [] : [this.#describe(item)];
    });
    const document = {
      kind: 'drive#fileList',
      incompleteSearch: false,
      files,
      ...(next === undefined ? {} : { nextPageToken: next }),
    };
    const known = ['kind', 'incompleteSearch', 'nextPageToken', 'files', ...FILE_FIELDS.map((name) => `files.${name}`)];
    return json(
      select(document, query.get('fields') ?? `kind,incompleteSearch,nextPageToken,files(${DEFAULT_FIELDS})`, known),
    );
  }

  #create(request: DriveRequest, account: Account, body: Buffer): ApiReply {
    const { query } = request;
    checkParameters(query, TAKES.create);
    const entry = readMetadata(body);
    const content = entry.mimeType === FOLDER ? undefined : Buffer.alloc(0);
    const item = this.#server.state.create(account, { ...entry, content }, supportsAllDrives(query));
    return this.#fileReply(item, query);
  }

  #file(request: DriveRequest, account: Account, id: string, body: Buffer): ApiReply {
    const { method, query } = request;
    const { state } = this.#server;
    const item = state.item(account, id, supportsAllDrives(query));
    if (method === 'GET') {
      checkParameters(query, TAKES.get);
      return query.get('alt') === 'media' ? media(item, request.headers.range) : this.#fileReply(item, query);
    }
    if (method === 'DELETE') {
      checkParameters(query, TAKES.remove);
      state.items.delete(item.id);
      return { status: 204, headers: {}, body: Buffer.alloc(0) };
    }
    if (method !== 'PATCH') throw new DriveFault(405, 'httpMethodNotAllowed', `${method} is not allowed.`);
    checkParameters(query, TAKES.update);
    const change = JSON.parse(body.toString('utf8') || '{}') as { name?: string; trashed?: boolean; mimeType?: string };
    const odd = Object.keys(change).find(
      (key) => !['name', 'trashed', 'mimeType', 'appProperties', 'properties'].includes(key),
    );
    if (odd !== undefined)
      throw new DriveFault(
        403,
        'fieldNotWritable',
        `The resource body includes fields which are not directly writable: ${odd}`,
      );
    if (change.name !== undefined) item.name = change.name;
    if (change.trashed !== undefined) item.trashedItself = change.trashed;
    return this.#fileReply(item, query);
  }

  #upload(
    request: DriveRequest,
    account: Account,
    id: string | undefined,
    body: Buffer,
    fault: DriveServerFault,
  ): ApiReply {
    const { method, query, headers } = request;
    const { state, uploads } = this.#server;
    const isNew = id === undefined;
    checkParameters(query, isNew ? TAKES.create : TAKES.update);
    if (method !== (isNew ? 'POST' : 'PATCH'))
      throw new DriveFault(405, 'httpMethodNotAllowed', `${method} is not allowed.`);
    const allDrives = supportsAllDrives(query);
    const item = id === undefined ? undefined : state.item(account, decodeURIComponent(id), allDrives);
    const fields = query.get('fields') ?? undefined;
    const contentType = headers['content-type'] ?? '';
    if (query.get('uploadType') === 'resumable') {
      const total = headers['x-upload-content-length'];
      if (body.length > 0 && !contentType.startsWith('application/json'))
        throw new DriveFault(400, 'badContent', 'Metadata must be JSON.');
      const metadata = body.length === 0 ? { name: 'Untitled' } : readMetadata(body, !isNew);
      const session = uploads.begin({
        account,
        allDrives,
        metadata,
        item,
        total: total === undefined ? undefined : Number(total),
        fields,
      });
      const location = `http://${headers.host ?? ''}${request.path}?uploadType=resumable&upload_id=${session}`;
      return { status: 200, headers: { location, 'x-guploader-uploadid': session }, body: Buffer.alloc(0) };
    }
    if (query.get('uploadType') !== 'multipart') throw new DriveFault(400, 'badRequest', 'Unknown uploadType.');
    if (body.length > MULTIPART_LIMIT) throw new DriveFault(413, 'uploadTooLarge', 'Multipart uploads go up to 5 MB.');
    const { metadata, mimeType, content } = readMultipart(contentType, body);
    if (fault.damage === true && content.length > 0)
      content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
    if (item === undefined) {
      const made = state.create(
        account,
        { ...checkMetadata(metadata, false), mimeType: metadata.mimeType ?? mimeType, content },
        allDrives,
      );
      return this.#fileReply(made, query);
    }
    checkMetadata(metadata, true);
    state.replaceContent(account, item, content);
    return this.#fileReply(item, query);
  }

  #part(request: DriveRequest, session: string, body: Buffer, fault: DriveServerFault): ApiReply {
    const reply = this.#server.uploads.put(
      session,
      request.headers['content-range'],
      body,
      fault.keepBytes,
      fault.damage,
    );
    if (reply.status === 200)
      return this.#fileReply(
        reply.item,
        new URLSearchParams(reply.fields === undefined ? {} : { fields: reply.fields }),
      );
    return { status: 308, headers: reply.range === undefined ? {} : { range: reply.range }, body: Buffer.alloc(0) };
  }

  #ids(query: URLSearchParams): ApiReply {
    checkParameters(query, TAKES.ids);
    const count = Number(query.get('count') ?? 10);
    if (!Number.isInteger(count) || count < 1 || count > 1000) throw new DriveFault(400, 'invalid', 'Invalid count.');
    return json({ kind: 'drive#generatedIds', space: 'drive', ids: this.#server.state.generateIds(count) });
  }

  #about(query: URLSearchParams, account: Account): ApiReply {
    checkParameters(query, TAKES.other);
    const fields = query.get('fields');
    if (fields === null) throw new DriveFault(400, 'required', 'The fields parameter is required for this method.');
    const { email } = account;
    const limit = this.#server.state.limits.get(email);
    const document = {
      user: { displayName: email, emailAddress: email, permissionId: '1' },
      storageQuota: {
        ...(limit === undefined ? {} : { limit: String(limit) }),
        usage: String(this.#server.state.usage(email)),
      },
    };
    return json(
      select(document, fields, [
        'user',
        'user.permissionId',
        'user.emailAddress',
        'user.displayName',
        'storageQuota',
        'storageQuota.limit',
        'storageQuota.usage',
      ]),
    );
  }

  #consent(query: URLSearchParams): ApiReply {
    const result = this.#server.oauth.authorize(query);
    if ('error' in result) throw new DriveFault(400, result.error, result.error);
    return { status: 302, headers: { location: result.redirect }, body: Buffer.alloc(0) };
  }

  #fileReply(item: Item, query: URLSearchParams): ApiReply {
    return json(select(this.#describe(item), query.get('fields') ?? DEFAULT_FIELDS, FILE_FIELDS));
  }

  #describe(item: Item): Record<string, unknown> {
    return this.#server.state.describe(item, this.#server.withoutChecksums);
  }
}

function supportsAllDrives(query: URLSearchParams): boolean {
  return query.get('supportsAllDrives') === 'true';
}

function checkParameters(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name)) throw new DriveFault(400, 'unknownParameter', `Unknown parameter ${name}.`);
  }
}

function readMetadata(body: Buffer, isUpdate = false): NewItem {
  return checkMetadata(JSON.parse(body.toString('utf8')) as NewItem, isUpdate);
}

function checkMetadata(entry: NewItem, isUpdate: boolean): NewItem {
  const writable = isUpdate
    ? ['name', 'mimeType', 'appProperties', 'properties']
    : ['id', 'name', 'mimeType', 'parents', 'appProperties', 'properties'];
  const odd = Object.keys(entry).find((key) => !writable.includes(key));
  if (odd !== undefined)
    throw new DriveFault(
      403,
      'fieldNotWritable',
      `The resource body includes fields which are not directly writable: ${odd}`,
    );
  for (const [key, value] of Object.entries(entry.appProperties ?? {})) {
    if (Buffer.byteLength(key + value) > 124)
      throw new DriveFault(403, 'propertyTooLong', 'A property holds at most 124 bytes.');
  }
  return entry;
}

function media(item: Item, range: string | undefined): ApiReply {
  const { content } = item;
  if (content === undefined)
    throw new DriveFault(403, 'fileNotDownloadable', 'Only files with binary content can be downloaded.');
  const headers = { 'content-type': item.mimeType };
  const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
  if (match === null) return { status: 200, headers, body: content };
  const first = Number(match[1]);
  const last = match[2] === '' ? content.length - 1 : Math.min(Number(match[2]), content.length - 1);
  if (first > last) throw new DriveFault(416, 'requestedRangeNotSatisfiable', 'Request range not satisfiable');
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${first}-${last}/${content.length}` },
    body: content.subarray(first, last + 1),
  };
}

function json(value: unknown, status = 200): ApiReply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body: Buffer.from(JSON.stringify(value)),
  };
}
