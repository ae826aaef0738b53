import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generateX25519Identity } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readEncryptionSecret } from '../../src/backup/encryption-keys.js';
import { EncryptingDestination } from '../../src/backup/encrypting-destination.js';
import type { Destination } from '../../src/backup/destination.js';
import { FolderDestination } from '../../src/backup/destinations/folder-destination.js';
import { RetryingDestination } from '../../src/backup/retrying-destination.js';
import { sha256Of } from '../../src/backup/file-digest.js';
import { verifyBackups } from '../../src/backup/verify.js';
import { destinationContract } from '../contracts/destination-contract.js';
import {
  addTrials,
  filesBelow,
  finishedTrials,
  flipByte,
  makeStudy,
  packsOf,
  TestProject,
} from '../support/backup-project.js';

const identity = await generateX25519Identity();

for (const wrapped of [false, true]) {
  destinationContract(`encrypting folder${wrapped ? ', retrying' : ''}`, () => {
    const base = mkdtempSync(join(tmpdir(), 'resweep-sealed-'));
    const opened: Destination[] = [];
    const open = (): Destination => {
      const folder = new FolderDestination({ name: 'store', path: join(base, 'store'), projectRoot: base });
      const sealed = new EncryptingDestination(folder, { identity });
      const destination = wrapped ? new RetryingDestination(sealed, { retries: 2, minDelayMs: 1 }) : sealed;
      opened.push(destination);
      return destination;
    };
    return Promise.resolve({
      destination: open(),
      again: open,
      cleanUp: async () => {
        await Promise.all(opened.map((destination) => destination.close()));
        rmSync(base, { recursive: true, force: true });
      },
    });
  });
}

describe('encrypted backups', () => {
  let project: TestProject;
  const sealed = (passphrase: string): Destination => new EncryptingDestination(project.folder(), { passphrase });
  beforeEach(() => {
    project = new TestProject();
  });
  afterEach(async () => {
    await project.close();
  });

  it('are restored on an empty machine with the passphrase, and hold nothing readable', async () => {
    await makeStudy(project.studyDb(), { name: 'a-telling-name', finished: 12 });
    expect((await project.drive([sealed('correct horse')]).backup(project.studyDb())).ok).toBe(true);
    for (const file of filesBelow(project.place('store'))) {
      const text = readFileSync(join(project.place('store'), file), 'latin1');
      expect(text).toMatch(/^age-encryption\.org\/v1/);
      expect(text).not.toContain('a-telling-name');
      expect(text).not.toContain('SQLite');
    }
    project.loseOutputs();
    const drive = project.drive([sealed('correct horse')]);
    expect((await drive.restore(project.studyDb())).status).toBe('restored');
    expect(finishedTrials(project.studyDb())).toBe(12);
    expect((await verifyBackups(drive, { deep: true })).ok).toBe(true);
  });

  it('are not touched, and make no second key, with another passphrase', async () => {
    await makeStudy(project.studyDb(), { finished: 3 });
    await project.drive([sealed('correct horse')]).backup(project.studyDb());
    const before = filesBelow(project.place('store'));
    const result = await project.drive([sealed('battery staple')]).backup(project.studyDb());
    expect(result).toMatchObject({ ok: false });
    expect(result.error).toMatch(/passphrase opens none of its keys/);
    project.loseOutputs();
    const restored = await project.drive([sealed('battery staple')]).restore(project.studyDb());
    expect(restored.status).toBe('unreachable');
    expect(filesBelow(project.place('store'))).toEqual(before);
  });

  it('that are damaged are told, and the state before is used', async () => {
    const drive = project.drive([sealed('correct horse')]);
    await makeStudy(project.studyDb(), { finished: 3 });
    await drive.backup(project.studyDb());
    await addTrials(project.studyDb(), 2);
    await drive.backup(project.studyDb());
    flipByte(packsOf(project.place('store'))[0] ?? '');
    expect((await verifyBackups(drive)).damages).toHaveLength(1);
    project.loseOutputs();
    const result = await project.drive([sealed('correct horse')]).restore(project.studyDb());
    expect(result).toMatchObject({ status: 'restored', finishedTrials: 3 });
    expect(result.fellBack).toHaveLength(1);
  });

  it('can be read by two machines that began at the same moment', async () => {
    const [a, b] = [sealed('one'), sealed('one')];
    const put = (to: Destination, key: string) => to.put(key, Buffer.from(key), { sha256: sha256Of(Buffer.from(key)) });
    await Promise.all([put(a, 'a'), put(b, 'b')]);
    const reader = sealed('one');
    expect(Buffer.from((await reader.get('a')) ?? []).toString()).toBe('a');
    expect(Buffer.from((await reader.get('b')) ?? []).toString()).toBe('b');
    await Promise.all([a, b, reader].map((destination) => destination.close()));
    expect(readdirSync(join(project.place('store'), '.resweep', 'keys')).length).toBeGreaterThan(0);
  });

  it('takes its secret from the environment or a key file, and names what is missing', () => {
    const resolve = (path: string): string => join(project.root, path);
    const byEnv = { passphraseEnv: 'STUDY_PASS' };
    expect(readEncryptionSecret('d', byEnv, resolve, { STUDY_PASS: 'x y z' })).toEqual({ passphrase: 'x y z' });
    expect(() => readEncryptionSecret('d', byEnv, resolve, {})).toThrow(/variable STUDY_PASS .* is not set/);
    expect(() => readEncryptionSecret('d', { keyFile: 'key.txt' }, resolve)).toThrow(/key\.txt cannot be read/);
    writeFileSync(resolve('key.txt'), 'no key\n');
    expect(() => readEncryptionSecret('d', { keyFile: 'key.txt' }, resolve)).toThrow(/holds no line AGE-SECRET-KEY/);
    writeFileSync(resolve('key.txt'), `# created: today\n# public key: age1…\n${identity}\n`);
    expect(readEncryptionSecret('d', { keyFile: 'key.txt' }, resolve)).toEqual({ identity });
  });
});
