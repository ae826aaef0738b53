import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { DestinationError, type Destination } from '../../src/backup/destinations/destination.js';

export interface DestinationUnderTest {
  readonly destination: Destination;
  /** A second handle on the same place, as another process has it. */
  readonly again: () => Destination;
  readonly cleanUp: () => Promise<void>;
}

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Holds a destination to the promise at the head of `src/backup/destinations/destination.ts`. */
export function destinationContract(name: string, create: () => Promise<DestinationUnderTest>): void {
  describe(`destination contract: ${name}`, () => {
    let test: DestinationUnderTest;
    let destination: Destination;
    let local: string;
    beforeEach(async () => {
      test = await create();
      destination = test.destination;
      local = mkdtempSync(join(tmpdir(), 'resweep-contract-'));
    });
    afterEach(async () => {
      await test.cleanUp();
      rmSync(local, { recursive: true, force: true });
    });
    const put = (key: string, text: string) =>
      destination.put(key, Buffer.from(text), { sha256: sha256(Buffer.from(text)) });

    it('gives back what was put, from memory and from a file', async () => {
      await destination.check();
      const data = randomBytes(3_000_000);
      const receipt = await destination.put('a/b/data.bin', data, { sha256: sha256(data) });
      expect(receipt).toEqual({ bytes: data.length, confirmation: destination.traits.confirms });
      expect(data.equals((await destination.get('a/b/data.bin')) ?? Buffer.of())).toBe(true);
      const file = join(local, 'source');
      writeFileSync(file, data);
      await destination.put('a/file.bin', { file, bytes: data.length }, { sha256: sha256(data) });
      expect(await test.again().checksum('a/file.bin')).toEqual({ bytes: data.length, sha256: sha256(data) });
      const target = join(local, 'target');
      expect(await test.again().download('a/file.bin', target)).toEqual({ bytes: data.length, sha256: sha256(data) });
      expect(readFileSync(target).equals(data)).toBe(true);
    });

    it('keeps empty objects and odd names', async () => {
      await put('empty', '');
      expect((await destination.get('empty'))?.length).toBe(0);
      const odd = 'ümlaut %2F + space/#1 ~.json';
      await put(odd, 'x');
      expect(Buffer.from((await destination.get(odd)) ?? []).toString()).toBe('x');
      expect((await destination.list('ümlaut %2F + space/')).objects.map((object) => object.key)).toEqual([odd]);
    });

    it('answers "not there" without an error', async () => {
      expect(await destination.get('none')).toBeUndefined();
      expect(await destination.checksum('no/ne')).toBeUndefined();
      expect(await destination.download('none', join(local, 'x'))).toBeUndefined();
      expect(await destination.list('no/where/')).toEqual({ objects: [], folders: [] });
      await destination.remove('none');
    });

    it('replaces an object whole and removes it', async () => {
      await put('k', 'one');
      await put('k', 'number two');
      expect(Buffer.from((await test.again().get('k')) ?? []).toString()).toBe('number two');
      await destination.remove('k');
      expect(await destination.get('k')).toBeUndefined();
    });

    it('lists objects and folders directly below a prefix', async () => {
      for (const key of ['p/b', 'p/a', 'p/q/c', 'p/r/s/d', 'pp/x']) await put(key, key);
      expect(await destination.list('p/')).toEqual({
        objects: [
          { key: 'p/a', bytes: 3 },
          { key: 'p/b', bytes: 3 },
        ],
        folders: ['q', 'r'],
      });
      // A destination may keep things of its own in the store.
      expect((await destination.list('')).folders.filter((name) => name !== '.resweep')).toEqual(['p', 'pp']);
    });

    it('refuses what does not have the announced checksum and leaves nothing', async () => {
      const bad = destination.put('bad', Buffer.from('x'), { sha256: sha256(Buffer.from('y')) });
      await expect(bad).rejects.toBeInstanceOf(DestinationError);
      expect(await destination.get('bad')).toBeUndefined();
      expect((await destination.list('')).objects).toEqual([]);
    });

    it('creates only once with ifAbsent', async () => {
      const claim = (text: string) =>
        test.again().put('claim', Buffer.from(text), { sha256: sha256(Buffer.from(text)), ifAbsent: true });
      await destination.check();
      const texts = ['one', 'two', 'three'];
      const claims: PromiseSettledResult<unknown>[] = [];
      // Among several at once there is one winner only where that is promised.
      if (destination.traits.exclusive === 'strict' || destination.type === 'folder') {
        claims.push(...(await Promise.allSettled(texts.map(claim))));
      } else {
        for (const text of texts) claims.push(...(await Promise.allSettled([claim(text)])));
      }
      const refused = claims.filter(({ status }) => status === 'rejected');
      expect(refused.length).toBe(2);
      for (const { reason } of refused as PromiseRejectedResult[]) {
        expect(reason).toMatchObject({ reason: 'exists', permanent: true });
      }
    });

    it('a local file that cannot be written is told as such, and one that is there stays', async () => {
      await put('k', 'content');
      const target = join(local, 'target');
      writeFileSync(target, 'mine');
      for (const file of [join(local, 'no', 'such', 'folder'), target]) {
        await expect(destination.download('k', file)).rejects.toMatchObject({ reason: 'localFile', permanent: true });
      }
      expect(readFileSync(target, 'utf8')).toBe('mine');
      expect(await destination.download('k', join(local, 'other'))).toMatchObject({ bytes: 7 });
    });

    it('ends at the signal', async () => {
      const controller = new AbortController();
      controller.abort();
      await expect(destination.get('k', { signal: controller.signal })).rejects.toMatchObject({ reason: 'aborted' });
      await put('k', 'still works');
    });

    it('refuses keys that leave their place', async () => {
      for (const key of ['../x', '/x', 'a//b', 'a/./b', 'a\\b', 'C:/x', '']) {
        await expect((async () => destination.get(key))()).rejects.toThrow();
      }
    });

    it('opens again after close', async () => {
      await put('k', 'v');
      await destination.close();
      expect(Buffer.from((await destination.get('k')) ?? []).toString()).toBe('v');
    });
  });
}
