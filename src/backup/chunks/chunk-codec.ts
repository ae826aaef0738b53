import { promisify } from 'node:util';
import { deflateRaw, inflateRawSync } from 'node:zlib';

import { ResweepError } from '../../core/errors.js';
import { sha256Of } from '../files/file-digest.js';
import type { Place } from '../format/manifest.js';
import type { ChunkPlace } from './chunk-index.js';

/** Largest plain size of anything stored as a chunk: a bound for what a damaged one may unpack to. */
const MAX_PLAIN_BYTES = 1 << 26;
/** More than what deflate adds to a chunk that it cannot compress. */
const DEFLATE_SPARE_BYTES = 256;
const deflate = promisify(deflateRaw);

/** Data at a destination is missing or not what it must be. */
export class DamagedDataError extends ResweepError {
  constructor(message: string, cause?: unknown) {
    super('BACKUP_DAMAGED', message, { cause, exitCode: 3 });
  }
}

/** A chunk as it is stored: one byte that says how (0 plain, 1 raw deflate), and the bytes. */
export interface EncodedChunk {
  readonly encoding: 0 | 1;
  /** What was given, where nothing is gained by compressing it. */
  readonly bytes: Uint8Array;
}

/** Compresses off this thread. */
export async function encodeChunk(plain: Uint8Array): Promise<EncodedChunk> {
  // What does not get smaller fits as well: one piece of memory, as large as it must be.
  const packed = await deflate(plain, { level: 3, chunkSize: plain.length + DEFLATE_SPARE_BYTES });
  return packed.length < plain.length ? { encoding: 1, bytes: packed } : { encoding: 0, bytes: plain };
}

/** @throws DamagedDataError where the bytes are not those of `sha256`. */
export function decodeChunk(stored: Uint8Array, sha256: string): Uint8Array {
  let plain: Uint8Array;
  try {
    const body = stored.subarray(1);
    if (stored[0] === 1) plain = inflateRawSync(body, { maxOutputLength: MAX_PLAIN_BYTES });
    else if (stored[0] === 0) plain = body;
    else throw new Error(`unknown encoding ${String(stored[0])}`);
  } catch (error) {
    throw new DamagedDataError(`Chunk ${sha256.slice(0, 16)}… cannot be unpacked.`, error);
  }
  if (sha256Of(plain) !== sha256) {
    throw new DamagedDataError(`Chunk ${sha256.slice(0, 16)}… is damaged: its checksum differs.`);
  }
  return plain;
}

/** Places in one list. */
export const LIST_PLACES = 256;
const ENTRY_BYTES = 48;

/** A list of chunks as stored; chunks whose pack is not sent yet must go into the pack that gets the list. */
export function encodeList(entries: readonly { readonly sha256: string; readonly place: ChunkPlace }[]): Buffer {
  const bytes = Buffer.alloc(entries.length * ENTRY_BYTES);
  entries.forEach(({ sha256, place }, index) => {
    const at = index * ENTRY_BYTES;
    bytes.write(sha256, at, 'hex');
    if (place.pack !== '') bytes.write(place.pack.slice(0, 16), at + 32, 'hex');
    bytes.writeUInt32BE(place.offset, at + 40);
    bytes.writeUInt32BE(place.length, at + 44);
  });
  return bytes;
}

/** Bytes of a patch's entry: the chunk's number, and its place. */
const PATCH_BYTES = 4 + ENTRY_BYTES;

/** A patch as stored, `entries` by the chunk's number; as with a list, its pack is that of what is not sent yet. */
export function encodePatch(
  entries: readonly { readonly at: number; readonly sha256: string; readonly place: ChunkPlace }[],
): Buffer {
  const places = encodeList(entries);
  const bytes = Buffer.alloc(entries.length * PATCH_BYTES);
  entries.forEach(({ at }, index) => {
    bytes.writeUInt32BE(at, index * PATCH_BYTES);
    places.copy(bytes, index * PATCH_BYTES + 4, index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES);
  });
  return bytes;
}

/** `own` as of `decodeList`. @throws DamagedDataError */
export function decodePatch(bytes: Uint8Array, own: string): { readonly at: number; readonly place: Place }[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length % PATCH_BYTES !== 0) throw new DamagedDataError('A patch of chunks has a wrong length.');
  const entries: { at: number; place: Place }[] = [];
  for (let start = 0; start < buffer.length; start += PATCH_BYTES) {
    const [place] = decodeList(buffer.subarray(start + 4, start + PATCH_BYTES), own);
    if (place !== undefined) entries.push({ at: buffer.readUInt32BE(start), place });
  }
  return entries;
}

/** `own`: the first 16 hex of the pack that holds the list. @throws DamagedDataError */
export function decodeList(bytes: Uint8Array, own: string): Place[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length % ENTRY_BYTES !== 0) throw new DamagedDataError('A list of chunks has a wrong length.');
  const places: Place[] = [];
  for (let at = 0; at < buffer.length; at += ENTRY_BYTES) {
    const pack = buffer.toString('hex', at + 32, at + 40);
    places.push([
      buffer.toString('hex', at, at + 32),
      /^0+$/.test(pack) ? own : pack,
      buffer.readUInt32BE(at + 40),
      buffer.readUInt32BE(at + 44),
    ]);
  }
  return places;
}
