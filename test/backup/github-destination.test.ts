import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generateX25519Identity } from 'age-encryption';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Destination } from '../../src/backup/destinations/destination.js';
import { createDestination } from '../../src/backup/destinations/destination-registry.js';
import {
  GitHubDestination,
  type GitHubDestinationOptions,
} from '../../src/backup/destinations/github/github-destination.js';
import { parseAssetName, segmentCode, segmentName } from '../../src/backup/destinations/github/asset-names.js';
import { answerError } from '../../src/backup/destinations/github/errors.js';
import { RequestBudget } from '../../src/backup/destinations/github/request-budget.js';
import { EncryptingDestination } from '../../src/backup/encryption/encrypting-destination.js';
import { sha256Of } from '../../src/backup/files/file-digest.js';
import { OwnerFence } from '../../src/backup/ownership/owner-fence.js';
import { RetryingDestination } from '../../src/backup/destinations/retrying-destination.js';
import { backupContract } from '../contracts/backup-contract.js';
import { destinationContract } from '../contracts/destination-contract.js';
import { GITHUB_TOKEN, GitHubServer, REPOSITORY, type GitHubServerOptions } from '../support/github-server.js';

process.env['RESWEEP_TEST_GITHUB_TOKEN'] = GITHUB_TOKEN;
const identity = await generateX25519Identity();

function at(server: GitHubServer, options: Partial<GitHubDestinationOptions> = {}): GitHubDestination {
  const tokenEnv = 'RESWEEP_TEST_GITHUB_TOKEN';
  return new GitHubDestination({
    name: 'hub',
    repository: REPOSITORY,
    tokenEnv,
    apiUrl: server.urlOf('api'),
    ...options,
  });
}

const variants: Record<
  string,
  { server?: GitHubServerOptions; wrap?: (inner: Destination) => Destination; draft?: boolean }
> = {
  bare: {},
  retrying: { wrap: (inner) => new RetryingDestination(inner, { retries: 2, minDelayMs: 1 }) },
  encrypted: { wrap: (inner) => new EncryptingDestination(inner, { identity }) },
  'published, without digests': { server: { withoutDigests: true }, draft: false },
};
for (const [how, { server: options, wrap = (inner: Destination) => inner, draft }] of Object.entries(variants)) {
  destinationContract(`github, ${how}`, async () => {
    const server = await GitHubServer.start(options);
    const again = (): Destination =>
      wrap(at(server, { project: 'my project', draft, partBytes: 1 << 20, assetsPerRelease: 3 }));
    return { destination: again(), again, cleanUp: () => server.close() };
  });
}

backupContract('github', async () => {
  const server = await GitHubServer.start();
  return {
    open: () => at(server, { name: 'far', assetsPerRelease: 20 }),
    goes: () => {
      server.isDeleted = true;
      server.releases.splice(0);
    },
    comesBack: () => {
      server.isDeleted = false;
    },
    saysGone: /404 Not Found\. Make the repository .* again/,
    becomesReadOnly: () => {
      server.isReadOnly = true;
    },
    cleanUp: () => server.close(),
  };
});

describe('GitHub releases', () => {
  let server: GitHubServer;
  const body = Buffer.from('bytes');
  const sha256 = sha256Of(body);
  beforeEach(async () => {
    server = await GitHubServer.start();
  });
  afterEach(async () => {
    await server.close();
  });
  const text = async (destination: Destination, key: string) =>
    Buffer.from((await destination.get(key)) ?? []).toString();
  const put = (destination: Destination, key: string, value: string) =>
    destination.put(key, Buffer.from(value), { sha256: sha256Of(Buffer.from(value)) });

  it('begins a new release every so many assets, and reads from all of them', async () => {
    const destination = at(server, { assetsPerRelease: 4 });
    const keys = Array.from({ length: 10 }, (_, index) => `many/${index}`);
    for (const key of keys) await destination.put(key, body, { sha256 });
    expect(server.releases.map(({ tag, assets, draft }) => [tag, assets.length, draft])).toEqual([
      ['resweep-backups-0001', 4, true],
      ['resweep-backups-0002', 4, true],
      ['resweep-backups-0003', 3, true],
    ]);
    expect((await at(server).list('many/')).objects.map(({ key }) => key)).toEqual(keys);
  });

  it('cuts what is too large for one asset', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'resweep-github-'));
    try {
      const destination = at(server, { partBytes: 1 << 20 });
      const data = randomBytes((3 << 20) + 17);
      const file = join(folder, 'large');
      writeFileSync(file, data);
      await destination.put('large', { file, bytes: data.length }, { sha256: sha256Of(data) });
      expect(server.assets.map(({ name }) => name.slice(-5))).toEqual(['1-1-4', '1-2-4', '1-3-4', '1-4-4']);
      await at(server).download('large', join(folder, 'back'));
      expect(readFileSync(join(folder, 'back')).equals(data)).toBe(true);
      // One part that is missing: there is no such object.
      server.releases[0]?.assets.splice(2, 1);
      expect(await at(server).get('large')).toBeUndefined();
      expect((await at(server).list('')).objects).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('never takes an unfinished upload for an object, and gives it up after its time', async () => {
    const destination = at(server);
    await put(destination, 'k', 'one');
    const [asset] = server.assets;
    Object.assign(asset ?? {}, { state: 'starter' });
    const other = at(server);
    expect(await other.get('k')).toBeUndefined();
    expect((await other.list('')).objects).toEqual([]);
    await other.check();
    expect(server.assets).toHaveLength(1);
    // Another process may still be at it: the exclusive name stays its own.
    await expect(other.put('k', body, { sha256, ifAbsent: true })).rejects.toMatchObject({
      reason: 'failed',
      permanent: false,
    });
    server.clockOffsetMs = 2 * 3_600_000;
    await at(server).put('k', body, { sha256, ifAbsent: true });
    expect(await text(at(server), 'k')).toBe('bytes');
    expect(server.assets).toHaveLength(1);
  });

  it('replaces by a new version, and shows the newest where an older one is left over', async () => {
    const destination = at(server);
    await put(destination, 'k', 'one');
    const [left] = server.assets;
    await put(destination, 'k', 'two');
    expect(server.assets).toHaveLength(1);
    if (left !== undefined) server.releases[0]?.assets.push(left);
    expect(await text(at(server), 'k')).toBe('two');
    await at(server).check();
    expect(server.assets).toHaveLength(1);
  });

  it('sends the same content once', async () => {
    await at(server).put('k', body, { sha256 });
    const before = server.log.filter((line) => line.startsWith('POST')).length;
    await at(server).put('k', body, { sha256 });
    expect(server.log.filter((line) => line.startsWith('POST'))).toHaveLength(before);
  });

  it('keeps one of two equal drafts that two machines make at once', async () => {
    const machines = Array.from({ length: 4 }, () => at(server));
    await Promise.all(machines.map((machine) => machine.check()));
    await Promise.all(machines.map((machine, index) => put(machine, `k${index}`, `v${index}`)));
    expect(server.releases.filter(({ assets }) => assets.length > 0).map(({ tag }) => tag)).toEqual([
      'resweep-backups-0001',
    ]);
    expect((await at(server).list('')).objects).toHaveLength(4);
  });

  it('gives one number to one of many owners that claim at once', async () => {
    const fences = Array.from(
      { length: 6 },
      (_, index) =>
        new OwnerFence(at(server), 'study.db', {
          ownerId: `a${index}`.repeat(8),
          place: { host: `host-${index}`, bootId: '', pid: 1 },
        }),
    );
    await Promise.all(fences.map((fence) => fence.claim()));
    expect(fences.map(({ fence }) => fence).sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('asks for pages that have not changed without spending the budget', async () => {
    const destination = at(server);
    for (let index = 0; index < 3; index++) await put(destination, `k${index}`, String(index));
    await destination.list('');
    const before = server.budget;
    for (let index = 0; index < 5; index++) await destination.list('');
    expect(server.budget).toBe(before);
  });

  it('refuses a public repository unless it is encrypted or allowed', async () => {
    await server.close();
    server = await GitHubServer.start({ isPrivate: false });
    await expect(at(server).check()).rejects.toMatchObject({ reason: 'denied', permanent: true });
    await expect(put(at(server), 'k', 'v')).rejects.toThrow(/is public.*allow_public/);
    expect(server.releases).toEqual([]);
    await at(server, { allowPublic: true }).check();
    await at(server, { encrypted: true }).check();
  });

  it('says what is wrong with the token, and never shows it', async () => {
    process.env['RESWEEP_TEST_WRONG'] = 'ghp_planted-secret';
    const wrong = at(server, { tokenEnv: 'RESWEEP_TEST_WRONG' });
    const error: unknown = await wrong.check().catch((problem: unknown) => problem);
    expect(error).toMatchObject({ reason: 'denied', permanent: true });
    expect(JSON.stringify([error, String(error), (error as Error).stack])).not.toContain('planted-secret');
    await expect(at(server, { tokenEnv: 'RESWEEP_TEST_NONE' }).check()).rejects.toThrow('RESWEEP_TEST_NONE is not set');
    await expect(at(server, { repository: 'some/other' }).check()).rejects.toThrow('no repository some/other');
  });

  it('stops writing before the hour is used up, and waits as it is told', async () => {
    server.budget = 54;
    const destination = at(server);
    await destination.check();
    const error: unknown = await put(destination, 'k', 'v').catch((problem: unknown) => problem);
    expect(error).toMatchObject({ reason: 'rateLimited', permanent: false });
    expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(1_700_000);
    server.budget = 0;
    await expect(at(server).check()).rejects.toMatchObject({ reason: 'rateLimited' });
  });

  it('is made by the registry, which names what is wrong', () => {
    const context = { name: 'hub', projectRoot: '/p' };
    expect(createDestination('github', { repository: 'a/b' }, context).location).toContain('github:a/b');
    expect(() => createDestination('github', { repository: 'a' }, context)).toThrow('owner/name');
    expect(() => createDestination('github', { repository: 'a/b', token: 'planted-secret' }, context)).toThrow('token');
    // The token would travel in clear, or stand in the configuration.
    for (const apiUrl of ['http://git.example.com/api/v3', 'https://me:planted-secret@git.example.com/api/v3']) {
      expect(() => createDestination('github', { repository: 'a/b', apiUrl }, context)).toThrow('apiUrl: https');
    }
    const own = { repository: 'a/b', apiUrl: 'http://127.0.0.1:1/api/v3' };
    expect(createDestination('github', own, context).type).toBe('github');
  });
});

describe('parts of the GitHub destination', () => {
  it('spells any name with what GitHub keeps, and reads it back', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }), (name) => {
        const code = segmentCode(name);
        expect(code).toMatch(/^[a-z0-9._-]+$/);
        expect(code).not.toMatch(/^\.|\.$|\.\./);
        const back = segmentName(code);
        if (back === undefined) expect(code).toMatch(/^_h[0-9a-f]{32}$/);
        else expect(back).toBe(name);
        expect(parseAssetName(`0123456789abcdef__${code}__1-1-1`)?.segment).toBe(code);
      }),
    );
  });

  it('keeps within the limits on writes', () => {
    let now = 0;
    const budget = new RequestBudget('hub', () => now);
    for (let index = 0; index < 70; index++) budget.spend(true);
    expect(() => budget.spend(true)).toThrow(/70 writes/);
    now += 60_000;
    for (; now < 3_500_000; now += 60_000) {
      try {
        for (let index = 0; index < 60; index++) budget.spend(true);
      } catch (error) {
        expect(error).toMatchObject({ reason: 'rateLimited' });
        expect(String(error)).toContain('450 writes in 60 min');
        return;
      }
    }
    expect.unreachable();
  });

  it.each([
    [401, {}, 'Bad credentials', 'denied', true],
    [403, {}, 'Resource not accessible', 'denied', true],
    [403, { 'retry-after': '30' }, 'You have exceeded a secondary rate limit', 'rateLimited', false],
    [
      403,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '100' },
      'API rate limit exceeded',
      'rateLimited',
      false,
    ],
    [403, {}, 'storage quota exceeded', 'full', true],
    [404, {}, 'Not Found', 'failed', false],
    [409, {}, 'Conflict', 'failed', false],
    [422, {}, 'Validation Failed already_exists', 'exists', true],
    [422, {}, 'Validation Failed custom', 'failed', true],
    [429, {}, '', 'rateLimited', false],
    [500, {}, '', 'unreachable', false],
    [503, { 'retry-after': '3' }, '', 'unreachable', false],
  ])('%i %j %s: %s', (status, headers, message, reason, permanent) => {
    expect(answerError('hub', { status, headers, message })).toMatchObject({ reason, permanent });
  });
});
