import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createEmulator, type Emulator } from 'emulate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DriveClient } from '../../../src/backup/destinations/google-drive/drive-client.js';
import { uploadFile } from '../../../src/backup/destinations/google-drive/file-upload.js';
import { FOLDER_TYPE } from '../../../src/backup/destinations/google-drive/query.js';
import { UploadSessions } from '../../../src/backup/destinations/google-drive/upload-sessions.js';
import { UploadSource } from '../../../src/backup/destinations/google-drive/upload-source.js';
import { GoogleDriveDestination } from '../../../src/backup/destinations/google-drive/google-drive-destination.js';
import { sha256Of } from '../../../src/backup/files/file-digest.js';

const TOKEN = 'test_token_admin';
const tokens = { account: 'unknown', fetch: () => Promise.resolve({ token: TOKEN, lifetimeMs: 3_600_000 }) } as const;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * A Drive that others wrote. It knows folders, listings and small files, but neither identifiers chosen before, nor checksums, nor
 * uploads in parts: enough to see that requests are understood, too little for a backup, which must be noticed.
 */
describe('the Drive of emulate', () => {
  let emulator: Emulator;
  let client: DriveClient;
  beforeAll(async () => {
    emulator = await createEmulator({ service: 'google', port: await freePort() });
    client = new DriveClient({ name: 'drive', rootUrl: `${emulator.url}/`, tokens });
  });
  afterAll(async () => {
    await emulator.close();
  });

  const inRoot = (): ReturnType<DriveClient['list']> =>
    client.list('listing', `'root' in parents and mimeType = '${FOLDER_TYPE}' and trashed = false`, undefined);

  it('makes folders and lists them', async () => {
    await client.createFolder('making a folder', { id: 'ours', name: 'resweep', parent: 'root' });
    const [folder] = (await inRoot()).filter(({ name }) => name === 'resweep');
    expect(folder).toMatchObject({ mimeType: FOLDER_TYPE, bytes: undefined, trashed: false });
    expect(await client.file('looking', folder?.id ?? '', undefined)).toEqual(folder);
  });

  it('keeps the bytes of a small file, and what it cannot promise is not taken as promised', async () => {
    const data = randomBytes(100_000);
    const sha256 = sha256Of(data);
    const source = await UploadSource.open(data, sha256, 'a file', undefined);
    const sessions = new UploadSessions(join(tmpdir(), 'resweep-no-sessions'));
    const to = { id: 'chosen-before', name: 'pack', folder: 'root' };
    const what = 'sending';
    const file = await uploadFile(client, sessions, {
      what,
      source,
      sha256,
      to,
      partBytes: 1 << 20,
      signal: undefined,
    });
    expect(file).toMatchObject({ name: 'pack', sha256: undefined, md5: undefined });
    expect(file.id).not.toBe(to.id);
    const reply = await fetch(`${emulator.url}/drive/v3/files/${file.id}?alt=media`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(sha256Of(Buffer.from(await reply.arrayBuffer()))).toBe(sha256);
  });

  it('is refused as a destination: a backup would not be verified there', async () => {
    const destination = new GoogleDriveDestination({
      name: 'drive',
      credentials: tokens,
      folder: 'resweep',
      rootUrl: `${emulator.url}/`,
      partBytes: 1 << 20,
      settleMs: 20,
      stateFolder: join(tmpdir(), 'resweep-no-sessions'),
    });
    const data = randomBytes(1000);
    await expect(destination.put('a', data, { sha256: sha256Of(data) })).rejects.toThrow(/drive: .*404/s);
    await destination.close();
  });
});
