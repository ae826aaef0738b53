import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

import { serve } from '@hono/node-server';
import { Hono } from 'hono';

import { builtEntry } from '../core/built-entry.js';
import { messageOf, ResweepError, UsageError } from '../core/errors.js';
import { addEditRoutes } from './edit-routes.js';
import { guard } from './guard.js';
import { addLiveRoutes } from './live-routes.js';
import { addLookRoutes } from './look-routes.js';
import { Studies } from './studies.js';

export interface DashboardOptions {
  /** Projects, study folders, database files, configurations, URLs. @default the project of the working directory */
  readonly places?: readonly string[] | undefined;
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** 0: any free one. @default 8484 */
  readonly port?: number | undefined;
  /** Asked of every visitor. Made where it is absent and the host is not this machine alone. */
  readonly token?: string | undefined;
  /** Further names under which the server is addressed, such as that of a proxy. */
  readonly allowHosts?: readonly string[] | undefined;
}

export interface RunningDashboard {
  /** To open in a browser; holds the token where there is one. */
  readonly url: string;
  readonly token: string | undefined;
  close(): Promise<void>;
}

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The dashboard's requests and answers, without a socket. */
export function dashboardApp(studies: Studies, options: { hosts: readonly string[]; token: string | undefined }): Hono {
  const app = new Hono();
  app.use('*', guard(options));
  addLookRoutes(app, studies);
  addEditRoutes(app, studies);
  addLiveRoutes(app, studies);
  app.all('/api/*', () => {
    throw new UsageError('There is no such address.', { code: 'NOT_FOUND' });
  });
  const files = pageFiles();
  app.get('*', (c) => {
    const file = files.get(c.req.path === '/' ? '/index.html' : c.req.path);
    if (file === undefined) return c.text('There is nothing here.', 404);
    return c.body(file.bytes, 200, { 'Content-Type': file.type, 'Cache-Control': 'no-cache' });
  });
  app.onError((error, c) => {
    const known = error instanceof ResweepError;
    const code = known ? error.code : 'UNEXPECTED';
    const status = code.endsWith('NOT_FOUND')
      ? 404
      : code === 'NOTE_CHANGED'
        ? 409
        : error instanceof UsageError
          ? 400
          : 500;
    return c.json({ error: { code, message: messageOf(error), hint: known ? (error.hint ?? null) : null } }, status);
  });
  return app;
}

/** All files of the page by their address: what is not among them cannot be asked for. */
function pageFiles(): Map<string, { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string }> {
  const folder = join(builtEntry('web/page.js', import.meta.url), '..');
  const files = new Map<string, { bytes: Uint8Array<ArrayBuffer>; type: string }>();
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (type !== undefined) files.set(`/${name}`, { bytes: new Uint8Array(readFileSync(join(folder, name))), type });
  }
  return files;
}

/** Starts the dashboard. @throws UsageError where a place is not there, or the port is taken */
export async function startDashboard(options: DashboardOptions = {}): Promise<RunningDashboard> {
  const { host = '127.0.0.1', port = 8484, allowHosts = [] } = options;
  const studies = new Studies(options.places ?? []);
  await studies.list();
  const isLocal = LOCAL.includes(host) || host === '::1';
  const token = options.token ?? (isLocal ? undefined : randomBytes(18).toString('base64url'));
  const named = host === '0.0.0.0' || host === '::' ? [] : [host];
  const app = dashboardApp(studies, {
    hosts: [...LOCAL, ...named, ...allowHosts].map((name) => name.toLowerCase()),
    token,
  });
  const address = await new Promise<AddressInfo & { readonly stop: () => Promise<void> }>((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: host, port }, (info) => {
      resolve({
        ...info,
        stop: () =>
          new Promise((done) => {
            server.close(() => {
              done();
            });
            // Live streams would keep it open for ever.
            if ('closeAllConnections' in server) server.closeAllConnections();
          }),
      });
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new UsageError(`Port ${port} is taken.`, {
              hint: 'Another one: --port 0 takes any free one.',
              cause: error,
            })
          : new UsageError(`The dashboard cannot listen on ${host}:${port}: ${messageOf(error)}`, { cause: error }),
      );
    });
  });
  const shownHost = named[0] ?? '127.0.0.1';
  return {
    url: `http://${shownHost}:${address.port}/${token === undefined ? '' : `?token=${token}`}`,
    token,
    close: async () => {
      await address.stop();
      await studies.close();
    },
  };
}
