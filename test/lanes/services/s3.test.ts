import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CreateMultipartUploadCommand, HeadObjectCommand, GetObjectTaggingCommand, S3Client } from '@aws-sdk/client-s3';
import { generateX25519Identity } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Destination } from '../../../src/backup/destinations/destination.js';
import { S3Destination, type S3DestinationOptions } from '../../../src/backup/destinations/s3/s3-destination.js';
import { EncryptingDestination } from '../../../src/backup/encryption/encrypting-destination.js';
import { sha256Of } from '../../../src/backup/files/file-digest.js';
import { OwnerFence } from '../../../src/backup/ownership/owner-fence.js';
import { RetryingDestination } from '../../../src/backup/destinations/retrying-destination.js';
import { backupContract } from '../../contracts/backup-contract.js';
import { destinationContract } from '../../contracts/destination-contract.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { hasS3Servers, S3_ENVIRONMENT, startMoto, startRclone, type S3Server } from '../../support/s3-servers.js';

Object.assign(process.env, S3_ENVIRONMENT);

const identity = await generateX25519Identity();
const servers: Record<string, S3Server | undefined> = {};
let buckets = 0;

async function bucketAt(server: string): Promise<(options?: Partial<S3DestinationOptions>) => S3Destination> {
  const { url = '', makeBucket } = servers[server] ?? {};
  const bucket = `bucket-${++buckets}`;
  await makeBucket?.(bucket);
  return (options) => new S3Destination({ name: 'archive', bucket, endpoint: url, region: 'us-east-1', ...options });
}

describe.skipIf(!hasS3Servers())('S3', () => {
  beforeAll(async () => {
    [servers['moto'], servers['rclone']] = await Promise.all([startMoto(), startRclone()]);
  });
  afterAll(async () => {
    for (const server of Object.values(servers)) await server?.stop();
  });

  for (const server of ['moto', 'rclone']) {
    const wraps: Record<string, (inner: Destination) => Destination> = {
      bare: (inner) => inner,
      retrying: (inner) => new RetryingDestination(inner, { retries: 2, minDelayMs: 1 }),
      encrypted: (inner) => new EncryptingDestination(inner, { identity }),
    };
    for (const [how, wrap] of Object.entries(wraps)) {
      destinationContract(`${server}, ${how}`, async () => {
        const open = await bucketAt(server);
        const opened: Destination[] = [];
        // Parts even for what the contract sends.
        const again = (): Destination => {
          const destination = wrap(
            open({ prefix: 'backups/x', project: 'p', singleBytes: 1 << 20, partBytes: 5 << 20 }),
          );
          opened.push(destination);
          return destination;
        };
        return {
          destination: again(),
          again,
          cleanUp: async () => {
            await Promise.all(opened.map((destination) => destination.close()));
          },
        };
      });
    }
  }

  for (const [server, how, wrap] of [
    ['moto', '', (inner: Destination) => inner],
    ['moto', ', encrypted', (inner: Destination) => new EncryptingDestination(inner, { identity })],
    ['rclone', '', (inner: Destination) => inner],
  ] as const) {
    backupContract(`${server}${how}`, async () => {
      const at = await bucketAt(server);
      const bucket = `bucket-${buckets}`;
      const proxy = await FaultProxy.start(servers[server]?.url ?? '');
      const raw = (): Destination => at({ name: 'far', endpoint: proxy.url, prefix: 'backups' });
      return {
        open: () => wrap(raw()),
        raw,
        goes: () => servers[server]?.removeBucket(bucket),
        comesBack: () => servers[server]?.makeBucket(bucket),
        saysGone: /NoSuchBucket.*Create the bucket, or mend its name/,
        becomesReadOnly: () => {
          const body = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';
          const reply = { status: 403, headers: { 'content-type': 'application/xml' }, body };
          proxy.inject({ reply }, { when: ({ method }) => !['GET', 'HEAD'].includes(method), times: Infinity });
        },
        cleanUp: () => proxy.close(),
      };
    });
  }

  it('knows who honours conditional writes', async () => {
    const strict = (await bucketAt('moto'))();
    const advisory = (await bucketAt('rclone'))();
    for (const destination of [strict, advisory]) await destination.check();
    expect([strict, advisory].map(({ traits }) => traits.exclusive)).toEqual(['strict', 'advisory']);
  });

  it('gives one number to one of many owners that claim at once', async () => {
    const open = await bucketAt('moto');
    const fences = Array.from(
      { length: 8 },
      (_, index) =>
        new OwnerFence(open(), 'study.db', {
          ownerId: `a${index}`.repeat(8),
          place: { host: `host-${index}`, bootId: '', pid: 1 },
        }),
    );
    await Promise.all(fences.map((fence) => fence.claim()));
    expect(fences.map(({ fence }) => fence).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('sends large files in parts, with checksums that the service gives back without a read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'resweep-s3-'));
    const open = await bucketAt('moto');
    const destination = open({ singleBytes: 1 << 20, partBytes: 5 << 20 });
    try {
      const data = randomBytes(23 << 20);
      const file = join(folder, 'large');
      writeFileSync(file, data);
      await destination.put('large', { file, bytes: data.length }, { sha256: sha256Of(data) });
      expect(await destination.checksum('large')).toEqual({ bytes: data.length, sha256: sha256Of(data) });
      expect(sha256Of((await destination.get('large')) ?? Buffer.of())).toBe(sha256Of(data));
      const changed = destination.put('other', { file, bytes: data.length }, { sha256: sha256Of(Buffer.from('x')) });
      await expect(changed).rejects.toMatchObject({ reason: 'sourceChanged' });
      expect((await destination.list('')).objects.map(({ key }) => key)).toEqual(['large']);
    } finally {
      await destination.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('lists more than one page', async () => {
    const destination = (await bucketAt('moto'))();
    const body = Buffer.from('x');
    const keys = Array.from({ length: 1_050 }, (_, index) => `many/${String(index).padStart(5, '0')}`);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => destination.put(key, body, { sha256: sha256Of(body) })));
    }
    expect((await destination.list('many/')).objects.map(({ key }) => key)).toEqual(keys);
  });

  it('gives up what was begun and not ended, after its time of grace', async () => {
    const client = new S3Client({ endpoint: servers['moto']?.url ?? '', forcePathStyle: true });
    const open = await bucketAt('moto');
    const Bucket = `bucket-${buckets}`;
    const { ListMultipartUploadsCommand } = await import('@aws-sdk/client-s3');
    const begun = async () => (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [];
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'p/left' }));
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'elsewhere' }));
    // Every upload of this server begins in 2010.
    await open({ prefix: 'p', abandonedAfterMs: 1e12 }).check();
    expect(await begun()).toHaveLength(2);
    await open({ prefix: 'p' }).check();
    expect((await begun()).map(({ Key }) => Key)).toEqual(['elsewhere']);
    client.destroy();
  });

  it('tags what it sends, moves it between classes, and says how to thaw what is frozen', async () => {
    const client = new S3Client({ endpoint: servers['moto']?.url ?? '', forcePathStyle: true });
    const destination = (await bucketAt('moto'))({ storageClass: 'STANDARD_IA', tags: { team: 'a b', kind: 'sweep' } });
    const place = { Bucket: `bucket-${buckets}`, Key: 'pack' };
    const body = Buffer.from('bytes');
    await destination.put('pack', body, { sha256: sha256Of(body) });
    expect((await client.send(new HeadObjectCommand(place))).StorageClass).toBe('STANDARD_IA');
    expect((await client.send(new GetObjectTaggingCommand(place))).TagSet).toEqual([
      { Key: 'team', Value: 'a b' },
      { Key: 'kind', Value: 'sweep' },
    ]);
    await destination.setStorageClass('pack', 'GLACIER');
    expect((await destination.list('')).objects).toEqual([{ key: 'pack', bytes: 5, storageClass: 'GLACIER' }]);
    expect(await destination.checksum('pack')).toEqual({ bytes: 5, sha256: sha256Of(body) });
    await expect(destination.get('pack')).rejects.toMatchObject({ reason: 'archived', permanent: true });
    await expect(destination.get('pack')).rejects.toThrow(/thawed.*aws s3api restore-object --bucket \S+ --key 'pack'/);
    client.destroy();
  });
});
