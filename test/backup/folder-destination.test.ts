import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Destination } from '../../src/backup/destinations/destination.js';
import { createDestination } from '../../src/backup/destinations/destination-registry.js';
import { FolderDestination } from '../../src/backup/destinations/folder/folder-destination.js';
import { sha256Of } from '../../src/backup/files/file-digest.js';
import { RetryingDestination } from '../../src/backup/destinations/retrying-destination.js';
import { backupContract } from '../contracts/backup-contract.js';
import { destinationContract } from '../contracts/destination-contract.js';

for (const wrapped of [false, true]) {
  destinationContract(wrapped ? 'folder, retrying' : 'folder', () => {
    const base = mkdtempSync(join(tmpdir(), 'resweep-folder-'));
    const opened: Destination[] = [];
    const open = (): Destination => {
      const folder = new FolderDestination({ name: 'store', path: join(base, 'store'), projectRoot: base });
      const destination = wrapped ? new RetryingDestination(folder, { retries: 2, minDelayMs: 1 }) : folder;
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

backupContract('a folder', () => {
  const base = mkdtempSync(join(tmpdir(), 'resweep-place-'));
  const opened: Destination[] = [];
  return Promise.resolve({
    open: () => {
      const folder = new FolderDestination({ name: 'far', path: join(base, 'backups'), projectRoot: base });
      opened.push(folder);
      return folder;
    },
    goes: () => {
      rmSync(join(base, 'backups'), { recursive: true });
    },
    // A process that has used it makes it no second time: its disk may be out.
    comesBack: () => {
      mkdirSync(join(base, 'backups'));
    },
    saysGone: /has gone\. Make it, or put its disk back/,
    cleanUp: async () => {
      await Promise.all(opened.map((destination) => destination.close()));
      rmSync(base, { recursive: true, force: true });
    },
  });
});

describe('folder destination', () => {
  let base: string;
  let destination: Destination | undefined;
  const open = (options: Partial<ConstructorParameters<typeof FolderDestination>[0]> = {}): FolderDestination => {
    const folder = new FolderDestination({ name: 'store', path: 'store', projectRoot: base, ...options });
    destination = folder;
    return folder;
  };
  const body = Buffer.from('hello');
  const put = (to: Destination, key = 'k') => to.put(key, body, { sha256: sha256Of(body) });
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'resweep-folder-'));
  });
  afterEach(async () => {
    await destination?.close();
    rmSync(base, { recursive: true, force: true });
  });

  it('never creates a mount point, nor writes below one that is not mounted', async () => {
    const mount = join(base, 'drive');
    const drive = open({ path: join(mount, 'MyDrive', 'resweep'), mounts: [mount] });
    await expect(put(drive)).rejects.toMatchObject({ reason: 'unreachable', permanent: true });
    expect(existsSync(mount)).toBe(false);
    mkdirSync(join(mount, 'MyDrive'), { recursive: true });
    await expect(put(drive)).rejects.toThrow('is not mounted');
    expect(readdirSync(join(mount, 'MyDrive'))).toEqual([]);
    expect(drive.traits.confirms).toBe('handedToMount');
  });

  it('does not create a folder on a disk that is missing', async () => {
    const missing = open({ path: join(tmpdir(), 'resweep-no-such-disk', 'backups') });
    await expect(put(missing)).rejects.toMatchObject({ reason: 'unreachable' });
    expect(existsSync(join(tmpdir(), 'resweep-no-such-disk'))).toBe(false);
  });

  it('creates a folder of the project, and keeps projects apart', async () => {
    await put(open({ path: 'deep/er/store', project: 'p1' }));
    expect(readFileSync(join(base, 'deep/er/store/p1/k'), 'utf8')).toBe('hello');
  });

  it('does not go through links', async () => {
    const store = open();
    await put(store);
    mkdirSync(join(base, 'elsewhere'));
    symlinkSync(join(base, 'elsewhere'), join(base, 'store', 'link'));
    await expect(put(store, 'link/x')).rejects.toMatchObject({ reason: 'denied' });
    expect(readdirSync(join(base, 'elsewhere'))).toEqual([]);
  });

  it('leaves no part behind, and shows none', async () => {
    const store = open();
    await put(store);
    writeFileSync(join(base, 'store', '.part-1-dead'), 'half');
    expect((await store.list('')).objects.map((object) => object.key)).toEqual(['k']);
  });

  it('a file in the way of its folder is an error, not a hang', async () => {
    writeFileSync(join(base, 'store'), 'x');
    await expect(put(open())).rejects.toMatchObject({ reason: 'denied' });
    chmodSync(join(base, 'store'), 0o600);
  });

  it('is made by the registry, which names what is wrong', async () => {
    const context = { name: 'drive', projectRoot: base };
    destination = createDestination('folder', { path: 'store' }, context);
    await put(destination);
    expect(() => createDestination('foldr', {}, context)).toThrow('unknown type "foldr"');
    expect(() => createDestination('folder', { path: 'x', pth: 1 }, context)).toThrow('pth');
  });
});
