import { DamagedDataError } from '../chunks/chunk-codec.js';
import { ChunkIndex, KnownTree, listKey, type ChunkPlace, type KnownList } from '../chunks/chunk-index.js';
import { ChunkReader, type ListPlaces } from '../chunks/chunk-reader.js';
import { callsAtOnce, eachAtOnce } from '../destinations/at-once.js';
import type { Destination } from '../destinations/destination.js';
import { CHUNK_BYTES } from '../files/file-digest.js';
import { loadManifest } from '../format/catalog.js';
import { ManifestError, type Manifest, type ManifestName, type Member, type Place } from '../format/manifest.js';
import { packKey } from '../format/packs.js';

/** Manifests that are looked at, at most, for one to build on. */
const TRIES = 8;

/**
 * What a destination holds of the newest readable state of a target. Every pack is held against its checksum before
 * anything is built on it: what was damaged or removed since is simply not known, and so is sent again.
 */
export async function knownAt(
  destination: Destination,
  target: string,
  names: readonly ManifestName[],
  signal?: AbortSignal,
): Promise<ChunkIndex> {
  for (const { name } of names.slice(0, TRIES)) {
    try {
      const manifest = await loadManifest(destination, target, name, { signal });
      return await indexOf(destination, manifest, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ManifestError) && !(error instanceof DamagedDataError)) throw error;
    }
  }
  return new ChunkIndex();
}

async function indexOf(
  destination: Destination,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): Promise<ChunkIndex> {
  const index = new ChunkIndex();
  const full = new Map<string, string>();
  await eachAtOnce(manifest.packs, callsAtOnce(destination), async ({ sha256 }) => {
    const found = await destination.checksum(packKey(sha256), { signal });
    if (found?.sha256 !== sha256) return;
    index.packs.set(sha256, found.bytes);
    full.set(sha256.slice(0, 16), sha256);
  });
  const place = ([, prefix, offset, length]: Place): ChunkPlace | undefined => {
    const pack = full.get(prefix);
    return pack === undefined ? undefined : { pack, offset, length };
  };
  const addChunks = (places: readonly Place[]): ChunkPlace[] => {
    const added: ChunkPlace[] = [];
    for (const entry of places) {
      const known = place(entry);
      if (known === undefined) continue;
      index.chunks.set(entry[0], known);
      added.push(known);
    }
    return added;
  };
  const reader = new ChunkReader(destination, signal);
  addChunks(manifest.memberPages ?? []);
  for (const member of await reader.members(manifest)) await addMember(member);
  return index;

  /** Its chunks; its lists as far as all of what they name is there; and these as a whole, for a patch, where all of them are. */
  async function addMember(member: Member): Promise<void> {
    const { lists, chunks } = await reader.places(manifest, member);
    addChunks(chunks);
    const known = lists.map(({ list, places }) => {
      const hashes = Buffer.from(places.map(([sha256]) => sha256).join(''), 'hex');
      return { hashes, list: addList(listKey(hashes), { list, places }) };
    });
    const { index: top, chunkBytes = CHUNK_BYTES } = member;
    const topPlace = top && place(top);
    const whole = known.flatMap(({ list }) => list ?? []);
    if (top === undefined || topPlace === undefined || whole.length < known.length) return;
    const hashes = Buffer.concat(known.map((list) => list.hashes));
    index.trees.set(member.path, new KnownTree(chunkBytes, hashes, { sha256: top[0], place: topPlace }, whole));
  }

  function addList(key: string, { list, places }: ListPlaces): KnownList | undefined {
    const listPlace = place(list);
    if (listPlace === undefined) return undefined;
    const chunks = addChunks(places);
    if (chunks.length < places.length) return undefined;
    const known = { sha256: list[0], place: listPlace, chunks };
    index.lists.set(key, known);
    return known;
  }
}
