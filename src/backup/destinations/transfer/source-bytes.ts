import { open, type FileHandle } from 'node:fs/promises';

import { readFully, sha256Of } from '../../files/file-digest.js';
import { DestinationError, type ObjectBody } from '../destination.js';

export function sizeOf(body: ObjectBody): number {
  return body instanceof Uint8Array ? body.length : body.bytes;
}

/** A whole small body, held against its checksum. @throws DestinationError `damaged` or `sourceChanged` */
export async function wholeBody(where: string, body: ObjectBody, sha256: string): Promise<Uint8Array> {
  const source = new BodySource(body);
  try {
    const bytes = await source.read(0, sizeOf(body));
    if (sha256Of(bytes) === sha256) return bytes;
    throw body instanceof Uint8Array
      ? new DestinationError('damaged', `${where} is not what its checksum says.`)
      : new DestinationError('sourceChanged', `${body.file} changed while it was read.`);
  } finally {
    await source.close();
  }
}

/** Reads parts of a body, from memory or from its file. */
export class BodySource {
  readonly #body: ObjectBody;
  #handle: FileHandle | undefined;

  constructor(body: ObjectBody) {
    this.#body = body;
  }

  /**
   * `room`: where a file's bytes go, so that reading many parts takes the memory of one.
   * @throws DestinationError `sourceChanged` where the file cannot be read, or is too short
   */
  async read(offset: number, length: number, room?: Buffer): Promise<Uint8Array> {
    const body = this.#body;
    if (body instanceof Uint8Array) return body.subarray(offset, offset + length);
    const buffer = room?.subarray(0, length) ?? Buffer.allocUnsafe(length);
    let read: number;
    try {
      this.#handle ??= await open(body.file, 'r');
      read = await readFully(this.#handle, buffer, offset, length);
    } catch (error) {
      throw new DestinationError('sourceChanged', `${body.file} cannot be read any more.`, { cause: error });
    }
    if (read < length) throw new DestinationError('sourceChanged', `${body.file} became shorter.`);
    return buffer;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }
}
