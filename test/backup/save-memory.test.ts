import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { ChunkIndex } from '../../src/backup/chunks/chunk-index.js';
import { PackWriter } from '../../src/backup/chunks/pack-writer.js';
import { eachAtOnce } from '../../src/backup/destinations/at-once.js';
import type { Destination, ObjectBody } from '../../src/backup/destinations/destination.js';
import { RetryingDestination } from '../../src/backup/destinations/retrying-destination.js';
import { spareRooms } from '../../src/backup/destinations/transfer/spare-rooms.js';
import { sha256Of } from '../../src/backup/files/file-digest.js';
import { stubDestination } from '../support/stub-destination.js';

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('eachAtOnce with room', () => {
  it.each([
    { weights: [4, 4, 4, 4, 4, 4], most: 3, room: 100, together: 12 },
    { weights: [4, 4, 4, 4, 4, 4], most: 3, room: 8, together: 8 },
    { weights: [50, 1, 2, 50, 3], most: 4, room: 10, together: 50 },
  ])('$weights in a room of $room: $together at once', async ({ weights, most, room, together }) => {
    const done: number[] = [];
    let [underWay, largest] = [0, 0];
    await eachAtOnce(weights, { most, weigh: (weight) => weight, room }, async (weight) => {
      underWay += weight;
      largest = Math.max(largest, underWay);
      await pause(2);
      underWay -= weight;
      done.push(weight);
    });
    expect(done).toHaveLength(weights.length);
    expect(largest).toBe(together);
  });
});

describe('the memory of a pack', () => {
  /** Keeps what it was given, as it was given; the first `hanging` puts never end. */
  function keeping(hanging: number): { destination: Destination; bodies: Uint8Array[] } {
    const bodies: Uint8Array[] = [];
    const destination = stubDestination({
      put: (_key: string, body: ObjectBody) => {
        if (!(body instanceof Uint8Array)) throw new Error('a pack is bytes');
        bodies.push(body);
        if (bodies.length <= hanging) return new Promise(() => undefined);
        return Promise.resolve({ bytes: body.length, confirmation: 'verified' });
      },
    });
    return { destination, bodies };
  }

  async function sendPacks(destination: Destination, count: number): Promise<string[]> {
    const retrying = new RetryingDestination(destination, { retries: 2, minDelayMs: 1, timeoutMs: 20 });
    const index = new ChunkIndex();
    const writer = new PackWriter(retrying, index);
    for (let pack = 0; pack < count; pack++) {
      const plain = randomBytes(100_000);
      await writer.add(sha256Of(plain), plain);
      await writer.flush();
    }
    return [...index.packs.keys()];
  }

  it('is used again for the next one', async () => {
    const { destination, bodies } = keeping(0);
    const packs = await sendPacks(destination, 3);
    expect(new Set(bodies.map(({ buffer }) => buffer)).size).toBe(1);
    expect(new Set(packs).size).toBe(3);
  });

  it('is left alone where a try that was given up may read it still', async () => {
    const { destination, bodies } = keeping(1);
    const packs = await sendPacks(destination, 3);
    expect(bodies).toHaveLength(4);
    const [givenUp, second] = bodies;
    expect(sha256Of(givenUp ?? new Uint8Array())).toBe(packs[0]);
    expect(sha256Of(second ?? new Uint8Array())).toBe(packs[0]);
  });
});

describe('spare rooms', () => {
  it('lend a buffer to one at a time', () => {
    const [first, second] = [spareRooms.take(70_001), spareRooms.take(70_001)];
    expect(first).not.toBe(second);
    spareRooms.giveBack(second);
    expect(spareRooms.take(70_002)).toHaveLength(70_002);
    expect(spareRooms.take(70_001)).toBe(second);
  });
});
