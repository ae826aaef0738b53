import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { userStateFolder } from '../../core/user-folders.js';
import type { CallOptions, Destination } from '../destinations/destination.js';
import { STORE } from '../destinations/object-key.js';

/** Where the keys of an encrypted destination lie. */
export const KEYS_FOLDER = `${STORE}/keys/`;

/** A key wrapped by a passphrase lies there twice, under these endings, so that no single damaged byte costs every backup. */
export const WRAPPED_ENDINGS = ['age', 'spare'] as const;

/** What every age file begins with. */
const AGE = 'age-encryption.org/v1';

/**
 * This machine's copies of the wrapped keys of a destination: with them, keys that are damaged or gone there are written again. They
 * are as useless without the passphrase as what lies at the destination.
 */
export class LocalKeys {
  readonly #folder: string;
  readonly #prefix: string;

  /** `folder`: @default `backup-keys` in the user's state folder. */
  constructor({ type, location }: Pick<Destination, 'type' | 'location'>, folder?: string) {
    this.#folder = folder ?? join(userStateFolder(), 'backup-keys');
    this.#prefix = `${createHash('sha256').update(`${type}\n${location}`).digest('hex').slice(0, 16)}-`;
  }

  /** By fingerprint; nothing where they cannot be read. */
  read(): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    try {
      for (const name of readdirSync(this.#folder)) {
        if (!name.startsWith(this.#prefix) || !name.endsWith('.age')) continue;
        found.set(name.slice(this.#prefix.length, -'.age'.length), readFileSync(join(this.#folder, name)));
      }
    } catch {
      // No copies: what lies at the destination has to do.
    }
    return found;
  }

  /** Does nothing where this machine keeps no state. */
  write(fingerprint: string, wrapped: Uint8Array): void {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      const file = join(this.#folder, `${this.#prefix}${fingerprint}.age`);
      writeFileSync(`${file}.${process.pid}.tmp`, wrapped, { mode: 0o600 });
      renameSync(`${file}.${process.pid}.tmp`, file);
    } catch {
      // Only a convenience.
    }
  }
}

/** Whether any saved state at a destination is encrypted. @throws DestinationError */
export async function holdsSealed(destination: Destination, options?: CallOptions): Promise<boolean> {
  const targets = `${STORE}/targets/`;
  for (const id of (await destination.list(targets, options)).folders) {
    for (const { key } of (await destination.list(`${targets}${id}/`, options)).objects) {
      const bytes = await destination.get(key, options);
      if (bytes !== undefined) return Buffer.from(bytes.subarray(0, AGE.length)).toString('latin1') === AGE;
    }
  }
  return false;
}
