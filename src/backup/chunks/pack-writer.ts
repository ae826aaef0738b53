import { callsAtOnce } from '../destinations/at-once.js';
import type { Confirmation, Destination } from '../destinations/destination.js';
import { sha256Of } from '../files/file-digest.js';
import { packKey } from '../format/packs.js';
import { encodeChunk, type EncodedChunk } from './chunk-codec.js';
import type { ChunkIndex, ChunkPlace } from './chunk-index.js';
import type { PackUse } from './pack-use.js';

/** A pack is sent once it holds this much, … */
const PACK_BYTES = 8 << 20;
/** … or this much to a place where calls are short: several copies of it are in memory on the way to a helper process. */
const NEAR_PACK_BYTES = 4 << 20;
/** Room that a pack begins with, and what a full one may take beyond. */
const FIRST_ROOM_BYTES = 1 << 16;
const SPARE_ROOM_BYTES = 1 << 20;

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
  readonly #packBytes: number;
  readonly #claimed: string[] = [];
  /** The pack at hand: its first `#bytes`. */
  #room = Buffer.allocUnsafe(0);
  #bytes = 0;
  #pending: { readonly hash: string; readonly place: ChunkPlace; readonly list: PendingList | undefined }[] = [];
  sentBytes = 0;
  requests = 0;
  confirmation: Confirmation;

  /** `use`: of the destination, where prunes may run beside; `release` gives it back. */
  constructor(destination: Destination, index: ChunkIndex, signal?: AbortSignal, use?: PackUse) {
    this.#destination = destination;
    this.#packBytes = callsAtOnce(destination) === 1 ? NEAR_PACK_BYTES : PACK_BYTES;
    this.#index = index;
    this.#signal = signal;
    this.#use = use;
    this.confirmation = destination.traits.confirms;
  }

  /** Whether the pack at hand is large enough to be sent; not to be sent between the encoding of a list and its `add`. */
  get isFull(): boolean {
    return this.#bytes >= this.#packBytes;
  }

  /** Adds plain bytes under their hash. The place's pack is known after `flush`. `list`: for a list. */
  async add(hash: string, plain: Uint8Array, list?: PendingList): Promise<ChunkPlace> {
    return this.addEncoded(hash, await encodeChunk(plain), list);
  }

  /** As `add`, for what is encoded already. */
  addEncoded(hash: string, { encoding, bytes }: EncodedChunk, list?: PendingList): ChunkPlace {
    const place: ChunkPlace = { pack: '', offset: this.#bytes, length: 1 + bytes.length };
    const end = place.offset + place.length;
    if (end > this.#room.length) this.#grow(end);
    this.#room[place.offset] = encoding;
    this.#room.set(bytes, place.offset + 1);
    this.#bytes = end;
    this.#pending.push({ hash, place, list });
    return place;
  }

  /** Sends what is collected. */
  async flush(): Promise<void> {
    if (this.#bytes === 0) return;
    const body = this.#room.subarray(0, this.#bytes);
    const pack = sha256Of(body);
    const pending = this.#pending;
    const room = this.#room;
    this.#room = Buffer.allocUnsafe(0);
    this.#bytes = 0;
    this.#pending = [];
    this.#claimed.push(pack);
    await this.#use?.claim(pack);
    const receipt = await this.#destination.put(packKey(pack), body, { sha256: pack, signal: this.#signal });
    // A try that was given up may read it still.
    if (receipt.tries === undefined) this.#room = room;
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

  #grow(bytes: number): void {
    const most = this.#packBytes + SPARE_ROOM_BYTES;
    const room = Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(most, 4 * this.#room.length), FIRST_ROOM_BYTES));
    this.#room.copy(room, 0, 0, this.#bytes);
    this.#room = room;
  }

  /** To be called once the manifest that names the packs is written, or will not be. */
  release(): void {
    for (const pack of this.#claimed.splice(0)) this.#use?.release(pack);
  }
}
