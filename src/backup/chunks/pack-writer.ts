import type { Confirmation, Destination } from '../destinations/destination.js';
import { sha256Of } from '../files/file-digest.js';
import { packKey } from '../format/packs.js';
import { encodeChunk } from './chunk-codec.js';
import type { ChunkIndex, ChunkPlace } from './chunk-index.js';
import type { PackUse } from './pack-use.js';

/** A pack is sent once it holds this much. */
const PACK_BYTES = 8 << 20;

/** What the index files a list under, and the places that it names. */
interface PendingList {
  readonly key: string;
  readonly chunks: readonly ChunkPlace[];
}

/** Collects stored chunks into packs and sends those; the index learns of a chunk when its pack is confirmed. */
export class PackWriter {
  readonly #destination: Destination;
  readonly #index: ChunkIndex;
  readonly #signal: AbortSignal | undefined;
  readonly #use: PackUse | undefined;
  readonly #claimed: string[] = [];
  #parts: Buffer[] = [];
  #bytes = 0;
  #pending: { readonly hash: string; readonly place: ChunkPlace; readonly list: PendingList | undefined }[] = [];
  sentBytes = 0;
  requests = 0;
  confirmation: Confirmation;

  /** `use`: of the destination, where prunes may run beside; `release` gives it back. */
  constructor(destination: Destination, index: ChunkIndex, signal?: AbortSignal, use?: PackUse) {
    this.#destination = destination;
    this.#index = index;
    this.#signal = signal;
    this.#use = use;
    this.confirmation = destination.traits.confirms;
  }

  /** Whether the pack at hand is large enough to be sent; not to be sent between the encoding of a list and its `add`. */
  get isFull(): boolean {
    return this.#bytes >= PACK_BYTES;
  }

  /** Adds plain bytes under their hash. The place's pack is known after `flush`. `list`: for a list. */
  async add(hash: string, plain: Uint8Array, list?: PendingList): Promise<ChunkPlace> {
    return this.addStored(hash, await encodeChunk(plain), list);
  }

  /** As `add`, for what is encoded already. */
  addStored(hash: string, stored: Buffer, list?: PendingList): ChunkPlace {
    const place: ChunkPlace = { pack: '', offset: this.#bytes, length: stored.length };
    this.#parts.push(stored);
    this.#bytes += stored.length;
    this.#pending.push({ hash, place, list });
    return place;
  }

  /** Sends what is collected. */
  async flush(): Promise<void> {
    if (this.#bytes === 0) return;
    const body = Buffer.concat(this.#parts, this.#bytes);
    const pack = sha256Of(body);
    const pending = this.#pending;
    this.#parts = [];
    this.#bytes = 0;
    this.#pending = [];
    this.#claimed.push(pack);
    await this.#use?.claim(pack);
    const receipt = await this.#destination.put(packKey(pack), body, { sha256: pack, signal: this.#signal });
    if (receipt.confirmation === 'handedToMount') this.confirmation = 'handedToMount';
    this.sentBytes += body.length;
    this.requests++;
    this.#index.packs.set(pack, body.length);
    for (const { hash, place, list } of pending) {
      place.pack = pack;
      if (list === undefined) this.#index.chunks.set(hash, place);
      else this.#index.lists.set(list.key, { sha256: hash, place, chunks: list.chunks });
    }
  }

  /** To be called once the manifest that names the packs is written, or will not be. */
  release(): void {
    for (const pack of this.#claimed.splice(0)) this.#use?.release(pack);
  }
}
