import { loadManifest } from './catalog.js';
import { DamagedDataError, decodeList } from './chunk-codec.js';
import { ChunkIndex, listKey, type ChunkPlace } from './chunk-index.js';
import { ChunkReader } from './chunk-reader.js';
import type { Destination } from './destination.js';
import { ManifestError, type Manifest, type ManifestName, type Place } from './manifest.js';
import { packKey } from './pack-writer.js';

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
  for (const pack of manifest.packs) {
    const found = await destination.checksum(packKey(pack.sha256), { signal });
    if (found?.sha256 !== pack.sha256) continue;
    index.packs.set(pack.sha256, found.bytes);
    full.set(pack.sha256.slice(0, 16), pack.sha256);
  }
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
  for (const member of await reader.members(manifest)) {
    addChunks(member.chunks ?? []);
    for (const list of member.lists ?? []) {
      const listPlace = place(list);
      if (listPlace === undefined) continue;
      const places = decodeList(await reader.read(manifest, list), list[1]);
      const chunks = addChunks(places);
      if (chunks.length < places.length) continue;
      const key = listKey(Buffer.from(places.map(([sha256]) => sha256).join(''), 'hex'));
      index.lists.set(key, { sha256: list[0], place: listPlace, chunks });
    }
  }
  return index;
}
