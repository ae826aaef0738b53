import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { branchHeads, listManifests, targetFolder } from '../../src/backup/format/catalog.js';
import type { Destination, Listing } from '../../src/backup/destinations/destination.js';
import { DriveCore } from '../../src/backup/drive/drive-core.js';
import { OwnerFence } from '../../src/backup/ownership/owner-fence.js';
import { planRetention } from '../../src/backup/retention/retention.js';
import { addTrials, finishedTrials, makeStudy, snapshotSource, TestProject } from '../support/backup-project.js';
import { SlowDestination } from '../support/slow-destination.js';

/** Far away, and counting what it is asked. */
class Counted extends SlowDestination {
  readonly asked: string[] = [];
  constructor(inner: Destination) {
    super(inner, {}, { mirrorRefresh: 'withFullSnapshots' });
  }
  override list(prefix: string): Promise<Listing> {
    this.asked.push(`list ${prefix}`);
    return super.list(prefix);
  }
}

let project: TestProject;
let db: string;
let cores: DriveCore[];
beforeEach(async () => {
  project = new TestProject();
  db = project.studyDb();
  cores = [];
  await makeStudy(db, { finished: 2 });
});
afterEach(async () => {
  await Promise.all(cores.map((core) => core.close()));
  await project.close();
});

/** Two machines that resumed the same saved state, which is also at `aside`. */
async function twoFromOneState() {
  const far = new Counted(project.folder());
  const one = machine(far);
  await one.save(true);
  const aside = project.place('aside.db');
  await snapshotSource.snapshot(db, aside);
  return { far, one, aside, two: machine(far) };
}

function machine(destination: Destination, isSure: () => boolean = () => true) {
  const core = new DriveCore({ projectRoot: project.root, snapshotSource, destinations: [destination] });
  cores.push(core);
  const [far] = core.destinations;
  if (far === undefined) throw new Error('no destination');
  const target = core.target(db);
  core.setFence(far, target, {
    fence: cores.length,
    isContested: false,
    get isSure() {
      return isSure();
    },
  });
  return {
    ...{ core, far, target },
    /** As a sweep does after a trial; `full` as at its beginning. */
    save: async (full = false) => {
      const capture = await core.capturer.capture({ target, path: db, isDirectory: false, full });
      try {
        return await core.save(far, capture, { mirror: full });
      } finally {
        core.capturer.release(capture);
      }
    },
    /** What a heartbeat does with what it finds. */
    look: async () => {
      const askedAt = performance.now();
      const { objects } = await far.list(targetFolder(target));
      core.seen(far, target, objects, askedAt);
    },
  };
}

describe('what the only owner remembers', () => {
  it('an incremental save asks for no list while ownership is sure, and for one where it is not', async () => {
    const far = new Counted(project.folder());
    let sure = true;
    const { save } = machine(far, () => sure);
    await save(true);
    far.asked.length = 0;
    for (let trial = 0; trial < 5; trial++) {
      await addTrials(db, 1);
      expect((await save()).requests).toBe(2);
    }
    expect(far.asked).toEqual([]);
    sure = false;
    await addTrials(db, 1);
    expect((await save()).requests).toBe(3);
    expect(far.asked).toHaveLength(1);
    sure = true;
    await addTrials(db, 1);
    // A full one looks at the names of manifests and of packs.
    await save(true);
    expect(far.asked).toHaveLength(3);
    expect(await finishedThere()).toBe(9);
  });

  it('a look that finds what is remembered changes nothing; after one that does not, the next save lists', async () => {
    const far = new Counted(project.folder());
    const { save, look } = machine(far);
    await save(true);
    await addTrials(db, 1);
    await save();
    await look();
    far.asked.length = 0;
    await addTrials(db, 1);
    await save();
    expect(far.asked).toEqual([]);
    rmSync(join(project.place('store'), '.resweep'), { recursive: true });
    await look();
    await addTrials(db, 1);
    await save();
    expect(await finishedThere()).toBe(5);
  });

  it('a failed save, and a prune, let it list again', async () => {
    const far = new Counted(project.folder());
    const { save, core } = machine(far);
    await save(true);
    await addTrials(db, 1);
    await save();
    core.pruned(core.destinations[0] ?? far, new Set());
    far.asked.length = 0;
    await addTrials(db, 1);
    await save();
    expect(far.asked).toHaveLength(1);
    const { put } = far;
    far.put = () => Promise.reject(new Error('cut'));
    await addTrials(db, 1);
    await expect(save()).rejects.toThrow('cut');
    far.put = put;
    await save();
    expect(far.asked).toHaveLength(2);
    expect(await finishedThere()).toBe(5);
  });

  it('another that wrote meanwhile: both histories stay, before and after the next look', async () => {
    const { far, one, two, aside } = await twoFromOneState();
    // Resumed elsewhere from the same state, with trials of its own.
    const own = db;
    await addTrials(own, 2);
    await one.save();
    rmSync(own);
    await snapshotSource.snapshot(aside, own);
    await addTrials(own, 1, { offset: 0.5 });
    const theirs = await two.save(true);
    expect(theirs.forkedFrom).toBeDefined();
    rmSync(own);
    await snapshotSource.snapshot(aside, own);
    await addTrials(own, 3);
    await one.look();
    await one.save();
    const heads = branchHeads(await listManifests(far, one.target));
    expect(heads.map(({ finished }) => finished).sort()).toEqual([3, 5]);
  });

  it('what two wrote of one branch side by side: a restore of one names the other, and how to have it', async () => {
    const { one, two, aside } = await twoFromOneState();
    await addTrials(db, 1, { offset: 0.5 });
    expect((await two.save(true)).forkedFrom).toBeUndefined();
    rmSync(db);
    await snapshotSource.snapshot(aside, db);
    await addTrials(db, 2);
    await one.save();
    const drive = project.drive();
    const newest = await drive.restore(db, { to: project.place('newest') });
    expect(newest).toMatchObject({ finishedTrials: 4, otherBranches: [{ branch: newest.branch, finished: 3 }] });
    const at = newest.otherBranches[0]?.snapshot;
    expect(await drive.restore(db, { to: project.place('other'), ...(at === undefined ? {} : { at }) })).toMatchObject({
      ...{ finishedTrials: 3, snapshot: at, otherBranches: [] },
    });
  });
});

describe('heads of a branch', () => {
  const name = (owner: string, generation: number) => ({
    ...{ branch: 'aaaaaaaa', owner, generation, finished: generation, createdAt: generation * 1000 },
    ...{ content: 'c', check: `${generation}`, name: `${owner}-${generation}` },
  });

  it('who goes on from another takes its place; who writes beside it does not', () => {
    const after = [...[1, 2, 3].map((at) => name('one', at)), ...[4, 5].map((at) => name('two', at))];
    expect(branchHeads(after).map((head) => head.name)).toEqual(['two-5']);
    const beside = [...[1, 2, 4, 6].map((at) => name('one', at)), ...[4, 5].map((at) => name('two', at))];
    expect(branchHeads(beside).map((head) => head.name)).toEqual(['one-6', 'two-5']);
    const policy = { newest: 1, days: 0, weeks: 0, months: 0, milestones: [] };
    const kept = (names: typeof after) =>
      planRetention(names, policy).flatMap(({ keep, manifest }) => (keep ? [manifest.name] : []));
    expect(kept(after)).toEqual(['two-5']);
    expect(kept(beside)).toEqual(['one-6', 'two-5']);
  });
});

describe('whether ownership is sure', () => {
  it('alone and fresh it is; with another that may be alive, after silence, or after a jump of the clock it is not', async () => {
    let now = 0;
    const owner = (id: string) =>
      new OwnerFence(project.folder(), 'a/study.db', {
        ownerId: id.repeat(32),
        place: { host: id, pid: 1, bootId: id },
        leaseMs: 60_000,
        monotonic: () => now,
      });
    const a = owner('a');
    expect(a.isSure).toBe(false);
    await a.claim();
    expect(a.isSure).toBe(true);
    now += 40_000;
    expect(a.isSure).toBe(false);
    await a.renew();
    expect(a.isSure).toBe(true);
    const b = owner('b');
    await b.claim();
    expect(b.isSure).toBe(false);
    await a.renew();
    expect(a.isSure).toBe(false);
    await b.release();
    await a.renew();
    expect(a.isSure).toBe(true);
    const { now: wall } = Date;
    Date.now = () => wall() + 3_600_000;
    try {
      expect(a.isSure).toBe(false);
    } finally {
      Date.now = wall;
    }
  });
});

async function finishedThere(): Promise<number> {
  const to = project.place(`back-${performance.now()}`);
  const result = await project.drive().restore(db, { to });
  expect(result.status).toBe('restored');
  return finishedTrials(result.path);
}
