import { get } from 'node:http';
import { hostname } from 'node:os';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startDashboard } from '../../src/dashboard/server.js';
import { DashboardProject } from './dashboard-support.js';

describe('the dashboard', () => {
  let open: DashboardProject;
  let closed: DashboardProject;
  beforeAll(async () => {
    open = new DashboardProject();
    closed = new DashboardProject({ token: 'right' });
    await open.makeStudy('00000001', 6);
  });
  afterAll(async () => {
    await open.close();
    await closed.close();
  });

  it('answers its own page only', async () => {
    const status = async (headers: Record<string, string>, path = '/api/studies'): Promise<number> =>
      (await open.request(path, { headers })).status;
    expect(await status({})).toBe(200);
    expect(await status({ origin: 'http://localhost:8484', 'sec-fetch-site': 'same-origin' })).toBe(200);
    // A name of somebody else's that leads here: DNS rebinding.
    expect(await status({ host: 'evil.example:8484' })).toBe(403);
    expect(await status({ host: 'evil.example' }, '/')).toBe(403);
    expect(await status({ origin: 'http://evil.example' })).toBe(403);
    expect(await status({ origin: 'http://localhost:9999' })).toBe(403);
    expect(await status({ origin: 'null' })).toBe(403);
    expect(await status({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toBe(403);
    expect(await status({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' })).toBe(403);
    // A link from elsewhere leads to the page, never to an answer.
    expect(await status({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, '/')).toBe(200);
    expect(await status({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).toBe(403);
  });

  it('takes changes with its own header only, which no form can send', async () => {
    const [{ id }] = await open.get<[{ id: string }]>('/api/studies');
    expect((await open.post(`/api/studies/${id}/stop`, {}, { 'x-resweep': '' })).status).toBe(403);
    expect((await open.post(`/api/studies/${id}/stop`, {}, { origin: 'http://evil.example' })).status).toBe(403);
    expect((await open.post(`/api/studies/${id}/stop`, {})).status).toBe(200);
  });

  it('lets the page load nothing from elsewhere and nobody frame it', async () => {
    const { headers } = await open.request('/');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('asks for its token where it has one, and takes it out of the address', async () => {
    expect((await closed.request('/api/studies')).status).toBe(401);
    expect((await closed.request('/api/studies?token=wrong')).status).toBe(401);
    const first = await closed.request('/?token=right', { headers: { accept: 'text/html,*/*' } });
    expect(first.status).toBe(303);
    expect(first.headers.get('location')).toBe('/');
    const cookie = first.headers.get('set-cookie') ?? '';
    expect(cookie).toContain('HttpOnly');
    expect(cookie).toContain('SameSite=Strict');
    const shown = { cookie: cookie.split(';')[0] ?? '' };
    expect((await closed.request('/api/studies', { headers: shown })).status).toBe(200);
    expect((await closed.request('/api/studies', { headers: { authorization: 'Bearer right' } })).status).toBe(200);
    // A program that keeps no cookies is answered at once.
    expect((await closed.request('/?token=right')).status).toBe(200);
    expect((await closed.request('/api/studies?token=right')).status).toBe(200);
  });

  it('says what is there without its body', async () => {
    const { status, headers } = await open.request('/', { method: 'HEAD' });
    expect({ status, type: headers.get('content-type') }).toEqual({ status: 200, type: 'text/html; charset=utf-8' });
    expect((await closed.request('/', { method: 'HEAD' })).status).toBe(401);
  });

  it('that listens everywhere is reached by the numbers and the name of its machine, with the token', async () => {
    const dashboard = await startDashboard({ places: [open.root], port: 0, host: '0.0.0.0' });
    try {
      const { port } = new URL(dashboard.url);
      // The address that is printed is one that others can reach.
      expect((await fetch(dashboard.url)).status).toBe(200);
      const status = (host: string, token?: string): Promise<number | undefined> =>
        new Promise((resolve, reject) => {
          const headers = { host, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
          get({ host: '127.0.0.1', port, path: '/api/studies', headers }, (response) => {
            response.resume();
            resolve(response.statusCode);
          }).once('error', reject);
        });
      expect(await status(`192.168.7.7:${port}`, dashboard.token)).toBe(200);
      expect(await status(`[fe80::1]:${port}`, dashboard.token)).toBe(200);
      expect(await status(`${hostname()}:${port}`, dashboard.token)).toBe(200);
      expect(await status(`192.168.7.7:${port}`)).toBe(401);
      expect(await status(`evil.example:${port}`, dashboard.token)).toBe(403);
      expect(await status(`1.2.3.4.evil.example:${port}`, dashboard.token)).toBe(403);
    } finally {
      await dashboard.close();
    }
  });

  it('reads no file outside of the studies', async () => {
    for (const path of [
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/server.js',
      '/server.js',
      '/etc/passwd',
    ]) {
      expect((await open.request(path)).status, path).toBe(404);
    }
    const [{ id }] = await open.get<[{ id: string }]>('/api/studies');
    for (const path of [
      'trials/..%2f..%2fx',
      'trials/0/log?from=-5',
      'trials/99',
      'figures/nothing',
      'trials?limit=x',
    ]) {
      const { status } = await open.request(`/api/studies/${id}/${path}`);
      expect([200, 400, 404], path).toContain(status);
    }
    expect((await open.request('/api/studies/../../x')).status).toBe(404);
    expect((await open.request('/api/studies/unknown')).status).toBe(404);
  });
});
