import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

import { messageOf } from '../../core/errors.js';
import { readFully } from '../files/file-digest.js';

const TAR_BLOCK = 512;

/**
 * Reads an archive to its end: every entry of a ZIP with its checksum, a gzip stream with its own, every header of a TAR. What it is
 * goes by `name`.
 * @returns what is wrong with it; undefined where nothing is, or where it is no archive
 */
export async function archiveProblem(file: string, name: string): Promise<string | undefined> {
  try {
    if (/\.(?:zip|npz|whl|jar)$/i.test(name)) await readZip(file);
    else if (/\.(?:gz|tgz)$/i.test(name)) await pipeline(createReadStream(file), createGunzip(), nowhere());
    else if (/\.tar$/i.test(name)) await readTar(file);
    return undefined;
  } catch (error) {
    return `The archive cannot be read to its end: ${messageOf(error)}`;
  }
}

function nowhere(): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
}

/** yauzl holds sizes and the structure against each other; it leaves the CRC to its user. */
async function readZip(file: string): Promise<void> {
  const yauzl = (await import('yauzl')).default;
  const zip = await yauzl.openPromise(file);
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue;
    let crc = -1;
    const stream = await zip.openReadStreamPromise(entry);
    stream.on('data', (bytes: Buffer) => (crc = crc32(bytes, crc)));
    await pipeline(stream, nowhere());
    if ((crc ^ -1) >>> 0 !== entry.crc32) throw new Error(`${entry.fileName} does not match its checksum`);
  }
}

async function readTar(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const block = Buffer.alloc(TAR_BLOCK);
    for (let at = 0; at < size;) {
      if ((await readFully(handle, block, at, TAR_BLOCK)) < TAR_BLOCK)
        throw new Error('it ends in the middle of a header');
      if (block.every((byte) => byte === 0)) return;
      const sum = Number.parseInt(block.toString('latin1', 148, 156), 8);
      const actual = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
      if (sum !== actual) throw new Error(`a header at byte ${at} does not match its checksum`);
      const bytes = Number.parseInt(block.toString('latin1', 124, 136), 8);
      at += TAR_BLOCK + Math.ceil(bytes / TAR_BLOCK) * TAR_BLOCK;
      if (at > size) throw new Error('its last file is cut off');
    }
  } finally {
    await handle.close();
  }
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Goes on from `crc` (−1 at the start); the result is inverted by the caller. `node:zlib` has one from Node 22.2 on. */
function crc32(bytes: Uint8Array, crc: number): number {
  let value = crc;
  for (const byte of bytes) value = (CRC_TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return value;
}
