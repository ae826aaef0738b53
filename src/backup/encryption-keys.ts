import { readFileSync } from 'node:fs';

import { messageOf, UsageError } from '../core/errors.js';
import { loadOptional } from '../core/optional-package.js';
import { passphraseIdentity, passphraseRecipient } from './age-passphrase.js';
import { DestinationError, type CallOptions, type Destination } from './destination.js';
import { sha256Of } from './file-digest.js';
import { STORE } from './object-key.js';

/** What opens a destination's objects: a passphrase, or an identity as `age-keygen` writes it. */
export type EncryptionSecret = { readonly passphrase: string } | { readonly identity: string };

/** Identities that open, and the recipient that closes. */
export interface AgeKeys {
  readonly identities: readonly string[];
  readonly recipient: string;
}

const FOLDER = `${STORE}/keys/`;
const KEY = /^([0-9a-f]{16})\.(age|recipient)$/;

/**
 * Takes a secret from where the configuration points.
 * @throws UsageError where the variable is not set or empty, or the file is none with an age identity
 */
export function readEncryptionSecret(
  destination: string,
  encrypt: { readonly passphraseEnv: string } | { readonly keyFile: string },
  resolve: (path: string) => string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): EncryptionSecret {
  if ('passphraseEnv' in encrypt) {
    const passphrase = env[encrypt.passphraseEnv];
    if (passphrase === undefined || passphrase === '') {
      throw new UsageError(
        `Destination "${destination}" is encrypted, and the variable ${encrypt.passphraseEnv} with its passphrase is not set.`,
        { hint: `export ${encrypt.passphraseEnv}=… and start again; nothing was changed.` },
      );
    }
    return { passphrase };
  }
  const file = resolve(encrypt.keyFile);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`Destination "${destination}": the key file ${file} cannot be read: ${messageOf(error)}`, {
      hint: `age-keygen -o ${file} makes one. Keep a copy where the backups are not.`,
    });
  }
  const identity = text.split(/\r?\n/).find((line) => line.startsWith('AGE-SECRET-KEY-'));
  if (identity === undefined) {
    throw new UsageError(`Destination "${destination}": the key file ${file} holds no line AGE-SECRET-KEY-….`);
  }
  return { identity: identity.trim() };
}

/**
 * The keys of one destination. With a passphrase, the identity itself lies at the destination, encrypted with the passphrase (in
 * age's scrypt form), so that the slow derivation happens once and a new machine needs the passphrase alone. Each key has a name of
 * its own, so two machines that begin at once lose nothing: both keys open, either closes.
 * @throws DestinationError `denied` where the secret opens none of the keys that are there
 */
export async function openKeys(
  destination: Destination,
  secret: EncryptionSecret,
  options?: CallOptions,
): Promise<AgeKeys> {
  const age = await loadAge();
  const { objects } = await destination.list(FOLDER, options);
  const there = objects.flatMap(({ key }) => {
    const match = KEY.exec(key.slice(FOLDER.length));
    return match === null ? [] : [{ key, fingerprint: match[1] ?? '', isWrapped: match[2] === 'age' }];
  });
  const denied = (what: string): DestinationError =>
    new DestinationError('denied', `${destination.name} is encrypted, and ${what}.`);

  if ('identity' in secret) {
    const recipient = await age.identityToRecipient(secret.identity);
    const own = fingerprintOf(recipient);
    if (!there.some(({ fingerprint }) => fingerprint === own)) {
      if (there.length > 0) throw denied('the key file is not the one that opens it');
      await put(destination, `${FOLDER}${own}.recipient`, Buffer.from(`${recipient}\n`), options);
    }
    return { identities: [secret.identity], recipient };
  }

  const wrapped = there.filter(({ isWrapped }) => isWrapped);
  const identities: string[] = [];
  for (const { key } of wrapped.sort((a, b) => (a.key < b.key ? -1 : 1))) {
    const bytes = await destination.get(key, options);
    if (bytes === undefined) continue;
    const decrypter = new age.Decrypter();
    decrypter.addIdentity(passphraseIdentity(secret.passphrase));
    try {
      identities.push(await decrypter.decrypt(bytes, 'text'));
    } catch {
      // Another passphrase, or damaged: another key may open.
    }
  }
  const [first] = identities;
  if (first !== undefined) return { identities, recipient: await age.identityToRecipient(first) };
  if (there.length > 0) throw denied('the passphrase opens none of its keys');
  const identity = await age.generateX25519Identity();
  const recipient = await age.identityToRecipient(identity);
  const encrypter = new age.Encrypter();
  encrypter.addRecipient(passphraseRecipient(secret.passphrase, age.Stanza));
  await put(destination, `${FOLDER}${fingerprintOf(recipient)}.age`, await encrypter.encrypt(identity), options);
  return { identities: [identity], recipient };
}

/** @throws UsageError where the package is not installed */
export function loadAge() {
  return loadOptional('age-encryption', 'Encryption of backups', () => import('age-encryption'));
}

function fingerprintOf(recipient: string): string {
  return sha256Of(Buffer.from(recipient)).slice(0, 16);
}

async function put(destination: Destination, key: string, bytes: Uint8Array, options?: CallOptions): Promise<void> {
  await destination.put(key, bytes, { sha256: sha256Of(bytes), signal: options?.signal });
}
