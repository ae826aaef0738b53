import { createHash } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';

import { readFully } from '../../files/file-digest.js';
import { DestinationError, type ObjectBody } from '../destination.js';

const BLOCK_BYTES = 1 << 18;

/** What is uploaded, readable at any place and more than once: an upload goes on where the server says. */
export class UploadSource {
  readonly bytes: number;
  readonly #data: Uint8Array | undefined;
  readonly #file: string;
  readonly #handle: FileHandle | undefined;

  private constructor(bytes: number, data: Uint8Array | undefined, file: string, handle: FileHandle | undefined) {
    this.bytes = bytes;
    this.#data = data;
    this.#file = file;
    this.#handle = handle;
  }

  /** Opens it and holds it against its checksum, before anything is sent. @throws DestinationError */
  static async open(
    body: ObjectBody,
    sha256: string,
    what: string,
    signal: AbortSignal | undefined,
  ): Promise<UploadSource> {
    if (body instanceof Uint8Array) {
      const source = new UploadSource(body.length, body, '', undefined);
      if ((await source.hash('sha256', signal)) === sha256) return source;
      throw new DestinationError('damaged', `${what} is not what its checksum says.`);
    }
    const { file } = body;
    let handle: FileHandle | undefined;
    try {
      handle = await open(file, 'r');
      const source = new UploadSource((await handle.stat()).size, undefined, file, handle);
      if ((await source.hash('sha256', signal)) === sha256) return source;
    } catch (error) {
      await handle?.close();
      if (signal?.aborted === true) throw error;
      throw new DestinationError('sourceChanged', `${file} cannot be read any more.`, { cause: error });
    }
    await handle.close();
    throw new DestinationError('sourceChanged', `${file} changed while it was read.`);
  }

  get isInMemory(): boolean {
    return this.#data !== undefined;
  }

  /** `room`: where a file's bytes go, so that reading many blocks takes the memory of one. */
  async read(offset: number, length: number, room?: Buffer): Promise<Uint8Array> {
    if (this.#data !== undefined) return this.#data.subarray(offset, offset + length);
    const block = room?.subarray(0, length) ?? Buffer.allocUnsafe(length);
    const read = this.#handle === undefined ? 0 : await readFully(this.#handle, block, offset, length);
    if (read < length) throw new DestinationError('sourceChanged', `${this.#file} became shorter while it was read.`);
    return block;
  }

  async hash(algorithm: 'sha256' | 'md5', signal?: AbortSignal): Promise<string> {
    const hash = createHash(algorithm);
    const room = Buffer.allocUnsafe(BLOCK_BYTES);
    for (let at = 0; at < this.bytes; at += BLOCK_BYTES) {
      signal?.throwIfAborted();
      hash.update(await this.read(at, Math.min(BLOCK_BYTES, this.bytes - at), room));
    }
    return hash.digest('hex');
  }

  /** Whether the local file is still what was opened, for the words of an error. */
  async isUnchanged(sha256: string): Promise<boolean> {
    if (this.#data !== undefined) return true;
    try {
      return (await stat(this.#file)).size === this.bytes && (await this.hash('sha256')) === sha256;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }
}
