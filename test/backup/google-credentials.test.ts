import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createDestination } from '../../src/backup/destinations/destination-registry.js';
import { findCredentials, loginFile } from '../../src/backup/destinations/google-drive/credentials.js';
import { readOAuthClient } from '../../src/backup/destinations/google-drive/oauth-client.js';
import { signInWithGoogle } from '../../src/backup/destinations/google-drive/sign-in.js';
import { DriveServer } from '../support/drive-server/drive-server.js';

let folder: string;
let server: DriveServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'resweep-google-'));
  server = await DriveServer.start();
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
const write = (name: string, content: unknown): string => {
  const file = join(folder, name);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
};
const client = () => {
  const { id, secret } = server.client;
  const uris = { auth_uri: `${server.url}auth`, token_uri: `${server.url}token` };
  return readOAuthClient(write('client.json', { installed: { client_id: id, client_secret: secret, ...uris } }), {});
};

describe('who asks Drive', () => {
  const choose = (env: Record<string, string>, auth: 'auto' | 'login' | 'default' = 'auto', file?: string) =>
    findCredentials(
      'd',
      { auth, file, scope: 'drive.file' },
      { XDG_CONFIG_HOME: folder, CLOUDSDK_CONFIG: folder, ...env },
    );

  it('takes the first there is: the configured file, the environment, the sign-in, the machine', () => {
    const key = write('key.json', server.serviceAccount());
    expect(choose({}).account).toBe('unknown');
    write('application_default_credentials.json', server.login());
    expect(choose({}).account).toBe('user');
    write('resweep/google-login.json', server.login());
    expect(choose({}).account).toBe('user');
    const named = { GOOGLE_APPLICATION_CREDENTIALS: key };
    expect(choose(named).account).toBe('serviceAccount');
    expect(choose(named, 'login').account).toBe('user');
    expect(choose(named, 'auto', join(folder, 'resweep/google-login.json')).account).toBe('user');
    rmSync(join(folder, 'resweep'), { recursive: true });
    expect(() => choose(named, 'login')).toThrow('no stored Google sign-in');
    expect(loginFile({ XDG_CONFIG_HOME: folder })).toBe(join(folder, 'resweep', 'google-login.json'));
  });

  it.each([
    ['nothing.json', undefined, /cannot be read/],
    ['half.json', '{"private_key": "planted', /are not JSON/],
    ['odd.json', { type: 'odd' }, /no known type/],
    ['client.json', { installed: {} }, /only `resweep auth google --client FILE`/],
    ['cut.json', { type: 'service_account', client_email: 'a@b' }, /lack a good private_key/],
  ])('says what is wrong with %s, and quotes nothing of it', (name, content, message) => {
    const file = content === undefined ? join(folder, name) : write(name, content);
    expect(() => choose({}, 'auto', file)).toThrow(message);
    expect(() => choose({}, 'auto', file)).not.toThrow('planted');
  });
});

describe("what Google's library finds", () => {
  const from = (tokenUrl: string) =>
    findCredentials(
      'd',
      {
        auth: 'auto',
        scope: 'drive.file',
        file: write('federated.json', {
          type: 'external_account',
          audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
          subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
          token_url: tokenUrl,
          credential_source: { file: write('subject', 'planted-subject-token') },
        }),
      },
      {},
    );
  const failing = async (status: number) => {
    const answering = createServer((_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"error": "invalid_grant"}');
    });
    await new Promise<void>((resolve) => answering.listen(0, '127.0.0.1', resolve));
    const { port } = answering.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/token`, close: () => answering.close() };
  };

  it.each([
    [400, 'denied'],
    [503, 'unreachable'],
    [0, 'unreachable'],
  ])('%i is %s', async (status, reason) => {
    const { url, close } = await failing(status === 0 ? 500 : status);
    if (status === 0) close();
    const error: unknown = await from(url)
      .fetch()
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ reason });
    expect(String(error)).not.toContain('planted');
    close();
  });
});

describe('google-drive in a configuration', () => {
  it.each([
    [{ foldr: 'x' }, /foldr/],
    [{ scope: 'everything' }, /scope/],
    [{ credentials: '{"type": "service_account"}' }, /never stand here/],
    [{ rootUrl: 'http://drive.example/' }, /https/],
    [{ rootUrl: 'https://me:secret@drive.example/' }, /https/],
    [{ drive: 'my drive' }, /identifier/],
  ])('refuses %j', (options, message) => {
    const context = { name: 'd', projectRoot: folder };
    expect(() => createDestination('google-drive', options, context)).toThrow(message);
    expect(() => createDestination('googel-drive', {}, context)).toThrow('unknown type');
  });

  it('refuses folders that leave their place, and shows where it is', () => {
    const credentials = write('key.json', server.serviceAccount());
    const context = { name: 'd', projectRoot: folder };
    expect(() => createDestination('google-drive', { folder: '../x', credentials }, context)).toThrow('".."');
    const made = createDestination(
      'google-drive',
      { folder: 'a/b', drive: '0ABCDE', credentials: 'key.json' },
      context,
    );
    expect(made.location).toBe('Google Drive (shared drive 0ABCDE): a/b');
  });
});

describe('signing in', () => {
  const file = () => join(folder, 'login.json');

  it('takes the address that somebody copies from another machine', async () => {
    let tell: (line: string) => void = () => undefined;
    const line = new Promise<string>((resolve) => (tell = resolve));
    async function* pasted(): AsyncGenerator<string> {
      yield 'not an address';
      yield await line;
    }
    const { scope } = await signInWithGoogle({
      client: client(),
      scope: 'drive',
      file: file(),
      pasted: pasted(),
      onUrl: (url) => {
        void fetch(url, { redirect: 'manual' }).then((reply) => {
          tell(reply.headers.get('location') ?? '');
        });
      },
    });
    expect(scope).toBe('drive');
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    const token = await findCredentials('d', { auth: 'auto', file: file(), scope: 'drive' }, {}).fetch();
    expect(token.token).toMatch(/^ya29/);
    expect(readFileSync(file(), 'utf8')).toContain('refresh_token');
  });

  it('ends where nobody answers, and leaves nothing', async () => {
    const waiting = signInWithGoogle({
      client: client(),
      scope: 'drive.file',
      file: file(),
      timeoutMs: 50,
      onUrl: () => undefined,
    });
    await expect(waiting).rejects.toMatchObject({ reason: 'timeout' });
    expect(() => statSync(file())).toThrow();
  });

  it('needs a client of type "Desktop app"', () => {
    expect(() => readOAuthClient(undefined, {})).toThrow('OAuth client of your own');
    expect(readOAuthClient(undefined, { RESWEEP_GOOGLE_CLIENT_ID: 'i' })).toMatchObject({ id: 'i', secret: '' });
    expect(() => readOAuthClient(write('web.json', { web: { client_id: 'x' } }), {})).toThrow('Desktop app');
    expect(() => readOAuthClient(write('cut.json', '{"installed": {"client_secret": "planted'), {})).toThrow(
      'not JSON',
    );
  });
});
