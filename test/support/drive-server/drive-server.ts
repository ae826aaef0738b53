import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { DriveApi, type ApiReply } from './drive-api.js';
import { DriveFault, DriveState, type Account, type Item } from './drive-state.js';
import { OAuthServer, type OAuthClient } from './oauth.js';
import { UploadDesk } from './uploads.js';

/** One request, as it is recorded and as faults choose it. */
export interface DriveRequest {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  requestBytes: number;
  replyBytes: number;
  status: number;
}

/** What Drive does wrong with a request. */
export interface DriveServerFault {
  readonly when?: (request: DriveRequest) => boolean;
  /** Requests that it meets. @default 1 */
  readonly times?: number;
  /** Answered so; before anything is done, or with `keep` after it. */
  readonly status?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Done all the same. */
  readonly keep?: boolean;
  /** In place of an answer the connection is cut. */
  readonly cut?: boolean;
  /** Of a part of a resumable upload, only so many bytes are kept. */
  readonly keepBytes?: number;
  /** One bit of what is stored is another. */
  readonly damage?: boolean;
  readonly run?: () => void;
}

/**
 * A Google Drive for tests: the published protocol (v3, OAuth 2.0) as a state machine that refuses whatever Drive would refuse, with
 * faults on demand. One person, `person@example.com`, who owns the Drive; service accounts and shared drives as they are added.
 */
export class DriveServer {
  readonly state = new DriveState();
  readonly oauth = new OAuthServer();
  readonly uploads = new UploadDesk(this.state);
  readonly requests: DriveRequest[] = [];
  /** Added to every request. */
  latencyMs = 0;
  /** Which checksums replies leave out. */
  withoutChecksums: 'none' | 'sha256' | 'all' = 'none';
  readonly person: Account = {
    email: 'person@example.com',
    app: 'resweep',
    scope: 'drive.file',
    isServiceAccount: false,
  };
  readonly client: OAuthClient;
  readonly #api = new DriveApi(this);
  #faults: { fault: DriveServerFault; left: number }[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((request, response) => {
    void this.#handle(request, response);
  });

  private constructor() {
    this.client = this.oauth.addClient();
    this.oauth.person = this.person;
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<DriveServer> {
    const server = new DriveServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** `http://127.0.0.1:PORT/`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** The next requests that fit go wrong. */
  inject(fault: DriveServerFault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  forgetFaults(): void {
    this.#faults = [];
  }

  /** A stored sign-in of the person, as a credentials file. */
  login(scope: Account['scope'] = 'drive.file'): Record<string, string> {
    const { id, secret } = this.client;
    return {
      type: 'authorized_user',
      client_id: id,
      client_secret: secret,
      refresh_token: this.oauth.addLogin({ ...this.person, scope }, this.client),
      token_uri: `${this.url}token`,
    };
  }

  /** The key of a service account, as a credentials file. */
  serviceAccount(email = 'robot@project.example'): Record<string, string> {
    const account: Account = { email, app: email, scope: 'drive.file', isServiceAccount: true };
    this.state.limits.set(email, 0);
    return {
      type: 'service_account',
      ...this.oauth.addServiceAccount(account),
      private_key_id: 'k1',
      token_uri: `${this.url}token`,
    };
  }

  /** Files in use by path from the root of the person's Drive, with equal names twice. */
  paths(): string[] {
    const path = (item: Item): string => {
      const parent = this.state.items.get(item.parents[0] ?? '');
      return parent === undefined ? item.name : `${path(parent)}/${item.name}`;
    };
    return [...this.state.items.values()]
      .filter((item) => !this.state.isTrashed(item))
      .map(path)
      .sort();
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', this.url);
    const request: DriveRequest = {
      at: Date.now(),
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      requestBytes: 0,
      replyBytes: 0,
      status: 0,
    };
    this.requests.push(request);
    outgoing.on('error', () => undefined);
    const body = await this.#body(incoming, request);
    if (body === undefined) return; // The client has gone.
    if (this.latencyMs > 0) await delay(this.latencyMs);
    const rule = this.#faults.find(({ fault, left }) => left > 0 && (fault.when?.(request) ?? true));
    if (rule !== undefined) rule.left--;
    const fault = rule?.fault ?? {};
    fault.run?.();
    const { status, reason = 'backendError', message = reason, headers = {}, keep, cut } = fault;
    let reply: ApiReply;
    try {
      if (cut === true && keep !== true) throw new DriveFault(0, '', '');
      if (status !== undefined && keep !== true) throw new DriveFault(status, reason, message, headers);
      reply = await this.#api.answer(request, body, fault);
      if (status !== undefined) throw new DriveFault(status, reason, message, headers);
    } catch (error) {
      reply = this.#api.refusal(error);
    }
    if (cut === true) {
      incoming.socket.resetAndDestroy();
      return;
    }
    request.status = reply.status;
    request.replyBytes = reply.body.length;
    outgoing.writeHead(reply.status, {
      date: this.state.now().toUTCString(),
      ...(reply.status === 204 ? {} : { 'content-length': String(reply.body.length) }),
      ...reply.headers,
    });
    outgoing.end(reply.body);
  }

  /** The whole body; undefined where the connection was cut, of which a session may keep a part. */
  async #body(incoming: IncomingMessage, request: DriveRequest): Promise<Buffer | undefined> {
    const blocks: Buffer[] = [];
    try {
      for await (const block of incoming) {
        blocks.push(block as Buffer);
        request.requestBytes += (block as Buffer).length;
      }
      return Buffer.concat(blocks);
    } catch {
      const session = request.query.get('upload_id');
      if (session !== null) {
        this.uploads.keepPartial(session, request.headers['content-range'], Buffer.concat(blocks));
      }
      return undefined;
    }
  }
}
