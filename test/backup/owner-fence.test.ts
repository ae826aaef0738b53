import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { OwnerFence } from '../../src/backup/ownership/owner-fence.js';
import { SlowDestination } from '../support/slow-destination.js';
import {
  DestinationError,
  type Destination,
  type DestinationTraits,
  type ObjectBody,
  type PutOptions,
  type PutReceipt,
} from '../../src/backup/destinations/destination.js';
import { TestProject } from '../support/backup-project.js';

let project: TestProject;
let destination: Destination;
let now: number;
beforeEach(() => {
  project = new TestProject();
  destination = project.folder();
  now = 0;
});
afterEach(async () => {
  await destination.close();
  await project.close();
});

const LEASE = 60_000;
/** An owner on a machine of its own. */
const owner = (id: string, host: string, at: Destination = destination): OwnerFence =>
  new OwnerFence(at, 'outputs/study.db', {
    ownerId: id.repeat(32).slice(0, 32),
    place: { host, pid: 1_000_000, bootId: host },
    leaseMs: LEASE,
    monotonic: () => now,
  });

describe('owner fence', () => {
  it('alone: owner at once; after a release the next one too', async () => {
    const a = owner('a', 'one');
    await a.claim();
    expect([a.state, a.fence]).toEqual(['owner', 1]);
    await a.release();
    const b = owner('b', 'two');
    await b.claim();
    expect([b.state, b.fence]).toEqual(['owner', 2]);
  });

  it('the later one notices that the first is alive and stops; the first goes on', async () => {
    const a = owner('a', 'one');
    const b = owner('b', 'two');
    await a.claim();
    await b.claim();
    expect([b.state, b.isContested, a.isContested]).toEqual(['claiming', true, false]);
    now += LEASE / 3;
    expect(await a.renew()).toBeUndefined();
    expect((await b.renew())?.message).toContain('one, pid 1000000');
    expect([b.state, b.isContested]).toEqual(['released', false]);
    now += LEASE / 3;
    expect(await a.renew()).toBeUndefined();
    expect(a.state).toBe('owner');
  });

  it('taken over when its holder is gone, by the own clock; the holder that wakes up stops', async () => {
    const a = owner('a', 'one');
    const b = owner('b', 'two');
    await a.claim();
    await b.claim();
    for (let third = 1; third <= 3; third++) {
      now += LEASE / 3;
      expect(await b.renew()).toBeUndefined();
      expect(b.state).toBe(third < 3 ? 'claiming' : 'owner');
    }
    expect((await a.renew())?.message).toContain('has taken over');
    expect(await b.renew()).toBeUndefined();
  });

  it('a process of this machine that is dead holds nothing up', async () => {
    const host = 'one';
    const dead = new OwnerFence(destination, 'outputs/study.db', {
      ownerId: 'd'.repeat(32),
      place: { host, pid: 4_000_000, bootId: 'x' },
    });
    await dead.claim();
    const next = new OwnerFence(destination, 'outputs/study.db', {
      ownerId: 'e'.repeat(32),
      place: { host, pid: 4_000_001, bootId: 'x' },
    });
    await next.claim();
    expect([next.state, next.fence]).toEqual(['owner', 2]);
  });

  it('a process in another container of this machine, whose number says nothing here, is waited for', async () => {
    const inContainer = (id: string, space: string) =>
      new OwnerFence(destination, 'outputs/study.db', {
        ownerId: id.repeat(32),
        place: { host: 'one', pid: 4_000_000, bootId: `x/${space}` },
      });
    await inContainer('a', '1').claim();
    const other = inContainer('b', '2');
    await other.claim();
    expect([other.state, other.fence]).toEqual(['claiming', 2]);
  });

  it('two that claim in the same moment: one goes on', async () => {
    const a = owner('a', 'one');
    const b = owner('b', 'two');
    await Promise.all([a.claim(), b.claim()]);
    for (let third = 0; third < 6; third++) {
      now += LEASE / 3;
      await a.renew();
      await b.renew();
    }
    expect([a.conflict === undefined, b.conflict === undefined].filter(Boolean)).toHaveLength(1);
  });

  it('strict destinations give each number to one', async () => {
    class Strict extends SlowDestination {
      override get traits(): DestinationTraits {
        return { ...super.traits, exclusive: 'strict' };
      }
    }
    const strict = new Strict(destination);
    const owners = ['a', 'b', 'c'].map((id) => owner(id, id, strict));
    await Promise.all(owners.map((one) => one.claim()));
    expect(new Set(owners.map((one) => one.fence)).size).toBe(3);
  });

  it('a number that was not won is not kept: the next try claims again', async () => {
    class Strict extends SlowDestination {
      override get traits(): DestinationTraits {
        return { ...super.traits, exclusive: 'strict' };
      }
      override put(key: string, body: ObjectBody, options: PutOptions): Promise<PutReceipt> {
        const isCut = this.behaviour.delayMs === 1 && key.includes('/fence-');
        return isCut ? Promise.reject(new DestinationError('unreachable', 'cut')) : super.put(key, body, options);
      }
    }
    const first = new Strict(destination, { delayMs: 1 });
    const a = owner('a', 'one', first);
    await expect(a.claim()).rejects.toThrow('cut');
    expect(a.fence).toBe(0);
    const b = owner('b', 'two', new Strict(destination));
    await b.claim();
    first.behaviour.delayMs = 0;
    await a.claim();
    expect([b.fence, a.fence, a.state]).toEqual([1, 2, 'claiming']);
  });
});
