import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import {
  DestinationError,
  type CallOptions,
  type Destination,
  type DestinationErrorReason,
} from '../../src/backup/destinations/destination.js';
import { RetryingDestination } from '../../src/backup/destinations/retrying-destination.js';
import { stubDestination } from '../support/stub-destination.js';

/** Answers `get` from a script; everything else is not asked. */
function scripted(script: ((options: CallOptions) => Promise<Uint8Array>)[]): {
  destination: Destination;
  calls: () => number;
} {
  let calls = 0;
  const destination = stubDestination({
    get: (_key, options = {}) => {
      const step = script[Math.min(calls, script.length - 1)];
      calls++;
      if (step === undefined) throw new Error('not asked');
      return step(options);
    },
  });
  return { destination, calls: () => calls };
}

const fail = (reason: DestinationErrorReason, retryAfterMs?: number) => () =>
  Promise.reject(new DestinationError(reason, reason, retryAfterMs === undefined ? {} : { retryAfterMs }));
const succeed = () => Promise.resolve(Buffer.from('ok'));
const quick = { retries: 3, minDelayMs: 1, timeoutMs: 60, minBytesPerSecond: 1e12 };

describe('retrying destination', () => {
  it('tries again what may pass', async () => {
    const { destination, calls } = scripted([fail('unreachable'), fail('rateLimited'), succeed]);
    expect(await new RetryingDestination(destination, quick).get('k')).toBeDefined();
    expect(calls()).toBe(3);
  });

  it.each(['denied', 'full', 'exists'] as const)('does not repeat what is permanent: %s', async (reason) => {
    const { destination, calls } = scripted([fail(reason)]);
    await expect(new RetryingDestination(destination, quick).get('k')).rejects.toMatchObject({
      reason,
      permanent: true,
    });
    expect(calls()).toBe(1);
  });

  it('gives up after its retries, with the last error', async () => {
    const { destination, calls } = scripted([fail('unreachable')]);
    await expect(new RetryingDestination(destination, quick).get('k')).rejects.toMatchObject({ reason: 'unreachable' });
    expect(calls()).toBe(4);
  });

  it('bounds a request that hangs, tells it to stop, and tries again', async () => {
    let stopped = false;
    const hang = ({ signal }: CallOptions) =>
      new Promise<Uint8Array>(() => {
        signal?.addEventListener('abort', () => (stopped = true));
      });
    const { destination, calls } = scripted([hang, succeed]);
    expect(await new RetryingDestination(destination, quick).get('k')).toBeDefined();
    expect(stopped).toBe(true);
    expect(calls()).toBe(2);
  });

  it('waits as long as Retry-After asks', async () => {
    const { destination } = scripted([fail('rateLimited', 150), succeed]);
    const start = performance.now();
    await new RetryingDestination(destination, quick).get('k');
    expect(performance.now() - start).toBeGreaterThan(140);
  });

  it('stops at the signal, also while it waits', async () => {
    const { destination, calls } = scripted([fail('rateLimited', 60_000)]);
    const controller = new AbortController();
    const running = new RetryingDestination(destination, quick).get('k', { signal: controller.signal });
    setTimeout(() => {
      controller.abort();
    }, 20);
    await expect(running).rejects.toBeInstanceOf(DestinationError);
    expect(calls()).toBe(1);
  });

  it('downloads again after a try that was left behind in the middle of the file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'resweep-retry-'));
    const { destination } = scripted([]);
    let tries = 0;
    const download: Destination['download'] = (_key, file) => {
      writeFileSync(file, tries++ === 0 ? 'ha' : 'whole', { flag: 'wx' });
      return tries === 1 ? new Promise(() => undefined) : Promise.resolve({ bytes: 5, sha256: 'x' });
    };
    const retrying = new RetryingDestination({ ...destination, download }, { ...quick, timeoutMs: 30 });
    expect(await retrying.download('k', join(folder, 'new'), { bytes: 0 })).toMatchObject({ bytes: 5 });
    expect(readFileSync(join(folder, 'new'), 'utf8')).toBe('whole');
    rmSync(folder, { recursive: true });
  });

  it('never throws anything but a DestinationError', async () => {
    const { destination } = scripted([() => Promise.reject(new TypeError('odd'))]);
    await expect(new RetryingDestination(destination, quick).get('k')).rejects.toMatchObject({ reason: 'failed' });
  });
});
