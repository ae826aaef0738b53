import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** One request as the proxy saw it; filled in while it runs. */
export interface SeenRequest {
  /** From 1. */
  readonly number: number;
  /** When it came, in milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Body bytes that came from the client. */
  requestBytes: number;
  /** Body bytes that went to the client. */
  replyBytes: number;
  /** What the client was answered; undefined where the connection was cut before. */
  status: number | undefined;
  /** Whether a fault was applied. */
  faulty: boolean;
}

/** What goes wrong with one request; fields combine. */
export interface Fault {
  /** Before the request is passed on. */
  readonly delayMs?: number;
  /** Neither passed on nor answered; with `keep` passed on, and not answered. */
  readonly hang?: boolean;
  /** Answered in place of the server, which does not see the request unless `keep` is set. */
  readonly reply?: { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };
  /** The server gets and carries out the whole request; only its reply is lost. */
  readonly keep?: boolean;
  /** The connection is cut where the reply would begin. Without `keep`, the server does not see the request. */
  readonly cut?: boolean;
  /** The connection is cut after so many bytes of the request's body. */
  readonly cutRequestAfter?: number;
  /** The connection is cut after so many bytes of the reply's body. */
  readonly cutReplyAfter?: number;
  /** The server gets another body (with its own length). */
  readonly changeRequest?: (body: Buffer) => Buffer;
  /** The client gets another body (with its own length: a truncation that no length tells). */
  readonly changeReply?: (body: Buffer) => Buffer;
  /** Set on, or with undefined taken from, the server's reply. */
  readonly replyHeaders?: Readonly<Record<string, string | undefined>>;
}

export interface FaultRule {
  readonly when?: (request: SeenRequest) => boolean;
  /** Applies to so many requests. @default 1 */
  readonly times?: number;
}

/**
 * Stands between a client and a real HTTP server, and does to single requests what a bad network or a busy service does. Host
 * headers pass as they are, so signed requests and absolute links stay valid.
 */
export class FaultProxy {
  /** Added to every request. */
  delayMs = 0;
  /** Connections are reset. */
  down = false;
  /** Every request so far. */
  readonly requests: SeenRequest[] = [];
  readonly #upstream: { readonly hostname: string; readonly port: number };
  readonly #rules: { fault: Fault; when: (request: SeenRequest) => boolean; left: number }[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer((incoming, outgoing) => {
    this.#handle(incoming, outgoing);
  });

  private constructor(upstream: string) {
    const { hostname, port } = new URL(upstream);
    this.#upstream = { hostname, port: Number(port) };
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket) => {
      if (this.down) {
        socket.resetAndDestroy();
        return;
      }
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** `upstream`: `http://127.0.0.1:PORT` of the server. */
  static async start(upstream: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** `http://127.0.0.1:PORT`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next requests that a rule fits go wrong like this. Rules are tried in the order in which they were given. */
  inject(fault: Fault, rule: FaultRule = {}): void {
    this.#rules.push({ fault, when: rule.when ?? (() => true), left: rule.times ?? 1 });
  }

  /** Forgets faults and requests. */
  reset(): void {
    this.#rules.length = 0;
    this.requests.length = 0;
    this.delayMs = 0;
    this.down = false;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    if (this.down) {
      incoming.socket.resetAndDestroy();
      return;
    }
    const seen: SeenRequest = {
      number: this.requests.length + 1,
      at: Date.now(),
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: incoming.headers,
      requestBytes: 0,
      replyBytes: 0,
      status: undefined,
      faulty: false,
    };
    this.requests.push(seen);
    incoming.on('data', (chunk: Buffer) => (seen.requestBytes += chunk.length)).pause();
    outgoing.on('error', () => undefined);
    const rule = this.#rules.find(({ left, when }) => left > 0 && when(seen));
    if (rule !== undefined) rule.left--;
    seen.faulty = rule !== undefined;
    const fault = rule?.fault ?? {};
    const wait = this.delayMs + (fault.delayMs ?? 0);
    if (wait > 0) setTimeout(() => void this.#pass(incoming, outgoing, seen, fault), wait);
    else void this.#pass(incoming, outgoing, seen, fault);
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse, seen: SeenRequest, fault: Fault): Promise<void> {
    const { keep = false, hang = false, cut = false, reply, cutRequestAfter } = fault;
    if ((hang || cut || reply !== undefined) && !keep) {
      if (cut) incoming.socket.resetAndDestroy();
      else incoming.resume();
      if (reply !== undefined) {
        await ended(incoming);
        this.#answer(outgoing, seen, reply);
      }
      return;
    }
    const upstream = httpRequest({
      ...this.#upstream,
      agent: this.#agent,
      method: incoming.method,
      path: incoming.url,
      headers: withoutHop(incoming.headers),
      setHost: false,
    });
    upstream.on('error', () => incoming.socket.destroy());
    upstream.once('response', (response) => {
      if (hang) response.resume();
      else if (cut) response.resume().once('end', () => incoming.socket.resetAndDestroy());
      else if (reply !== undefined) response.resume().once('end', () => this.#answer(outgoing, seen, reply));
      else void this.#reply(response, outgoing, seen, fault);
    });
    outgoing.once('close', () => {
      if (!keep && !outgoing.writableFinished) upstream.destroy();
    });
    if (fault.changeRequest !== undefined) {
      const body = fault.changeRequest(await ended(incoming));
      upstream.removeHeader('transfer-encoding');
      upstream.setHeader('content-length', body.length);
      upstream.end(body);
      return;
    }
    let passed = 0;
    incoming.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      if (cutRequestAfter === undefined || passed <= cutRequestAfter) {
        if (!upstream.write(chunk)) {
          incoming.pause();
          upstream.once('drain', () => incoming.resume());
        }
        return;
      }
      upstream.write(chunk.subarray(0, chunk.length - (passed - cutRequestAfter)), () => upstream.destroy());
      incoming.socket.resetAndDestroy();
    });
    // A request without a body ends while it waits, paused or not.
    if (incoming.readableEnded) upstream.end();
    else incoming.once('end', () => upstream.end());
    incoming.once('error', () => upstream.destroy());
    incoming.resume();
  }

  async #reply(response: IncomingMessage, outgoing: ServerResponse, seen: SeenRequest, fault: Fault): Promise<void> {
    const { changeReply, cutReplyAfter, replyHeaders = {} } = fault;
    const changed = changeReply?.(await ended(response));
    const headers = withoutHop(response.headers);
    if (changed !== undefined) headers['content-length'] = String(changed.length);
    for (const [name, value] of Object.entries(replyHeaders)) headers[name.toLowerCase()] = value;
    for (const name of Object.keys(headers)) if (headers[name] === undefined) Reflect.deleteProperty(headers, name);
    seen.status = response.statusCode;
    outgoing.writeHead(response.statusCode ?? 500, headers);
    if (changed !== undefined) {
      seen.replyBytes = changed.length;
      outgoing.end(changed);
      return;
    }
    if (cutReplyAfter === 0) outgoing.flushHeaders();
    response.on('data', (chunk: Buffer) => {
      const room = cutReplyAfter === undefined ? chunk.length : Math.max(0, cutReplyAfter - seen.replyBytes);
      const part = chunk.subarray(0, room);
      seen.replyBytes += part.length;
      const isCut = part.length < chunk.length;
      if (!outgoing.write(part, isCut ? () => outgoing.destroy() : undefined) && !isCut) {
        response.pause();
        outgoing.once('drain', () => response.resume());
      }
      if (isCut) response.destroy();
    });
    response.once('end', () => outgoing.end());
    response.once('error', () => outgoing.destroy());
  }

  #answer(outgoing: ServerResponse, seen: SeenRequest, reply: NonNullable<Fault['reply']>): void {
    const body = Buffer.from(reply.body ?? '');
    seen.status = reply.status;
    seen.replyBytes = body.length;
    outgoing.writeHead(reply.status, { 'content-length': body.length, ...reply.headers });
    outgoing.end(seen.method === 'HEAD' ? undefined : body);
  }
}

/** Changes one bit in the middle. */
export function flipBit(body: Buffer): Buffer {
  const changed = Buffer.from(body);
  const at = changed.length >> 1;
  changed[at] = (changed[at] ?? 0) ^ 0x10;
  return changed;
}

function withoutHop(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[] | undefined> {
  const { connection: _connection, 'keep-alive': _keepAlive, expect: _expect, ...rest } = headers;
  return rest;
}

function ended(stream: IncomingMessage): Promise<Buffer> {
  if (stream.readableEnded) return Promise.resolve(Buffer.alloc(0));
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', () => {
      resolve(Buffer.concat(chunks));
    });
    stream.once('error', () => undefined);
    stream.resume();
  });
}
