import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

import { messageOf, UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import type { SweepConfig } from '../core/sweep-config.js';
import { resolveInputPath } from './project-root.js';
import { isRecord } from './schema-readers.js';

const CACHE_FILE = join('.resweep', 'data-fingerprints.json');
const MAX_CACHED = 1000;

interface CacheEntry {
  readonly size: number;
  readonly modified: string;
  readonly sha256: string;
}

/**
 * What stands for the data in a study's identity: `version:…` where the configuration gives one, `sha256:…` of the content,
 * or undefined where the objective names no data. The hash of a file is kept by path, size and time in `.resweep/` of the project.
 * @throws UsageError where the data cannot be read.
 */
export async function dataFingerprintOf(
  config: Pick<SweepConfig, 'objective'>,
  from: { readonly projectRoot: string; readonly configFolder?: string | undefined },
): Promise<string | undefined> {
  const { data } = config.objective;
  if (data?.version !== undefined) return `version:${data.version}`;
  if (data?.path === undefined) return undefined;
  const path = resolveInputPath(data.path, from);
  return `sha256:${await contentHash(path, from.projectRoot, data.path)}`;
}

async function contentHash(path: string, projectRoot: string, asWritten: string): Promise<string> {
  const cache = new FingerprintCache(projectRoot);
  try {
    const info = await stat(path);
    const hash = info.isDirectory() ? await folderHash(path, cache) : await cache.hashOf(path);
    await cache.save();
    return hash;
  } catch (error) {
    const siblings = await readdir(dirname(path)).catch(() => []);
    const near = existsSync(path) ? undefined : nearestName(basename(path), siblings);
    throw new UsageError(
      `The data ${asWritten} cannot be read: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : messageOf(error)}.`,
      { cause: error, code: 'DATA', ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }) },
    );
  }
}

/** Over the relative names and hashes of all files, in order of name. Hidden files are none of the data. */
async function folderHash(folder: string, cache: FingerprintCache): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, name: relative(folder, path).replaceAll('\\', '/') }))
    .filter(({ name }) => !name.split('/').some((part) => part.startsWith('.')))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const hash = createHash('sha256');
  for (const { path, name } of files) hash.update(`${JSON.stringify(name)} ${await cache.hashOf(path)}\n`);
  return hash.digest('hex');
}

class FingerprintCache {
  readonly #projectRoot: string;
  readonly #file: string;
  #entries: Map<string, CacheEntry> | undefined;
  #changed = false;

  constructor(projectRoot: string) {
    this.#projectRoot = projectRoot;
    this.#file = join(projectRoot, CACHE_FILE);
  }

  async hashOf(path: string): Promise<string> {
    this.#entries ??= await readCache(this.#file);
    const info = await stat(path, { bigint: true });
    const key = relative(this.#projectRoot, path);
    const size = Number(info.size);
    const modified = String(info.mtimeNs);
    const known = this.#entries.get(key);
    if (known?.size === size && known.modified === modified) return known.sha256;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
    const sha256 = hash.digest('hex');
    this.#entries.delete(key);
    this.#entries.set(key, { size, modified, sha256 });
    this.#changed = true;
    return sha256;
  }

  /** Keeps what was learnt. A place that cannot be written only costs the next hash its time. */
  async save(): Promise<void> {
    if (!this.#changed || this.#entries === undefined) return;
    const kept = [...this.#entries].slice(-MAX_CACHED);
    const aside = `${this.#file}.${process.pid}.part`;
    try {
      await mkdir(dirname(this.#file), { recursive: true });
      await writeFile(aside, `${JSON.stringify(Object.fromEntries(kept), undefined, 1)}\n`);
      await rename(aside, this.#file);
    } catch {
      await rm(aside, { force: true }).catch(() => undefined);
    }
  }
}

async function readCache(file: string): Promise<Map<string, CacheEntry>> {
  // A damaged cache is the same as none.
  const content: unknown = await readFile(file, 'utf8')
    .then((text): unknown => JSON.parse(text))
    .catch(() => undefined);
  return new Map(
    Object.entries(isRecord(content) ? content : {}).flatMap(([key, entry]) => (isEntry(entry) ? [[key, entry]] : [])),
  );
}

function isEntry(value: unknown): value is CacheEntry {
  return (
    isRecord(value) &&
    typeof value['size'] === 'number' &&
    typeof value['modified'] === 'string' &&
    /^[0-9a-f]{64}$/.test(String(value['sha256']))
  );
}
