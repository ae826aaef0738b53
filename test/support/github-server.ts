import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServedAsset {
  readonly id: number;
  name: string;
  state: 'starter' | 'uploaded';
  bytes: Buffer;
  digest: string | null;
  createdAt: number;
}

interface ServedRelease {
  readonly id: number;
  readonly tag: string;
  readonly draft: boolean;
  readonly assets: ServedAsset[];
}

export interface GitHubServerOptions {
  readonly isPrivate?: boolean;
  /** As older Enterprise servers are. */
  readonly withoutDigests?: boolean;
  readonly assetsPerRelease?: number;
  readonly assetBytes?: number;
}

export const GITHUB_TOKEN = 'ghp_test-token';
export const REPOSITORY = 'someone/backups';
const ROOT = `/repos/${REPOSITORY}`;

/**
 * The part of GitHub's REST API that releases need, as published (https://docs.github.com/rest/releases): API, uploads and downloads on
 * hosts of their own; asset states; 422 for what exists; digests; redirects that refuse a token; drafts that only writers see and whose
 * tags are not unique; pages, entity tags, and a budget of requests. What it does not know it refuses.
 */
export class GitHubServer {
  readonly releases: ServedRelease[] = [];
  /** Requests left in this hour. */
  budget = 5_000;
  /** By this server's clock, in milliseconds. */
  clockOffsetMs = 0;
  /** The repository was deleted. */
  isDeleted = false;
  /** The token may read only. */
  isReadOnly = false;
  /** Everything that was asked. */
  readonly log: string[] = [];
  /** What upload addresses begin with, where a proxy stands before the uploads' host. */
  uploadsUrl: string | undefined;
  /** Likewise for downloads. */
  downloadsUrl: string | undefined;
  readonly #options: GitHubServerOptions;
  readonly #servers: Record<'api' | 'uploads' | 'downloads', Server>;
  #lastId = 0;

  private constructor(options: GitHubServerOptions) {
    this.#options = options;
    const serve = (work: (request: IncomingMessage, response: ServerResponse) => void) =>
      createServer((request, response) => {
        response.on('error', () => undefined);
        response.setHeader('date', new Date(this.now()).toUTCString());
        this.log.push(`${request.method ?? ''} ${request.url ?? ''}`);
        work(request, response);
      });
    this.#servers = {
      api: serve((request, response) => void this.#api(request, response)),
      uploads: serve((request, response) => this.#upload(request, response)),
      downloads: serve((request, response) => this.#download(request, response)),
    };
  }

  static async start(options: GitHubServerOptions = {}): Promise<GitHubServer> {
    const server = new GitHubServer(options);
    for (const one of Object.values(server.#servers)) {
      await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    }
    return server;
  }

  urlOf(host: 'api' | 'uploads' | 'downloads'): string {
    return `http://127.0.0.1:${(this.#servers[host].address() as AddressInfo).port}`;
  }

  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  async close(): Promise<void> {
    for (const server of Object.values(this.#servers)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  get assets(): ServedAsset[] {
    return this.releases.flatMap(({ assets }) => assets);
  }

  async #api(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const url = new URL(request.url ?? '', 'http://api');
    const path = url.pathname;
    if (!this.#isAllowed(request, response)) return;
    const method = request.method ?? '';
    const asset = /^\/releases\/assets\/(\d+)$/.exec(path.slice(ROOT.length))?.[1];
    const assets = /^\/releases\/(\d+)\/assets$/.exec(path.slice(ROOT.length))?.[1];
    const release = /^\/releases\/(\d+)$/.exec(path.slice(ROOT.length))?.[1];
    if (!path.startsWith(ROOT)) this.#send(request, response, 404, { message: 'Not Found' });
    else if (path === ROOT && method === 'GET') {
      const isPrivate = this.#options.isPrivate !== false;
      const repository = { full_name: REPOSITORY, private: isPrivate, permissions: { pull: true, push: true } };
      this.#send(request, response, 200, repository);
    } else if (path === `${ROOT}/releases` && method === 'GET') {
      this.#page(
        request,
        response,
        url,
        [...this.releases].reverse().map((one) => this.#release(one)),
      );
    } else if (path === `${ROOT}/releases` && method === 'POST') this.#create(request, response, body);
    else if (assets !== undefined && method === 'GET') {
      const found = this.releases.find(({ id }) => id === Number(assets));
      if (found === undefined) this.#send(request, response, 404, { message: 'Not Found' });
      else
        this.#page(
          request,
          response,
          url,
          found.assets.map((one) => this.#asset(one)),
        );
    } else if (release !== undefined && method === 'DELETE') {
      const at = this.releases.findIndex(({ id }) => id === Number(release));
      if (at >= 0) this.releases.splice(at, 1);
      this.#send(request, response, at < 0 ? 404 : 204, undefined);
    } else if (asset !== undefined) this.#oneAsset(request, response, Number(asset), method);
    else this.#send(request, response, 400, { message: `unknown to this server: ${method} ${path}` });
  }

  #oneAsset(request: IncomingMessage, response: ServerResponse, id: number, method: string): void {
    const owner = this.releases.find(({ assets }) => assets.some((one) => one.id === id));
    const asset = owner?.assets.find((one) => one.id === id);
    if (owner === undefined || asset === undefined) {
      this.#send(request, response, 404, { message: 'Not Found' });
    } else if (method === 'DELETE') {
      owner.assets.splice(owner.assets.indexOf(asset), 1);
      this.#send(request, response, 204, undefined);
    } else if (request.headers.accept === 'application/octet-stream') {
      if (asset.state !== 'uploaded') {
        this.#send(request, response, 404, { message: 'Not Found' });
        return;
      }
      response.setHeader(
        'location',
        `${this.downloadsUrl ?? this.urlOf('downloads')}/asset/${id}?sig=${randomBytes(8).toString('hex')}`,
      );
      this.#send(request, response, 302, undefined);
    } else this.#send(request, response, 200, this.#asset(asset));
  }

  #create(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const { tag_name: tag, draft = false } = JSON.parse(body.toString()) as { tag_name?: string; draft?: boolean };
    if (tag === undefined || tag === '') {
      this.#invalid(request, response, 'missing_field');
      return;
    }
    if (!draft && this.releases.some((one) => !one.draft && one.tag === tag)) {
      this.#invalid(request, response, 'already_exists');
      return;
    }
    const release: ServedRelease = { id: ++this.#lastId, tag, draft, assets: [] };
    this.releases.push(release);
    this.#send(request, response, 201, this.#release(release));
  }

  #upload(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#isAllowed(request, response)) {
      request.resume();
      return;
    }
    const url = new URL(request.url ?? '', 'http://uploads');
    const [, id] = new RegExp(`^${ROOT}/releases/(\\d+)/assets$`).exec(url.pathname) ?? [];
    const release = this.releases.find((one) => one.id === Number(id));
    const length = Number(request.headers['content-length']);
    const given = url.searchParams.get('name') ?? '';
    if (release === undefined || request.method !== 'POST')
      return this.#send(request, response, 404, { message: 'Not Found' });
    if (given === '' || Number.isNaN(length) || request.headers['content-type'] === undefined) {
      return this.#send(request, response, 400, { message: 'Bad Request' });
    }
    // What GitHub does to names: other characters become dots; none at the ends, nor two in a row.
    const name = given
      .replace(/[^A-Za-z0-9._-]+/g, '.')
      .replace(/\.{2,}/g, '.')
      .replace(/^\.|\.$/g, '');
    if (length >= (this.#options.assetBytes ?? 2 ** 31)) return this.#invalid(request, response, 'custom: size');
    if (release.assets.length >= (this.#options.assetsPerRelease ?? 1_000))
      return this.#invalid(request, response, 'custom: count');
    if (release.assets.some((one) => one.name === name)) return this.#invalid(request, response, 'already_exists');
    const asset: ServedAsset = {
      id: ++this.#lastId,
      name,
      state: 'starter',
      bytes: Buffer.of(),
      digest: null,
      createdAt: this.now(),
    };
    release.assets.push(asset);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('error', () => undefined);
    request.once('end', () => {
      asset.bytes = Buffer.concat(chunks);
      if (!request.complete || asset.bytes.length !== length) return;
      asset.state = 'uploaded';
      if (this.#options.withoutDigests !== true) {
        asset.digest = `sha256:${createHash('sha256').update(asset.bytes).digest('hex')}`;
      }
      this.#send(request, response, 201, this.#asset(asset));
    });
  }

  /** A signed address: whoever brings a token too is refused, as the real one does. */
  #download(request: IncomingMessage, response: ServerResponse): void {
    const [, id] = /^\/asset\/(\d+)\?sig=/.exec(request.url ?? '') ?? [];
    const asset = this.assets.find((one) => one.id === Number(id));
    if (request.headers.authorization !== undefined) response.writeHead(400).end('only one kind of authentication');
    else if (asset === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': asset.bytes.length }).end(asset.bytes);
  }

  #isAllowed(request: IncomingMessage, response: ServerResponse): boolean {
    const { authorization = '', 'user-agent': agent = '' } = request.headers;
    if (agent === '') this.#send(request, response, 403, { message: 'Request forbidden by administrative rules.' });
    else if (!authorization.endsWith(GITHUB_TOKEN)) this.#send(request, response, 401, { message: 'Bad credentials' });
    else if (this.budget <= 0)
      this.#send(request, response, 403, { message: 'API rate limit exceeded for user ID 1.' });
    else if (this.isDeleted) this.#send(request, response, 404, { message: 'Not Found' });
    else if (this.isReadOnly && request.method !== 'GET')
      this.#send(request, response, 403, { message: 'Resource not accessible by personal access token' });
    else return true;
    return false;
  }

  #page(request: IncomingMessage, response: ServerResponse, url: URL, items: readonly unknown[]): void {
    const size = Math.min(100, Number(url.searchParams.get('per_page') ?? 30));
    const page = Number(url.searchParams.get('page') ?? 1);
    const shown = items.slice((page - 1) * size, page * size);
    if (page * size < items.length) {
      url.searchParams.set('page', String(page + 1));
      response.setHeader('link', `<http://api${url.pathname}${url.search}>; rel="next"`);
    }
    this.#send(request, response, 200, shown);
  }

  #invalid(request: IncomingMessage, response: ServerResponse, code: string): void {
    request.resume();
    this.#send(request, response, 422, { message: 'Validation Failed', errors: [{ resource: 'ReleaseAsset', code }] });
  }

  #send(request: IncomingMessage, response: ServerResponse, status: number, data: unknown): void {
    const text = data === undefined ? '' : JSON.stringify(data);
    const tag = `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"`;
    const isKnown = request.method === 'GET' && status === 200 && request.headers['if-none-match'] === tag;
    if (!isKnown) this.budget = Math.max(0, this.budget - 1);
    response.setHeader('x-ratelimit-limit', '5000');
    response.setHeader('x-ratelimit-remaining', String(this.budget));
    response.setHeader('x-ratelimit-reset', String(Math.ceil((this.now() + 1_800_000) / 1000)));
    if (request.method === 'GET' && status === 200) response.setHeader('etag', tag);
    response.setHeader('content-type', 'application/json');
    if (isKnown) response.writeHead(304).end();
    else response.writeHead(status).end(text);
  }

  #release({ id, tag, draft }: ServedRelease): Record<string, unknown> {
    const uploads = this.uploadsUrl ?? this.urlOf('uploads');
    return {
      id,
      tag_name: tag,
      name: tag,
      draft,
      upload_url: `${uploads}${ROOT}/releases/${id}/assets{?name,label}`,
    };
  }

  #asset({ id, name, state, bytes, digest, createdAt }: ServedAsset): Record<string, unknown> {
    const size = state === 'uploaded' ? bytes.length : 0;
    return { id, name, state, size, digest, label: '', created_at: new Date(createdAt).toISOString() };
  }
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      resolve(Buffer.concat(chunks));
    });
    request.once('error', () => undefined);
  });
}
