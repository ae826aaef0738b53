import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it } from 'vitest';

import { createDestination } from '../../src/backup/destinations/destination-registry.js';
import { isNotThere, s3Error } from '../../src/backup/destinations/s3/errors.js';
import { explanationOf } from '../../src/core/errors.js';
import { classOf } from '../../src/backup/retention/storage-classes.js';

const context = { name: 'archive', projectRoot: '/p' };

it.each([
  [200, /200\b.*the answer is not that of an S3 service\. Something else answers there: look at endpoint:/],
  [503, /503\b.*the answer is not that of an S3 service\. The service is in trouble/],
])('a page of HTML in place of an answer (%i) is told in words for people', async (status, message) => {
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end('<html><p>Sign in<br></html>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env['AWS_ACCESS_KEY_ID'] ??= 'none';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'none';
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const destination = createDestination('s3', { bucket: 'bucket', endpoint }, context);
  try {
    const error = await destination.list('a/').catch((problem: unknown) => problem as Error & { reason: string });
    expect(error).toMatchObject({ reason: 'unreachable' });
    expect(explanationOf(error)).toMatch(message);
    expect(explanationOf(error)).not.toMatch(/XML|Deserialization|\$response|\n/);
  } finally {
    await destination.close();
    server.close();
  }
});

describe('errors of S3', () => {
  const classify = (
    name: string,
    httpStatusCode?: number,
    headers: Record<string, string> = {},
  ): { reason: string; permanent: boolean; retryAfterMs: number | undefined } =>
    s3Error(
      'archive: put k',
      { name, message: 'no', $metadata: { httpStatusCode }, $response: { headers } },
      undefined,
    );

  it.each([
    ['AccessDenied', 403, 'denied', true],
    ['InvalidAccessKeyId', 403, 'denied', true],
    ['Forbidden', 403, 'denied', true],
    ['Unknown', 401, 'denied', true],
    ['NoSuchBucket', 404, 'unreachable', true],
    ['ConditionalRequestConflict', 409, 'failed', false],
    ['Conflict', 409, 'failed', false],
    ['PreconditionFailed', 412, 'exists', true],
    ['SlowDown', 503, 'rateLimited', false],
    ['Unknown', 429, 'rateLimited', false],
    ['RequestLimitExceeded', 403, 'rateLimited', false],
    ['InternalError', 500, 'unreachable', false],
    ['Unknown', 503, 'unreachable', false],
    ['QuotaExceeded', 403, 'full', true],
    ['InsufficientStorage', 507, 'full', true],
    ['BadDigest', 400, 'damaged', false],
    ['InvalidObjectState', 403, 'archived', true],
    ['RequestTimeTooSkewed', 403, 'failed', false],
    ['RequestTimeout', 400, 'timeout', false],
    ['TimeoutError', undefined, 'timeout', false],
    ['CredentialsProviderError', undefined, 'denied', true],
    ['EntityTooLarge', 400, 'failed', true],
  ])('%s (%s): %s', (name, status, reason, permanent) => {
    expect(classify(name, status)).toMatchObject({ reason, permanent });
  });

  it('waits as the service asks: seconds, or until a date by its own clock', () => {
    expect(classify('SlowDown', 503, { 'retry-after': '7' }).retryAfterMs).toBe(7_000);
    const date = 'Wed, 01 Jan 2020 00:00:00 GMT';
    const later = 'Wed, 01 Jan 2020 00:00:09 GMT';
    expect(classify('SlowDown', 503, { 'retry-after': later, date }).retryAfterMs).toBe(9_000);
  });

  it('tells a network from a stop, and an object from a bucket that is not there', () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    expect(s3Error('x', reset, undefined)).toMatchObject({ reason: 'unreachable', permanent: false });
    expect(s3Error('x', reset, AbortSignal.abort())).toMatchObject({ reason: 'aborted' });
    expect(isNotThere({ name: 'NoSuchKey' })).toBe(true);
    expect(isNotThere({ name: 'NoSuchBucket', $metadata: { httpStatusCode: 404 } })).toBe(false);
  });
});

describe('options of S3', () => {
  it('says where it is, without secrets', () => {
    const options = { bucket: 'b', prefix: '/x//y/', endpoint: 'https://minio.local:9000' };
    expect(createDestination('s3', options, { ...context, project: 'p' }).location).toBe(
      's3://b/x/y/p/ at minio.local:9000',
    );
  });

  it.each([
    [{}, /bucket/],
    [{ bucket: 'a b' }, /bucket/],
    [{ bucket: 'b', endpoint: 'minio:9000' }, /endpoint/],
    [{ bucket: 'b', endpoint: 'https://key:secret@minio' }, /endpoint: holds credentials/],
    [{ bucket: 'b', endpoint: 'https://minio/?token=key:secret' }, /endpoint: holds credentials/],
    [{ bucket: 'b', secretAccessKey: 'planted-secret' }, /secretAccessKey/],
    [{ bucket: 'b', prefix: '../x' }, /relative path/],
  ])('refuses %j', (options, message) => {
    expect(() => createDestination('s3', options, context)).toThrow(message);
    expect(() => createDestination('s3', options, context)).not.toThrow(/planted-secret|key:secret/);
  });

  it('does not freeze the newest state', () => {
    const make = (storageClass: string | Record<string, string>) =>
      createDestination('s3', { bucket: 'b' }, { ...context, storageClass });
    expect(() => make('DEEP_ARCHIVE')).toThrow('unreadable for hours');
    expect(() => make({ newest: 'GLACIER' })).toThrow('unreadable for hours');
    const { policy } = make({ days: 'STANDARD_IA', months: 'GLACIER' });
    const classes = policy?.storageClasses ?? {};
    expect(
      (['newest', 'days', 'weeks', 'months', 'milestones'] as const).map((tier) => classOf(tier, classes)),
    ).toEqual([...['STANDARD', 'STANDARD_IA', 'STANDARD_IA', 'GLACIER', 'GLACIER']]);
  });
});
