import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { serve } from '@hono/node-server';
import { Hono } from 'hono';

import { builtEntry } from '../core/built-entry.js';
import { messageOf, UsageError } from '../core/errors.js';
import type { CatalogEntry } from '../app/studies/catalog-entry.js';
import type { ErrorAnswer } from './api-types.js';
import { addEditRoutes } from './edit-routes.js';
import { errorParts } from './error-parts.js';
import { FigureAnswers } from './figure-answers.js';
import { guard, type GuardOptions } from './guard.js';
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
export function dashboardApp(studies: Studies, figures: FigureAnswers, options: GuardOptions): Hono {
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
/** Files up to this size, together, are read in about a second, so that the address can wait for them. */
const QUICKLY_READ = 40e6;

/** The studies that changed last, which are what people come for. */
function newestOf(entries: readonly CatalogEntry[]): CatalogEntry[] {
  const dated = entries
    .filter(({ error }) => error === undefined)
    .map((entry) => ({ entry, changedAt: placeLabels(entry).changedAt ?? '' }));
  dated.sort((a, b) => b.changedAt.localeCompare(a.changedAt));
  return dated.slice(0, MOST_OPENED).map(({ entry }) => entry);
}

/** So long the address waits at most for the figures of the newest study. */
const FIRST_FIGURES_MS = 1_000;

/** Opens a study before anybody looks at it. What cannot be opened is shown as such when somebody does. */
async function openEarly(entry: CatalogEntry, studies: Studies, figures: FigureAnswers): Promise<void> {
  figures.prepare(entry);
  const opened = await studies.open(entry.id).catch(() => undefined);
  if (opened === undefined) return;
  await Promise.race([figures.makeFirst(opened), sleep(FIRST_FIGURES_MS, undefined, { ref: false })]);
  void figures.foresee(opened);
}

/** How many of the first studies are read in about a second. */
function quicklyRead(entries: readonly CatalogEntry[]): number {
  let bytes = 0;
  const end = entries.findIndex(({ storage }) => {
    bytes += statSync(storage, { throwIfNoEntry: false })?.size ?? Infinity;
    return bytes > QUICKLY_READ;
  });
  return end < 0 ? entries.length : end;
}

/** Starts the dashboard. @throws UsageError where a place is not there, or the port is taken */
export async function startDashboard(options: DashboardOptions = {}): Promise<RunningDashboard> {
  const studies = new Studies(options.places ?? []);
  const figures = new FigureAnswers();
  // Begins while the studies are looked for.
  figures.prepare();
  const close = async (): Promise<void> => {
    await Promise.all([studies.close(), figures.close()]);
  };
  try {
    const newest = newestOf(await studies.list());
    // Nobody has the address yet: what is opened now is there at the first look, and keeps no visitor waiting.
    const quick = quicklyRead(newest);
    for (const entry of newest.slice(0, quick)) await openEarly(entry, studies, figures);
    const running = await listen(options, studies, figures, close);
    void (async () => {
      for (const entry of newest.slice(quick)) await openEarly(entry, studies, figures);
    })();
    return running;
  } catch (error) {
    await close();
    throw error;
  }
}

/** An address of this machine that others can reach. */
function outerAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

/** Serves until it is closed. @throws UsageError where the port is taken, or the address is not one of this machine */
async function listen(
  options: DashboardOptions,
  studies: Studies,
  figures: FigureAnswers,
  close: () => Promise<void>,
): Promise<RunningDashboard> {
  const { host = '127.0.0.1', port = 8484, allowHosts = [] } = options;
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw new UsageError(`The port must be a whole number from 0 to 65535, but got ${port}.`);
  const isLocal = LOCAL.includes(host) || host === '::1';
  const token = options.token ?? (isLocal ? undefined : randomBytes(18).toString('base64url'));
  const isAny = host === '0.0.0.0' || host === '::';
  const own = isAny ? [hostname()] : [host.includes(':') ? `[${host}]` : host];
  const app = dashboardApp(studies, figures, {
    hosts: [...LOCAL, ...own, ...allowHosts].map((name) => name.toLowerCase()),
    byNumber: isAny && token !== undefined,
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
  const shownHost = allowHosts[0] ?? (isAny ? (outerAddress() ?? '127.0.0.1') : (own[0] ?? host));
  return {
    url: `http://${shownHost}:${address.port}/${token === undefined ? '' : `?token=${token}`}`,
    token,
    close: async () => {
      await address.stop();
      await close();
    },
  };
}
