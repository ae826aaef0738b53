import { open } from 'node:fs/promises';

import type { CapturedFile } from '../capture/capture.js';
import { encodeChunk, encodeList, encodePatch, LIST_PLACES, type EncodedChunk } from '../chunks/chunk-codec.js';
import {
  KnownTree,
  listKey,
  toPlace,
  type ChunkIndex,
  type ChunkPlace,
  type KnownList,
} from '../chunks/chunk-index.js';
import type { PackWriter } from '../chunks/pack-writer.js';
import { DestinationError } from '../destinations/destination.js';
import { CHUNK_BYTES, chunkCount, chunkHash, readFully, sha256Of, type FileDigest } from '../files/file-digest.js';
import type { Manifest, Member } from '../format/manifest.js';

/** A file of more chunks gets lists. */
const INLINE_CHUNKS = 16;
/** Where more chunks differ from what the lists say, lists are written again. */
const PATCH_CHUNKS = 128;
/** Chunks compressed at the same time. */
const ENCODED_AT_ONCE = 16;
/** A manifest of more members gets pages. */
const INLINE_MEMBERS = 256;
/** A pack of which less than this is in use is worth merging, … */
const SMALL_PACK_BYTES = 2 << 20;
/** … where there are at least so many; between full snapshots, where there are many more. */
const MERGE_PACKS = 8;
const MOST_SMALL_PACKS = 64;

/**
 * Sends the chunks of files that the destination lacks, and describes the files. Chunk hashes are checked again when
 * bytes are read to be sent.
 * @throws DestinationError `sourceChanged` where a file is not what was captured any more.
 */
export async function storeFiles(
  files: readonly CapturedFile[],
  index: ChunkIndex,
  writer: PackWriter,
  merge: boolean,
): Promise<Pick<Manifest, 'members' | 'memberPages' | 'packs'>> {
  const stale = packsToMerge(files, index, merge ? MERGE_PACKS : MOST_SMALL_PACKS);
  const used = new Set<string>();
  const finished: (() => Member)[] = [];
  const fresh = new Map<string, ChunkPlace>();
  for (const file of files) finished.push(await storeFile(file, index, writer, stale, fresh, used));
  await writer.flush();
  const members = finished.map((member) => member());
  for (const place of fresh.values()) used.add(place.pack);
  if (members.length <= INLINE_MEMBERS) return { members, packs: packsOf(used, index) };

  const memberPages: { hash: string; place: ChunkPlace }[] = [];
  for (const page of pagesOf(members)) {
    const bytes = Buffer.from(JSON.stringify(page));
    const hash = sha256Of(bytes);
    const known = index.chunks.get(hash);
    const place = known !== undefined && !stale.has(known.pack) ? known : await writer.add(hash, bytes);
    if (writer.isFull) await writer.flush();
    memberPages.push({ hash, place });
  }
  await writer.flush();
  for (const { place } of memberPages) used.add(place.pack);
  return { memberPages: memberPages.map(({ hash, place }) => toPlace(hash, place)), packs: packsOf(used, index) };
}

async function storeFile(
  file: CapturedFile,
  index: ChunkIndex,
  writer: PackWriter,
  stale: ReadonlySet<string>,
  fresh: Map<string, ChunkPlace>,
  used: Set<string>,
): Promise<() => Member> {
  const { digest } = file;
  const { chunkBytes } = digest;
  const places = await storeChunks(file, index, writer, stale, fresh);
  for (const { place } of places) if (place.pack !== '') used.add(place.pack);
  const common = {
    ...{ path: file.path, bytes: digest.bytes, sha256: digest.sha256, modifiedAt: file.modifiedAt },
    ...(chunkBytes === CHUNK_BYTES ? {} : { chunkBytes }),
  };
  if (places.length <= INLINE_CHUNKS) {
    return () => ({ ...common, chunks: places.map(({ sha256, place }) => toPlace(sha256, place)) });
  }
  const lists = new ListWriter(index, writer, stale, fresh, used);
  const old = index.trees.get(file.path);
  const changed = old === undefined ? undefined : changedChunks(old, digest);
  if (old !== undefined && changed !== undefined && ![...old.packs].some((pack) => stale.has(pack))) {
    for (const pack of old.packs) used.add(pack);
    const patch = changed.length === 0 ? undefined : await lists.patch(changed, places);
    return () => ({
      ...common,
      index: toPlace(old.index.sha256, old.index.place),
      ...(patch === undefined ? {} : { patch: toPlace(patch.sha256, patch.place) }),
    });
  }
  const tree = await lists.tree(digest, places);
  index.trees.set(file.path, tree);
  return () => ({ ...common, index: toPlace(tree.index.sha256, tree.index.place) });
}

/** Places of all chunks of a file; those that the destination lacks are put into packs. */
async function storeChunks(
  file: CapturedFile,
  index: ChunkIndex,
  writer: PackWriter,
  stale: ReadonlySet<string>,
  fresh: Map<string, ChunkPlace>,
): Promise<ListEntry[]> {
  const { digest } = file;
  const places: ListEntry[] = [];
  const source = new ChunkSource(file);
  const known = (hash: string): ChunkPlace | undefined => {
    const place = fresh.get(hash) ?? index.chunks.get(hash);
    return place === undefined || stale.has(place.pack) ? undefined : place;
  };
  try {
    for (let first = 0; first < chunkCount(digest); first += ENCODED_AT_ONCE) {
      const last = Math.min(first + ENCODED_AT_ONCE, chunkCount(digest));
      const encoded = new Map<string, Promise<EncodedChunk>>();
      for (let at = first; at < last; at++) {
        const hash = chunkHash(digest, at);
        if (known(hash) === undefined && !encoded.has(hash))
          encoded.set(hash, encodeChunk(await source.read(at, hash, at - first)));
      }
      // In the order of the file, so that a restore reads and writes forward.
      for (const [hash, chunk] of encoded) fresh.set(hash, writer.addEncoded(hash, await chunk));
      for (let at = first; at < last; at++) {
        const hash = chunkHash(digest, at);
        const place = known(hash);
        if (place !== undefined) places.push({ sha256: hash, place });
      }
      if (writer.isFull) await writer.flush();
    }
  } finally {
    await source.close();
  }
  return places;
}

/** Numbers of the chunks that differ from what the lists say; undefined where there are too many for a patch. */
function changedChunks(old: KnownTree, digest: FileDigest): number[] | undefined {
  const count = chunkCount(digest);
  if (old.chunkBytes !== digest.chunkBytes || count * 32 < old.chunkHashes.length) return undefined;
  const changed: number[] = [];
  for (let at = 0; at < count; at++) {
    const [start, end] = [at * 32, (at + 1) * 32];
    if (end <= old.chunkHashes.length && digest.chunkHashes.compare(old.chunkHashes, start, end, start, end) === 0)
      continue;
    changed.push(at);
    if (changed.length > PATCH_CHUNKS) return undefined;
  }
  return changed;
}

interface ListEntry {
  readonly sha256: string;
  readonly place: ChunkPlace;
}

/** Writes lists of chunks; one that the destination holds already is named only. */
class ListWriter {
  readonly #index: ChunkIndex;
  readonly #writer: PackWriter;
  readonly #stale: ReadonlySet<string>;
  readonly #fresh: Map<string, ChunkPlace>;
  readonly #used: Set<string>;

  constructor(
    index: ChunkIndex,
    writer: PackWriter,
    stale: ReadonlySet<string>,
    fresh: Map<string, ChunkPlace>,
    used: Set<string>,
  ) {
    this.#index = index;
    this.#writer = writer;
    this.#stale = stale;
    this.#fresh = fresh;
    this.#used = used;
  }

  async tree(digest: FileDigest, places: readonly ListEntry[]): Promise<KnownTree> {
    const lists: KnownList[] = [];
    for (let first = 0; first < places.length; first += LIST_PLACES) {
      const group = places.slice(first, first + LIST_PLACES);
      const key = listKey(digest.chunkHashes.subarray(first * 32, (first + group.length) * 32));
      lists.push(await this.#list(key, group, () => encodeList(group)));
    }
    const key = listKey(Buffer.from(`index ${lists.map(({ sha256 }) => sha256).join(' ')}`));
    const index = await this.#list(key, lists, () => encodeList(lists));
    return new KnownTree(digest.chunkBytes, digest.chunkHashes, index, lists);
  }

  patch(changed: readonly number[], places: readonly ListEntry[]): Promise<KnownList> {
    const entries = changed.flatMap((at) => {
      const entry = places[at];
      return entry === undefined ? [] : [{ at, ...entry }];
    });
    const key = listKey(Buffer.from(`patch ${entries.map(({ at, sha256 }) => `${at}:${sha256}`).join(' ')}`));
    return this.#list(key, entries, () => encodePatch(entries));
  }

  async #list(key: string, entries: readonly ListEntry[], encode: () => Buffer): Promise<KnownList> {
    const there = this.#index.lists.get(key);
    if (there !== undefined) {
      const packs = [there.place.pack, ...there.chunks.map((chunk) => chunk.pack)];
      if (!packs.some((pack) => this.#stale.has(pack))) {
        for (const pack of packs) this.#used.add(pack);
        return there;
      }
    }
    const bytes = encode();
    const sha256 = sha256Of(bytes);
    const chunks = entries.map(({ place }) => place);
    const place = await this.#writer.add(sha256, bytes, { key, chunks });
    this.#fresh.set(`list ${key}`, place);
    if (this.#writer.isFull) await this.#writer.flush();
    return { sha256, place, chunks };
  }
}

/** Reads chunks of a captured file and holds them against what was captured. */
class ChunkSource {
  readonly #file: CapturedFile;
  #room: Buffer | undefined;
  #handle: Awaited<ReturnType<typeof open>> | undefined;

  constructor(file: CapturedFile) {
    this.#file = file;
  }

  /** `place`: which of so many as are looked at together; what was read there before is overwritten. */
  async read(index: number, hash: string, place: number): Promise<Uint8Array> {
    const { source, digest } = this.#file;
    const { chunkBytes } = digest;
    const length = Math.min(chunkBytes, digest.bytes - index * chunkBytes);
    this.#room ??= Buffer.allocUnsafe(chunkBytes * Math.min(ENCODED_AT_ONCE, chunkCount(digest)));
    const buffer = this.#room.subarray(place * chunkBytes, place * chunkBytes + length);
    try {
      this.#handle ??= await open(source, 'r');
      const read = await readFully(this.#handle, buffer, index * chunkBytes, length);
      if (read === length && sha256Of(buffer) === hash) return buffer;
    } catch (error) {
      throw new DestinationError('sourceChanged', `${source} cannot be read any more.`, { cause: error });
    }
    throw new DestinationError('sourceChanged', `${source} changed while it was backed up.`);
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }
}

function packsToMerge(files: readonly CapturedFile[], index: ChunkIndex, fewest: number): Set<string> {
  const live = new Map<string, number>();
  for (const { digest } of files) {
    for (let at = 0; at < chunkCount(digest); at++) {
      const place = index.chunks.get(chunkHash(digest, at));
      if (place !== undefined) live.set(place.pack, (live.get(place.pack) ?? 0) + place.length);
    }
  }
  const small = [...live].filter(([, bytes]) => bytes < SMALL_PACK_BYTES).map(([pack]) => pack);
  return new Set(small.length < fewest ? [] : small);
}

function packsOf(used: ReadonlySet<string>, index: ChunkIndex): Manifest['packs'] {
  return [...used].sort().map((sha256) => ({ sha256, bytes: index.packs.get(sha256) ?? 0 }));
}

/** Cuts at paths, not at counts, so that one more member changes one page. */
function* pagesOf(members: readonly Member[]): Generator<Member[]> {
  let page: Member[] = [];
  for (const member of members) {
    page.push(member);
    if (!/^0[01]/.test(sha256Of(Buffer.from(member.path)))) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
