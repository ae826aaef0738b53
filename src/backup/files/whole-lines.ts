import { createReadStream, createWriteStream } from 'node:fs';
import { open, writeFile, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import { readFully } from './file-digest.js';

const BLOCK_BYTES = 1 << 18;
const LINE_BREAK = 0x0a;

/** Copies the first `bytes` of a file that grows up to their last whole line into the new file `copy`, however large it is. */
export async function copyWholeLines(path: string, bytes: number, copy: string): Promise<void> {
  const handle = await open(path, 'r');
  let end: number;
  try {
    end = await endOfLastLine(handle, bytes);
  } finally {
    await handle.close();
  }
  if (end === 0) await writeFile(copy, '', { flag: 'wx' });
  else await pipeline(createReadStream(path, { end: end - 1 }), createWriteStream(copy, { flags: 'wx' }));
}

/** Behind the last line break of the first `bytes`; all of them where there is none. */
async function endOfLastLine(handle: FileHandle, bytes: number): Promise<number> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let end = bytes; end > 0;) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const length = await readFully(handle, block, start, end - start);
    const at = block.subarray(0, length).lastIndexOf(LINE_BREAK);
    if (at !== -1) return start + at + 1;
    end = start;
  }
  return bytes;
}
