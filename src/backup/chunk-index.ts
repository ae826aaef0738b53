import { sha256Of } from './file-digest.js';
import type { Place } from './manifest.js';

/** Where a chunk lies at a destination. */
export interface ChunkPlace {
  /** SHA-256 of the pack; empty while the pack is not sent yet. */
  pack: string;
  readonly offset: number;
  readonly length: number;
}

export interface KnownList {
  readonly sha256: string;
  readonly place: ChunkPlace;
  /** Places that the list names. They stay as they are when a chunk is sent again elsewhere. */
  readonly chunks: readonly ChunkPlace[];
}

/** What is known to be at one destination: chunks by hash, lists by the chunks that they stand for, packs with their size. */
export class ChunkIndex {
  readonly chunks = new Map<string, ChunkPlace>();
  readonly lists = new Map<string, KnownList>();
  readonly packs = new Map<string, number>();

  /**
   * Forgets all packs but these, and everything in them. After each save only the packs of its manifest are kept: no manifest
   * may protect the others from being removed.
   */
  retainPacks(packs: ReadonlySet<string>): void {
    for (const pack of [...this.packs.keys()]) if (!packs.has(pack)) this.packs.delete(pack);
    for (const [hash, place] of this.chunks) if (!packs.has(place.pack)) this.chunks.delete(hash);
    for (const [key, list] of this.lists) {
      if (!packs.has(list.place.pack) || list.chunks.some(({ pack }) => !packs.has(pack))) this.lists.delete(key);
    }
  }
}

export function toPlace(sha256: string, place: ChunkPlace): Place {
  return [sha256, place.pack.slice(0, 16), place.offset, place.length];
}

/** What a list is filed under: the hashes of its chunks. */
export function listKey(chunkHashes: Uint8Array): string {
  return sha256Of(chunkHashes);
}
