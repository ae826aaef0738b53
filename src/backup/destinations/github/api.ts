import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

import type * as OctokitModule from '@octokit/rest';

import { loadOptional } from '../../../core/optional-package.js';
import { DestinationError, type CallOptions } from '../destination.js';
import { networkError, stopped } from '../transfer/network-errors.js';
import { received } from '../transfer/received-file.js';
import { answerError, GitHubError } from './errors.js';
import { RequestBudget } from './request-budget.js';
import { transfer } from './transfer.js';

export interface GitHubApiOptions {
  readonly name: string;
  readonly owner: string;
  readonly repo: string;
  readonly apiUrl: string;
  /** Variable with the token; else GITHUB_TOKEN or GH_TOKEN. */
  readonly tokenEnv?: string | undefined;
}

export interface Release {
  readonly id: number;
  readonly tag_name: string;
  readonly draft: boolean;
  readonly upload_url: string;
}

export interface Asset {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly state: string;
  /** `sha256:…`, as GitHub computed it; absent on older servers. */
  readonly digest?: string | null;
  readonly created_at: string;
}

type Octokit = InstanceType<(typeof OctokitModule)['Octokit']>;

/** A page as it was last answered; asked for again, it costs nothing while it has not changed. */
interface CachedPage {
  readonly etag: string;
  readonly items: readonly unknown[];
  readonly hasNext: boolean;
}

const PAGE = 100;

/** GitHub's REST API for the releases of one repository. Every failure is a DestinationError. */
export class GitHubApi {
  readonly #options: GitHubApiOptions;
  readonly #budget: RequestBudget;
  readonly #pages = new Map<string, CachedPage>();
  #octokit: Promise<Octokit> | undefined;
  #offset = 0;

  constructor(options: GitHubApiOptions) {
    this.#options = options;
    this.#budget = new RequestBudget(options.name);
  }

  /** Milliseconds since 1970 by GitHub's clock, as of its last answer. */
  serverTime(): number {
    return Date.now() + this.#offset;
  }

  async repository(options: CallOptions): Promise<{ readonly isPrivate: boolean; readonly mayWrite: boolean }> {
    try {
      const data = (await this.#ask('GET', '', {}, options)).data as {
        private: boolean;
        permissions?: { push?: boolean };
      };
      return { isPrivate: data.private, mayWrite: data.permissions?.push !== false };
    } catch (error) {
      if (!isMissing(error)) throw error;
      const { name, owner, repo } = this.#options;
      throw new DestinationError(
        'denied',
        `${name}: there is no repository ${owner}/${repo} that this token may see.`,
        {
          cause: error,
          hint: 'Make it again where it was deleted, mend its name, or give the token access to it.',
        },
      );
    }
  }

  releases(options: CallOptions): Promise<Release[]> {
    return this.#list<Release>('/releases', options);
  }

  assets(release: number, options: CallOptions): Promise<Asset[]> {
    return this.#list<Asset>(`/releases/${release}/assets`, options);
  }

  async createRelease(tag: string, isDraft: boolean, options: CallOptions): Promise<Release> {
    const body = 'Backups of resweep. The assets belong together: change and remove them with `resweep backup` only.';
    const fields = { tag_name: tag, name: tag, body, draft: isDraft, prerelease: true, make_latest: 'false' };
    return (await this.#ask('POST', '/releases', fields, options)).data as Release;
  }

  /** Does nothing where it is gone. */
  deleteRelease(id: number, options: CallOptions): Promise<void> {
    return this.#delete(`/releases/${id}`, options);
  }

  /** Does nothing where it is gone. */
  deleteAsset(id: number, options: CallOptions): Promise<void> {
    return this.#delete(`/releases/assets/${id}`, options);
  }

  async upload(
    release: Release,
    name: string,
    body: Uint8Array | Readable,
    bytes: number,
    options: CallOptions,
  ): Promise<Asset> {
    const url = new URL(release.upload_url.replace(/\{.*$/, ''));
    url.searchParams.set('name', name);
    return this.#guard(`upload ${name}`, options, async () => {
      this.#budget.spend(true);
      const headers = { ...this.#headers(), 'content-type': 'application/octet-stream', 'content-length': bytes };
      const answer = await transfer(url.href, { method: 'POST', headers, body, signal: options.signal });
      const text = (await received(answer, undefined, options.signal)).toString('utf8');
      this.#learn(answer.headers);
      if (answer.statusCode !== 201) throw this.#refused(`upload ${name}`, answer, text);
      return JSON.parse(text) as Asset;
    });
  }

  /** The bytes of an asset; undefined where it is gone. The token goes to GitHub only, not to where it redirects. */
  async download<T>(id: number, use: (stream: Readable) => Promise<T>, options: CallOptions): Promise<T | undefined> {
    return this.#guard(`download ${id}`, options, async () => {
      const stream = await this.#openAsset(id, options);
      return stream && use(stream);
    });
  }

  /** The bytes of several assets, one after the other; undefined where one is gone. */
  async downloadAll<T>(
    parts: readonly { readonly id: number; readonly size: number }[],
    use: (
      streams: () => AsyncIterable<{ readonly stream: Readable; readonly expected: number | undefined }>,
    ) => Promise<T>,
    options: CallOptions,
  ): Promise<T | undefined> {
    const lost: number[] = [];
    const open = this.#openAsset.bind(this);
    try {
      return await this.#guard('download', options, () =>
        use(async function* () {
          for (const { id, size } of parts) {
            const stream = await open(id, options);
            if (stream === undefined) {
              lost.push(id);
              throw new Error('a part is gone');
            }
            yield { stream, expected: size };
          }
        }),
      );
    } catch (error) {
      if (lost.length > 0) return undefined;
      throw error;
    }
  }

  forget(): void {
    this.#octokit = undefined;
    this.#pages.clear();
  }

  get #root(): string {
    const { apiUrl, owner, repo } = this.#options;
    return `${apiUrl}/repos/${owner}/${repo}`;
  }

  async #openAsset(id: number, { signal }: CallOptions): Promise<IncomingMessage | undefined> {
    const what = `download ${id}`;
    this.#budget.spend(false);
    let url = `${this.#root}/releases/assets/${id}`;
    let headers: Record<string, string> = { ...this.#headers(), accept: 'application/octet-stream' };
    for (let hops = 0; hops < 5; hops++) {
      const answer = await transfer(url, { method: 'GET', headers, signal });
      this.#learn(answer.headers);
      const { statusCode = 0 } = answer;
      if (statusCode === 200) return answer;
      const text = (await received(answer, undefined, signal)).toString('utf8');
      if (statusCode === 404 && hops === 0) return undefined;
      const { location } = answer.headers;
      if (statusCode < 300 || statusCode >= 400 || location === undefined) throw this.#refused(what, answer, text);
      const next = new URL(location, url);
      if (next.origin !== new URL(url).origin) headers = { 'user-agent': 'resweep' };
      url = next.href;
    }
    throw new DestinationError('failed', `${this.#options.name}: ${what}: redirected too often.`);
  }

  async #delete(path: string, options: CallOptions): Promise<void> {
    try {
      await this.#ask('DELETE', path, {}, options);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async #list<T>(path: string, options: CallOptions): Promise<T[]> {
    const all: T[] = [];
    for (let page = 1; ; page++) {
      const key = `${path}?page=${page}`;
      const cached = this.#pages.get(key);
      const headers = cached === undefined ? {} : { 'if-none-match': cached.etag };
      const answer = await this.#ask('GET', path, { per_page: PAGE, page }, options, headers);
      let now = cached;
      if (answer.status !== 304) {
        const hasNext = (answer.headers['link'] ?? '').includes('rel="next"');
        now = { etag: answer.headers['etag'] ?? '', items: answer.data as unknown[], hasNext };
        if (now.etag === '') this.#pages.delete(key);
        else this.#pages.set(key, now);
      }
      all.push(...((now?.items ?? []) as T[]));
      if (now?.hasNext !== true) return all;
    }
  }

  #ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    fields: Readonly<Record<string, unknown>>,
    options: CallOptions,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; headers: Record<string, string | undefined>; data: unknown }> {
    const what = `${method} ${path === '' ? 'repository' : path.slice(1)}`;
    return this.#guard(what, options, async () => {
      this.#budget.spend(method !== 'GET');
      this.#octokit ??= this.#open();
      const octokit = await this.#octokit;
      try {
        const { owner, repo } = this.#options;
        const answer = await octokit.request(`${method} /repos/{owner}/{repo}${path}`, {
          ...fields,
          owner,
          repo,
          headers,
          ...(options.signal === undefined ? {} : { request: { signal: options.signal } }),
        });
        const known = answer.headers as Record<string, string | undefined>;
        this.#learn(known);
        return { status: answer.status, headers: known, data: answer.data as unknown };
      } catch (error) {
        const { status, response } = error as {
          status?: number;
          response?: { headers: Record<string, string | undefined>; data: unknown };
        };
        if (response === undefined || status === undefined) throw error;
        this.#learn(response.headers);
        if (status === 304) return { status, headers: response.headers, data: undefined };
        const message = messageIn(response.data);
        throw answerError(`${this.#options.name}: ${what}`, { status, headers: response.headers, message });
      }
    });
  }

  async #open(): Promise<Octokit> {
    const { name, apiUrl } = this.#options;
    let module: typeof OctokitModule;
    try {
      module = await loadOptional('@octokit/rest', `The destination ${name} (github)`, () => import('@octokit/rest'));
    } catch (error) {
      this.#octokit = undefined;
      const message = `${(error as Error).message} Run: npm install @octokit/rest`;
      throw new DestinationError('failed', message, { cause: error, permanent: true });
    }
    const silent = (): void => undefined;
    const log = { debug: silent, info: silent, warn: silent, error: silent };
    return new module.Octokit({ auth: this.#token(), baseUrl: apiUrl, userAgent: 'resweep', log });
  }

  #headers(): Record<string, string> {
    return {
      authorization: `token ${this.#token()}`,
      'user-agent': 'resweep',
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
    };
  }

  #token(): string {
    const { name, tokenEnv } = this.#options;
    const names = tokenEnv === undefined ? ['GITHUB_TOKEN', 'GH_TOKEN'] : [tokenEnv];
    const token = names.map((variable) => process.env[variable]).find((value) => value !== undefined && value !== '');
    if (token !== undefined) return token;
    throw new DestinationError('denied', `${name}: no token: ${names.join(' or ')} is not set.`, {
      hint: `export ${names[0] ?? ''}=… with a token that may write the repository's contents.`,
    });
  }

  #learn(headers: Readonly<Record<string, unknown>>): void {
    const known = headers as Readonly<Record<string, string | undefined>>;
    const date = Date.parse(known['date'] ?? '');
    if (!Number.isNaN(date)) this.#offset = date - Date.now();
    this.#budget.learn(known);
  }

  #refused(what: string, answer: IncomingMessage, text: string): DestinationError {
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      data = undefined; // Not from GitHub itself.
    }
    const headers = answer.headers as Record<string, string | undefined>;
    const refused = { status: answer.statusCode ?? 0, headers, message: messageIn(data) };
    return answerError(`${this.#options.name}: ${what}`, refused);
  }

  async #guard<T>(what: string, { signal }: CallOptions, work: () => Promise<T>): Promise<T> {
    const where = `${this.#options.name}: ${what}`;
    if (signal?.aborted === true) throw stopped(where, signal);
    try {
      return await work();
    } catch (error) {
      if (error instanceof DestinationError) throw error;
      // Octokit wraps what the network said.
      const { cause } = error as { cause?: { cause?: unknown } };
      throw networkError(where, networkCause(cause) ?? error, signal);
    }
  }
}

function networkCause(cause: { cause?: unknown } | undefined): unknown {
  const inner = (cause?.cause ?? cause) as { code?: unknown } | undefined;
  return typeof inner?.code === 'string' ? inner : undefined;
}

function messageIn(data: unknown): string {
  const { message = '', errors = [] } = (data ?? {}) as { message?: string; errors?: { code?: string }[] };
  const codes = Array.isArray(errors) ? errors.flatMap(({ code }) => code ?? []) : [];
  return [message, ...codes].join(' ').trim();
}

function isMissing(error: unknown): boolean {
  return error instanceof GitHubError && error.status === 404;
}
