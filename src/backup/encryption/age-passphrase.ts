import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';

import type { Identity, Recipient, Stanza } from 'age-encryption';

type StanzaClass = new (args: string[], body: Uint8Array) => Stanza;

/** log2 of scrypt's cost, as the program `age` chooses it: 256 MB and about half a second. */
const USUAL_WORK_FACTOR = 18;
/** More than this would be a way to occupy whoever opens a file (the specification asks for a limit). */
const LARGEST_WORK_FACTOR = 22;
const BLOCK_SIZE = 8;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const FILE_KEY_BYTES = 16;
const SALT_LABEL = 'age-encryption.org/v1/scrypt';

/**
 * age's passphrase form (https://c2sp.org/age, "The scrypt recipient type") with Node's scrypt, which derives the key in a thread of its
 * own: the one of age-encryption is JavaScript and stops the process for seconds, and with it the sweep that is being backed up.
 * `workFactor`: log2 of scrypt's cost. It is written beside the key, so whoever opens it needs no setting.
 */
export function passphraseRecipient(
  passphrase: string,
  StanzaOfAge: StanzaClass,
  workFactor: number = USUAL_WORK_FACTOR,
): Recipient {
  return {
    wrapFileKey: async (fileKey) => {
      const salt = randomBytes(16);
      const key = await derive(passphrase, salt, workFactor);
      const cipher = createCipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: TAG_BYTES });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [new StanzaOfAge(['scrypt', unpadded(salt), String(workFactor)], new Uint8Array(body))];
    },
  };
}

/** Opens what `passphraseRecipient`, `age -p` or age-encryption closed; gives null where the passphrase is another one. */
export function passphraseIdentity(passphrase: string): Identity {
  return {
    unwrapFileKey: async (stanzas) => {
      const [stanza] = stanzas;
      if (stanza?.args[0] !== 'scrypt') return null;
      const [, salt = '', factor = ''] = stanza.args;
      const isSound = stanzas.length === 1 && stanza.args.length === 3 && /^[1-9]\d?$/.test(factor);
      if (!isSound || Number(factor) > LARGEST_WORK_FACTOR || stanza.body.length !== FILE_KEY_BYTES + TAG_BYTES) {
        throw new Error('The header of an encrypted key is damaged.');
      }
      const key = await derive(passphrase, Buffer.from(salt, 'base64'), Number(factor));
      const decipher = createDecipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(stanza.body.subarray(FILE_KEY_BYTES));
      try {
        return new Uint8Array(
          Buffer.concat([decipher.update(stanza.body.subarray(0, FILE_KEY_BYTES)), decipher.final()]),
        );
      } catch {
        return null;
      }
    },
  };
}

function derive(passphrase: string, salt: Uint8Array, factor: number): Promise<Buffer> {
  const N = 2 ** factor;
  const options = { N, r: BLOCK_SIZE, p: 1, maxmem: 128 * N * BLOCK_SIZE + 2 ** 20 };
  const salted = Buffer.concat([Buffer.from(SALT_LABEL), salt]);
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salted, KEY_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
