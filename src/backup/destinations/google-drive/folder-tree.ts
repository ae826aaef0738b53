import { setTimeout as delay } from 'node:timers/promises';

import { DestinationError } from '../destination.js';
import type { DriveClient } from './drive-client.js';
import { childrenQuery } from './query.js';
import { DriveRequestError } from './request-error.js';

/** How long it may take until all of Drive knows a folder that was made. */
const FRESH_MS = 60_000;
/** How long a place in the tree is remembered: another machine may have made the same folder at the same time. */
const REMEMBER_MS = 5 * 60_000;
const ROUNDS = 8;

interface Remembered {
  readonly ids: readonly string[];
  readonly since: number;
}

/**
 * Folders by path. Drive allows several of one name in one place: all of them are read as one, the oldest is written to, and every
 * machine agrees on which that is. A folder in the trash does not exist.
 */
export class FolderTree {
  readonly #client: DriveClient;
  readonly #root: string;
  readonly #base: readonly string[];
  readonly #settleMs: number;
  readonly #known = new Map<string, Remembered>();
  /** Identifiers of folders that this process made, where Drive's list does not show them yet. */
  readonly #made = new Map<string, string>();
  /** With the time of each. */
  readonly #madeIds = new Map<string, number>();
  #making: Promise<unknown> = Promise.resolve();

  /** `root`: identifier where `base` begins. `settleMs`: after it, what another machine made in the same moment can be seen. */
  constructor(client: DriveClient, root: string, base: readonly string[], settleMs: number) {
    this.#client = client;
    this.#root = root;
    this.#base = base;
    this.#settleMs = settleMs;
  }

  /** Every folder at this path, the one that is written to first; none where there is none. @throws DestinationError */
  async find(segments: readonly string[], signal: AbortSignal | undefined): Promise<readonly string[]> {
    let ids: readonly string[] = [this.#root];
    const path = [...this.#base, ...segments];
    for (let depth = 0; depth < path.length && ids.length > 0; depth++)
      ids = await this.#step(path, depth, ids, signal);
    return ids;
  }

  /** The same, made where there is none. @throws DestinationError */
  create(segments: readonly string[], signal: AbortSignal | undefined): Promise<readonly string[]> {
    const known = this.#remembered([...this.#base, ...segments]);
    if (known !== undefined) return Promise.resolve(known);
    // One at a time, so that this process makes none twice.
    const run = this.#making.then(() => this.#create([...this.#base, ...segments], signal));
    this.#making = run.catch(() => undefined);
    return run;
  }

  /** Whether the path would be answered from memory. */
  isRemembered(segments: readonly string[]): boolean {
    return this.#remembered([...this.#base, ...segments]) !== undefined;
  }

  /** Whether this process made the folder, so that others hardly know it yet. */
  isOwn(ids: readonly string[]): boolean {
    return ids.length === 1 && this.#madeIds.has(ids[0] ?? '');
  }

  /** Whether it was made so lately that not all of Drive may know it yet. */
  isFresh(ids: readonly string[]): boolean {
    const at = this.#madeIds.get(ids[0] ?? '');
    return this.isOwn(ids) && at !== undefined && performance.now() - at < FRESH_MS;
  }

  /** What was remembered may be wrong: a folder has gone. */
  forget(): void {
    this.#known.clear();
    this.#made.clear();
    this.#madeIds.clear();
  }

  async #create(path: readonly string[], signal: AbortSignal | undefined): Promise<readonly string[]> {
    for (let round = 0; round < ROUNDS; round++) {
      let ids: readonly string[] = [this.#root];
      let made = false;
      for (let depth = 0; depth < path.length; depth++) {
        const parent = ids[0] ?? '';
        ids = await this.#step(path, depth, ids, signal);
        const place = `${parent}/${path[depth] ?? ''}`;
        const own = this.#made.get(place);
        if (ids.length === 0 && own !== undefined) ids = [own];
        if (ids.length > 0) continue;
        const id = await this.#make(parent, path[depth] ?? '', signal);
        this.#made.set(place, id);
        this.#madeIds.set(id, performance.now());
        ids = [id];
        made = true;
      }
      if (!made) return ids;
      // Another machine may have made the same ones meanwhile. The next round sees both, and so does the other machine.
      await delay(this.#settleMs, undefined, signal === undefined ? {} : { signal });
    }
    throw new DestinationError('unreachable', `${this.#client.name}: the folder ${path.join('/')} does not stay.`);
  }

  /** From the folders of one level to those of the next. */
  async #step(
    path: readonly string[],
    depth: number,
    parents: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    const place = path.slice(0, depth + 1);
    const known = this.#remembered(place);
    if (known !== undefined) return known;
    const name = path[depth] ?? '';
    const query = childrenQuery(parents, { name, foldersOnly: true });
    const found = await this.#client.list(`looking for the folder ${place.join('/')}`, query, signal);
    // Drive compares names without regard to case.
    const ids = found.filter((folder) => folder.name === name).map(({ id }) => id);
    if (ids.length > 0) this.#known.set(place.join('/'), { ids, since: performance.now() });
    return ids;
  }

  async #make(parent: string, name: string, signal: AbortSignal | undefined): Promise<string> {
    const id = await this.#client.newId(signal);
    try {
      await this.#client.createFolder(`making the folder ${name}`, { id, name, parent }, signal);
    } catch (error) {
      if (!(error instanceof DriveRequestError)) throw error;
      if (error.status === 404 && parent !== this.#root) this.forget();
      // Taken: an earlier reply was lost.
      if (error.status !== 409) throw error;
    }
    return id;
  }

  #remembered(path: readonly string[]): readonly string[] | undefined {
    if (path.length === 0) return [this.#root];
    const known = this.#known.get(path.join('/'));
    return known !== undefined && performance.now() - known.since < REMEMBER_MS ? known.ids : undefined;
  }
}
