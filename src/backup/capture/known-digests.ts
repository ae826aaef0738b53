import type { Stats } from 'node:fs';
import { join } from 'node:path';

import type { FileDigest } from '../files/file-digest.js';

/** Digests of files as they were last read, so that what did not change is not read again. */
export class KnownDigests {
  readonly #known = new Map<string, { readonly signature: string; readonly digest: FileDigest }>();

  get size(): number {
    return this.#known.size;
  }

  /** Undefined where the file is another than that which was read. */
  get(path: string, stats: Stats): FileDigest | undefined {
    const known = this.#known.get(path);
    return known?.signature === signatureOf(stats) ? known.digest : undefined;
  }

  set(path: string, stats: Stats, digest: FileDigest): void {
    this.#known.set(path, { signature: signatureOf(stats), digest });
  }

  /** Forgets what is below `folder` and not among `paths`: checkpoints come and go, and each digest is a thousandth of its file. */
  keepOnly(folder: string, paths: ReadonlySet<string>): void {
    const prefix = join(folder, 'x').slice(0, -1);
    for (const path of this.#known.keys()) {
      if (path.startsWith(prefix) && !paths.has(path)) this.#known.delete(path);
    }
  }
}

/** Changes with any change of a file. */
export function signatureOf(stats: Stats): string {
  return `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}
