import { readFileSync } from 'node:fs';

import { messageOf, UsageError } from '../../core/errors.js';
import { DestinationError, type CallOptions, type Destination } from '../destinations/destination.js';
import { sha256Of } from '../files/file-digest.js';
import { passphraseIdentity, passphraseRecipient } from './age-passphrase.js';
import { loadAge } from './load-age.js';
import { holdsSealed, KEYS_FOLDER, WRAPPED_ENDINGS, type LocalKeys } from './wrapped-keys.js';

/**
 * What opens a destination's objects: a passphrase, or an identity as `age-keygen` writes it. `workFactor`: log2 of what a guess at the
 * passphrase costs, where a key is made; @default as the program `age` has it.
 */
export type EncryptionSecret =
  { readonly passphrase: string; readonly workFactor?: number } | { readonly identity: string };

/** An object that an encrypted destination has to hold. */
interface KeyObject {
  readonly key: string;
  readonly bytes: Buffer;
}

/** Identities that open, and the recipient that closes. */
export interface AgeKeys {
  readonly identities: readonly string[];
  readonly recipient: string;
  /** What has to lie at the destination. */
  readonly objects: readonly KeyObject[];
}

/** A key's object that is not what it must be. */
export interface DamagedKey {
  readonly key: string;
  readonly problem: string;
}

const KEY = /^([0-9a-f]{16})\.(age|spare|recipient)$/;
const MENDED =
  'a machine that has saved there mends them with its next backup; others restore from another destination.';
const NONE_OPENS_HINT = `Give the passphrase with which it was begun. Where that is the one, its keys (.resweep/keys) are damaged: ${MENDED}`;
const GONE_HINT = `Its keys (.resweep/keys) were removed: ${MENDED} Nothing is written there meanwhile.`;

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
 * its own, so two machines that begin at once lose nothing: both keys open, either closes. `copies`: of the wrapped keys, on this machine.
 * @throws DestinationError `denied` where the secret opens none of the keys that are there
 */
export async function openKeys(
  destination: Destination,
  secret: EncryptionSecret,
  copies: LocalKeys,
  options?: CallOptions,
): Promise<AgeKeys> {
  const age = await loadAge();
  const { objects } = await destination.list(KEYS_FOLDER, options);
  const there = objects.flatMap(({ key }) => {
    const match = KEY.exec(key.slice(KEYS_FOLDER.length));
    return match === null ? [] : [{ fingerprint: match[1] ?? '', isWrapped: match[2] !== 'recipient' }];
  });
  const denied = (what: string, hint?: string): DestinationError =>
    new DestinationError(
      'denied',
      `${destination.name} is encrypted, and ${what}.`,
      hint === undefined ? {} : { hint },
    );

  if ('identity' in secret) {
    const recipient = await age.identityToRecipient(secret.identity);
    const own = fingerprintOf(recipient);
    const object = { key: `${KEYS_FOLDER}${own}.recipient`, bytes: Buffer.from(`${recipient}\n`) };
    if (!there.some(({ fingerprint }) => fingerprint === own)) {
      if (there.length > 0) throw denied('the key file is not the one that opens it');
      await putKey(destination, object, options);
    }
    return { identities: [secret.identity], recipient, objects: [object] };
  }

  const local = copies.read();
  const wrapped = new Set(there.flatMap(({ fingerprint, isWrapped }) => (isWrapped ? [fingerprint] : [])));
  // All of them gone: what this machine remembers of the place may open what is there.
  const fingerprints = [...(there.length === 0 ? local.keys() : wrapped)].sort();
  const identities: string[] = [];
  const keys: KeyObject[] = [];
  for (const fingerprint of fingerprints) {
    const opened = await openOne(destination, fingerprint, secret.passphrase, local.get(fingerprint), options);
    if (opened === undefined) continue;
    identities.push(opened.identity);
    keys.push(...wrappedObjects(fingerprint, opened.wrapped));
    if (local.get(fingerprint)?.equals(opened.wrapped) !== true) copies.write(fingerprint, opened.wrapped);
  }
  const [first] = identities;
  if (first !== undefined) {
    return { identities, recipient: await age.identityToRecipient(first), objects: keys };
  }
  if (there.length > 0) throw denied('the passphrase opens none of its keys', NONE_OPENS_HINT);
  if (await holdsSealed(destination, options)) throw denied('its keys are gone', GONE_HINT);
  const identity = await age.generateX25519Identity();
  const recipient = await age.identityToRecipient(identity);
  const encrypter = new age.Encrypter();
  encrypter.addRecipient(passphraseRecipient(secret.passphrase, age.Stanza, secret.workFactor));
  const bytes = Buffer.from(await encrypter.encrypt(identity));
  const made = wrappedObjects(fingerprintOf(recipient), bytes);
  for (const object of made) await putKey(destination, object, options);
  copies.write(fingerprintOf(recipient), bytes);
  return { identities: [identity], recipient, objects: made };
}

/** Holds keys against what lies at the destination; with `mend` writes again what differs. @throws DestinationError */
export async function damagedKeys(
  destination: Destination,
  { objects }: AgeKeys,
  options: CallOptions & { readonly mend?: boolean | undefined } = {},
): Promise<DamagedKey[]> {
  const damaged: DamagedKey[] = [];
  for (const object of objects) {
    const bytes = await destination.get(object.key, options);
    if (bytes !== undefined && object.bytes.equals(bytes)) continue;
    // What was begun before keys lay there twice gets its second place without a word.
    const isSecond = bytes === undefined && object.key.endsWith(`.${WRAPPED_ENDINGS[1]}`);
    if (options.mend === true) await putKey(destination, object, options);
    if (isSecond) continue;
    damaged.push({
      key: object.key,
      problem: `The key of this encrypted destination is ${bytes === undefined ? 'missing' : 'damaged'} in one of its places.`,
    });
  }
  return damaged;
}

/** The identity of a fingerprint, from the first of its places that is whole; undefined where the passphrase opens none. */
async function openOne(
  destination: Destination,
  fingerprint: string,
  passphrase: string,
  local: Buffer | undefined,
  options: CallOptions | undefined,
): Promise<{ readonly identity: string; readonly wrapped: Buffer } | undefined> {
  const age = await loadAge();
  const tried: Buffer[] = [];
  const places = [
    ...WRAPPED_ENDINGS.map((ending) => () => destination.get(`${KEYS_FOLDER}${fingerprint}.${ending}`, options)),
    () => Promise.resolve(local),
  ];
  for (const place of places) {
    const bytes = await place();
    if (bytes === undefined) continue;
    const wrapped = Buffer.from(bytes);
    if (tried.some((other) => other.equals(wrapped))) continue;
    tried.push(wrapped);
    const decrypter = new age.Decrypter();
    decrypter.addIdentity(passphraseIdentity(passphrase));
    try {
      const identity = await decrypter.decrypt(wrapped, 'text');
      if (fingerprintOf(await age.identityToRecipient(identity)) === fingerprint) return { identity, wrapped };
    } catch {
      // Another passphrase, or damaged: the next place may be whole.
    }
  }
  return undefined;
}

function wrappedObjects(fingerprint: string, bytes: Buffer): KeyObject[] {
  return WRAPPED_ENDINGS.map((ending) => ({ key: `${KEYS_FOLDER}${fingerprint}.${ending}`, bytes }));
}

function fingerprintOf(recipient: string): string {
  return sha256Of(Buffer.from(recipient)).slice(0, 16);
}

async function putKey(destination: Destination, { key, bytes }: KeyObject, options?: CallOptions): Promise<void> {
  await destination.put(key, bytes, { sha256: sha256Of(bytes), signal: options?.signal });
}
