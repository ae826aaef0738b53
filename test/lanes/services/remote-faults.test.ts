import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { Destination } from '../../../src/backup/destinations/destination.js';
import { sha256Of } from '../../../src/backup/files/file-digest.js';
import { RetryingDestination } from '../../../src/backup/destinations/retrying-destination.js';
import { verifyBackups } from '../../../src/backup/verify/verify.js';
import { addTrials, finishedTrials, makeStudy, TestProject } from '../../support/backup-project.js';
import { flipBit, type Fault } from '../../support/fault-proxy.js';
import { GITHUB_TOKEN } from '../../support/github-server.js';
import { driveService, githubService, s3Service, type RemoteService } from '../../support/remote-services.js';
import { hasS3Servers, S3_ENVIRONMENT, startMoto, startRclone } from '../../support/s3-servers.js';

Object.assign(process.env, S3_ENVIRONMENT, { RESWEEP_TEST_GITHUB_TOKEN: GITHUB_TOKEN });

type Kind = 's3' | 'github' | 'google-drive';

/** What each service says, in its own words. */
type Words = Readonly<Record<Kind, string>>;
const SOON = { 'retry-after': '1' };

/** What passes by itself: the save goes through, and nothing is lost. */
const passing: Record<string, Fault> = {
  'slow by 300 ms': { delayMs: 300 },
  'slow by 5 s': { delayMs: 5_000 },
  'an answer that never comes': { hang: true },
  'an answer that never comes, to what was kept': { hang: true, keep: true },
  'a cut before anything': { cut: true },
  'a cut after 1000 bytes sent': { cutRequestAfter: 1_000 },
  'kept bytes, lost reply': { cut: true, keep: true },
  'kept bytes, 500': { reply: { status: 500 }, keep: true },
  'an answer cut after 5 bytes': { cutReplyAfter: 5 },
  'a 500': { reply: { status: 500 } },
  'changed bytes on the way there': { changeRequest: flipBit },
};
/** The same, where each service says it otherwise. */
const refused: Record<string, readonly [number, Words, Record<string, string>?]> = {
  // Of a bucket it would be for good: test/contracts/backup-contract.ts has one that goes, at every kind.
  'a 404': [404, { s3: 'NoSuchUpload', github: 'Not Found', 'google-drive': 'notFound' }],
  'a 409': [409, { s3: 'ConditionalRequestConflict', github: 'Conflict', 'google-drive': 'fileIdInUse' }],
  'a 429 with Retry-After': [429, { s3: 'SlowDown', github: 'slow', 'google-drive': 'rateLimitExceeded' }, SOON],
  'a 403 rate limit': [
    403,
    {
      s3: 'RequestLimitExceeded',
      github: 'You have exceeded a secondary rate limit',
      'google-drive': 'userRateLimitExceeded',
    },
    SOON,
  ],
  'a 503': [503, { s3: 'SlowDown', github: '', 'google-drive': 'backendError' }],
};
/** What stays until a person does something. */
const staying: Record<string, readonly [number, Words, string]> = {
  'a 401': [401, { s3: 'InvalidToken', github: 'Bad credentials', 'google-drive': 'authError' }, 'denied'],
  'a 403': [
    403,
    { s3: 'AccessDenied', github: 'Resource not accessible', 'google-drive': 'insufficientFilePermissions' },
    'denied',
  ],
  'a 403 quota': [
    403,
    { s3: 'QuotaExceeded', github: 'storage quota exceeded', 'google-drive': 'storageQuotaExceeded' },
    'full',
  ],
};

const services: Record<string, readonly [Kind, RemoteService]> = {
  moto: ['s3', s3Service(startMoto)],
  rclone: ['s3', s3Service(startRclone)],
  github: ['github', githubService('RESWEEP_TEST_GITHUB_TOKEN')],
  'google-drive': ['google-drive', driveService()],
};

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

    const faults = {
      ...passing,
      ...Object.fromEntries(
        Object.entries(refused).map(([what, [status, words, headers]]) => [
          what,
          service.refusal(status, words[kind], headers),
        ]),
      ),
    };
    for (const [what, fault] of Object.entries(faults)) {
      it(`${what}: the save goes through, and all is there`, async () => {
        const using = drive(what.includes('never') ? 1_500 : quick.timeoutMs);
        expect(await using.backup(db)).toMatchObject({ ok: true });
        await addTrials(db, 2);
        service.sends().inject(fault, { when: service.isSend, times: 2 });
        expect(await using.backup(db)).toMatchObject({ ok: true, verified: 'verified' });
        expect(service.sends().requests.some(({ faulty }) => faulty)).toBe(true);
        service.sends().reset();
        expect(await verifyBackups(using, { deep: true })).toMatchObject({ ok: true, damages: [] });
        expect(await recovered()).toBe(5);
      });
    }

    it('truncated bytes on the way there: refused or sent again, never kept as they are', async () => {
      const using = drive();
      await using.backup(db);
      await addTrials(db, 2);
      const halved: Fault = { changeRequest: (body) => body.subarray(0, body.length >> 1) };
      service.sends().inject(halved, { when: service.isSend, times: 2 });
      const { ok } = await using.backup(db);
      expect(await recovered()).toBe(ok ? 5 : 3);
      expect(await drive().backup(db)).toMatchObject({ ok: true });
      expect(await verifyBackups(drive(), { deep: true })).toMatchObject({ ok: true, damages: [] });
      expect(await recovered()).toBe(5);
    });

    for (const [what, [status, words, reason]] of Object.entries(staying)) {
      it(`${what}: said at once, what was safe stays safe`, async () => {
        const using = drive();
        await using.backup(db);
        await addTrials(db, 2);
        service.sends().inject(service.refusal(status, words[kind]), { when: service.isSend, times: 1_000 });
        const before = service.sends().requests.filter(service.isSend).length;
        expect(await using.backup(db)).toMatchObject({ ok: false, verified: 'no' });
        // A token of Drive may have been withdrawn before its time: it is asked once more, with a new one.
        const tries = kind === 'google-drive' && status === 401 ? 2 : 1;
        expect(service.sends().requests.filter(service.isSend).length - before).toBe(tries);
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
