import { sha256Of } from '../files/file-digest.js';
import type { Place } from '../format/manifest.js';

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

/** The lists of one file, as they were last written: what its patch is against. */
export class KnownTree {
  readonly chunkBytes: number;
  /** SHA-256 of each chunk that the lists name, 32 bytes each. */
  readonly chunkHashes: Buffer;
  readonly index: { readonly sha256: string; readonly place: ChunkPlace };
  readonly #lists: readonly KnownList[];
  #packs: ReadonlySet<string> | undefined;

  constructor(chunkBytes: number, chunkHashes: Buffer, index: KnownTree['index'], lists: readonly KnownList[]) {
    this.chunkBytes = chunkBytes;
    this.chunkHashes = chunkHashes;
    this.index = index;
    this.#lists = lists;
  }

  /** Packs of the list of the lists, of the lists, and of all that they name. To be asked once everything is sent. */
  get packs(): ReadonlySet<string> {
    if (this.#packs === undefined) {
      const packs = new Set([this.index.place.pack]);
      for (const { place, chunks } of this.#lists) {
        packs.add(place.pack);
        for (const chunk of chunks) packs.add(chunk.pack);
      }
      this.#packs = packs;
    }
    return this.#packs;
  }
}

/** What is known to be at one destination: chunks by hash, lists by the chunks that they stand for, packs with their size. */
export class ChunkIndex {
  readonly chunks = new Map<string, ChunkPlace>();
  readonly lists = new Map<string, KnownList>();
  /** By the file's path in its target. */
  readonly trees = new Map<string, KnownTree>();
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
    for (const [path, tree] of this.trees) {
      if ([...tree.packs].some((pack) => !packs.has(pack))) this.trees.delete(path);
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
