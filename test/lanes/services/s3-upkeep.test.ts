import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { BackupCoordinator } from '../../../src/backup/sweep/backup-coordinator.js';
import { listManifests, loadManifest } from '../../../src/backup/format/catalog.js';
import { S3Destination } from '../../../src/backup/destinations/s3/s3-destination.js';
import { DriveCore } from '../../../src/backup/drive/drive-core.js';
import { pruneBackups } from '../../../src/backup/retention/prune.js';
import { DEFAULT_RETENTION, planRetention } from '../../../src/backup/retention/retention.js';
import { verifyBackups } from '../../../src/backup/verify/verify.js';
import {
  addTrials,
  finishedTrials,
  makeStudy,
  openStudy,
  snapshotSource,
  TestProject,
  type OpenStudy,
} from '../../support/backup-project.js';
import { until } from '../../support/cli-project.js';
import { FaultProxy, type SeenRequest } from '../../support/fault-proxy.js';
import { hasS3Servers, S3_ENVIRONMENT, startMoto, type S3Server } from '../../support/s3-servers.js';
import { listPacks } from '../../../src/backup/format/packs.js';

Object.assign(process.env, S3_ENVIRONMENT);

const DAY_MS = 86_400_000;

describe.skipIf(!hasS3Servers())('S3 over a long sweep', () => {
  let server: S3Server;
  let proxy: FaultProxy;
  let project: TestProject;
  let db: string;
  let study: OpenStudy | undefined;
  let buckets = 0;
  beforeAll(async () => {
    server = await startMoto();
    proxy = await FaultProxy.start(server.url);
  });
  afterAll(async () => {
    await proxy.close();
    await server.stop();
  });
  let bucket: string;
  beforeEach(async () => {
    project = new TestProject();
    db = project.studyDb();
    bucket = `long-${++buckets}`;
    await server.makeBucket(bucket);
    proxy.reset();
  });
  afterEach(async () => {
    await study?.close();
    study = undefined;
    await project.close();
  });
  const destination = (options: Partial<ConstructorParameters<typeof S3Destination>[0]> = {}): S3Destination =>
    new S3Destination({ name: 'archive', bucket, endpoint: proxy.url, region: 'us-east-1', ...options });
  /** The study open in this process, and a coordinator that has made its first copy. */
  const sweeping = async (
    far: S3Destination,
    upkeep: { firstPruneMs?: number; pruneAfterSaves?: number } = {},
  ): Promise<{ coordinator: BackupCoordinator; trial: () => Promise<void> }> => {
    await makeStudy(db);
    study = await openStudy(db);
    const open = study;
    const drive = project.drive([far]);
    const coordinator = new BackupCoordinator({ drive, studyDb: db, cpuShare: 1, leaseMs: 3_600_000, upkeep });
    await coordinator.firstCopy();
    await until(() => proxy.requests.some(isOwnersRecord), 'the claim');
    const isSaved = (): boolean => {
      const [status] = coordinator.status();
      return status?.backlog === 0 && !status.saving;
    };
    await until(isSaved, 'the first copy');
    return {
      coordinator,
      trial: async () => {
        await open.add(1);
        coordinator.studyChanged();
        await until(isSaved, 'a save');
      },
    };
  };
  const isOwnersRecord = ({ method, url, status }: SeenRequest): boolean =>
    method === 'PUT' && url.includes('owner-') && status === 200;
  const kinds = (requests: readonly SeenRequest[]): string[] =>
    requests.map(({ method, url }) => {
      if (url.includes('list-type')) return 'list';
      const what = url.includes('/packs/') ? 'pack' : url.includes('.json') ? 'manifest' : 'other';
      return `${method} ${what}`;
    });

  it('a save of one more trial is a pack and a manifest, and nothing is asked for', async () => {
    const { coordinator, trial } = await sweeping(destination());
    for (let count = 0; count < 25; count++) {
      const before = proxy.requests.length;
      await trial();
      expect(kinds(proxy.requests.slice(before))).toEqual(['PUT pack', 'PUT manifest']);
    }
    expect((await coordinator.flush()).complete).toBe(true);
    await coordinator.close();
    const back = await project.drive([destination()]).restore(db, { to: project.place('back') });
    expect(finishedTrials(back.path)).toBe(25);
  });

  it('prunes by the number of saves: requests between stay two, and the newest copy is whole', async () => {
    const keep = { newest: 3, days: 0, weeks: 0, months: 0, milestones: [] };
    const far = destination({ policy: { keep } });
    const { coordinator, trial } = await sweeping(far, { firstPruneMs: 200, pruneAfterSaves: 10 });
    const target = project.drive([]).drivePathFor(db);
    let most = 0;
    for (let count = 0; count < 45; count++) {
      await trial();
      most = Math.max(most, (await listManifests(destination(), target)).length);
    }
    const saves = proxy.requests.filter(({ method, url }) => method === 'PUT' && url.includes('/packs/')).length;
    expect(saves).toBeGreaterThanOrEqual(45);
    expect(project.events.filter(({ type }) => type === 'prune').length).toBeGreaterThan(1);
    expect(most).toBeLessThan(40);
    await coordinator.flush();
    await coordinator.close();
    const fresh = project.drive([destination()]);
    expect(await verifyBackups(fresh, { deep: true })).toMatchObject({ ok: true, damages: [] });
    expect(finishedTrials((await fresh.restore(db, { to: project.place('back') })).path)).toBe(45);
  });

  it('keeps of three years exactly what the plan keeps, and each of it can be restored', async () => {
    await makeStudy(db, { finished: 1 });
    const far = destination();
    const core = new DriveCore({ projectRoot: project.root, snapshotSource, destinations: [far] });
    const target = core.target(db);
    const end = Date.parse('2026-06-30T12:00:00Z');
    const times = Array.from({ length: 160 }, (_, index) => end - (159 - index) * 7 * DAY_MS);
    for (const hour of [6, 5, 4, 3, 2, 1]) times.push(end + (7 - hour) * 3_600_000);
    for (const [index, takenAt] of times.entries()) {
      if (index > 0) await addTrials(db, 1);
      const capture = await core.capturer.capture({ target, path: db, isDirectory: false, full: index % 10 === 0 });
      await core.save(far, { ...capture, takenAt }, { mirror: index % 10 === 0 });
      core.capturer.release(capture);
    }
    await core.close();
    const now = () => end + DAY_MS;
    const before = await listManifests(far, target);
    const plan = planRetention(before, DEFAULT_RETENTION);
    const wanted = plan.filter(({ keep }) => keep).map(({ manifest }) => manifest);
    expect(before).toHaveLength(times.length);
    expect(wanted.length).toBeLessThan(times.length / 2);

    const drive = project.drive([far]);
    const dry = await pruneBackups(drive, { now, dryRun: true });
    expect(await listManifests(far, target)).toHaveLength(times.length);
    const report = await pruneBackups(drive, { now });
    expect(report.ok).toBe(true);
    expect(report.destinations[0]?.removedPacks).toBe(dry.destinations[0]?.removedPacks);

    const left = await listManifests(far, target);
    const mirrored = dry.destinations[0]?.targets[0]?.decisions.filter(({ reasons }) =>
      reasons.includes('the plain copy is this one'),
    );
    const names = new Set([...wanted, ...(mirrored ?? []).map(({ manifest }) => manifest)].map(({ name }) => name));
    expect(new Set(left.map(({ name }) => name))).toEqual(names);
    const packs = new Set((await listPacks(far)).map(({ sha256 }) => sha256));
    const named = new Set<string>();
    for (const { name, finished } of left) {
      const to = project.place(`at-${name.slice(9, 19)}`);
      const result = await drive.restore(db, { to, at: name });
      expect(result).toMatchObject({ status: 'restored', finishedTrials: finished });
      expect(finishedTrials(result.path)).toBe(finished);
      for (const { sha256 } of (await loadManifest(far, target, name)).packs) named.add(sha256);
    }
    expect(packs).toEqual(named);
    expect((await pruneBackups(drive, { now })).destinations[0]).toMatchObject({ removedPacks: 0, waitingPacks: 0 });
  });
});
