import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';

import type { ObjectChecksum } from '../destination.js';

/**
 * What a stream brings, into memory. `expected`: bytes that were announced.
 * @throws Error for a stream that ends early
 */
export async function received(
  stream: Readable,
  expected: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stopping(stream, signal)) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  assertWhole(bytes, expected);
  return Buffer.concat(chunks, bytes);
}

/** The same, but only its checksum. */
export async function receivedChecksum(
  stream: Readable,
  expected: number | undefined,
  signal: AbortSignal | undefined,
): Promise<ObjectChecksum> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stopping(stream, signal)) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  assertWhole(bytes, expected);
  return { bytes, sha256: hash.digest('hex') };
}

/** The same, into the new file `path`, synced. Nothing is left of it after an error. */
export async function receivedFile(
  streams: () => AsyncIterable<{ readonly stream: Readable; readonly expected: number | undefined }>,
  path: string,
  signal: AbortSignal | undefined,
): Promise<ObjectChecksum> {
  const output = await open(path, 'wx', 0o644);
  const hash = createHash('sha256');
  let total = 0;
  try {
    for await (const { stream, expected } of streams()) {
      let bytes = 0;
      for await (const chunk of stopping(stream, signal)) {
        hash.update(chunk as Buffer);
        await output.writeFile(chunk as Buffer);
        bytes += (chunk as Buffer).length;
      }
      assertWhole(bytes, expected);
      total += bytes;
    }
    await output.sync();
    await output.close();
  } catch (error) {
    await output.close();
    rmSync(path, { force: true });
    throw error;
  }
  return { bytes: total, sha256: hash.digest('hex') };
}

function stopping(stream: Readable, signal: AbortSignal | undefined): Readable {
  return signal === undefined ? stream : addAbortSignal(signal, stream);
}

function assertWhole(bytes: number, expected: number | undefined): void {
  if (expected !== undefined && bytes !== expected) {
    throw new Error(`The stream ended after ${bytes} of ${expected} bytes.`);
  }
}
