import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FaultProxy, flipBit } from './fault-proxy.js';

const BIG = 'x'.repeat(300_000);

describe('fault proxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  let bodies: string[];
  beforeEach(async () => {
    bodies = [];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.once('end', () => {
        bodies.push(Buffer.concat(chunks).toString());
        response.setHeader('x-host', request.headers.host ?? '');
        response.end(request.method === 'POST' ? 'stored' : BIG);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy = await FaultProxy.start(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    await proxy.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const post = (body = 'hello', signal?: AbortSignal) =>
    fetch(`${proxy.url}/a?b`, { method: 'POST', body, ...(signal && { signal }) });
  const get = async () => (await fetch(proxy.url)).text();

  it('passes requests on, with the host that the client named, and counts', async () => {
    const reply = await post();
    expect(await reply.text()).toBe('stored');
    expect(reply.headers.get('x-host')).toBe(new URL(proxy.url).host);
    expect(await get()).toBe(BIG);
    expect(proxy.requests).toMatchObject([
      { method: 'POST', url: '/a?b', requestBytes: 5, replyBytes: 6, status: 200, faulty: false },
      { method: 'GET', replyBytes: BIG.length },
    ]);
  });

  it('answers in place of the server, or after it', async () => {
    proxy.inject({ reply: { status: 429, headers: { 'retry-after': '2' } } });
    proxy.inject({ reply: { status: 503 }, keep: true });
    expect((await post()).headers.get('retry-after')).toBe('2');
    expect(bodies).toEqual([]);
    expect((await post()).status).toBe(503);
    expect(bodies).toEqual(['hello']);
    expect((await post()).status).toBe(200);
  });

  it('cuts before, within and after: what was kept is kept', async () => {
    proxy.inject({ cut: true });
    await expect(post()).rejects.toThrow();
    proxy.inject({ cutRequestAfter: 2 });
    await expect(post()).rejects.toThrow();
    expect(bodies).toEqual([]);
    proxy.inject({ cut: true, keep: true });
    await expect(post('kept')).rejects.toThrow();
    expect(bodies).toEqual(['kept']);
    proxy.inject({ cutReplyAfter: 100_000 });
    await expect(get()).rejects.toThrow();
    expect(proxy.requests.at(-1)?.replyBytes).toBe(100_000);
  });

  it('changes bytes both ways, with lengths that fit', async () => {
    proxy.inject({ changeRequest: flipBit }, { when: ({ method }) => method === 'POST' });
    proxy.inject({ changeReply: (body) => body.subarray(0, 10), replyHeaders: { date: 'yesterday' } });
    expect(await get()).toBe('x'.repeat(10));
    await post();
    expect(bodies[1]).toBe('he|lo');
  });

  it('hangs, is slow, and is down', async () => {
    proxy.inject({ hang: true });
    await expect(post('x', AbortSignal.timeout(100))).rejects.toThrow();
    proxy.inject({ delayMs: 120 });
    const start = performance.now();
    await post();
    expect(performance.now() - start).toBeGreaterThan(110);
    proxy.down = true;
    await expect(post()).rejects.toThrow();
    proxy.reset();
    expect((await post()).status).toBe(200);
  });
});
