import { open, type FileHandle } from 'node:fs/promises';

import { callsAtOnce } from '../destinations/at-once.js';
import type { Destination } from '../destinations/destination.js';
import { CHUNK_BYTES, readFully, sha256Of } from '../files/file-digest.js';
import { decodeMembers, type Manifest, type Member, type Place } from '../format/manifest.js';
import { packKey } from '../format/packs.js';
import { decodeChunk, decodeList, decodePatch, DamagedDataError } from './chunk-codec.js';

/** Of packs, held in memory at once; chunks of one file come pack by pack, so few are needed. */
const HELD_BYTES = 32 << 20;
/** Written in one go. */
const RUN_BYTES = 1 << 20;

/** A list, and what it names. */
export interface ListPlaces {
  readonly list: Place;
  readonly places: readonly Place[];
}

/** Reads what a manifest lists. Everything is held against its checksum. */
export class ChunkReader {
  readonly #destination: Destination;
  readonly #signal: AbortSignal | undefined;
  readonly #packs = new Map<string, { readonly body: Promise<Uint8Array | undefined>; readonly bytes: number }>();
  #heldBytes = 0;
  /** Bytes fetched. */
  receivedBytes = 0;

  constructor(destination: Destination, signal?: AbortSignal) {
    this.#destination = destination;
    this.#signal = signal;
  }

  /** The members of a manifest, from its pages where it has such. @throws DamagedDataError */
  async members(manifest: Manifest): Promise<readonly Member[]> {
    if (manifest.members !== undefined) return manifest.members;
    const members: Member[] = [];
    for (const page of manifest.memberPages ?? []) members.push(...decodeMembers(await this.read(manifest, page)));
    return members;
  }

  /** Places of a file's chunks in order. @throws DamagedDataError */
  async chunks(manifest: Manifest, member: Member): Promise<Place[]> {
    const { chunks } = await this.places(manifest, member);
    const count = Math.ceil(member.bytes / (member.chunkBytes ?? CHUNK_BYTES));
    if (chunks.length !== count) {
      throw new DamagedDataError(
        `${manifest.path}: the manifest lists ${chunks.length} chunks for ${member.bytes} bytes.`,
      );
    }
    return chunks;
  }

  /** Places of a file's chunks in order, of the lists that name them, and of what the lists name too. @throws DamagedDataError */
  async places(
    manifest: Manifest,
    member: Member,
  ): Promise<{
    readonly chunks: Place[];
    readonly lists: readonly ListPlaces[];
    readonly patch: ListPlaces | undefined;
  }> {
    const indexed =
      member.index === undefined ? [] : decodeList(await this.read(manifest, member.index), member.index[1]);
    const lists: ListPlaces[] = [];
    this.#fetchAhead(manifest, new Set([member.patch, ...indexed].flatMap((place) => place?.[1] ?? [])));
    for (const list of [...(member.lists ?? []), ...indexed]) {
      lists.push({ list, places: decodeList(await this.read(manifest, list), list[1]) });
    }
    const chunks = [...(member.chunks ?? []), ...lists.flatMap(({ places }) => places)];
    if (member.patch === undefined) return { chunks, lists, patch: undefined };
    const entries = decodePatch(await this.read(manifest, member.patch), member.patch[1]);
    for (const { at, place } of entries) {
      if (at > chunks.length) throw new DamagedDataError(`${manifest.path}: its patch leaves a gap.`);
      chunks[at] = place;
    }
    return { chunks, lists, patch: { list: member.patch, places: entries.map(({ place }) => place) } };
  }

  /** Plain bytes of a chunk, list or page. @throws DamagedDataError where it is missing or damaged, DestinationError where it cannot be asked for. */
  async read(manifest: Manifest, [sha256, prefix, offset, length]: Place): Promise<Uint8Array> {
    const pack = manifest.packs.find((candidate) => candidate.sha256.startsWith(prefix));
    if (pack === undefined) throw new DamagedDataError(`Pack ${prefix}… is not listed in the manifest.`);
    const bytes = await this.#pack(pack.sha256, pack.bytes);
    if (bytes === undefined) throw new DamagedDataError(`Pack ${prefix}… is missing.`);
    if (offset + length > bytes.length) throw new DamagedDataError(`Pack ${prefix}… is too short.`);
    return decodeChunk(bytes.subarray(offset, offset + length), sha256);
  }

  /**
   * Writes a member into the new file `target`. Chunks that are missing or damaged are taken from `spare`, a local file that
   * may hold the same blocks. @throws DamagedDataError where some can be had nowhere.
   */
  async writeFile(
    manifest: Manifest,
    member: Member,
    target: string,
    spare: () => Promise<string | undefined>,
    onBytes?: (bytes: number) => void,
  ): Promise<{ readonly repaired: number }> {
    const places = await this.chunks(manifest, member);
    const output = await open(target, 'wx', 0o644);
    const run = new WriteRun(output);
    const chunkBytes = member.chunkBytes ?? CHUNK_BYTES;
    let repaired = 0;
    try {
      // Pack by pack, so that each is fetched once.
      const order = places.map((place, index) => ({ place, index }));
      order.sort((a, b) => (a.place[1] < b.place[1] ? -1 : a.place[1] > b.place[1] ? 1 : a.place[2] - b.place[2]));
      const packs = [...new Set(order.map(({ place }) => place[1]))];
      let pack: string | undefined;
      for (const { place, index } of order) {
        this.#signal?.throwIfAborted();
        if (place[1] !== pack) {
          pack = place[1];
          this.#fetchAhead(manifest, packs.slice(packs.indexOf(pack)));
        }
        let plain: Uint8Array;
        try {
          plain = await this.read(manifest, place);
        } catch (error) {
          if (!(error instanceof DamagedDataError)) throw error;
          plain = await readSpare(await spare(), index * chunkBytes, chunkBytes, place[0], error);
          repaired++;
        }
        await run.write(plain, index * chunkBytes);
        onBytes?.(plain.length);
      }
      await run.flush();
      await output.sync();
    } finally {
      await output.close();
    }
    return { repaired };
  }

  /** Begins to fetch packs that are needed soon, where a call takes long: as many as overlap, and as there is room for. */
  #fetchAhead(manifest: Manifest, prefixes: Iterable<string>): void {
    const most = callsAtOnce(this.#destination);
    if (most === 1) return;
    let count = 0;
    let bytes = 0;
    for (const prefix of prefixes) {
      const pack = manifest.packs.find((candidate) => candidate.sha256.startsWith(prefix));
      if (pack === undefined) continue;
      bytes += pack.bytes;
      if (count++ >= most || (count > 1 && bytes > HELD_BYTES / 2)) return;
      void this.#pack(pack.sha256, pack.bytes).catch(() => undefined); // Whoever needs it sees the error.
    }
  }

  #pack(sha256: string, bytes: number): Promise<Uint8Array | undefined> {
    const known = this.#packs.get(sha256);
    if (known !== undefined) return known.body;
    const body = this.#destination.get(packKey(sha256), { signal: this.#signal }).then((data) => {
      this.receivedBytes += data?.length ?? 0;
      return data;
    });
    for (const [oldest, held] of this.#packs) {
      if (this.#heldBytes + bytes <= HELD_BYTES) break;
      this.#packs.delete(oldest);
      this.#heldBytes -= held.bytes;
    }
    const held = { body, bytes };
    this.#packs.set(sha256, held);
    this.#heldBytes += bytes;
    body.catch(() => {
      // Asked for again, it may come.
      if (this.#packs.get(sha256) !== held) return;
      this.#packs.delete(sha256);
      this.#heldBytes -= bytes;
    });
    return body;
  }
}

/** Gathers bytes that follow each other, so that small chunks do not cost a call each. */
class WriteRun {
  readonly #output: FileHandle;
  #parts: Uint8Array[] = [];
  #start = 0;
  #bytes = 0;

  constructor(output: FileHandle) {
    this.#output = output;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    if (position !== this.#start + this.#bytes || this.#bytes >= RUN_BYTES) {
      await this.flush();
      this.#start = position;
    }
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    for (let at = 0; at < bytes.length;) {
      at += (await this.#output.write(bytes, at, bytes.length - at, this.#start + at)).bytesWritten;
    }
  }
}

async function readSpare(
  file: string | undefined,
  position: number,
  chunkBytes: number,
  sha256: string,
  error: DamagedDataError,
): Promise<Uint8Array> {
  if (file === undefined) throw error;
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    const bytes = buffer.subarray(0, await readFully(handle, buffer, position, chunkBytes));
    if (sha256Of(bytes) !== sha256) throw error;
    return bytes;
  } finally {
    await handle.close();
  }
}
