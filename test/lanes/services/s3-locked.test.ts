import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { S3Destination } from '../../../src/backup/destinations/s3/s3-destination.js';
import { listBackups } from '../../../src/backup/verify/list-backups.js';
import { pruneBackups } from '../../../src/backup/retention/prune.js';
import { verifyBackups } from '../../../src/backup/verify/verify.js';
import { addTrials, finishedTrials, makeStudy, TestProject } from '../../support/backup-project.js';
import { hasS3Servers, S3_ENVIRONMENT, startMoto, type S3Server } from '../../support/s3-servers.js';

Object.assign(process.env, S3_ENVIRONMENT);

describe.skipIf(!hasS3Servers())('a bucket with versions, each locked for a day', () => {
  const Bucket = 'locked';
  let server: S3Server;
  let client: S3Client;
  beforeAll(async () => {
    server = await startMoto();
    client = new S3Client({ endpoint: server.url, region: 'us-east-1', forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const Rule = { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } } as const;
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', Rule } as const;
    await client.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });

  it('takes every save and prune; what somebody deletes comes back by its versions', async () => {
    const project = new TestProject();
    try {
      const keep = { newest: 1, days: 0, weeks: 0, months: 0, milestones: [] };
      const options = { name: 'archive', bucket: Bucket, endpoint: server.url, region: 'us-east-1' };
      const drive = () => project.drive([new S3Destination({ ...options, policy: { keep } })]);
      const db = project.studyDb();
      await makeStudy(db, { finished: 2 });
      const saving = drive();
      for (let save = 0; save < 4; save++) {
        expect(await saving.backup(db)).toMatchObject({ ok: true, verified: 'verified' });
        await addTrials(db, 1);
      }
      expect((await pruneBackups(drive())).ok).toBe(true);
      expect((await listBackups(drive())).backups.map(({ finishedTrials: count }) => count)).toEqual([5]);
      expect(await verifyBackups(drive(), { deep: true })).toMatchObject({ ok: true, damages: [] });

      // Somebody deletes everything that can be seen; of what is locked, no version goes.
      const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
      for (const { Key, VersionId, IsLatest } of Versions) {
        await expect(client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))).rejects.toThrow(/Access Denied/);
        if (IsLatest === true) await client.send(new DeleteObjectCommand({ Bucket, Key }));
      }
      expect((await drive().restore(db, { to: project.place('gone') })).status).toBe('absent');
      const { DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
      for (const { Key, VersionId } of DeleteMarkers) {
        await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
      }
      expect(await verifyBackups(drive(), { deep: true })).toMatchObject({ ok: true, damages: [] });
      const back = await drive().restore(db, { to: project.place('back') });
      expect(finishedTrials(back.path)).toBe(5);
    } finally {
      await project.close();
    }
  });
});
