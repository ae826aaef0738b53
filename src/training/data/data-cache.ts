import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { messageOf, UsageError } from '../../core/errors.js';

/** Prepared data of this process (or what will be it), the most recently used last. */
export class DataCache<T> {
  readonly #most: number;
  readonly #entries = new Map<string, T>();

  constructor(most: number) {
    this.#most = most;
  }

  /** What is kept under this key, else what `make` gives. A failure is not kept. */
  get(key: string, make: () => T): T {
    const found = this.#entries.get(key) ?? make();
    this.#entries.delete(key);
    this.#entries.set(key, found);
    if (found instanceof Promise) found.catch(() => this.#entries.delete(key));
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#most) break;
      this.#entries.delete(oldest);
    }
    return found;
  }
}

/** Size and time of a file, by which a change is noticed. @throws UsageError where it is no file; `hint` says what is read. */
export function statOf(path: string, hint: string): { readonly stamp: string } {
  const found = statOfPath(path);
  if (!found.isFolder) return found;
  throw new UsageError(`data.path: ${path} is no file.`, { hint });
}

/** The same for a file or a folder: a folder's stamp is that of all files in it. @throws UsageError where there is neither. */
export function statOfPath(path: string): { readonly stamp: string; readonly isFolder: boolean } {
  try {
    const stat = statSync(path);
    if (!stat.isDirectory()) return { stamp: `${stat.size} ${stat.mtimeMs}`, isFolder: false };
    let files = 0;
    let size = 0;
    let newest = 0;
    for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = statSync(join(entry.parentPath, entry.name));
      files++;
      size += file.size;
      newest = Math.max(newest, file.mtimeMs);
    }
    return { stamp: `${files} ${size} ${newest}`, isFolder: true };
  } catch (error) {
    throw new UsageError(`data.path: ${path} cannot be read (${messageOf(error)}).`, { cause: error });
  }
}
