import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

import type { MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

export interface GuardOptions {
  /** Names under which this server may be addressed, without port. */
  readonly hosts: readonly string[];
  /** Whether it may be addressed by any number: which one leads here through a router is not known, and rebinding needs a name. */
  readonly byNumber?: boolean | undefined;
  /** What a visitor must show; undefined: nothing (only this machine can reach the server). */
  readonly token: string | undefined;
}

const COOKIE = 'resweep-token';

/** Nothing but this page's own script, style, pictures and answers; never inside another page. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS = {
  'Content-Security-Policy': PAGE_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
} as const;

/**
 * Lets in only requests that this server's own page makes, or that a person types: the Host must be ours (a foreign name that points at
 * this address is DNS rebinding), an Origin must be ours, and the browser must not say that another site asks.
 */
export function guard(options: GuardOptions): MiddlewareHandler {
  const wanted = options.token === undefined ? undefined : digest(options.token);
  return async (c, next) => {
    for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
    const host = c.req.header('host') ?? '';
    const name = hostName(host);
    if (!options.hosts.includes(name) && !(options.byNumber === true && isNumber(name)))
      return refuse(403, `This server is not ${host || 'without a name'}.`);
    const origin = c.req.header('origin');
    if (origin !== undefined && !isOwn(origin, host)) return refuse(403, 'Requests of other pages are not answered.');
    const site = c.req.header('sec-fetch-site');
    const looks = c.req.method === 'GET' || c.req.method === 'HEAD';
    const isVisit = looks && c.req.header('sec-fetch-mode') === 'navigate' && !c.req.path.startsWith('/api');
    if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isVisit) {
      return refuse(403, 'Requests of other pages are not answered.');
    }
    if (!looks && c.req.header('x-resweep') !== '1') {
      return refuse(403, 'A change must carry the header X-Resweep: 1.');
    }
    if (wanted === undefined) {
      await next();
      return undefined;
    }
    const given = c.req.query('token');
    if (given !== undefined && isSame(given, wanted)) {
      setCookie(c, COOKIE, given, { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: 30 * 86_400 });
      // Out of a browser's address at once, so that it stays out of histories and screenshots. A program may keep no cookies.
      if (c.req.header('accept')?.includes('text/html') === true) return c.redirect(c.req.path, 303);
      await next();
      return undefined;
    }
    const bearer = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1];
    const shown = bearer ?? getCookie(c, COOKIE);
    if (shown === undefined || !isSame(shown, wanted)) {
      return refuse(401, 'This dashboard asks for its token: open the address that resweep dashboard printed.');
    }
    await next();
    return undefined;

    function refuse(status: 401 | 403, message: string): Response {
      return c.json({ error: { code: status === 401 ? 'TOKEN' : 'FOREIGN', message, hint: null } }, status);
    }
  };
}

/** The name in a Host header, without its port. */
function hostName(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}

/** Whether a host is written as an address, not as a name. */
function isNumber(name: string): boolean {
  return isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

function isOwn(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host.toLowerCase();
  } catch {
    return false;
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isSame(text: string, wanted: Buffer): boolean {
  return timingSafeEqual(digest(text), wanted);
}
