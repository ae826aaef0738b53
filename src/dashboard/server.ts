import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

import { serve } from '@hono/node-server';
import { Hono } from 'hono';

import { builtEntry } from '../core/built-entry.js';
import { messageOf, UsageError } from '../core/errors.js';
import type { ErrorAnswer } from './api-types.js';
import { addEditRoutes } from './edit-routes.js';
import { errorParts } from './error-parts.js';
import { FigureAnswers } from './figure-answers.js';
import { guard } from './guard.js';
import { addLiveRoutes } from './live-routes.js';
import { addLookRoutes } from './look-routes.js';
import { placeLabels, Studies } from './studies.js';

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
export function dashboardApp(
  studies: Studies,
  figures: FigureAnswers,
  options: { hosts: readonly string[]; token: string | undefined },
): Hono {
  const app = new Hono();
  app.use('*', guard(options));
  addLookRoutes(app, studies, figures);
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
    const { isUsage, ...told } = errorParts(error);
    const status = told.code.endsWith('NOT_FOUND') ? 404 : told.code === 'NOTE_CHANGED' ? 409 : isUsage ? 400 : 500;
    return c.json({ error: told } satisfies ErrorAnswer, status);
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

/** As many studies are opened before anybody looks at them. */
const MOST_OPENED = 4;

/** Opens the studies that changed last while the browser is still starting: those are what people come for. */
async function openNewest(studies: Studies, figures: FigureAnswers): Promise<void> {
  figures.prepare();
  // What is not there any more, or cannot be opened, is shown as such when somebody looks.
  const entries = (await studies.list().catch(() => [])).filter(({ error }) => error === undefined);
  const dated = entries.map((entry) => ({ entry, changedAt: placeLabels(entry).changedAt ?? '' }));
  dated.sort((a, b) => b.changedAt.localeCompare(a.changedAt));
  for (const { entry } of dated.slice(0, MOST_OPENED)) {
    figures.prepare(entry);
    await studies.open(entry.id).catch(() => undefined);
  }
}

/** Starts the dashboard. @throws UsageError where a place is not there, or the port is taken */
export async function startDashboard(options: DashboardOptions = {}): Promise<RunningDashboard> {
  const { host = '127.0.0.1', port = 8484, allowHosts = [] } = options;
  const studies = new Studies(options.places ?? []);
  await studies.list();
  const isLocal = LOCAL.includes(host) || host === '::1';
  const token = options.token ?? (isLocal ? undefined : randomBytes(18).toString('base64url'));
  const named = host === '0.0.0.0' || host === '::' ? [] : [host];
  const figures = new FigureAnswers();
  const app = dashboardApp(studies, figures, {
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
  void openNewest(studies, figures);
  const shownHost = named[0] ?? '127.0.0.1';
  return {
    url: `http://${shownHost}:${address.port}/${token === undefined ? '' : `?token=${token}`}`,
    token,
    close: async () => {
      await address.stop();
      await Promise.all([studies.close(), figures.close()]);
    },
  };
}
