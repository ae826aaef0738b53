import { readFile } from 'node:fs/promises';

import type { Decrypter, Encrypter } from 'age-encryption';

import {
  DestinationError,
  type CallOptions,
  type Destination,
  type DestinationPolicy,
  type DestinationTraits,
  type Listing,
  type ObjectBody,
  type ObjectChecksum,
  type PutOptions,
  type PutReceipt,
} from '../destinations/destination.js';
import { Once } from '../destinations/once.js';
import { newFile } from '../destinations/transfer/received-file.js';
import { sha256Of } from '../files/file-digest.js';
import { damagedKeys, openKeys, type AgeKeys, type DamagedKey, type EncryptionSecret } from './encryption-keys.js';
import { loadAge } from './load-age.js';
import { LocalKeys } from './wrapped-keys.js';

/** Plain bytes of one part of age's STREAM, and what its tag adds. */
const PART_BYTES = 65_536;
const TAG_BYTES = 16;

interface Cipher {
  readonly keys: AgeKeys;
  readonly encrypter: Encrypter;
  readonly decrypter: Decrypter;
  /** What an object has beside its parts: header and nonce. */
  readonly headBytes: number;
}

/**
 * Gives any destination encryption on this machine (age, https://age-encryption.org/v1): the destination sees names and sizes, no
 * content. Plain copies are left out. Checksums are those of the plain bytes, so `checksum` reads the object and opens it.
 */
export class EncryptingDestination implements Destination {
  readonly #inner: Destination;
  readonly #secret: EncryptionSecret;
  readonly #copies: LocalKeys;
  readonly #cipher = new Once<Cipher>();

  /** `stateFolder`: where this machine keeps copies of wrapped keys; @default in the user's state folder. */
  constructor(inner: Destination, secret: EncryptionSecret, stateFolder?: string) {
    this.#inner = inner;
    this.#secret = secret;
    this.#copies = new LocalKeys(inner, stateFolder);
  }

  get name(): string {
    return this.#inner.name;
  }

  get type(): string {
    return this.#inner.type;
  }

  get location(): string {
    return `${this.#inner.location} (encrypted)`;
  }

  get localFolder(): string | undefined {
    return this.#inner.localFolder;
  }

  get localDevice(): number | undefined {
    return this.#inner.localDevice;
  }

  get policy(): DestinationPolicy | undefined {
    return this.#inner.policy;
  }

  get traits(): DestinationTraits {
    return { ...this.#inner.traits, mirror: false, checksum: 'readBack' };
  }

  async check(options?: CallOptions): Promise<void> {
    await this.#inner.check(options);
    await this.#open(options);
  }

  async put(key: string, body: ObjectBody, options: PutOptions): Promise<PutReceipt> {
    const { encrypter } = await this.#open(options);
    const plain = body instanceof Uint8Array ? body : await readSource(body.file);
    if (sha256Of(plain) !== options.sha256) {
      throw body instanceof Uint8Array
        ? new DestinationError('damaged', `${this.name}: ${key} is not what its checksum says.`)
        : new DestinationError('sourceChanged', `${body.file} changed while it was read.`);
    }
    const sealed = await encrypter.encrypt(plain);
    const receipt = await this.#inner.put(key, sealed, { ...options, sha256: sha256Of(sealed) });
    return { ...receipt, bytes: plain.length };
  }

  /** What cannot be opened is given back as it is: the caller finds that its checksum differs. */
  async get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
    const { decrypter } = await this.#open(options);
    const sealed = await this.#inner.get(key, options);
    if (sealed === undefined) return undefined;
    try {
      return await decrypter.decrypt(sealed);
    } catch {
      return sealed;
    }
  }

  async download(key: string, file: string, options?: CallOptions): Promise<ObjectChecksum | undefined> {
    const plain = await this.get(key, options);
    if (plain === undefined) return undefined;
    await newFile(file, async (write) => {
      await write(plain);
      return plain;
    });
    return { bytes: plain.length, sha256: sha256Of(plain) };
  }

  async checksum(key: string, options?: CallOptions): Promise<ObjectChecksum | undefined> {
    const plain = await this.get(key, options);
    return plain && { bytes: plain.length, sha256: sha256Of(plain) };
  }

  async list(prefix: string, options?: CallOptions): Promise<Listing> {
    const { headBytes } = await this.#open(options);
    const { objects, folders } = await this.#inner.list(prefix, options);
    return {
      objects: objects.map((object) => ({ ...object, bytes: plainBytes(object.bytes - headBytes) })),
      folders,
    };
  }

  remove(key: string, options?: CallOptions): Promise<void> {
    return this.#inner.remove(key, options);
  }

  readonly checkKeys = async (options?: CallOptions & { readonly mend?: boolean }): Promise<DamagedKey[]> => {
    const { keys } = await this.#open(options);
    return damagedKeys(this.#inner, keys, options);
  };

  get setStorageClass(): Destination['setStorageClass'] {
    return this.#inner.setStorageClass;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #open(options?: CallOptions): Promise<Cipher> {
    return this.#cipher.get(() => this.#makeCipher(options));
  }

  async #makeCipher(options?: CallOptions): Promise<Cipher> {
    const age = await loadAge();
    const keys = await openKeys(this.#inner, this.#secret, this.#copies, options);
    const { identities, recipient } = keys;
    const encrypter = new age.Encrypter();
    encrypter.addRecipient(recipient);
    const decrypter = new age.Decrypter();
    for (const identity of identities) decrypter.addIdentity(identity);
    const empty = await encrypter.encrypt(new Uint8Array());
    return { keys, encrypter, decrypter, headBytes: empty.length - TAG_BYTES };
  }
}

function plainBytes(sealed: number): number {
  const parts = Math.max(1, Math.ceil(sealed / (PART_BYTES + TAG_BYTES)));
  return Math.max(0, sealed - parts * TAG_BYTES);
}

async function readSource(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new DestinationError('sourceChanged', `${file} cannot be read any more.`, { cause: error });
  }
}
