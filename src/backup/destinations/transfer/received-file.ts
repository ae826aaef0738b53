import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';

import { messageOf } from '../../../core/errors.js';
import { DestinationError, type ObjectChecksum } from '../destination.js';

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
  await taken(stream, expected, signal, (chunk) => {
    chunks.push(chunk);
  });
  return Buffer.concat(chunks);
}

/** The same, but only its checksum. */
export async function receivedChecksum(
  stream: Readable,
  expected: number | undefined,
  signal: AbortSignal | undefined,
): Promise<ObjectChecksum> {
  const hash = createHash('sha256');
  const bytes = await taken(stream, expected, signal, (chunk) => {
    hash.update(chunk);
  });
  return { bytes, sha256: hash.digest('hex') };
}

/** The same of several streams, one after the other, into the new file `path`, synced. */
export async function receivedFile(
  streams: () => AsyncIterable<{ readonly stream: Readable; readonly expected: number | undefined }>,
  path: string,
  signal: AbortSignal | undefined,
): Promise<ObjectChecksum> {
  return newFile(path, async (write) => {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const { stream, expected } of streams()) {
      bytes += await taken(stream, expected, signal, async (chunk) => {
        hash.update(chunk);
        await write(chunk);
      });
    }
    return { bytes, sha256: hash.digest('hex') };
  });
}

/**
 * Makes a local file, which must not be there yet, and syncs it. Nothing is left of it after an error, or where `fill` gives undefined.
 * @throws DestinationError `localFile` where the disk here is at fault
 */
export async function newFile<T>(
  path: string,
  fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<T>,
): Promise<T> {
  const output = await here(path, () => open(path, 'wx', 0o644));
  let isComplete = false;
  try {
    const result = await fill((bytes) => here(path, () => output.writeFile(bytes)));
    await here(path, () => output.sync());
    isComplete = result !== undefined;
    return result;
  } finally {
    await output.close();
    if (!isComplete) rmSync(path, { force: true });
  }
}

async function here<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new DestinationError('localFile', `${path} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

/** Hands a stream on in blocks, each awaited; gives back how much it was. */
async function taken(
  stream: Readable,
  expected: number | undefined,
  signal: AbortSignal | undefined,
  take: (chunk: Buffer) => void | Promise<void>,
): Promise<number> {
  let bytes = 0;
  for await (const chunk of signal === undefined ? stream : addAbortSignal(signal, stream)) {
    await take(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  if (expected !== undefined && bytes !== expected) {
    throw new Error(`The stream ended after ${bytes} of ${expected} bytes.`);
  }
  return bytes;
}
