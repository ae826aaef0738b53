import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A wire between a client and a server that can be cut, slowed down, go dead, or lose an answer. */
export class TcpProxy {
  /** Waits so long before it passes anything on. */
  delayMs = 0;
  /**
   * Of each connection the answer after so many passes is lost: the server has done what was asked, and the connection is cut
   * before the client hears of it. Undefined: none.
   */
  loseAnswerAfter: (() => number) | undefined;
  /** Connections are refused. */
  isDown = false;
  /** Connections stay open, new ones are taken, and nothing comes through any more: what a firewall does that forgot them. */
  isStalled = false;
  /** How often an answer was lost. */
  lost = 0;
  readonly #server = createServer((socket) => {
    this.#accept(socket);
  });
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<readonly [Socket, Socket]>();

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
  }

  /** Listens before the server of a URL. */
  static async before(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    const proxy = new TcpProxy({ host: hostname, port: Number(port) });
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The same URL through this proxy. */
  through(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String((this.#server.address() as AddressInfo).port);
    return through.href;
  }

  /** Cuts every connection. */
  cut(): void {
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    if (this.isDown) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#target);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of pair) {
      socket.on('error', end);
      socket.on('close', end);
    }
    // What was swallowed once never comes: the connection is of no use again.
    let isDead = false;
    let left = this.loseAnswerAfter?.();
    client.on('data', (chunk) => {
      isDead ||= this.isStalled;
      if (isDead) return;
      this.#pass(chunk, server);
    });
    server.on('data', (chunk) => {
      isDead ||= this.isStalled;
      if (isDead) return;
      if (left !== undefined && left-- <= 0) {
        this.lost++;
        end();
        return;
      }
      this.#pass(chunk, client);
    });
  }

  #pass(chunk: Buffer, to: Socket): void {
    if (this.delayMs === 0) to.write(chunk);
    else setTimeout(() => to.write(chunk), this.delayMs);
  }
}
