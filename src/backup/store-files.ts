import { open } from 'node:fs/promises';

import type { CapturedFile } from './capture.js';
import { encodeList, LIST_PLACES } from './chunk-codec.js';
import { listKey, toPlace, type ChunkIndex, type ChunkPlace } from './chunk-index.js';
import { DestinationError } from './destination.js';
import { CHUNK_BYTES, chunkCount, chunkHash, readFully, sha256Of } from './file-digest.js';
import type { Manifest, Member } from './manifest.js';
import type { PackWriter } from './pack-writer.js';

/** A file of more chunks gets lists. */
const INLINE_CHUNKS = 16;
/** A manifest of more members gets pages. */
const INLINE_MEMBERS = 256;
/** A pack of which less than this is in use is worth merging, … */
const SMALL_PACK_BYTES = 2 << 20;
/** … where there are at least so many. */
const MERGE_PACKS = 8;

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
  const stale = merge ? packsToMerge(files, index) : new Set<string>();
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
  const count = chunkCount(digest);
  const known = (hash: string): ChunkPlace | undefined => {
    const place = fresh.get(hash) ?? index.chunks.get(hash);
    return place === undefined || stale.has(place.pack) ? undefined : place;
  };
  const common = { path: file.path, bytes: digest.bytes, sha256: digest.sha256, modifiedAt: file.modifiedAt };
  const reader = new ChunkSource(file);
  try {
    const places: { sha256: string; place: ChunkPlace }[] = [];
    const lists: { sha256: string; place: ChunkPlace }[] = [];
    for (let first = 0; first < count; first += LIST_PLACES) {
      const last = Math.min(first + LIST_PLACES, count);
      const group: typeof places = [];
      let changed = false;
      for (let at = first; at < last; at++) {
        const hash = chunkHash(digest, at);
        let place = known(hash);
        if (place === undefined) {
          place = await writer.add(hash, await reader.read(at, hash));
          fresh.set(hash, place);
          changed = true;
        }
        if (place.pack !== '') used.add(place.pack);
        group.push({ sha256: hash, place });
      }
      if (count <= INLINE_CHUNKS) {
        places.push(...group);
      } else {
        const key = listKey(digest.chunkHashes.subarray(first * 32, last * 32));
        const there = changed ? undefined : index.lists.get(key);
        const packs = there === undefined ? [] : [there.place.pack, ...there.chunks.map((chunk) => chunk.pack)];
        if (there !== undefined && !packs.some((pack) => stale.has(pack))) {
          for (const pack of packs) used.add(pack);
          lists.push(there);
        } else {
          const bytes = encodeList(group);
          const sha256 = sha256Of(bytes);
          const place = await writer.add(sha256, bytes, { key, chunks: group.map((entry) => entry.place) });
          fresh.set(`list ${sha256}`, place);
          lists.push({ sha256, place });
        }
      }
      // Only here: a list names chunks of its own pack as such.
      if (writer.isFull) await writer.flush();
    }
    const toPlaces = (entries: typeof places) => entries.map(({ sha256, place }) => toPlace(sha256, place));
    return () =>
      count <= INLINE_CHUNKS ? { ...common, chunks: toPlaces(places) } : { ...common, lists: toPlaces(lists) };
  } finally {
    await reader.close();
  }
}

/** Reads chunks of a captured file and holds them against what was captured. */
class ChunkSource {
  readonly #file: CapturedFile;
  #handle: Awaited<ReturnType<typeof open>> | undefined;

  constructor(file: CapturedFile) {
    this.#file = file;
  }

  async read(index: number, hash: string): Promise<Uint8Array> {
    const { source, digest } = this.#file;
    const length = Math.min(CHUNK_BYTES, digest.bytes - index * CHUNK_BYTES);
    const buffer = Buffer.allocUnsafe(length);
    try {
      this.#handle ??= await open(source, 'r');
      const read = await readFully(this.#handle, buffer, index * CHUNK_BYTES, length);
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

function packsToMerge(files: readonly CapturedFile[], index: ChunkIndex): Set<string> {
  const live = new Map<string, number>();
  for (const { digest } of files) {
    for (let at = 0; at < chunkCount(digest); at++) {
      const place = index.chunks.get(chunkHash(digest, at));
      if (place !== undefined) live.set(place.pack, (live.get(place.pack) ?? 0) + place.length);
    }
  }
  const small = [...live].filter(([, bytes]) => bytes < SMALL_PACK_BYTES).map(([pack]) => pack);
  return new Set(small.length < MERGE_PACKS ? [] : small);
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
