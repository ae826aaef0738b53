import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { DestinationError, type Destination } from '../../src/backup/destinations/destination.js';
import { sha256Of } from '../../src/backup/files/file-digest.js';
import { RetryingDestination } from '../../src/backup/destinations/retrying-destination.js';
import { DriveBench } from '../support/drive-destination.js';
import type { DriveRequest } from '../support/drive-server/drive-server.js';
import { FaultProxy, flipBit } from '../support/fault-proxy.js';

let bench: DriveBench;
beforeEach(async () => {
  bench = await DriveBench.start();
});
afterEach(async () => {
  await bench.close();
});

const put = (
  to: Destination,
  key: string,
  data: Uint8Array,
  options: { ifAbsent?: boolean; signal?: AbortSignal } = {},
) => to.put(key, data, { sha256: sha256Of(data), ...options });
const small = Buffer.from('a small object');
/** Seven parts of 1 MiB, the last one short. */
const large = randomBytes(6_500_000);
const quick = { retries: 4, minDelayMs: 1, timeoutMs: 5_000 };
const isUpload = ({ path }: { path: string }): boolean => path.startsWith('/upload/');
const isPart = ({ method, headers }: DriveRequest): boolean =>
  method === 'PUT' && !(headers['content-range'] ?? '').includes('*');

async function failure(promise: Promise<unknown>): Promise<DestinationError> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(DestinationError);
    return error as DestinationError;
  }
  throw new Error('It did not fail.');
}

describe('google-drive: refusals', () => {
  it.each([
    [403, 'rateLimitExceeded', 'rateLimited', false],
    [403, 'userRateLimitExceeded', 'rateLimited', false],
    [429, 'rateLimitExceeded', 'rateLimited', false],
    [403, 'storageQuotaExceeded', 'full', true],
    [403, 'teamDriveFileLimitExceeded', 'full', true],
    [403, 'dailyLimitExceeded', 'rateLimited', true],
    [403, 'insufficientFilePermissions', 'denied', true],
    [403, 'somethingNew', 'denied', true],
    [400, 'badRequest', 'failed', true],
    [404, 'notFound', 'unreachable', false],
    [408, 'requestTimeout', 'timeout', false],
    [409, 'conflict', 'failed', true],
    [500, 'backendError', 'unreachable', false],
    [502, 'backendError', 'unreachable', false],
    [503, 'backendError', 'unreachable', false],
  ] as const)('%i %s', async (status, reason, expected, permanent) => {
    const drive = bench.destination();
    await drive.check();
    bench.server.inject({ status, reason });
    const error = await failure(drive.get('k'));
    expect(error).toMatchObject({ reason: expected, permanent });
    expect(error.message).toContain(`${status} ${reason}`);
    // It was that one request: the next is answered.
    expect(await drive.get('k')).toBeUndefined();
  });

  it('waits as Retry-After asks, but not for hours', async () => {
    const drive = bench.destination();
    bench.server.inject({ status: 429, reason: 'rateLimitExceeded', headers: { 'retry-after': '2' }, when: isFiles });
    expect(await failure(drive.get('k'))).toMatchObject({ retryAfterMs: 2000, permanent: false });
    const soon = new Date(Date.now() + 20_000).toUTCString();
    bench.server.inject({ status: 503, headers: { 'retry-after': soon }, when: isFiles });
    const dated = await failure(drive.get('k'));
    expect(dated.retryAfterMs).toBeGreaterThan(15_000);
    // A date is the server's: a wrong clock of this machine changes nothing.
    bench.server.state.clockAheadMs = -3 * 3_600_000;
    const past = new Date(Date.now() - 3 * 3_600_000 + 20_000).toUTCString();
    bench.server.inject({ status: 503, headers: { 'retry-after': past }, when: isFiles });
    const corrected = await failure(drive.get('k'));
    expect(corrected.retryAfterMs).toBeGreaterThan(15_000);
    expect(corrected.retryAfterMs).toBeLessThan(25_000);
    bench.server.state.clockAheadMs = 0;
    bench.server.inject({
      status: 429,
      reason: 'rateLimitExceeded',
      headers: { 'retry-after': '7200' },
      when: isFiles,
    });
    expect(await failure(drive.get('k'))).toMatchObject({ reason: 'rateLimited', permanent: true });
  });

  it('gets through a mixture of them by the wrapper alone, with one object at the end', async () => {
    const drive = new RetryingDestination(bench.destination(), quick);
    bench.server.inject({ status: 403, reason: 'userRateLimitExceeded', when: isFiles });
    bench.server.inject({ status: 503, when: isUpload });
    bench.server.inject({ status: 500, when: isUpload, keep: true });
    bench.server.inject({ cut: true, when: isUpload });
    await put(drive, 'a/k', small);
    expect(bench.server.paths()).toEqual(['resweep', 'resweep/a', 'resweep/a/k']);
  });

  it('renews a token that is refused, once; then it is the account', async () => {
    const drive = bench.destination();
    await put(drive, 'k', small);
    bench.server.oauth.withdrawTokens();
    expect(await drive.get('k')).toEqual(small);
    bench.server.inject({ status: 401, reason: 'authError', times: 2, when: isFiles });
    const before = bench.server.requests.length;
    expect(await failure(drive.get('k'))).toMatchObject({ reason: 'denied', permanent: true });
    expect(bench.server.requests.slice(before).map(({ path }) => path)).toEqual([
      '/drive/v3/files',
      '/token',
      '/drive/v3/files',
    ]);
  });

  it('asks for one token only, however many wait for it', async () => {
    const drive = bench.destination();
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => drive.get(key)));
    expect(bench.server.oauth.tokenRequests).toBe(1);
  });

  it('says what to do where the sign-in has ended', async () => {
    const drive = bench.destination();
    bench.server.oauth.withdrawLogins();
    const error = await failure(new RetryingDestination(drive, quick).check());
    expect(error).toMatchObject({ reason: 'denied', permanent: true });
    expect(error.hint).toMatch(/resweep auth google.*7 days.*Testing/);
    expect(bench.server.oauth.tokenRequests).toBe(1);
  });

  it('tells that a service account owns no storage before anything is sent', async () => {
    const drive = bench.destination({}, bench.server.serviceAccount());
    // Without a check before, Drive's own refusal is explained.
    expect(await failure(put(drive, 'k', small))).toMatchObject({ reason: 'full', permanent: true });
    await drive.check();
    const before = bench.server.requests.length;
    const error = await failure(put(drive, 'k', small));
    expect(error.hint).toMatch(/shared drive/);
    expect(bench.server.requests.length).toBe(before);
  });

  it('tells that the account is no member of the shared drive, or does not see the folder', async () => {
    const drive = bench.server.state.addDrive('Team', ['somebody@else.example']);
    expect((await failure(bench.destination({ drive }).check())).hint).toMatch(/add the account/);
    // One that is deleted while it is in use.
    const account = bench.server.serviceAccount();
    const own = bench.server.state.addDrive('Own', [account['client_email'] ?? '']);
    const using = bench.destination({ drive: own }, account);
    await put(using, 'k', small);
    bench.server.state.drives.delete(own);
    bench.server.state.items.clear();
    expect((await failure(using.list(''))).hint).toMatch(/Make the shared drive again or mend `drive:`/);
    const folder = bench.server.state.create({ ...bench.server.person, app: 'browser' }, { name: 'mine' }, true);
    expect((await failure(bench.destination({ folderId: folder.id }).check())).hint).toMatch(/drive\.file/);
    const seeing = bench.destination({ folderId: folder.id }, bench.server.login('drive'));
    await seeing.check();
    await put(seeing, 'k', small);
    expect(bench.server.paths()).toContain('mine/resweep/k');
  });

  it('is full where the Drive is, also in the middle of a large upload', async () => {
    bench.server.state.limits.set(bench.server.person.email, 6_000_000);
    const drive = bench.destination();
    expect(await failure(put(drive, 'big', large))).toMatchObject({ reason: 'full', permanent: true });
    bench.server.state.limits.set(bench.server.person.email, 10_000_000);
    let parts = 0;
    const fill = (): void => {
      bench.server.state.limits.set(bench.server.person.email, 1);
    };
    bench.server.inject({ run: fill, when: (request) => isPart(request) && ++parts === 4 });
    expect(await failure(put(drive, 'big', large))).toMatchObject({ reason: 'full', permanent: true });
    bench.server.state.limits.set(bench.server.person.email, 10_000_000);
    await put(drive, 'big', large);
    expect(await drive.checksum('big')).toMatchObject({ sha256: sha256Of(large) });
  });

  it('corrects a wrong clock of this machine for a service account', async () => {
    const login = bench.server.serviceAccount();
    const drive = bench.server.state.addDrive('Team', [login['client_email'] ?? '']);
    bench.server.state.clockAheadMs = 3 * 3_600_000;
    await put(bench.destination({ drive }, login), 'k', small);
    bench.server.state.clockAheadMs = -3 * 3_600_000;
    expect(await bench.destination({ drive }, login).get('k')).toEqual(small);
  });

  it('shows no secret in any error', async () => {
    const errors: unknown[] = [];
    const login = bench.server.login();
    const proxy = await FaultProxy.start(bench.server.url);
    const drive = bench.destination({ rootUrl: `${proxy.url}/` }, login);
    await drive.check();
    const authorization = proxy.requests.at(-1)?.headers['authorization'] ?? '';
    bench.server.inject({ status: 400, reason: 'x', message: `You sent ${String(authorization)}`, when: isFiles });
    errors.push(await failure(drive.get('k')));
    // Parts go unanswered for ever: the error must not name the session.
    proxy.inject({ cut: true }, { when: ({ method }) => method === 'PUT', times: 99 });
    errors.push(await failure(put(drive, 'big', large)));
    await proxy.close();
    errors.push(await failure(put(drive, 'big', large)));
    bench.server.oauth.withdrawLogins();
    errors.push(await failure(bench.destination({}, login).check()));
    const shown = errors.map((error) => inspect(error, { depth: 20 })).join('\n');
    const [session = ''] = readdirSync(join(bench.folder, 'state')).map((name) =>
      readFileSync(join(bench.folder, 'state', name), 'utf8'),
    );
    const uploadId = /upload_id=([\w-]+)/.exec(session)?.[1] ?? 'none';
    expect(uploadId).not.toBe('none');
    for (const secret of [uploadId, String(authorization).slice(7), login['refresh_token'], login['client_secret']]) {
      expect(shown).not.toContain(secret);
    }
  });
});

describe('google-drive: large uploads', () => {
  const sent = (): number =>
    bench.server.requests.filter(isPart).reduce((sum, { requestBytes }) => sum + requestBytes, 0);

  it.each([1, 262_143, 262_144, 700_000, 1_048_575])('goes on after a cut at byte %i of a part', async (at) => {
    const proxy = await FaultProxy.start(bench.server.url);
    const drive = bench.destination({ rootUrl: `${proxy.url}/` });
    let parts = 0;
    proxy.inject({ cutRequestAfter: at }, { when: ({ method }) => method === 'PUT' && ++parts === 3 });
    await put(drive, 'big', large);
    expect(await drive.checksum('big')).toEqual({ bytes: large.length, sha256: sha256Of(large) });
    expect(sent()).toBeLessThan(large.length + (1 << 20));
    expect(bench.server.paths()).toEqual(['resweep', 'resweep/big']);
    await proxy.close();
  });

  it('takes the bytes that were kept although their reply was lost, also of the last part', async () => {
    for (const which of [2, 7]) {
      let parts = 0;
      bench.server.inject({ keep: true, cut: true, when: (request) => isPart(request) && ++parts === which });
    }
    await put(bench.destination(), 'big', large);
    expect(sent()).toBe(large.length);
    expect(bench.server.paths()).toEqual(['resweep', 'resweep/big']);
  });

  it('believes Range: less than was sent, odd, or nothing', async () => {
    for (const keepBytes of [300_000, 0, 262_144]) bench.server.inject({ keepBytes, when: isPart });
    const drive = bench.destination();
    await put(drive, 'big', large);
    expect(Buffer.from((await drive.get('big')) ?? []).equals(large)).toBe(true);
  });

  it('gives up where nothing is ever kept', async () => {
    bench.server.inject({ keepBytes: 0, when: isPart, times: 99 });
    expect(await failure(put(bench.destination(), 'big', large))).toMatchObject({
      reason: 'unreachable',
      permanent: false,
    });
  });

  it('begins anew where the session has ended', async () => {
    let parts = 0;
    bench.server.inject({
      run: () => bench.server.uploads.expire(),
      when: (request) => isPart(request) && ++parts === 4,
    });
    const drive = bench.destination();
    await put(drive, 'big', large);
    expect(await drive.checksum('big')).toMatchObject({ sha256: sha256Of(large) });
  });

  it('goes through server errors and rate limits in the middle, by the wrapper', async () => {
    let parts = 0;
    bench.server.inject({ status: 503, when: (request) => isPart(request) && ++parts === 2 });
    bench.server.inject({ status: 429, reason: 'rateLimitExceeded', when: (request) => isPart(request) && parts >= 2 });
    await put(new RetryingDestination(bench.destination(), quick), 'big', large);
    // Refused parts travelled and were not kept.
    expect(sent()).toBeLessThanOrEqual(large.length + (2 << 20));
  });

  it('another process goes on where one was stopped, from a note that only this user can read', async () => {
    const controller = new AbortController();
    let parts = 0;
    bench.server.inject({
      run: () => {
        controller.abort();
      },
      keep: true,
      when: (request) => isPart(request) && ++parts === 4,
    });
    expect(await failure(put(bench.destination(), 'big', large, { signal: controller.signal }))).toMatchObject({
      reason: 'aborted',
    });
    const state = join(bench.folder, 'state');
    const [note = ''] = readdirSync(state);
    expect(statSync(join(state, note)).mode & 0o777).toBe(0o600);
    await put(bench.destination(), 'big', large);
    expect(sent()).toBe(large.length);
    expect(readdirSync(state)).toEqual([]);
    expect(bench.server.paths()).toEqual(['resweep', 'resweep/big']);
  });

  it('replaces a large object as a new revision of the same file', async () => {
    const drive = bench.destination();
    await put(drive, 'big', small);
    const [id] = [...bench.server.state.items.values()].filter(({ name }) => name === 'big').map((item) => item.id);
    await put(drive, 'big', large);
    expect(bench.server.state.items.get(id ?? '')).toMatchObject({ revisions: 2 });
    expect(await drive.checksum('big')).toMatchObject({ sha256: sha256Of(large) });
  });
});

describe('google-drive: bytes', () => {
  it('finds what was damaged on the way up, leaves nothing, and sends it again', async () => {
    for (const [key, data] of [
      ['k', small],
      ['big', large],
    ] as const) {
      let parts = 0;
      const last = (request: DriveRequest) =>
        isUpload(request) && (data === small || (isPart(request) && ++parts === 7));
      bench.server.inject({ damage: true, when: last });
      const drive = bench.destination();
      expect(await failure(put(drive, key, data))).toMatchObject({ reason: 'damaged', permanent: false });
      expect(await drive.get(key)).toBeUndefined();
      await put(drive, key, data);
      expect(await drive.checksum(key)).toMatchObject({ sha256: sha256Of(data) });
    }
  });

  it('takes md5 where there is no sha256, and reads back where there is neither', async () => {
    for (const without of ['sha256', 'all'] as const) {
      bench.server.withoutChecksums = without;
      const drive = bench.destination();
      expect(await put(drive, without, small)).toEqual({ bytes: small.length, confirmation: 'verified' });
      expect(await drive.checksum(without)).toEqual({ bytes: small.length, sha256: sha256Of(small) });
      bench.server.inject({ damage: true, when: isUpload });
      expect(await failure(put(drive, `${without}-2`, small))).toMatchObject({ reason: 'damaged' });
    }
  });

  it('refuses a short download, whatever length it announces, and hands on a changed one for the caller to find', async () => {
    const proxy = await FaultProxy.start(bench.server.url);
    const drive = bench.destination({ rootUrl: `${proxy.url}/` });
    await put(drive, 'k', large);
    const media = { when: ({ url }: { url: string }) => url.includes('alt=media') };
    const target = join(bench.folder, 'target');
    for (const fault of [
      { cutReplyAfter: 1000 },
      { changeReply: (body: Buffer) => body.subarray(0, 1000) },
      { cut: true },
    ]) {
      proxy.inject(fault, media);
      expect(await failure(drive.get('k'))).toMatchObject({ reason: 'unreachable', permanent: false });
      proxy.inject(fault, media);
      expect(await failure(drive.download('k', target))).toMatchObject({ reason: 'unreachable', permanent: false });
    }
    proxy.inject({ changeReply: flipBit }, media);
    expect(sha256Of((await drive.get('k')) ?? Buffer.of())).not.toBe(sha256Of(large));
    proxy.inject({ cutReplyAfter: 5 }, media);
    expect(await new RetryingDestination(drive, quick).download('k', target)).toMatchObject({
      sha256: sha256Of(large),
    });
    await proxy.close();
  });

  it('ends in time where Drive hangs, and at the signal', async () => {
    const proxy = await FaultProxy.start(bench.server.url);
    const drive = bench.destination({ rootUrl: `${proxy.url}/` });
    await put(drive, 'k', small);
    const bounded = new RetryingDestination(drive, {
      retries: 1,
      minDelayMs: 1,
      timeoutMs: 150,
      minBytesPerSecond: 1e12,
    });
    proxy.inject({ hang: true });
    expect(await bounded.get('k')).toEqual(small);
    proxy.inject({ hang: true }, { times: 9 });
    expect(await failure(bounded.get('k'))).toMatchObject({ reason: 'timeout' });
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 20);
    expect(await failure(drive.get('k', { signal: controller.signal }))).toMatchObject({ reason: 'aborted' });
    await proxy.close();
  });
});

describe('google-drive: equal names, the trash, other machines', () => {
  it('two machines that make the same folders at once agree on them, and each sees what the other wrote', async () => {
    const machines = [bench.destination(), bench.destination(), bench.destination()];
    const keys = machines.map((_, index) => `deep/er/tree/object-${index}`);
    await Promise.all(machines.map((machine, index) => put(machine, keys[index] ?? '', small)));
    for (const machine of machines) {
      expect((await machine.list('deep/er/tree/')).objects.map(({ key }) => key)).toEqual(keys);
      for (const key of keys) expect(await machine.get(key)).toEqual(small);
    }
    await Promise.all(machines.map((machine, index) => put(machine, `deep/er/tree/later-${index}`, small)));
    const later = [...bench.server.state.items.values()].filter(({ name }) => name.startsWith('later-'));
    expect(new Set(later.flatMap(({ parents }) => parents)).size).toBe(1);
  });

  it('reads equal names as one, the oldest, and removes all of them', async () => {
    const drive = bench.destination();
    await put(drive, 'f/k', small);
    const { state, person } = bench.server;
    const [file] = [...state.items.values()].filter(({ name }) => name === 'k');
    await new Promise((resolve) => setTimeout(resolve, 5));
    // Another folder of the same name with things of its own, and a second file.
    const [base] = [...state.items.values()].filter(({ name }) => name === 'resweep');
    const twin = state.create(person, { name: 'f', parents: [base?.id ?? ''] }, true);
    state.create(person, { name: 'k', parents: [...(file?.parents ?? [])], content: Buffer.from('younger') }, true);
    state.create(person, { name: 'only-there', parents: [twin.id], content: small }, true);
    state.create(person, { name: 'K', parents: [twin.id], content: Buffer.from('another case') }, true);
    const again = bench.destination();
    expect(await again.get('f/k')).toEqual(small);
    expect(await again.get('f/only-there')).toEqual(small);
    expect((await again.list('f/')).objects.map(({ key }) => key)).toEqual(['f/K', 'f/k', 'f/only-there']);
    await again.remove('f/k');
    expect(await again.get('f/k')).toBeUndefined();
    expect(Buffer.from((await again.get('f/K')) ?? []).toString()).toBe('another case');
    // Removed into the trash, not for good.
    expect(state.items.get(file?.id ?? '')?.trashedItself).toBe(true);
  });

  it('never finds what lies in the trash, and makes a folder anew that went there', async () => {
    const drive = bench.destination();
    await put(drive, 'f/k', small);
    const [folder] = [...bench.server.state.items.values()].filter(({ name }) => name === 'f');
    if (folder !== undefined) folder.trashedItself = true;
    expect(await drive.get('f/k')).toBeUndefined();
    expect(await drive.list('f/')).toEqual({ objects: [], folders: [] });
    const retrying = new RetryingDestination(bench.destination(), quick);
    await put(retrying, 'g/k', small);
    const [other] = [...bench.server.state.items.values()].filter(({ name }) => name === 'g');
    if (other !== undefined) other.trashedItself = true;
    // What lay there is gone too: whoever counts on it is told, and the next one begins anew.
    expect(await failure(put(retrying, 'g/second', small))).toMatchObject({ reason: 'unreachable', permanent: true });
    await put(retrying, 'g/second', small);
    expect(bench.server.paths()).toEqual(['resweep', 'resweep/g', 'resweep/g/second']);
  });

  it('a folder that is deleted for good ends the save that counts on it; one that cannot be seen for a moment does not', async () => {
    const drive = bench.destination();
    await put(drive, 'f/first', small);
    const { items } = bench.server.state;
    const [folder] = [...items.values()].filter(({ name }) => name === 'f');
    // Within a minute of its making, Drive may not know it everywhere.
    bench.server.inject({ status: 404, reason: 'notFound', when: isUpload });
    await put(new RetryingDestination(drive, quick), 'f/second', small);
    const other = bench.destination();
    await put(other, 'f/third', small);
    bench.server.inject({ status: 404, reason: 'notFound', when: isUpload });
    expect(await failure(put(other, 'f/fourth', small))).toMatchObject({ reason: 'unreachable', permanent: false });
    await put(other, 'f/fourth', small);
    for (const item of [...items.values()]) if (item.parents.includes(folder?.id ?? '')) items.delete(item.id);
    items.delete(folder?.id ?? '');
    const gone = await failure(put(other, 'f/fifth', small));
    expect(gone).toMatchObject({ reason: 'unreachable', permanent: true });
    expect(gone.message).toMatch(/the folder f has gone/);
    await put(other, 'f/fifth', small);
    expect(bench.server.paths()).toEqual(['resweep', 'resweep/f', 'resweep/f/fifth']);
  });

  it('makes one file although the reply was lost, the list is late, and it tries again', async () => {
    const drive = new RetryingDestination(bench.destination(), quick);
    await put(drive, 'f/first', small);
    bench.server.state.listDelayMs = 300;
    bench.server.inject({ keep: true, cut: true, when: isUpload });
    await put(drive, 'f/second', small);
    await new Promise((resolve) => setTimeout(resolve, 320));
    expect(bench.server.paths()).toEqual(['resweep', 'resweep/f', 'resweep/f/first', 'resweep/f/second']);
  });

  it('reads lists of many pages, and names that need quoting', async () => {
    const { state, person } = bench.server;
    const drive = bench.destination();
    await put(drive, "it's/o'clock", small);
    expect(await drive.get("it's/o'clock")).toEqual(small);
    const [folder] = [...state.items.values()].filter(({ name }) => name === "it's");
    for (let index = 0; index < 2100; index++) {
      state.create(person, { name: `n${index}`, parents: [folder?.id ?? ''], content: Buffer.of(1) }, true);
    }
    state.create(person, { name: 'a/b', parents: [folder?.id ?? ''], content: Buffer.of(1) }, true);
    expect((await drive.list("it's/")).objects.length).toBe(2101);
  });

  it('asks no more often when more is there', async () => {
    const requestsOf = async (drive: Destination): Promise<Set<number>> => {
      const requests: number[] = [];
      for (let index = 0; index < 20; index++) {
        const data = randomBytes(100);
        const before = bench.server.requests.length;
        await put(drive, `.resweep/packs/${sha256Of(data)}.pack`, data);
        requests.push(bench.server.requests.length - before);
      }
      return new Set(requests.slice(1));
    };
    expect(await requestsOf(bench.destination())).toEqual(new Set([1]));
    // Where another process made the folder, each name is looked for first.
    expect(await requestsOf(bench.destination())).toEqual(new Set([2]));
  });
});

function isFiles({ path }: { path: string }): boolean {
  return path.startsWith('/drive/v3/files');
}
