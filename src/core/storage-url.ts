import { UsageError } from './errors.js';

/** A database server's address, as a URL of the forms that Optuna (SQLAlchemy) takes. */
export interface ServerUrl {
  readonly kind: 'postgresql' | 'mysql';
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly database: string;
  /** What stands after `?`, by name. */
  readonly query: Readonly<Record<string, string>>;
  /** The same without any password: fit for people, logs and events. */
  readonly location: string;
}

const KINDS: Readonly<Record<string, ServerUrl['kind']>> = {
  postgresql: 'postgresql',
  postgres: 'postgresql',
  mysql: 'mysql',
  mariadb: 'mysql',
};

/** Names in a query whose values are secret. */
const SECRET = /^(password|passwd|pwd|sslpassword|ssl_key_password)$/i;

/** Whether a text is the URL of a server that we know; the driver named after a `+` does not matter. */
export function isServerUrl(url: string): boolean {
  return KINDS[schemeOf(url) ?? ''] !== undefined;
}

/** The part of a URL before `+` and `:`, in lower case; undefined where the text is no URL. */
export function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9.-]*)(?:\+[a-z0-9_.-]+)?:\/\//i.exec(url)?.[1]?.toLowerCase();
}

/**
 * Reads `postgresql://user:password@host:port/database?option=value`, with or without a driver's name, user and password
 * percent-encoded where need be. @throws UsageError that shows no password
 */
export function parseServerUrl(url: string): ServerUrl {
  const kind = KINDS[schemeOf(url) ?? ''];
  const [address = '', search = ''] = split(url.replace(/^[^:]+:\/\//, ''), '?');
  // The password may hold anything, an @ too: the last one counts.
  const match = /^(?:([^:@/]*)(?::(.*))?@)?(\[[^\]]*\]|[^:/?#@]*)(?::(\d+))?(?:\/([^/]*))?$/s.exec(address);
  if (kind === undefined || match === null) {
    // Where its parts cannot be told apart, neither can the password: nothing of it is shown.
    throw new UsageError(`The storage URL (${schemeOf(url) ?? 'unknown'}://…) is no URL of a database server.`, {
      hint: 'postgresql://USER:PASSWORD@HOST:PORT/DATABASE; write @ : / ? # % in a password as %40 %3A %2F %3F %23 %25',
    });
  }
  const [, user, password, host, port, database] = match;
  const query = Object.fromEntries(
    search
      .split('&')
      .filter(Boolean)
      .map((pair) => split(pair, '=').map((text) => decoded(text.replaceAll('+', ' '))) as [string, string]),
  );
  const location = withoutPassword(url);
  const name = decoded(database ?? query['database'] ?? query['dbname'] ?? '');
  if (name === '') {
    throw new UsageError(`${location} names no database.`, { hint: `${kind}://USER:PASSWORD@HOST:PORT/DATABASE` });
  }
  const at = port ?? query['port'];
  return {
    kind,
    user: optional(decoded(user ?? '') || query['user']),
    password: password === undefined ? query['password'] : decoded(password),
    host: optional(host?.replace(/^\[|\]$/g, '') ?? '') ?? query['host'],
    port: at === undefined ? undefined : Number(at),
    database: name,
    query,
    location,
  };
}

/** The URL with every password replaced; a text that is no URL stays as it is. */
export function withoutPassword(url: string): string {
  const match = /^([a-z][a-z0-9+._-]*:\/\/)(.*)$/is.exec(url);
  if (match === null) return url;
  const [, scheme = '', rest = ''] = match;
  const [address = '', search] = split(rest, '?');
  const shown = address.replace(/^([^:@/]*):.*@/s, '$1:***@');
  if (search === undefined) return scheme + shown;
  const pairs = search.split('&').map((pair) => {
    const [name = ''] = split(pair, '=');
    return SECRET.test(decoded(name)) ? `${name}=***` : pair;
  });
  return `${scheme}${shown}?${pairs.join('&')}`;
}

/** Passwords of URLs that stand anywhere within a text, replaced; for messages that others wrote. */
export function redactUrls(text: string): string {
  if (!text.includes('://')) return text;
  return text.replace(/[a-z][a-z0-9+._-]*:\/\/[^\s"'`]+/gi, (url) => withoutPassword(url));
}

/** A text without a password in any of the forms in which it may stand there. */
export function redactPassword(text: string, password: string | undefined): string {
  let shown = redactUrls(text);
  if (password === undefined || password === '') return shown;
  const forms = new Set([
    password,
    encodeURIComponent(password),
    encodeURI(password),
    JSON.stringify(password).slice(1, -1),
  ]);
  for (const form of forms) shown = shown.replaceAll(form, '***');
  return shown;
}

function split(text: string, at: string): string[] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

function optional(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** With `%20` as a space; a lone `%` stands for itself. */
export function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (codes) => Buffer.from(codes.replaceAll('%', ''), 'hex').toString('utf8'));
}
