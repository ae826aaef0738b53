import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { CallOptions, Listing } from '../../src/backup/destinations/destination.js';
import { pruneBackups } from '../../src/backup/retention/prune.js';
import { verifyBackups } from '../../src/backup/verify/verify.js';
import { listBackups } from '../../src/backup/verify/list-backups.js';
import {
  addTrials,
  copyFolder,
  finishedTrials,
  flipByte,
  makeStudy,
  manifestsOf,
  packsOf,
  TestProject,
} from '../support/backup-project.js';
import { SlowDestination } from '../support/slow-destination.js';

const KEEP = { newest: 2, days: 0, weeks: 0, months: 0, milestones: [3] };
const DAY = 86_400_000;

let project: TestProject;

beforeEach(() => {
  project = new TestProject();
});

afterEach(async () => {
  await project.close();
});

/** A study saved after each of `count` trials. */
async function savedAfterEach(count: number): Promise<ReturnType<TestProject['drive']>> {
  const drive = project.drive([project.folder('store', { policy: { keep: KEEP } })]);
  await makeStudy(project.studyDb());
  for (let i = 0; i < count; i++) {
    await addTrials(project.studyDb(), 1);
    expect((await drive.backup(project.studyDb())).ok).toBe(true);
  }
  return drive;
}

describe('prune', () => {
  it('removes what the rules need no more, and every state that stays can be restored', async () => {
    const drive = await savedAfterEach(8);
    const before = packsOf(project.place('store')).length;
    const dry = await pruneBackups(drive, { dryRun: true });
    expect(manifestsOf(project.place('store'))).toHaveLength(8);
    const report = await pruneBackups(drive);
    expect(report.ok).toBe(true);
    expect(dry.destinations[0]?.targets).toEqual(report.destinations[0]?.targets);
    expect(dry.destinations[0]?.freedBytes).toBe(report.destinations[0]?.freedBytes);
    expect(report.destinations[0]?.removedPacks).toBeGreaterThan(0);
    expect(packsOf(project.place('store'))).toHaveLength(before - (report.destinations[0]?.removedPacks ?? 0));
    const { backups } = await listBackups(drive);
    expect(backups.map(({ finishedTrials: finished }) => finished)).toEqual([8, 7, 3]);
    expect((await verifyBackups(drive, { deep: true })).damages).toEqual([]);
    for (const { snapshot, finishedTrials: finished } of backups) {
      const to = project.place(`look-${finished}`);
      const result = await drive.restore(project.studyDb(), { at: snapshot, to });
      expect(result.status).toBe('restored');
      expect(finishedTrials(result.path)).toBe(finished);
    }
    expect(project.events.filter(({ type }) => type === 'prune').map(({ outcome }) => outcome)).toEqual(['ok']);
  });

  it('goes on saving after it, and prunes again without a change', async () => {
    const drive = await savedAfterEach(5);
    await pruneBackups(drive);
    await addTrials(project.studyDb(), 1);
    expect((await drive.backup(project.studyDb())).ok).toBe(true);
    expect((await verifyBackups(drive, { deep: true })).damages).toEqual([]);
    await pruneBackups(drive);
    const again = await pruneBackups(drive);
    expect(again.destinations[0]?.targets.every(({ decisions }) => decisions.every(({ keep }) => keep))).toBe(true);
  });

  it('removes nothing where the newest state is damaged, and says so', async () => {
    const drive = await savedAfterEach(6);
    const [newest = ''] = packsOf(project.place('store'));
    flipByte(newest);
    const report = await pruneBackups(drive);
    expect(report.ok).toBe(false);
    expect(report.destinations[0]?.targets[0]?.refused).toMatch(/newest state is not whole/);
    expect(manifestsOf(project.place('store'))).toHaveLength(6);
    expect(project.events.find(({ type }) => type === 'prune')?.outcome).toBe('warning');
  });

  it('removes no pack while any manifest cannot be read', async () => {
    const drive = await savedAfterEach(6);
    const kept = manifestsOf(project.place('store')).at(3) ?? '';
    flipByte(kept);
    const packs = packsOf(project.place('store')).length;
    // The damaged one is the milestone, so it stays.
    const report = await pruneBackups(project.drive());
    expect(report.destinations[0]?.error).toMatch(/damaged/);
    expect(packsOf(project.place('store'))).toHaveLength(packs);
    expect(finishedTrials((await drive.restore(project.studyDb(), { to: project.place('look') })).path)).toBe(6);
  });

  it('lets a pack that nothing names wait for a day: a save may be about to name it', async () => {
    const drive = await savedAfterEach(2);
    const [manifest = ''] = manifestsOf(project.place('store'));
    rmSync(manifest); // As if the process had been killed between pack and manifest.
    const packs = packsOf(project.place('store')).length;
    const now = Date.now();
    const first = await pruneBackups(drive, { now: () => now });
    expect(first.destinations[0]).toMatchObject({ removedPacks: 0, waitingPacks: 1 });
    const soon = await pruneBackups(drive, { now: () => now + DAY - 1 });
    expect(soon.destinations[0]).toMatchObject({ removedPacks: 0, waitingPacks: 1 });
    const later = await pruneBackups(drive, { now: () => now + DAY });
    expect(later.destinations[0]).toMatchObject({ removedPacks: 1, waitingPacks: 0 });
    expect(packsOf(project.place('store'))).toHaveLength(packs - 1);
    const { damages } = await verifyBackups(drive, { deep: true });
    expect(damages.map(({ snapshot }) => snapshot)).toEqual(['mirror']); // It holds what the lost manifest described.
  });

  it('removes no pack that a save beside it has just sent again', async () => {
    const file = project.path('outputs', 'config.bin');
    const store = project.folder('store', { policy: { keep: { ...KEEP, newest: 1, milestones: [] } } });
    let beside: (() => Promise<unknown>) | undefined;
    class Watched extends SlowDestination {
      override async list(prefix: string, options?: CallOptions): Promise<Listing> {
        const run = prefix === '.resweep/garbage/' ? beside : undefined;
        if (run !== undefined) beside = undefined;
        // The prune has read every manifest; now the save comes.
        await run?.();
        return super.list(prefix, options);
      }
    }
    const watched = new Watched(store, {}, { mirror: false });
    Object.assign(watched, { policy: store.policy });
    const drive = project.drive([watched]);
    for (const content of ['first', 'second']) {
      project.write(file, content.repeat(1000));
      expect((await drive.backup(file)).ok).toBe(true);
    }
    beside = async () => {
      project.write(file, 'first'.repeat(1000));
      expect((await drive.backup(file)).ok).toBe(true);
    };
    await pruneBackups(drive);
    expect((await verifyBackups(drive, { deep: true })).damages).toEqual([]);
    // What the save counted on stays; the next prune removes what nothing names.
    await pruneBackups(drive);
    expect((await verifyBackups(drive, { deep: true })).damages).toEqual([]);
    expect(manifestsOf(project.place('store'))).toHaveLength(1);
  });

  it('removes records of owners that were killed long ago, not of those that may live', async () => {
    const drive = await savedAfterEach(6);
    const folder = dirname(manifestsOf(project.place('store'))[0] ?? '');
    const record = (fence: number, id: string, ageMs: number): string => {
      const path = join(folder, `owner-${fence}-${id.repeat(32)}.json`);
      const at = new Date(Date.now() - ageMs).toISOString();
      const place = { host: 'far', pid: 1, bootId: 'x' };
      const state = { fence, state: 'owner', beat: 1, heartbeatAt: at, leaseMs: 60_000 };
      writeFileSync(path, JSON.stringify({ format: 'resweep-owner', ownerId: id.repeat(32), ...place, ...state }));
      return path;
    };
    const killed = record(1, 'a', 8 * DAY);
    const silent = record(2, 'b', 6 * DAY);
    const last = record(3, 'c', 30 * DAY);
    await pruneBackups(drive);
    expect([killed, silent, last].map((path) => existsSync(path))).toEqual([false, true, true]);
  });

  it('keeps the state that the plain copy holds, which vouches for it', async () => {
    const drive = await savedAfterEach(6);
    const store = project.place('store');
    const older = await drive.restore(project.studyDb(), { at: 'generation:4', to: project.place('old') });
    writeFileSync(`${store}/outputs/hpo/local/mlp/study-abcd1234/study.db`, readFileSync(older.path));
    await pruneBackups(drive);
    expect((await listBackups(drive)).backups.map(({ generation }) => generation)).toEqual([6, 5, 4, 3]);
    expect((await verifyBackups(drive)).damages).toEqual([]);
  });

  it('keeps the packs that another target needs', async () => {
    const drive = await savedAfterEach(6);
    const other = project.studyDb('local', 'ffff0000');
    copyFolder(
      project.path('outputs/hpo/local/mlp/study-abcd1234'),
      project.path('outputs/hpo/local/mlp/study-ffff0000'),
    );
    expect((await drive.backup(other)).ok).toBe(true);
    await pruneBackups(drive);
    expect((await verifyBackups(drive, { deep: true })).damages).toEqual([]);
    expect((await drive.restore(other, { to: project.place('look') })).status).toBe('restored');
  });

  it('knows no destination of another name', async () => {
    const drive = await savedAfterEach(1);
    await expect(pruneBackups(drive, { destination: 'stor' })).rejects.toThrow(/There is no destination "stor"/);
  });
});
