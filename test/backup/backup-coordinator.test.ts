import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BackupCoordinator, type CoordinatorOptions } from '../../src/backup/sweep/backup-coordinator.js';
import {
  DestinationError,
  type CallOptions,
  type Destination,
  type Listing,
  type ObjectBody,
  type PutOptions,
  type PutReceipt,
} from '../../src/backup/destinations/destination.js';
import type { Drive } from '../../src/backup/drive/drive.js';
import { FrozenTrial } from '../../src/core/frozen-trial.js';
import type { StudyView } from '../../src/core/study-view.js';
import {
  addTrials,
  filesBelow,
  finishedTrials,
  makeStudy,
  manifestsOf,
  openStudy,
  type OpenStudy,
  TestProject,
} from '../support/backup-project.js';
import { SlowDestination } from '../support/slow-destination.js';

let project: TestProject;
let db: string;
let coordinators: BackupCoordinator[];
let study: OpenStudy | undefined;
beforeEach(() => {
  project = new TestProject();
  db = project.studyDb();
  coordinators = [];
});
afterEach(async () => {
  await Promise.all(coordinators.map((coordinator) => coordinator.close(500)));
  await study?.close();
  study = undefined;
  await project.close();
});

const view: StudyView = {
  studyName: 'digits',
  directions: ['maximize'],
  seed: 1,
  history: { all: [], finished: [], unfinished: [] },
  userAttrs: {},
  systemAttrs: {},
  declaredSpace: undefined,
};
const trial = new FrozenTrial(1, 0, { state: 'COMPLETE' });

function coordinate(drive: Drive, options: Partial<CoordinatorOptions> = {}): BackupCoordinator {
  const coordinator = new BackupCoordinator({ drive, studyDb: db, cpuShare: 1, ...options });
  coordinators.push(coordinator);
  return coordinator;
}

/** A study that is open in this process, as during a sweep. (Opening it anew would wait for the snapshot of this same thread.) */
async function liveStudy(): Promise<void> {
  await makeStudy(db);
  study = await openStudy(db);
}

/** A sweep: each trial is committed, then the callback is called. Returns the longest time that a callback took. */
async function sweep(coordinator: BackupCoordinator, trials: number): Promise<number> {
  let longest = 0;
  if (study === undefined) throw new Error('open the study first');
  for (let count = 0; count < trials; count++) {
    await study.add(1);
    const start = performance.now();
    await coordinator.trialCallback(view, trial);
    longest = Math.max(longest, performance.now() - start);
  }
  return longest;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const mirrorIn = (store: string): string => join(project.place(store), 'outputs/hpo/local/mlp/study-abcd1234/study.db');

describe('backup coordinator', () => {
  it('backs up right after creation, and right after a resume', async () => {
    await liveStudy();
    const first = coordinate(project.drive());
    expect(await first.firstCopy()).toBe(true);
    expect(finishedTrials(mirrorIn('store'))).toBe(0);
    await first.close();
    await study?.close();
    study = undefined;
    project.loseOutputs();
    const drive = project.drive();
    expect(await drive.ensureRestoredFromDrive(db)).toBe(true);
    await addTrials(db, 3);
    const resumed = coordinate(drive);
    await resumed.firstCopy();
    expect(finishedTrials(mirrorIn('store'))).toBe(3);
  });

  it('every trial reaches every destination; status says up to where it is safe', async () => {
    await liveStudy();
    const coordinator = coordinate(project.drive([project.folder('one'), project.folder('two')]));
    coordinator.start();
    expect(await sweep(coordinator, 6)).toBeLessThan(500);
    const report = await coordinator.flush(20_000);
    expect(report.complete).toBe(true);
    for (const status of report.destinations) {
      expect(status).toMatchObject({
        finishedTrials: 6,
        verified: 'verified',
        backlog: 0,
        error: undefined,
        sameDisk: true,
      });
      expect(status.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(finishedTrials(mirrorIn(status.name))).toBe(6);
    }
    expect(coordinator.isSameDiskOnly).toBe(true);
  });

  it('the folder around the study comes too, without the database twice', async () => {
    await liveStudy();
    project.write(join(dirname(db), 'study.yaml'), 'study: digits\n');
    project.write(join(dirname(db), 'trials/trial-0000-00000000/checkpoint/w.bin'), Buffer.alloc(1000));
    const coordinator = coordinate(project.drive(), { studyFolder: dirname(db) });
    coordinator.start();
    await sweep(coordinator, 2);
    await coordinator.flush(20_000);
    const folder = dirname(db);
    project.loseOutputs();
    expect(await project.drive().restore(folder, { isDirectory: true })).toMatchObject({ status: 'restored' });
    expect(filesBelow(folder)).toEqual(['study.yaml', 'trials/trial-0000-00000000/checkpoint/w.bin']);
    expect(await project.drive().restore(db)).toMatchObject({ finishedTrials: 2 });
  });

  it('one in flight, and the newest state next', async () => {
    await liveStudy();
    const slow = new SlowDestination(project.folder(), { delayMs: 40 });
    const coordinator = coordinate(project.drive([slow]));
    await coordinator.firstCopy();
    await sweep(coordinator, 12);
    await coordinator.flush(20_000);
    const saved = manifestsOf(project.place('store')).length;
    expect(saved).toBeGreaterThan(1);
    expect(saved).toBeLessThan(10);
    expect(finishedTrials(mirrorIn('store'))).toBe(12);
  });

  it('rests between captures, so that its share of the processors stays bounded', async () => {
    await liveStudy();
    const coordinator = coordinate(project.drive(), { cpuShare: 1e-6 });
    await coordinator.firstCopy();
    await sweep(coordinator, 5);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(coordinator.status()[0]).toMatchObject({ backlog: 5, finishedTrials: 0 });
    expect((await coordinator.flush(20_000)).complete).toBe(true);
  });

  const faults: readonly (readonly [string, () => Destination, RegExp])[] = [
    ['missing', () => project.folder('bad', { path: '/no-such-disk/backups' }), /does not exist/],
    [
      'not mounted',
      () => project.folder('bad', { path: project.place('m/My'), mounts: [project.place('m')] }),
      /not mounted/,
    ],
    [
      'read-only',
      () =>
        new SlowDestination(project.folder('bad'), { fails: new DestinationError('denied', 'read-only file system') }),
      /read-only/,
    ],
    [
      'full',
      () => new SlowDestination(project.folder('bad'), { fails: new DestinationError('full', 'no space left') }),
      /no space/,
    ],
    ['hanging', () => new SlowDestination(project.folder('bad'), { hangs: true }), /no answer within/],
  ];
  it.each(faults)(
    'destination %s: the sweep completes, the others are served, warned once, status shows it',
    async (kind, bad, text) => {
      await liveStudy();
      const warnings: string[] = [];
      const drive = project.drive([bad(), project.folder('good')], {
        // Long enough for a busy machine, where it is not the time-out itself that is looked at.
        retry: { retries: 0, timeoutMs: kind === 'hanging' ? 800 : 10_000 },
        log: { info: () => undefined, warn: (message) => warnings.push(message) },
      });
      const coordinator = coordinate(drive);
      await coordinator.firstCopy(5_000);
      expect(await sweep(coordinator, 4)).toBeLessThan(500);
      const report = await coordinator.flush(10_000);
      expect(report.complete).toBe(false);
      expect(report.durationMs).toBeLessThan(12_000);
      const [one, two] = report.destinations;
      expect(one).toMatchObject({ name: 'bad', finishedTrials: undefined, verified: 'no', lastVerifiedAt: undefined });
      expect(one?.error).toMatch(text);
      expect(two).toMatchObject({ name: 'good', finishedTrials: 4, error: undefined });
      expect(warnings.filter((message) => message.startsWith('Backup of'))).toHaveLength(1);
    },
  );

  it('a destination whose folder cannot be written is an error, and works again when it can', async () => {
    await makeStudy(db, { finished: 1 });
    writeFileSync(project.place('store'), 'a file is in the way');
    const coordinator = coordinate(project.drive());
    await coordinator.firstCopy();
    expect(coordinator.status()[0]?.error).toContain('not a folder');
    rmSync(project.place('store'));
    mkdirSync(project.place('store'));
    chmodSync(project.place('store'), 0o755);
    expect((await coordinator.flush(10_000)).complete).toBe(true);
    expect(coordinator.status()[0]).toMatchObject({ error: undefined, finishedTrials: 1 });
    expect(project.events.map((event) => event.type)).toContain('backupRecovered');
  });

  it('flush is bounded, even by a destination that hangs in the middle of a run', async () => {
    await liveStudy();
    const slow = new SlowDestination(project.folder());
    const coordinator = coordinate(project.drive([slow], { retry: { timeoutMs: 60_000 } }));
    await coordinator.firstCopy();
    slow.behaviour.hangs = true;
    await sweep(coordinator, 2);
    const report = await coordinator.flush(300);
    expect(report).toMatchObject({ complete: false });
    expect(report.durationMs).toBeLessThan(1_000);
    expect(report.destinations[0]).toMatchObject({ finishedTrials: 0, backlog: 2 });
  });

  it('what changes while it flushes is saved too, without another change', async () => {
    await liveStudy();
    const slow = new SlowDestination(project.folder(), { delayMs: 40 });
    const coordinator = coordinate(project.drive([slow]));
    await coordinator.firstCopy();
    await sweep(coordinator, 1);
    await expect.poll(() => coordinator.status()[0], { timeout: 5_000 }).toMatchObject({ backlog: 0, saving: false });
    slow.behaviour.delayMs = 150;
    const flushing = coordinator.flush(20_000);
    await pause(300);
    await sweep(coordinator, 1);
    await flushing;
    await expect
      .poll(() => coordinator.status()[0], { timeout: 5_000 })
      .toMatchObject({ backlog: 0, finishedTrials: 2 });
  });

  it('intervals of months are waited for', async () => {
    await liveStudy();
    const month = 40 * 86_400_000;
    const policy = { every: { milliseconds: month }, verify: { everyMs: month, deep: false } };
    const slow = new SlowDestination(project.folder('store', { policy }));
    Object.assign(slow, { policy });
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', onWarning);
    const coordinator = coordinate(project.drive([slow]), { folderEveryMs: month, studyFolder: dirname(db) });
    await coordinator.firstCopy();
    await sweep(coordinator, 1);
    await pause(300);
    const { calls } = slow.behaviour;
    await pause(300);
    process.off('warning', onWarning);
    expect([slow.behaviour.calls - calls, warnings]).toEqual([0, []]);
    expect(coordinator.status()[0]).toMatchObject({ backlog: 1, finishedTrials: 0 });
  });

  it('beats that a destination holds up are not made up for one by one', async () => {
    await liveStudy();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let beats = 0;
    class Gated extends SlowDestination {
      override async list(prefix: string, options?: CallOptions): Promise<Listing> {
        await gate;
        return super.list(prefix, options);
      }
      override put(key: string, body: ObjectBody, options: PutOptions): Promise<PutReceipt> {
        if (key.includes('/owner-')) beats++;
        return super.put(key, body, options);
      }
    }
    const coordinator = coordinate(project.drive([new Gated(project.folder())]), { leaseMs: 150 });
    coordinator.start();
    await pause(2_000);
    open();
    await pause(170);
    expect(beats).toBeGreaterThan(0);
    expect(beats).toBeLessThan(8);
  });

  it('every save is an event with path, bytes, sha256, duration and outcome', async () => {
    await makeStudy(db, { finished: 1 });
    const coordinator = coordinate(project.drive());
    await coordinator.firstCopy();
    const event = project.events.find((candidate) => candidate.type === 'backup');
    expect(event).toMatchObject({
      path: 'outputs/hpo/local/mlp/study-abcd1234/study.db',
      outcome: 'ok',
      finishedTrials: 1,
    });
    expect(event?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(event?.durationMs).toBeGreaterThan(0);
    expect(event?.message).toContain('safe up to 1 finished trials');
  });

  it('without a destination: nothing happens, no noise', async () => {
    await liveStudy();
    const coordinator = coordinate(project.drive([]));
    expect(await coordinator.firstCopy()).toBe(false);
    await sweep(coordinator, 1);
    expect(await coordinator.flush(1_000)).toMatchObject({ complete: true, destinations: [] });
    expect(project.events).toEqual([]);
    expect(existsSync(project.place('store'))).toBe(false);
  });

  it('refuses a study on Drive or outside the project', () => {
    expect(() => new BackupCoordinator({ drive: project.drive(), studyDb: '/content/drive/MyDrive/study.db' })).toThrow(
      'mounted Drive',
    );
  });
});
