import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { Destination } from '../../../src/backup/destinations/destination.js';
import { createDestination } from '../../../src/backup/destinations/destination-registry.js';
import { sha256Of } from '../../../src/backup/files/file-digest.js';
import { RetryingDestination } from '../../../src/backup/destinations/retrying-destination.js';
import { destinationContract } from '../../contracts/destination-contract.js';

/** Path of a JSON file: a service account's key (then a shared drive is needed) or a sign-in of `resweep auth google`. */
const credentials = process.env['RESWEEP_LIVE_GOOGLE_CREDENTIALS'];
const drive = process.env['RESWEEP_LIVE_GOOGLE_DRIVE'];

const open = (folder: string): Destination =>
  new RetryingDestination(
    createDestination(
      'google-drive',
      { folder, credentials, ...(drive === undefined ? {} : { drive }) },
      { name: 'live', projectRoot: process.cwd() },
    ),
  );

/** What a test left goes to the trash; its folders stay, empty. */
async function empty(destination: Destination, prefix = ''): Promise<void> {
  const { objects, folders } = await destination.list(prefix);
  for (const { key } of objects) await destination.remove(key);
  for (const folder of folders) await empty(destination, `${prefix}${folder}/`);
}

describe.skipIf(credentials === undefined)('Google Drive itself', () => {
  destinationContract('google-drive, live', () => {
    const folder = `resweep-live-test/${Date.now()}-${randomBytes(3).toString('hex')}`;
    const destination = open(folder);
    return Promise.resolve({ destination, again: () => open(folder), cleanUp: () => empty(destination) });
  });

  it('takes a large object in parts and gives it back', async () => {
    const destination = open(`resweep-live-test/${Date.now()}`);
    const local = mkdtempSync(join(tmpdir(), 'resweep-live-'));
    try {
      const data = randomBytes(20_000_000);
      await destination.put('large', data, { sha256: sha256Of(data) });
      expect(await destination.download('large', join(local, 'large'))).toEqual({
        bytes: data.length,
        sha256: sha256Of(data),
      });
    } finally {
      await empty(destination);
      rmSync(local, { recursive: true, force: true });
    }
  });
});
