import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { filesBelow } from '../../support/backup-project.js';
import { CliProject, exitOf, until } from '../../support/cli-project.js';
import { DriveServer } from '../../support/drive-server/drive-server.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

describe('a sweep that is backed up by the Drive API', () => {
  let server: DriveServer;
  let project: CliProject;
  let home: string;
  let clientFile: string;
  let said = '';
  const environment = [
    'XDG_CONFIG_HOME',
    'XDG_STATE_HOME',
    'GOOGLE_APPLICATION_CREDENTIALS',
    'CLOUDSDK_CONFIG',
  ] as const;
  const before = environment.map((name) => process.env[name]);

  beforeAll(async () => {
    server = await DriveServer.start();
    project = new CliProject({
      config: `backup: { destinations: [{ name: far, type: google-drive, folder: sweeps/mine, auth: login, root_url: "${server.url}" }] }`,
    });
    home = join(project.folder, '..', `home-of-${project.folder.split('/').at(-1) ?? ''}`);
    process.env['XDG_CONFIG_HOME'] = join(home, 'config');
    process.env['XDG_STATE_HOME'] = join(home, 'state');
    process.env['CLOUDSDK_CONFIG'] = join(home, 'gcloud');
    delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    clientFile = join(project.folder, 'client.json');
    const { id, secret } = server.client;
    const uris = { auth_uri: `${server.url}auth`, token_uri: `${server.url}token` };
    writeFileSync(clientFile, JSON.stringify({ installed: { client_id: id, client_secret: secret, ...uris } }));
  });
  afterAll(async () => {
    environment.forEach((name, index) => {
      const value = before[index];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    });
    await server.close();
    rmSync(home, { recursive: true, force: true });
    project.remove();
  });

  /** Runs a command while this process serves the Drive. */
  const run = async (...args: string[]): Promise<{ code: unknown; output: string }> => {
    const child = project.start(...args);
    const code = await exitOf(child);
    said += child.output();
    return { code, output: child.output() };
  };
  const login = (): string => join(home, 'config', 'resweep', 'google-login.json');
  /** Starts a sign-in and gives back the address of the consent page. */
  const begin = async (...args: string[]) => {
    const child = project.start('auth', 'google', '--no-browser', '--client', clientFile, ...args);
    await until(() => child.output().includes('code_challenge='), 'the address');
    const [address = ''] = /http:\S+/.exec(child.output()) ?? [];
    return { child, address };
  };

  it('needs a sign-in first, and says so before anything is changed', async () => {
    const { code, output } = await run('run', project.config);
    expect(code).toBe(2);
    expect(output).toMatch(/no stored Google sign-in.*\nTry: resweep auth google/);
    expect(existsSync(join(project.folder, 'outputs'))).toBe(false);
    const without = await run('auth', 'google');
    expect(without).toMatchObject({ code: 2 });
    expect(without.output).toMatch(/OAuth client of your own/);
  });

  it('tells a refusal, and takes no answer that is not of its own question', async () => {
    server.oauth.consent = 'denied';
    const { child, address } = await begin();
    const redirect = new URL(new URL(address).searchParams.get('redirect_uri') ?? '');
    redirect.search = '?code=planted&state=guessed';
    expect((await fetch(redirect)).status).toBe(400);
    await fetch(address);
    expect(await exitOf(child)).toBe(1);
    expect(child.output()).toMatch(/Consent was refused \(access_denied\)/);
    expect(existsSync(login())).toBe(false);
    server.oauth.consent = 'given';
  });

  it('signs in with consent in a browser', async () => {
    const { child, address } = await begin();
    expect((await fetch(address)).status).toBe(200);
    expect(await exitOf(child), child.output()).toBe(0);
    said += child.output();
    expect(statSync(login()).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(login(), 'utf8'))).toMatchObject({ type: 'authorized_user' });
  });

  it('comes back from Drive after everything local is lost, and goes on', async () => {
    const first = await run('run', project.config, '--trials', '4');
    expect(first.code, first.output).toBe(0);
    expect(first.output).toMatch(/far/);
    const paths = server.paths();
    expect(paths.filter((path) => path.endsWith('/study.db')).length).toBe(1);
    expect(new Set(paths).size).toBe(paths.length);
    rmSync(join(project.folder, 'outputs'), { recursive: true });
    const second = await run('run', project.config, '--trials', '6', '--verbose');
    expect(second.code, second.output).toBe(0);
    expect(second.output).toMatch(/[Rr]estored/);
    const verified = await run('backup', 'verify', project.config, '--deep');
    expect(verified.code, verified.output).toBe(0);
    const status = await run('status', project.config);
    expect(status.output).toMatch(/6/);
  });

  it('goes on where the sign-in ends in the middle, and says what to do', async () => {
    server.oauth.withdrawTokens();
    server.oauth.withdrawLogins();
    const { code, output } = await run('run', project.config, '--trials', '7', '--verbose');
    expect(code, output).toBe(0);
    expect(output).toMatch(/sign-in is no longer valid/);
  });

  it('shows no secret in logs, events, manifests or anything else', () => {
    const { refresh_token: refresh } = JSON.parse(readFileSync(login(), 'utf8')) as { refresh_token: string };
    const secrets = [refresh, server.client.secret, 'ya29.', 'upload_id='];
    for (const secret of secrets) expect(said).not.toContain(secret);
    for (const file of filesBelow(project.folder).filter((name) => name !== 'client.json')) {
      const content = readFileSync(join(project.folder, file));
      for (const secret of secrets) expect(content.includes(secret), `${file}: ${secret.slice(0, 4)}`).toBe(false);
    }
    for (const { name, content } of server.state.items.values()) {
      for (const secret of secrets) expect(content?.includes(secret) ?? false, name).toBe(false);
    }
  });
});
