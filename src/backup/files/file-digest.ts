import { createHash, hash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** Size of a chunk; the last one of a file is shorter. */
export const CHUNK_BYTES = 32_768;
/** Size of a chunk of a database: one page of SQLite's, as a rule, since pages are what changes. */
export const DATABASE_CHUNK_BYTES = 4096;
const HASH_BYTES = 32;
/** Read and hashed in one go; about a millisecond, so that the event loop stays free. */
const BLOCK_BYTES = 8 * CHUNK_BYTES;

export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
  readonly chunkBytes: number;
  /** SHA-256 of each chunk, 32 bytes each. */
  readonly chunkHashes: Buffer;
}

export function sha256Of(data: Uint8Array): string {
  return hash('sha256', data, 'hex');
}

export function chunkCount(digest: FileDigest): number {
  return digest.chunkHashes.length / HASH_BYTES;
}

/** SHA-256 of chunk `index`, hexadecimal. */
export function chunkHash(digest: FileDigest, index: number): string {
  return digest.chunkHashes.toString('hex', index * HASH_BYTES, (index + 1) * HASH_BYTES);
}

/** Reads a file once and hashes it whole and by chunks. `limit`: only its first bytes. */
export async function digestFile(
  path: string,
  limit = Infinity,
  signal?: AbortSignal,
  chunkBytes = CHUNK_BYTES,
): Promise<FileDigest> {
  const handle = await open(path, 'r');
  try {
    const whole = createHash('sha256');
    const hashes: Buffer[] = [];
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    let bytes = 0;
    for (;;) {
      signal?.throwIfAborted();
      const read = await readFully(handle, block, bytes, Math.min(BLOCK_BYTES, limit - bytes));
      const data = block.subarray(0, read);
      whole.update(data);
      for (let at = 0; at < read; at += chunkBytes) {
        hashes.push(hash('sha256', data.subarray(at, at + chunkBytes), 'buffer'));
      }
      bytes += read;
      if (read < BLOCK_BYTES) break;
    }
    return { bytes, sha256: whole.digest('hex'), chunkBytes, chunkHashes: Buffer.concat(hashes) };
  } finally {
    await handle.close();
  }
}

/** Reads until `length` bytes are there or the file ends; a short read of the system is continued. */
export async function readFully(
  handle: {
    read: (buffer: Buffer, offset: number, length: number, position: number) => Promise<{ bytesRead: number }>;
  },
  buffer: Buffer,
  position: number,
  length: number,
): Promise<number> {
  let total = 0;
  while (total < length) {
    const { bytesRead } = await handle.read(buffer, total, length - total, position + total);
    if (bytesRead === 0) break;
    total += bytesRead;
  }
  return total;
}
