import { resolve } from 'node:path';

import { UsageError } from '../core/errors.js';
import { decoded, isServerUrl, parseServerUrl, schemeOf, withoutPassword } from '../core/storage-url.js';
import { InMemoryStorage } from './in-memory-storage.js';
import type { Storage } from './storage.js';

export interface OpenStorageOptions {
  readonly durability?: 'normal' | 'full' | undefined;
  readonly readOnly?: boolean | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
  /** How long a call waits for a server that does not answer. @default five minutes; 15 s for the first call */
  readonly patienceMs?: number | undefined;
}

/**
 * Opens a storage by URL or path: none or `memory` for one that forgets, `sqlite:///relative.db`, `sqlite:////absolute.db`, the
 * path of a database file, `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, or `mysql://…` (`mariadb://…`); a driver's name after a
 * `+`, as in Optuna's URLs, is passed over.
 * @throws UsageError for a URL of no known kind; StorageError where it cannot be opened
 */
export async function openStorage(url?: string, options: OpenStorageOptions = {}): Promise<Storage> {
  if (
    url === undefined ||
    url === 'memory' ||
    url === ':memory:' ||
    url === 'sqlite://' ||
    url === 'sqlite:///:memory:'
  ) {
    return new InMemoryStorage();
  }
  if (isServerUrl(url)) return openServer(url, options);
  const path = sqlitePathOf(url);
  const [{ SqliteEngine }, { RdbStorage }] = await Promise.all([
    import('./rdb/engines/sqlite-engine.js'),
    import('./rdb/rdb-storage.js'),
  ]);
  return new RdbStorage(new SqliteEngine(path, options));
}

async function openServer(text: string, options: OpenStorageOptions): Promise<Storage> {
  const url = parseServerUrl(text);
  const [{ ServerEngine }, { RdbStorage }] = await Promise.all([
    import('./rdb/engines/server-engine.js'),
    import('./rdb/rdb-storage.js'),
  ]);
  const dialect =
    url.kind === 'postgresql'
      ? new (await import('./rdb/engines/postgres-dialect.js')).PostgresDialect(url, options)
      : new (await import('./rdb/engines/mysql-dialect.js')).MysqlDialect(url, options);
  const engine = new ServerEngine(dialect, options);
  await engine.open();
  return new RdbStorage(engine);
}

function sqlitePathOf(url: string): string {
  const scheme = schemeOf(url);
  if (scheme === undefined) return resolve(url);
  if (scheme === 'sqlite') {
    const path = decoded(url.replace(/^[^:]+:\/\/\/?/, '').replace(/\?.*$/, ''));
    if (path === '')
      throw new UsageError(`${withoutPassword(url)} names no file.`, {
        hint: 'sqlite:///study.db, sqlite:////absolute/study.db',
      });
    return resolve(path);
  }
  throw new UsageError(`A storage of kind "${scheme}" is not supported.`, {
    hint: 'Supported: sqlite:///FILE, a path of a database file, postgresql://…, mysql://…, memory.',
  });
}
