import { randomBytes } from 'node:crypto';

import { z } from 'zod';

import type { Destination } from '../destinations/destination.js';
import { STORE } from '../destinations/object-key.js';
import { sha256Of } from '../files/file-digest.js';
import { packKey } from './packs.js';

const FOLDER = `${STORE}/garbage/`;
const NOTE = /^(\d{13})-[0-9a-f]{8}\.json$/;

const noteSchema = z.object({ format: z.literal('resweep-garbage'), packs: z.array(z.string()) });

/**
 * A pack that no manifest names may belong to a save that is under way. So it is noted first, and removed by a later prune, once
 * the note is older than `graceMs` and still nothing names it.
 */
export class GarbageNotes {
  readonly #destination: Destination;
  readonly #signal: AbortSignal | undefined;
  readonly #notes: { readonly key: string; readonly at: number; readonly packs: ReadonlySet<string> }[] = [];

  constructor(destination: Destination, signal: AbortSignal | undefined) {
    this.#destination = destination;
    this.#signal = signal;
  }

  async load(): Promise<void> {
    const options = { signal: this.#signal };
    const { objects } = await this.#destination.list(FOLDER, options);
    for (const { key } of objects) {
      const time = NOTE.exec(key.slice(FOLDER.length))?.[1];
      if (time === undefined) continue;
      const bytes = await this.#destination.get(key, options);
      if (bytes === undefined) continue;
      const packs = readGarbageNote(bytes);
      if (packs !== undefined) this.#notes.push({ key, at: Number(time), packs: new Set(packs) });
    }
  }

  /** Whether `pack` was noted at least `graceMs` before `now`. */
  isRipe(pack: string, now: number, graceMs: number): boolean {
    return this.#notes.some(({ at, packs }) => packs.has(pack) && now - at >= graceMs);
  }

  /** Notes `packs`, those that are noted nowhere yet, and removes notes of which none is garbage any more. */
  async update(packs: readonly string[], now: number): Promise<void> {
    const options = { signal: this.#signal };
    const garbage = new Set(packs);
    const noted = new Set<string>();
    for (const note of this.#notes) {
      const live = [...note.packs].filter((pack) => garbage.has(pack));
      if (live.length === 0) await this.#destination.remove(note.key, options);
      else for (const pack of live) noted.add(pack);
    }
    const fresh = packs.filter((pack) => !noted.has(pack));
    if (fresh.length === 0) return;
    const body = Buffer.from(`${JSON.stringify({ format: 'resweep-garbage', packs: fresh })}\n`);
    const key = `${FOLDER}${String(now).padStart(13, '0')}-${randomBytes(4).toString('hex')}.json`;
    await this.#destination.put(key, body, { sha256: sha256Of(body), ...options });
  }

  async remove(pack: string): Promise<void> {
    await this.#destination.remove(packKey(pack), { signal: this.#signal });
  }
}

export function isGarbageNote(key: string): boolean {
  return key.startsWith(FOLDER) && NOTE.test(key.slice(FOLDER.length));
}

/** Packs that a note names; undefined where it is damaged. */
export function readGarbageNote(bytes: Uint8Array): string[] | undefined {
  try {
    return noteSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).packs;
  } catch {
    return undefined; // Damaged: its packs are noted again.
  }
}
