import { resolve } from 'node:path';

import { UsageError } from '../core/errors.js';
import { InMemoryStorage } from './in-memory-storage.js';
import type { Storage } from './storage.js';

export interface OpenStorageOptions {
  readonly durability?: 'normal' | 'full' | undefined;
  readonly readOnly?: boolean | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
}

/**
 * Opens a storage by URL or path: none or `memory` for one that forgets, `sqlite:///relative.db`, `sqlite:////absolute.db`, or the
 * path of a database file.
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
  const path = sqlitePathOf(url);
  const [{ SqliteEngine }, { RdbStorage }] = await Promise.all([
    import('./rdb/engines/sqlite-engine.js'),
    import('./rdb/rdb-storage.js'),
  ]);
  return new RdbStorage(new SqliteEngine(path, options));
}

/** With `%20` as a space, as Optuna reads URLs; a lone `%` stands for itself. */
function unescaped(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (codes) => Buffer.from(codes.replaceAll('%', ''), 'hex').toString('utf8'));
}

function sqlitePathOf(url: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return resolve(url);
  if (scheme.split('+')[0] === 'sqlite') {
    const path = unescaped(url.replace(/^[^:]+:\/\/\/?/, '').replace(/\?.*$/, ''));
    if (path === '')
      throw new UsageError(`${url} names no file.`, { hint: 'sqlite:///study.db, sqlite:////absolute/study.db' });
    return resolve(path);
  }
  throw new UsageError(`A storage of kind "${scheme}" is not supported.`, {
    hint: 'Supported: sqlite:///FILE, a path of a database file, memory.',
  });
}
