import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { Destination } from '../../../src/backup/destination.js';
import { GitHubDestination } from '../../../src/backup/destinations/github-destination.js';
import { S3Destination } from '../../../src/backup/destinations/s3-destination.js';
import { sha256Of } from '../../../src/backup/file-digest.js';
import { RetryingDestination } from '../../../src/backup/retrying-destination.js';
import { verifyBackups } from '../../../src/backup/verify.js';
import { addTrials, finishedTrials, makeStudy, TestProject } from '../../support/backup-project.js';
import { FaultProxy, flipBit, type Fault, type SeenRequest } from '../../support/fault-proxy.js';
import { GITHUB_TOKEN, GitHubServer, REPOSITORY } from '../../support/github-server.js';
import { hasS3Servers, S3_ENVIRONMENT, startMoto, startRclone, type S3Server } from '../../support/s3-servers.js';

Object.assign(process.env, S3_ENVIRONMENT, { RESWEEP_TEST_GITHUB_TOKEN: GITHUB_TOKEN });

/** A service behind proxies: requests that send and that fetch bytes may pass through different ones. */
interface Service {
  readonly open: () => Promise<Destination>;
  readonly sends: () => FaultProxy;
  readonly fetches: () => FaultProxy;
  /** Whether a request sends an object. */
  readonly isSend: (request: SeenRequest) => boolean;
  readonly isFetch: (request: SeenRequest) => boolean;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

function s3(start: () => Promise<S3Server>): Service {
  let server: S3Server;
  let proxy: FaultProxy;
  let buckets = 0;
  return {
    start: async () => {
      server = await start();
      proxy = await FaultProxy.start(server.url);
    },
    stop: async () => {
      await proxy.close();
      await server.stop();
    },
    open: async () => {
      const bucket = `faults-${++buckets}`;
      await server.makeBucket(bucket);
      proxy.reset();
      const destination = new S3Destination({ name: 'remote', bucket, endpoint: proxy.url, region: 'us-east-1' });
      await destination.check();
      return destination;
    },
    sends: () => proxy,
    fetches: () => proxy,
    isSend: ({ method, url }) => method === 'PUT' && !url.includes('probe'),
    isFetch: ({ method, url }) => method === 'GET' && !url.includes('list-type'),
  };
}

function github(): Service {
  let server: GitHubServer;
  let api: FaultProxy;
  let uploads: FaultProxy;
  let downloads: FaultProxy;
  let projects = 0;
  return {
    start: async () => {
      server = await GitHubServer.start();
      [api, uploads, downloads] = (await Promise.all(
        (['api', 'uploads', 'downloads'] as const).map((host) => FaultProxy.start(server.urlOf(host))),
      )) as [FaultProxy, FaultProxy, FaultProxy];
      server.uploadsUrl = uploads.url;
      server.downloadsUrl = downloads.url;
    },
    stop: async () => {
      for (const proxy of [api, uploads, downloads]) await proxy.close();
      await server.close();
    },
    open: async () => {
      for (const proxy of [api, uploads, downloads]) proxy.reset();
      const destination = new GitHubDestination({
        ...{ name: 'remote', repository: REPOSITORY, apiUrl: api.url, project: `p${++projects}` },
        tokenEnv: 'RESWEEP_TEST_GITHUB_TOKEN',
      });
      await destination.check();
      return destination;
    },
    sends: () => uploads,
    fetches: () => downloads,
    isSend: ({ method }) => method === 'POST',
    isFetch: ({ method }) => method === 'GET',
  };
}

const json = (status: number, message: string, headers: Record<string, string> = {}): Fault => ({
  reply: { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ message }) },
});
const xml = (status: number, code: string, headers: Record<string, string> = {}): Fault => ({
  reply: {
    status,
    headers: { 'content-type': 'application/xml', ...headers },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>planted</Message></Error>`,
  },
});

/** What passes by itself: the save goes through, and nothing is lost. */
const passing: Record<string, (kind: 's3' | 'github') => Fault> = {
  'slow by 300 ms': () => ({ delayMs: 300 }),
  'slow by 5 s': () => ({ delayMs: 5_000 }),
  'an answer that never comes': () => ({ hang: true }),
  'an answer that never comes, to what was kept': () => ({ hang: true, keep: true }),
  'a cut before anything': () => ({ cut: true }),
  'a cut after 1000 bytes sent': () => ({ cutRequestAfter: 1_000 }),
  'kept bytes, lost reply': () => ({ cut: true, keep: true }),
  'kept bytes, 500': () => ({ reply: { status: 500 }, keep: true }),
  'an answer cut after 5 bytes': () => ({ cutReplyAfter: 5 }),
  'a 409': (kind) => (kind === 's3' ? xml(409, 'ConditionalRequestConflict') : json(409, 'Conflict')),
  'a 429 with Retry-After': (kind) =>
    kind === 's3' ? xml(429, 'SlowDown', { 'retry-after': '1' }) : json(429, 'slow', { 'retry-after': '1' }),
  'a 403 rate limit': (kind) =>
    kind === 's3'
      ? xml(403, 'RequestLimitExceeded', { 'retry-after': '1' })
      : json(403, 'You have exceeded a secondary rate limit', { 'retry-after': '1' }),
  'a 500': () => ({ reply: { status: 500 } }),
  'a 503': (kind) => (kind === 's3' ? xml(503, 'SlowDown') : { reply: { status: 503 } }),
  'changed bytes on the way there': () => ({ changeRequest: flipBit }),
  'truncated bytes on the way there': () => ({ changeRequest: (body) => body.subarray(0, body.length >> 1) }),
};
/** What stays until a person does something. */
const staying: Record<string, readonly [(kind: 's3' | 'github') => Fault, string]> = {
  'a 401': [(kind) => (kind === 's3' ? xml(401, 'InvalidToken') : json(401, 'Bad credentials')), 'denied'],
  'a 403': [(kind) => (kind === 's3' ? xml(403, 'AccessDenied') : json(403, 'Resource not accessible')), 'denied'],
  'a 403 quota': [(kind) => (kind === 's3' ? xml(403, 'QuotaExceeded') : json(403, 'storage quota exceeded')), 'full'],
};

const services = {
  moto: ['s3', s3(startMoto)],
  rclone: ['s3', s3(startRclone)],
  github: ['github', github()],
} as const;

for (const [name, [kind, service]] of Object.entries(services)) {
  describe.skipIf(kind === 's3' && !hasS3Servers())(`faults of ${name}`, () => {
    let project: TestProject;
    let db: string;
    let destination: Destination;
    const quick = { retries: 3, minDelayMs: 1, maxDelayMs: 20, timeoutMs: 7_000, minBytesPerSecond: 1e12 };
    beforeAll(() => service.start());
    afterAll(() => service.stop());
    beforeEach(async () => {
      project = new TestProject();
      db = project.studyDb();
      destination = await service.open();
      await makeStudy(db, { finished: 3 });
    });
    afterEach(async () => {
      await project.close();
    });
    const drive = (timeoutMs = quick.timeoutMs) =>
      project.drive([new RetryingDestination(destination, { ...quick, timeoutMs })]);
    /** Loses the machine and brings the study back, on a network without faults. */
    const recovered = async (): Promise<number> => {
      const to = mkdtempSync(join(tmpdir(), 'resweep-recovered-'));
      try {
        service.sends().reset();
        service.fetches().reset();
        const result = await drive().restore(db, { to });
        expect(result.status).toBe('restored');
        return finishedTrials(result.path);
      } finally {
        rmSync(to, { recursive: true, force: true });
      }
    };

    for (const [what, fault] of Object.entries(passing)) {
      // Its signature covers the length: a request of another one is refused as forged.
      if (name === 'rclone' && what.startsWith('truncated')) continue;
      it(`${what}: the save goes through, and all is there`, async () => {
        const using = drive(what.includes('never') ? 1_500 : quick.timeoutMs);
        expect(await using.backup(db)).toMatchObject({ ok: true });
        await addTrials(db, 2);
        service.sends().inject(fault(kind), { when: service.isSend });
        service.sends().inject(fault(kind), { when: (request) => service.isSend(request) });
        expect(await using.backup(db)).toMatchObject({ ok: true, verified: 'verified' });
        expect(service.sends().requests.some(({ faulty }) => faulty)).toBe(true);
        service.sends().reset();
        expect(await verifyBackups(using, { deep: true })).toMatchObject({ ok: true, damages: [] });
        expect(await recovered()).toBe(5);
      });
    }

    for (const [what, [fault, reason]] of Object.entries(staying)) {
      it(`${what}: said at once, what was safe stays safe`, async () => {
        const using = drive();
        await using.backup(db);
        await addTrials(db, 2);
        service.sends().inject(fault(kind), { when: service.isSend, times: 1_000 });
        const before = service.sends().requests.filter(service.isSend).length;
        expect(await using.backup(db)).toMatchObject({ ok: false, verified: 'no' });
        expect(service.sends().requests.filter(service.isSend).length - before).toBe(1);
        const body = Buffer.from('x');
        const put = destination.put('k', body, { sha256: sha256Of(body) });
        await expect(put).rejects.toMatchObject({ reason, permanent: true });
        expect(await recovered()).toBe(3);
        expect(await drive().backup(db)).toMatchObject({ ok: true });
        expect(await recovered()).toBe(5);
      });
    }

    it('down: tells "unreachable" from "not there", for a backup and for a restore', async () => {
      await drive().backup(db);
      service.sends().down = true;
      service.fetches().down = true;
      const body = Buffer.from('x');
      await expect(destination.put('k', body, { sha256: sha256Of(body) })).rejects.toMatchObject({
        reason: 'unreachable',
      });
      service.sends().reset();
      service.fetches().reset();
      expect(await destination.get('k')).toBeUndefined();
    });

    const onFetch: Record<string, Fault> = {
      'changed bytes': { changeReply: flipBit },
      'half of the bytes': { changeReply: (body) => body.subarray(0, body.length >> 1) },
      'a cut': { cutReplyAfter: 100 },
    };
    for (const [what, fault] of Object.entries(onFetch)) {
      it(`${what} on the way back: never restored as it is, nor called good`, async () => {
        const using = drive();
        await using.backup(db);
        service.fetches().inject(fault, { when: service.isFetch, times: 1_000 });
        const to = project.place('back');
        const result = await drive().restore(db, { to });
        expect(result.status).not.toBe('restored');
        expect((await verifyBackups(using, { deep: true })).ok).toBe(false);
        service.fetches().reset();
        service.fetches().inject(fault, { when: service.isFetch });
        expect(await recovered()).toBe(3);
      });
    }
  });
}
