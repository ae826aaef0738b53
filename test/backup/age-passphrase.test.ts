import { Decrypter, Encrypter, Stanza } from 'age-encryption';
import { describe, expect, it } from 'vitest';

import { passphraseIdentity, passphraseRecipient } from '../../src/backup/encryption/age-passphrase.js';

const PASSPHRASE = 'correct horse battery staple';

async function sealed(passphrase: string): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(passphraseRecipient(passphrase, Stanza));
  return encrypter.encrypt('what is inside');
}

function opened(bytes: Uint8Array, passphrase: string): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(passphraseIdentity(passphrase));
  return decrypter.decrypt(bytes, 'text');
}

describe("age's passphrase form", () => {
  it('is opened by age-encryption itself', async () => {
    const decrypter = new Decrypter();
    decrypter.addPassphrase(PASSPHRASE);
    expect(await decrypter.decrypt(await sealed(PASSPHRASE), 'text')).toBe('what is inside');
  });

  it('opens what age-encryption closed', async () => {
    const encrypter = new Encrypter();
    encrypter.setPassphrase(PASSPHRASE);
    encrypter.setScryptWorkFactor(12);
    expect(await opened(await encrypter.encrypt('what is inside'), PASSPHRASE)).toBe('what is inside');
  });

  it('is not opened by another passphrase', async () => {
    await expect(opened(await sealed(PASSPHRASE), 'Correct horse battery staple')).rejects.toThrow(
      /no identity matched/,
    );
  });

  it('leaves the event loop free while the key is derived', async () => {
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const start = performance.now();
    await sealed(PASSPHRASE);
    const derivation = performance.now() - start;
    clearInterval(timer);
    expect(longest).toBeLessThan(derivation / 2);
  });

  it.each([
    ['a factor that would occupy this machine for hours', ['scrypt', 'AAAAAAAAAAAAAAAAAAAAAA', '31'], 32],
    ['a factor that is no number', ['scrypt', 'AAAAAAAAAAAAAAAAAAAAAA', '1e1'], 32],
    ['a body that is cut', ['scrypt', 'AAAAAAAAAAAAAAAAAAAAAA', '18'], 31],
    ['a word too many', ['scrypt', 'AAAAAAAAAAAAAAAAAAAAAA', '18', '1'], 32],
  ])('refuses %s', async (_, args, bytes) => {
    const { unwrapFileKey } = passphraseIdentity(PASSPHRASE);
    await expect(unwrapFileKey([new Stanza(args, new Uint8Array(bytes))])).rejects.toThrow(/damaged/);
  });

  it('leaves headers of other kinds to other identities', async () => {
    const { unwrapFileKey } = passphraseIdentity(PASSPHRASE);
    expect(await unwrapFileKey([new Stanza(['X25519', 'abc'], new Uint8Array(32))])).toBeNull();
  });
});
