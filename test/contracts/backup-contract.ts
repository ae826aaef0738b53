import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BackupCoordinator } from '../../src/backup/sweep/backup-coordinator.js';
import type { Destination } from '../../src/backup/destinations/destination.js';
import { coreOf, type Drive } from '../../src/backup/drive/drive.js';
import { sha256Of } from '../../src/backup/files/file-digest.js';
import { keepState } from '../../src/backup/format/kept-states.js';
import { listBackups } from '../../src/backup/verify/list-backups.js';
import { OwnerFence } from '../../src/backup/ownership/owner-fence.js';
import { pruneBackups } from '../../src/backup/retention/prune.js';
import { repairBackups } from '../../src/backup/repair/repair.js';
import { verifyBackups } from '../../src/backup/verify/verify.js';
import { addTrials, copyFolder, finishedTrials, makeStudy, openStudy, TestProject } from '../support/backup-project.js';
import { until } from '../support/cli-project.js';

/** A place that backups go to, of any kind. */
export interface BackupPlace {
  /** A new handle named `far`, as another process has it. */
  readonly open: () => Destination;
  /** A handle on the bytes as they lie there, where `open` encrypts. @default `open` */
  readonly raw?: () => Destination;
  /** All of it is deleted, as a bucket, folder or repository is. */
  readonly goes: () => Promise<void> | void;
  /** It is made anew, and empty; absent where whoever writes makes it. */
  readonly comesBack?: () => Promise<void> | void;
  /** What a person is told while it is gone. */
  readonly saysGone?: RegExp;
  /** From now on these credentials may read and nothing else; absent where other tests have it. */
  readonly becomesReadOnly?: () => void;
  readonly cleanUp: () => Promise<void>;
}

/** Every kind of object of `docs/backup-format.md`, by its key. What its bytes say matters, or its name is all that counts. */
const KINDS: readonly { readonly kind: string; readonly key: RegExp; readonly counts: 'bytes' | 'name' | 'record' }[] =
  [
    { kind: 'manifest', key: /\/targets\/[^/]+\/[0-9a-f]{8}\.\d{10}\.[^/]+\.json$/, counts: 'bytes' },
    { kind: 'pack', key: /\/packs\/[0-9a-f]{64}\.pack$/, counts: 'bytes' },
    { kind: 'plain copy of the database', key: /^outputs\/.*\/study\.db$/, counts: 'bytes' },
    { kind: 'plain copy of a file', key: /^outputs\/final\/(?:weights\.bin|state\.json)$/, counts: 'bytes' },
    { kind: "owner's record", key: /\/owner-\d+-[0-9a-f]+\.json$/, counts: 'record' },
    { kind: 'mark', key: /\/kept-[0-9a-f]{16}\.json$/, counts: 'record' },
    { kind: 'note of garbage', key: /\/garbage\/\d{13}-[0-9a-f]{8}\.json$/, counts: 'record' },
    { kind: 'note of a key', key: /\/keys\/[0-9a-f]{16}\.recipient$/, counts: 'record' },
    { kind: 'strict number', key: /\/fence-\d+$/, counts: 'name' },
    { kind: 'probe', key: /\/probe$/, counts: 'name' },
    { kind: 'page', key: /\/status\.html$/, counts: 'name' },
  ];

const flipped =
  (share: number) =>
  (bytes: Uint8Array): Uint8Array => {
    const changed = Buffer.from(bytes);
    const at = Math.min(changed.length - 1, Math.floor(share * changed.length));
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    return changed;
  };
const HARMS: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  'a byte in its middle flipped': flipped(0.5),
  'cut to half': (bytes) => bytes.subarray(0, bytes.length >> 1),
};
const AT_ITS_ENDS = { 'its first byte flipped': flipped(0), 'its last byte flipped': flipped(1) };

/** Whole backups at a place of any kind, and what may befall them there. */
export function backupContract(name: string, create: () => Promise<BackupPlace>): void {
  describe(`backups at ${name}`, () => {
    let place: BackupPlace;
    let project: TestProject;
    let db: string;
    beforeEach(async () => {
      place = await create();
      project = new TestProject();
      db = project.studyDb();
    });
    afterEach(async () => {
      await project.close();
      await place.cleanUp();
    });
    /** Of a process that knows nothing yet. */
    const drive = (...more: Destination[]): Drive => project.drive([place.open(), ...more]);
    /** Finished trials that a new machine brings back from there. */
    const recovered = async (): Promise<number> => {
      const machine = new TestProject();
      try {
        const result = await machine.drive([place.open()]).restore(machine.path(db.slice(project.root.length + 1)));
        expect(result.status, result.error).toBe('restored');
        return finishedTrials(result.path);
      } finally {
        await machine.close();
      }
    };
    const keys = async (destination: Destination, prefix = ''): Promise<string[]> => {
      const { objects, folders } = await destination.list(prefix);
      const below = await Promise.all(folders.map((folder) => keys(destination, `${prefix}${folder}/`)));
      return [...objects.map(({ key }) => key), ...below.flat()].sort();
    };
    const put = async (destination: Destination, key: string, bytes: Uint8Array): Promise<void> => {
      await destination.put(key, bytes, { sha256: sha256Of(bytes) });
    };

    it('any kind of object damaged or cut: found and mended to the bit, and never restored as it is', async () => {
      const spare = () => project.folder('spare');
      const folder = project.path('outputs', 'final');
      const using = drive(spare());
      await makeStudy(db, { finished: 3 });
      project.write(join(folder, 'weights.bin'), randomBytes(300_000));
      for (const step of ['3', '4']) {
        project.write(join(folder, 'state.json'), `{"step": ${step}, "of": "the training"}`);
        for (const path of [db, folder]) {
          expect(await using.backup(path, { isDirectory: path === folder })).toMatchObject({ ok: true });
        }
        if (step === '3') await addTrials(db, 2);
      }
      // What lies beside the states: an owner, a mark, a note of garbage, a page for people.
      const far = place.open();
      const target = using.drivePathFor(db);
      const fence = new OwnerFence(far, target, { ownerId: 'a1b2c3' });
      await fence.claim();
      const [state] = (await listBackups(using, { destination: 'far', path: db })).backups;
      const check = /\.([0-9a-f]{16})\.json$/.exec(state?.snapshot ?? '')?.[1] ?? '';
      await keepState(far, target, { name: state?.snapshot ?? '', check });
      const stray = Buffer.from('\u0000stray');
      await put(far, `.resweep/packs/${sha256Of(stray)}.pack`, stray);
      await pruneBackups(drive());
      await put(far, `${target.slice(0, -'study.db'.length)}status.html`, Buffer.from('<html></html>'));
      expect(await verifyBackups(drive(), { deep: true })).toMatchObject({ ok: true });

      const raw = (place.raw ?? place.open)();
      const strayKey = `.resweep/packs/${sha256Of(stray)}.pack`;
      const all = (await keys(raw)).filter((key) => key !== strayKey);
      expect(all.filter((key) => !KINDS.some((one) => one.key.test(key)))).toEqual([]);
      const met = new Set<string>();
      for (const { kind, key: isOfKind, counts } of KINDS) {
        const isCore = kind === 'manifest' || kind === 'pack';
        for (const [how, harm] of Object.entries(isCore ? { ...HARMS, ...AT_ITS_ENDS } : HARMS)) {
          const key = (await keys(raw)).findLast((one) => isOfKind.test(one) && one !== strayKey);
          if (key === undefined) continue;
          met.add(kind);
          const what = `${kind}, ${how}`;
          const before = Buffer.from((await raw.get(key)) ?? []);
          const content = Buffer.from((await far.get(key)) ?? []);
          await put(raw, key, harm(before));
          expect([3, 5], what).toContain(await recovered());
          const looking = drive(spare());
          const report = await verifyBackups(looking, { destination: 'far' });
          expect(report.unreachable, what).toEqual([]);
          if (counts === 'bytes') expect(report.ok, what).toBe(false);
          if (counts === 'name') expect(report.ok, what).toBe(true);
          const repair = await repairBackups(looking, { destination: 'far' });
          expect(repair, what).toMatchObject({ ok: true, remaining: [] });
          if (!report.ok) expect(repair.repaired.length, what).toBeGreaterThan(0);
          // A record is written anew by its owner; a name needs no mending.
          if (kind === "owner's record") expect(await fence.renew(), what).toBeUndefined();
          if (counts !== 'bytes') await put(raw, key, before);
          else if (kind !== 'manifest') expect(content.equals((await far.get(key)) ?? Buffer.of()), what).toBe(true);
        }
      }
      const { mirror, exclusive } = far.traits;
      for (const kind of ['manifest', 'pack', "owner's record", 'mark', 'note of garbage']) expect(met).toContain(kind);
      expect(met.has('plain copy of the database')).toBe(mirror);
      expect(met.has('strict number')).toBe(exclusive === 'strict');
      expect(await verifyBackups(drive(), { deep: true })).toMatchObject({ ok: true, damages: [] });
      expect(await recovered()).toBe(5);
    });

    it('all of it deleted in the middle of a save: the sweep goes on, and the next save sends everything anew', async () => {
      await makeStudy(db, { finished: 2 });
      const study = await openStudy(db);
      const far = place.open();
      const send = far.put.bind(far);
      let goes: Promise<void> | undefined;
      const coordinator = new BackupCoordinator({ drive: project.drive([far]), studyDb: db, cpuShare: 1 });
      const status = () => coordinator.status()[0];
      try {
        await coordinator.firstCopy();
        await until(() => status()?.finishedTrials === 2, 'the first copy');
        far.put = async (key, body, options) => {
          // The pack has arrived; its manifest finds nothing there any more.
          if (/\/targets\/.*\.\d{10}\./.test(key)) await (goes ??= Promise.resolve(place.goes()));
          return send(key, body, options);
        };
        await study.add(2);
        coordinator.studyChanged();
        await until(() => goes !== undefined && status()?.saving === false, 'the save that finds it gone');
        if (place.saysGone !== undefined) {
          expect(status()).toMatchObject({ backlog: 1, error: expect.stringMatching(place.saysGone) });
          await study.add(1);
          expect((await coordinator.flush(20_000)).complete).toBe(place.comesBack === undefined);
        } else await study.add(1);
        coordinator.studyChanged();
        await place.comesBack?.();
        // What a save between full ones cannot know, the next full one does.
        expect((await coordinator.flush(20_000)).complete).toBe(true);
        expect(status()).toMatchObject({ finishedTrials: 5, backlog: 0, error: undefined });
        await coordinator.close();
        expect(await verifyBackups(drive(), { deep: true })).toMatchObject({ ok: true, damages: [] });
        expect(await recovered()).toBe(5);
      } finally {
        await coordinator.close();
        await study.close();
      }
    });

    it('two machines that go on from the same copy at once: both histories are kept, and one of them stops', async () => {
      await makeStudy(db, { finished: 3 });
      await drive().backup(db);
      const other = new TestProject();
      try {
        copyFolder(project.path('outputs'), other.path('outputs'));
        const now = { ms: 0 };
        const machines = [project, other].map((machine, index) => {
          const core = coreOf(machine.drive([place.open()]));
          const [destination] = core?.destinations ?? [];
          if (core === undefined || destination === undefined) throw new Error('no destination');
          const path = machine.path(db.slice(project.root.length + 1));
          const target = core.target(path);
          const fence = new OwnerFence(destination, target, {
            ownerId: core.ownerId,
            place: { host: `host-${index}`, pid: 1_000_000, bootId: `boot-${index}` },
            monotonic: () => now.ms,
          });
          core.setFence(destination, target, fence);
          const save = async (): Promise<void> => {
            const capture = await core.capturer.capture({ target, path, isDirectory: false, full: false });
            await core.save(destination, capture, { mirror: true });
            core.capturer.release(capture);
          };
          return { path, fence, save };
        });
        await Promise.all(machines.map(({ fence }) => fence.claim()));
        for (let round = 1; round <= 5; round++) {
          now.ms += 20_000;
          await Promise.all(
            machines.map(async ({ path, fence, save }, index) => {
              await fence.renew();
              if (fence.conflict !== undefined) return;
              // Their trials differ, so neither state contains the other.
              await addTrials(path, 1, { offset: 0.1 * index });
              await save();
            }),
          );
        }
        const going = machines.filter(({ fence }) => fence.conflict === undefined);
        expect(going).toHaveLength(1);
        expect(going[0]?.fence.state).toBe('owner');
        expect(await verifyBackups(drive(), { deep: true })).toMatchObject({ ok: true, damages: [] });
        const { backups } = await listBackups(drive(), { path: db });
        const best = (finished: number) => backups.filter(({ finishedTrials: count }) => count === finished);
        expect(best(8).length).toBeGreaterThan(0);
        expect(await recovered()).toBe(8);
        // What the other saved before it stopped is a branch of its own, whole.
        for (const branch of new Set(backups.map((one) => one.branch))) {
          const to = project.place(`branch-${branch}`);
          expect((await drive().restore(db, { to, branch })).status).toBe('restored');
        }
      } finally {
        await other.close();
      }
    });

    it('credentials that may only read: what is there is listed, verified and restored; a save says what they lack', async ({
      skip,
    }) => {
      if (place.becomesReadOnly === undefined) {
        skip();
        return;
      }
      await makeStudy(db, { finished: 4 });
      expect((await drive().backup(db)).ok).toBe(true);
      place.becomesReadOnly();
      expect((await listBackups(drive())).errors).toEqual([]);
      expect(await verifyBackups(drive(), { deep: true })).toMatchObject({ ok: true, damages: [] });
      expect(await recovered()).toBe(4);
      await addTrials(db, 1);
      const result = await drive().backup(db);
      expect(result).toMatchObject({ ok: false, verified: 'no' });
      // Refused, and with what to do about it as a second sentence.
      expect(result.error).toMatch(/^far: .+ 403 .+\. [A-Z].+\.$/);
      expect(await recovered()).toBe(4);
    });
  });
}
