import { decodeChunk, DamagedDataError, encodeChunk } from '../chunks/chunk-codec.js';
import { ChunkReader } from '../chunks/chunk-reader.js';
import { DestinationError, type Destination } from '../destinations/destination.js';
import { sha256Of } from '../files/file-digest.js';
import type { Manifest, Place } from '../format/manifest.js';
import { packKey } from '../format/packs.js';
import type { ChunkPool } from './chunk-pool.js';

/**
 * Makes the bytes of a damaged or missing pack again: from another destination that holds the very same pack, else from what of it is
 * whole and the chunks that are still somewhere. What comes out is the pack, to the bit, or nothing.
 * @returns where the bytes came from; undefined where the pack cannot be made again
 */
export async function rebuildPack(
  sha256: string,
  destination: Destination,
  others: readonly Destination[],
  manifests: readonly Manifest[],
  pool: ChunkPool,
  signal: AbortSignal | undefined,
): Promise<{ readonly bytes: Uint8Array; readonly from: string } | undefined> {
  for (const other of others) {
    try {
      const bytes = await other.get(packKey(sha256), { signal });
      if (bytes !== undefined && sha256Of(bytes) === sha256) return { bytes, from: other.name };
    } catch (error) {
      if (!(error instanceof DestinationError)) throw error;
    }
  }
  const left = (await destination.get(packKey(sha256), { signal })) ?? new Uint8Array();
  const size = sizeOf(sha256, manifests) ?? left.length;
  const whole = Buffer.alloc(size);
  whole.set(left.subarray(0, size));
  const from = new Set<string>();
  for (const [hash, , offset, length] of await placesIn(sha256, destination, manifests, signal)) {
    if (offset + length > size) return undefined;
    if (isWhole(whole.subarray(offset, offset + length), hash)) continue;
    const found = await pool.find(hash);
    if (found === undefined) return undefined;
    const { encoding, bytes } = await encodeChunk(found.plain);
    if (1 + bytes.length !== length) return undefined; // Packed by another version of zlib.
    whole[offset] = encoding;
    whole.set(bytes, offset + 1);
    from.add(found.from);
  }
  return sha256Of(whole) === sha256 ? { bytes: whole, from: [...from].sort().join(', ') } : undefined;
}

function isWhole(stored: Uint8Array, sha256: string): boolean {
  try {
    decodeChunk(stored, sha256);
    return true;
  } catch {
    return false;
  }
}

function sizeOf(sha256: string, manifests: readonly Manifest[]): number | undefined {
  for (const { packs } of manifests) {
    const pack = packs.find((candidate) => candidate.sha256 === sha256);
    if (pack !== undefined && pack.bytes > 0) return pack.bytes;
  }
  return undefined;
}

/** Everything that manifests place in a pack: chunks, lists of chunks, pages of members. */
async function placesIn(
  sha256: string,
  destination: Destination,
  manifests: readonly Manifest[],
  signal: AbortSignal | undefined,
): Promise<Place[]> {
  const prefix = sha256.slice(0, 16);
  const places = new Map<string, Place>();
  const add = (place: Place): void => {
    if (place[1] === prefix) places.set(`${place[0]} ${place[2]}`, place);
  };
  const reader = new ChunkReader(destination, signal);
  for (const manifest of manifests) {
    if (!manifest.packs.some((pack) => pack.sha256 === sha256)) continue;
    for (const page of manifest.memberPages ?? []) add(page);
    try {
      for (const member of await reader.members(manifest)) {
        for (const place of [member.index, member.patch, ...(member.lists ?? [])]) if (place !== undefined) add(place);
        const { chunks, lists, patch } = await reader.places(manifest, member);
        for (const chunk of chunks) add(chunk);
        for (const { list, places: named } of patch === undefined ? lists : [...lists, patch]) {
          add(list);
          for (const chunk of named) add(chunk);
        }
      }
    } catch (error) {
      // What this manifest says cannot be read to the end; another may say it.
      if (!(error instanceof DamagedDataError)) throw error;
    }
  }
  return [...places.values()];
}
