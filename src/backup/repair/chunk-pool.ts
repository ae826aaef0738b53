import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { DamagedDataError } from '../chunks/chunk-codec.js';
import { ChunkReader } from '../chunks/chunk-reader.js';
import { DestinationError, type Destination } from '../destinations/destination.js';
import type { DriveCore } from '../drive/drive-core.js';
import {
  CHUNK_BYTES,
  chunkCount,
  chunkHash,
  DATABASE_CHUNK_BYTES,
  digestFile,
  readFully,
  sha256Of,
  type FileDigest,
} from '../files/file-digest.js';
import { listManifests, loadManifest } from '../format/catalog.js';
import { ManifestError, type Manifest, type Place } from '../format/manifest.js';

/** A chunk that was found, and where, for people. */
export interface FoundChunk {
  readonly plain: Uint8Array;
  readonly from: string;
}

interface LocalPlace {
  readonly file: string;
  readonly position: number;
  readonly chunkBytes: number;
  readonly from: string;
}

interface RemotePlace {
  readonly reader: ChunkReader;
  readonly manifest: Manifest;
  readonly place: Place;
  readonly from: string;
}

/**
 * Every place that may still hold a chunk of one target whose own copy is damaged: the study on this machine, plain copies, other
 * destinations. Looked through once, at the first chunk that is missed.
 */
export class ChunkPool {
  readonly #core: DriveCore;
  readonly #target: string;
  readonly #damaged: Destination;
  readonly #signal: AbortSignal | undefined;
  readonly #local = new Map<string, LocalPlace>();
  readonly #remote = new Map<string, RemotePlace[]>();
  readonly #releases: (() => void)[] = [];
  #filled: Promise<void> | undefined;

  /** `damaged`: the destination that is being repaired; of it only the plain copies count. */
  constructor(core: DriveCore, target: string, damaged: Destination, signal: AbortSignal | undefined) {
    this.#core = core;
    this.#target = target;
    this.#damaged = damaged;
    this.#signal = signal;
  }

  /** Plain bytes of a chunk, held against its checksum; undefined where nobody has it. */
  async find(sha256: string): Promise<FoundChunk | undefined> {
    await (this.#filled ??= this.#fill());
    const local = this.#local.get(sha256);
    if (local !== undefined) {
      const plain = await readChunk(local);
      if (plain !== undefined && sha256Of(plain) === sha256) return { plain, from: local.from };
    }
    for (const { reader, manifest, place, from } of this.#remote.get(sha256) ?? []) {
      try {
        return { plain: await reader.read(manifest, place), from };
      } catch (error) {
        if (!(error instanceof DamagedDataError) && !(error instanceof DestinationError)) throw error;
      }
    }
    return undefined;
  }

  close(): void {
    for (const release of this.#releases) release();
  }

  async #fill(): Promise<void> {
    await this.#addThisMachine();
    for (const destination of this.#core.destinations) {
      try {
        await this.#addDestination(destination);
      } catch (error) {
        // One that does not answer has nothing to give.
        if (!(error instanceof DestinationError)) throw error;
      }
    }
  }

  async #addThisMachine(): Promise<void> {
    const path = join(this.#core.projectRoot, this.#target);
    if (!existsSync(path)) return;
    try {
      const capture = await this.#core.capturer.capture({
        target: this.#target,
        path,
        isDirectory: statSync(path).isDirectory(),
        full: true,
        signal: this.#signal,
      });
      this.#releases.push(() => {
        this.#core.capturer.release(capture);
      });
      for (const { source, digest } of capture.files) await this.#addFile(source, digest, 'this machine');
    } catch {
      // Damaged here too.
    }
  }

  async #addDestination(destination: Destination): Promise<void> {
    const options = { signal: this.#signal };
    const members = new Set<string>();
    // One for all states: they share most packs, and it bounds how many are held.
    const reader = new ChunkReader(destination, this.#signal);
    for (const { name } of await listManifests(destination, this.#target, options)) {
      try {
        const manifest = await loadManifest(destination, this.#target, name, options);
        for (const member of await reader.members(manifest)) {
          members.add(member.path);
          if (destination === this.#damaged) continue;
          for (const place of await reader.chunks(manifest, member)) {
            const from = destination.name;
            const known = this.#remote.get(place[0]);
            if (known === undefined) this.#remote.set(place[0], [{ reader, manifest, place, from }]);
            else if (!known.some((other) => other.from === from && isSamePlace(other.place, place)))
              known.push({ reader, manifest, place, from });
          }
        }
      } catch (error) {
        if (!(error instanceof ManifestError) && !(error instanceof DamagedDataError)) throw error;
      }
    }
    if (!destination.traits.mirror) return;
    if (members.size === 0) members.add('');
    for (const path of members) await this.#addMirror(destination, path);
  }

  async #addMirror(destination: Destination, path: string): Promise<void> {
    const key = path === '' ? this.#target : `${this.#target}/${path}`;
    mkdirSync(this.#core.temporary, { recursive: true });
    const file = join(this.#core.temporary, `pool-${randomBytes(6).toString('hex')}`);
    this.#releases.push(() => {
      rmSync(file, { force: true });
    });
    const found = await destination.download(key, file, { signal: this.#signal });
    if (found !== undefined) await this.#addFile(file, await digestFile(file), `the plain copy on ${destination.name}`);
  }

  /** By chunks of either size: a file may have been a database, and saved by an earlier version. */
  async #addFile(file: string, digest: FileDigest, from: string): Promise<void> {
    const size = digest.chunkBytes === CHUNK_BYTES ? DATABASE_CHUNK_BYTES : CHUNK_BYTES;
    for (const known of [digest, await digestFile(file, Infinity, this.#signal, size)]) {
      const { chunkBytes } = known;
      for (let index = 0; index < chunkCount(known); index++) {
        const hash = chunkHash(known, index);
        if (!this.#local.has(hash)) this.#local.set(hash, { file, position: index * chunkBytes, chunkBytes, from });
      }
    }
  }
}

function isSamePlace(a: Place, b: Place): boolean {
  return a[1] === b[1] && a[2] === b[2];
}

async function readChunk({ file, position, chunkBytes }: LocalPlace): Promise<Uint8Array | undefined> {
  try {
    const handle = await open(file, 'r');
    try {
      const buffer = Buffer.allocUnsafe(chunkBytes);
      return buffer.subarray(0, await readFully(handle, buffer, position, chunkBytes));
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}
