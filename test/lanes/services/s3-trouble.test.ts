import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { BackupCoordinator } from '../../../src/backup/sweep/backup-coordinator.js';
import { S3Destination } from '../../../src/backup/destinations/s3/s3-destination.js';
import { verifyBackups } from '../../../src/backup/verify/verify.js';
import { finishedTrials, makeStudy, openStudy, TestProject } from '../../support/backup-project.js';
import { CliProject, exitOf, until } from '../../support/cli-project.js';
import { FaultProxy, type Fault, type SeenRequest } from '../../support/fault-proxy.js';
import { hasS3Servers, S3_ENVIRONMENT, startMoto, type S3Server } from '../../support/s3-servers.js';

Object.assign(process.env, S3_ENVIRONMENT);

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const hasFaketime = spawnSync('faketime', ['--version']).status === 0;

const refused = (status: number, code: string): Fault => ({
  reply: {
    status,
    headers: { 'content-type': 'application/xml', date: new Date().toUTCString() },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>planted</Message></Error>`,
  },
});

/** As Amazon: a request whose time differs by more than 15 minutes is refused. */
const isSkewed = ({ headers }: SeenRequest): boolean => {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? [];
  const at = Date.parse(`${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`);
  return Math.abs(at - Date.now()) > 15 * 60_000;
};

describe.skipIf(!hasS3Servers())('S3 in trouble', () => {
  let server: S3Server;
  let proxy: FaultProxy;
  let buckets = 0;
  let bucket: string;
  beforeAll(async () => {
    server = await startMoto();
    proxy = await FaultProxy.start(server.url);
  });
  afterAll(async () => {
    await proxy.close();
    await server.stop();
  });
  beforeEach(async () => {
    bucket = `trouble-${++buckets}`;
    await server.makeBucket(bucket);
    proxy.reset();
  });
  const open = (): S3Destination =>
    new S3Destination({ name: 'archive', bucket, endpoint: proxy.url, region: 'us-east-1' });
  it('a bucket that goes in the middle of a save: said with the fix, tried again, and all sent anew once it is back', async () => {
    const project = new TestProject();
    const db = project.studyDb();
    await makeStudy(db);
    const study = await openStudy(db);
    const coordinator = new BackupCoordinator({ drive: project.drive([open()]), studyDb: db, cpuShare: 1 });
    try {
      await coordinator.firstCopy();
      await until(() => coordinator.status()[0]?.finishedTrials === 0, 'the first copy');
      // The pack arrives; then there is no bucket any more.
      let removing: Promise<void> | undefined;
      const isManifest = ({ method, url }: SeenRequest): boolean => {
        if (method !== 'PUT' || !url.includes('/targets/') || url.includes('owner-')) return false;
        removing ??= server.removeBucket(bucket);
        return true;
      };
      proxy.inject(refused(404, 'NoSuchBucket'), { when: isManifest });
      await study.add(2);
      coordinator.studyChanged();
      await until(() => coordinator.status()[0]?.error !== undefined, 'the error');
      await removing;
      expect(coordinator.status()[0]?.error).toMatch(/NoSuchBucket.*Create the bucket, or mend its name/);
      expect(coordinator.status()[0]).toMatchObject({ finishedTrials: 0, backlog: 1 });
      await study.add(1);
      coordinator.studyChanged();
      expect((await coordinator.flush(20_000)).complete).toBe(false);
      const failures = project.events.filter(({ type }) => type === 'backupFailed');
      expect(failures.map(({ message }) => message).join('\n')).not.toMatch(/\.\./);
      await server.makeBucket(bucket);
      expect((await coordinator.flush(20_000)).complete).toBe(true);
      expect(coordinator.status()[0]).toMatchObject({ finishedTrials: 3, backlog: 0, error: undefined });
      await coordinator.close();
      const fresh = project.drive([open()]);
      expect(await verifyBackups(fresh, { deep: true })).toMatchObject({ ok: true, damages: [] });
      expect(finishedTrials((await fresh.restore(db, { to: project.place('back') })).path)).toBe(3);
    } finally {
      await coordinator.close();
      await study.close();
      await project.close();
    }
  });

  for (const wrong of ['+3h', '-3h']) {
    it.skipIf(!hasFaketime)(
      `a machine whose clock is wrong by ${wrong}: refused as by Amazon, corrected, and the sweep is backed up`,
      { timeout: 180_000 },
      async () => {
        const project = new CliProject({
          config: `backup: { destinations: [{ name: archive, type: s3, bucket: ${bucket}, endpoint: "${proxy.url}" }] }`,
        });
        try {
          proxy.inject(refused(403, 'RequestTimeTooSkewed'), { when: isSkewed, times: 10_000 });
          const child = spawn(
            'faketime',
            ['-f', wrong, process.execPath, MAIN, 'run', project.config, '--trials', '4', '--json'],
            {
              cwd: project.folder,
              stdio: ['ignore', 'pipe', 'ignore'],
              env: { ...process.env, RESWEEP_ENVIRONMENT: 'local' },
            },
          );
          let output = '';
          child.stdout.on('data', (data: Buffer) => (output += data.toString()));
          expect(await exitOf(child)).toBe(0);
          expect(proxy.requests.some(({ faulty }) => faulty)).toBe(true);
          expect(JSON.parse(output)).toMatchObject({
            trials: { complete: 4 },
            backup: { destinations: [{ name: 'archive', error: null }] },
          });
          const back = project.start('restore', project.config, '--to', join(project.folder, 'back'));
          expect(await exitOf(back), back.output()).toBe(0);
        } finally {
          project.remove();
        }
      },
    );
  }

  it('a clock that cannot be corrected: said with the fix, and the sweep ends well', { timeout: 180_000 }, async () => {
    const project = new CliProject({
      config: `backup: { destinations: [{ name: archive, type: s3, bucket: ${bucket}, endpoint: "${proxy.url}" }] }`,
    });
    try {
      proxy.inject(refused(403, 'RequestTimeTooSkewed'), { times: 10_000 });
      const child = project.start('run', project.config, '--trials', '3');
      expect(await exitOf(child), child.output()).toBe(0);
      expect(child.output()).toMatch(/RequestTimeTooSkewed.*clock is wrong: set it \(timedatectl set-ntp true\)/s);
    } finally {
      project.remove();
    }
  });
});
