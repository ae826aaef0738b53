import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generateX25519Identity } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readEncryptionSecret } from '../../src/backup/encryption/encryption-keys.js';
import { EncryptingDestination } from '../../src/backup/encryption/encrypting-destination.js';
import type { Destination } from '../../src/backup/destinations/destination.js';
import { FolderDestination } from '../../src/backup/destinations/folder/folder-destination.js';
import { RetryingDestination } from '../../src/backup/destinations/retrying-destination.js';
import { sha256Of } from '../../src/backup/files/file-digest.js';
import { repairBackups } from '../../src/backup/repair/repair.js';
import { verifyBackups } from '../../src/backup/verify/verify.js';
import { backupContract } from '../contracts/backup-contract.js';
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
import { SlowDestination } from '../support/slow-destination.js';

const identity = await generateX25519Identity();
/** What is tested here is who can open what, not what a guess costs. */
const CHEAP = { workFactor: 10 };

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

backupContract('an encrypted folder', () => {
  const base = mkdtempSync(join(tmpdir(), 'resweep-sealed-'));
  const opened: Destination[] = [];
  const raw = (): Destination => {
    const folder = new FolderDestination({ name: 'far', path: join(base, 'store'), projectRoot: base });
    opened.push(folder);
    return folder;
  };
  return Promise.resolve({
    open: () => new EncryptingDestination(raw(), { identity }),
    raw,
    goes: () => {
      rmSync(join(base, 'store'), { recursive: true });
    },
    comesBack: () => {
      mkdirSync(join(base, 'store'));
    },
    saysGone: /has gone\. Make it, or put its disk back/,
    cleanUp: async () => {
      await Promise.all(opened.map((destination) => destination.close()));
      rmSync(base, { recursive: true, force: true });
    },
  });
});

describe('encrypted backups', () => {
  let project: TestProject;
  /** As a process on a machine sees it; each machine keeps a state of its own. */
  const sealed = (passphrase: string, machine = 'one', name = 'store', secret: { workFactor?: number } = CHEAP) =>
    new EncryptingDestination(project.folder(name), { passphrase, ...secret }, project.place(`state-${machine}`));
  const using = (destinations: readonly Destination[]) => project.drive(destinations);
  const keysIn = (store: string): string[] =>
    readdirSync(join(project.place(store), '.resweep', 'keys'))
      .sort()
      .map((name) => join(project.place(store), '.resweep', 'keys', name));
  beforeEach(() => {
    project = new TestProject();
  });
  afterEach(async () => {
    await project.close();
  });

  it('are restored on an empty machine with the passphrase, and hold nothing readable', async () => {
    // At the usual cost a passphrase takes a second, and more on a busy machine.
    const usual = () =>
      project.drive([sealed('correct horse', 'one', 'store', {})], {
        retry: { retries: 1, minDelayMs: 1, timeoutMs: 60_000 },
      });
    await makeStudy(project.studyDb(), { name: 'a-telling-name', finished: 12 });
    expect((await usual().backup(project.studyDb())).ok).toBe(true);
    for (const key of keysIn('store')) expect(readFileSync(key, 'latin1')).toMatch(/^-> scrypt \S+ 18$/m);
    for (const file of filesBelow(project.place('store'))) {
      const text = readFileSync(join(project.place('store'), file), 'latin1');
      expect(text).toMatch(/^age-encryption\.org\/v1/);
      expect(text).not.toContain('a-telling-name');
      expect(text).not.toContain('SQLite');
    }
    project.loseOutputs();
    const drive = usual();
    expect((await drive.restore(project.studyDb())).status).toBe('restored');
    expect(finishedTrials(project.studyDb())).toBe(12);
    expect((await verifyBackups(drive, { deep: true })).ok).toBe(true);
  });

  it('are not touched, and make no second key, with another passphrase', async () => {
    await makeStudy(project.studyDb(), { finished: 3 });
    await using([sealed('correct horse')]).backup(project.studyDb());
    const before = filesBelow(project.place('store'));
    const result = await using([sealed('battery staple')]).backup(project.studyDb());
    expect(result).toMatchObject({ ok: false });
    expect(result.error).toMatch(/passphrase opens none of its keys/);
    project.loseOutputs();
    const restored = await using([sealed('battery staple')]).restore(project.studyDb());
    expect(restored.status).toBe('unreachable');
    expect(filesBelow(project.place('store'))).toEqual(before);
  });

  it('that are damaged are told, and the state before is used', async () => {
    const drive = using([sealed('correct horse')]);
    await makeStudy(project.studyDb(), { finished: 3 });
    await drive.backup(project.studyDb());
    await addTrials(project.studyDb(), 2);
    await drive.backup(project.studyDb());
    flipByte(packsOf(project.place('store'))[0] ?? '');
    expect((await verifyBackups(drive)).damages).toHaveLength(1);
    project.loseOutputs();
    const result = await using([sealed('correct horse')]).restore(project.studyDb());
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

  it('one place of the key damaged: verify tells, a new machine restores, the next save mends', async () => {
    await makeStudy(project.studyDb(), { finished: 3 });
    await using([sealed('correct horse')]).backup(project.studyDb());
    const [first = '', second = ''] = keysIn('store');
    expect(readFileSync(first)).toEqual(readFileSync(second));
    for (const [place, other] of [
      [first, second],
      [second, first],
    ] as const) {
      flipByte(place);
      const elsewhere = using([sealed('correct horse', `new-${place.slice(-5)}`)]);
      const { ok, damages } = await verifyBackups(elsewhere);
      expect({ ok, problems: damages.map(({ problem }) => problem) }).toEqual({
        ok: false,
        problems: ['The key of this encrypted destination is damaged in one of its places.'],
      });
      const back = await elsewhere.restore(project.studyDb(), { to: project.place(`back${place.slice(-5)}`) });
      expect(back).toMatchObject({ status: 'restored' });
      await addTrials(project.studyDb(), 1);
      expect((await using([sealed('correct horse')]).backup(project.studyDb())).ok).toBe(true);
      expect(readFileSync(place)).toEqual(readFileSync(other));
      expect(project.events.some(({ type, message }) => type === 'repair' && message.includes('key'))).toBe(true);
      expect((await verifyBackups(elsewhere)).ok).toBe(true);
    }
  });

  for (const [what, harm] of [
    ['damaged', flipByte],
    ['removed', rmSync],
  ] as const) {
    it(`every place of the key ${what}: explained, restored from elsewhere, mended by the machine that knows it`, async () => {
      const both = (machine: string) => [sealed('correct horse', machine), sealed('correct horse', machine, 'other')];
      await makeStudy(project.studyDb(), { finished: 3 });
      const running = using(both('one'));
      await running.backup(project.studyDb());
      for (const key of keysIn('store')) harm(key);
      const away = keysIn('store');

      const fresh = using(both('two'));
      const back = await fresh.restore(project.studyDb(), { to: project.place('back') });
      expect(back).toMatchObject({ status: 'restored', finishedTrials: 3, destination: 'other' });
      const report = await verifyBackups(fresh);
      expect(report.unreachable.map(({ destination }) => destination)).toEqual(['store']);
      expect(report.unreachable[0]?.error).toMatch(
        what === 'damaged' ? /passphrase opens none of its keys/ : /its keys are gone/,
      );
      await addTrials(project.studyDb(), 1);
      await fresh.backup(project.studyDb());
      expect(keysIn('store'), 'no second key is made').toEqual(away);

      // The process that goes on has the key in memory; a new one on that machine has its copy.
      if (what === 'damaged') expect((await running.backup(project.studyDb())).ok).toBe(true);
      else expect((await using(both('one')).backup(project.studyDb())).ok).toBe(true);
      expect(keysIn('store')).toHaveLength(2);
      const alone = using([sealed('correct horse', 'three')]);
      expect((await verifyBackups(alone, { deep: true })).damages).toEqual([]);
      const again = await alone.restore(project.studyDb(), { to: project.place('again') });
      expect(again).toMatchObject({ status: 'restored', finishedTrials: 4 });
    });
  }

  it('the note of a key file damaged: told, and written again', async () => {
    const open = (): Destination => new EncryptingDestination(project.folder(), { identity });
    await makeStudy(project.studyDb(), { finished: 1 });
    await using([open()]).backup(project.studyDb());
    flipByte(keysIn('store')[0] ?? '');
    expect((await verifyBackups(using([open()]))).damages).toHaveLength(1);
    expect((await repairBackups(using([open()]))).ok).toBe(true);
  });

  it('a call that is stopped while the keys are fetched stops no other', async () => {
    const project = new TestProject();
    const slow = new SlowDestination(project.folder(), { delayMs: 80 });
    const sealed = new EncryptingDestination(slow, { identity }, project.place('state'));
    const controller = new AbortController();
    const stopped = sealed.get('k', { signal: controller.signal });
    const other = sealed.get('k');
    controller.abort();
    await expect(stopped).rejects.toMatchObject({ reason: 'aborted' });
    expect(await other).toBeUndefined();
    await sealed.close();
    await project.close();
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
