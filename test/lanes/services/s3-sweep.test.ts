import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { filesBelow } from '../../support/backup-project.js';
import { CliProject } from '../../support/cli-project.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { GITHUB_TOKEN, GitHubServer, REPOSITORY } from '../../support/github-server.js';
import { hasS3Servers, S3_ENVIRONMENT, startMoto, type S3Server } from '../../support/s3-servers.js';

interface Summary {
  readonly studyDb: string;
  readonly trials: { readonly total: number; readonly complete: number };
  readonly restoredFrom: string | null;
  readonly backup: { readonly destinations: readonly { readonly name: string; readonly error: string | null }[] };
}

describe.skipIf(!hasS3Servers())('a whole sweep over S3 and GitHub', () => {
  let s3: S3Server;
  let proxy: FaultProxy;
  let project: CliProject;
  beforeAll(async () => {
    Object.assign(process.env, S3_ENVIRONMENT);
    s3 = await startMoto();
    proxy = await FaultProxy.start(s3.url);
    await s3.makeBucket('sweeps');
    project = new CliProject({ config: `backup: { destinations: [${destination(proxy.url)}] }` });
  });
  afterAll(async () => {
    project.remove();
    await proxy.close();
    await s3.stop();
  });
  const destination = (endpoint: string): string =>
    `{ name: archive, type: s3, bucket: sweeps, prefix: hpo, endpoint: "${endpoint}", tags: { team: search } }`;
  /** Without blocking this process, in which the proxy runs. */
  const run = async (...args: string[]): Promise<{ code: number | null; output: string }> => {
    const child = project.start(...args);
    let output = '';
    child.stdout?.on('data', (data: Buffer) => (output += data.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, output };
  };
  const summary = async (...args: string[]): Promise<Summary> => {
    const { output } = await run('run', project.config, ...args, '--json');
    return JSON.parse(output) as Summary;
  };

  it('backs up, loses everything, and the same command restores and goes on', async () => {
    const first = await summary('--trials', '6');
    expect(first.backup.destinations).toMatchObject([{ name: 'archive', error: null }]);
    const files = filesBelow(join(project.folder, 'outputs')).filter((file) => file.includes('/trials/'));
    rmSync(join(project.folder, 'outputs'), { recursive: true });
    const second = await summary('--trials', '8');
    expect(second).toMatchObject({ restoredFrom: 'archive', trials: { complete: 8 } });
    expect(relative(project.folder, second.studyDb)).toBe(relative(project.folder, first.studyDb));
    expect(filesBelow(join(project.folder, 'outputs'))).toEqual(expect.arrayContaining(files));
    expect((await run('backup', 'verify', project.config, '--deep')).code).toBe(0);
    expect((await run('backup', 'drill', project.config, '--no-train')).code).toBe(0);
    expect((await run('backup', 'prune', project.config)).code).toBe(0);
  });

  it('goes through a sweep whose requests fail at random, and loses no trial', async () => {
    let state = 7;
    const isUnlucky = (): boolean => (state = (state * 48_271) % 2_147_483_647) % 4 === 0;
    proxy.inject({ reply: { status: 503 } }, { when: isUnlucky, times: 15 });
    proxy.inject({ cut: true, keep: true }, { when: isUnlucky, times: 15 });
    const { trials } = await summary('--trials', '14');
    expect(trials.complete).toBe(14);
    expect(proxy.requests.some(({ faulty }) => faulty)).toBe(true);
    proxy.reset();
    rmSync(join(project.folder, 'outputs'), { recursive: true });
    expect(await summary('--trials', '14')).toMatchObject({ restoredFrom: 'archive', trials: { complete: 14 } });
  });

  it('runs to its end where the bucket is gone or the network is down, and says so', async () => {
    project.writeConfig(`backup: { destinations: [${destination(proxy.url).replace('sweeps', 'no-such')}] }`);
    const gone = await summary('--trials', '15');
    expect(gone.trials.complete).toBe(15);
    expect(gone.backup.destinations[0]?.error).toMatch(/NoSuchBucket/);
    project.writeConfig(`backup: { destinations: [${destination(proxy.url)}] }`);
  });

  it('over GitHub releases alike, with nothing of the token in any file', async () => {
    const server = await GitHubServer.start();
    process.env['GITHUB_TOKEN'] = GITHUB_TOKEN;
    try {
      const hub = `{ name: hub, type: github, repository: ${REPOSITORY}, api_url: "${server.urlOf('api')}" }`;
      project.writeConfig(`backup: { destinations: [${hub}] }`);
      expect((await summary('--trials', '16')).backup.destinations).toMatchObject([{ name: 'hub', error: null }]);
      rmSync(join(project.folder, 'outputs'), { recursive: true });
      const restored = await summary('--trials', '17');
      expect(restored).toMatchObject({ restoredFrom: 'hub', trials: { complete: 17 } });
      const { output } = await run('backup', 'verify', project.config, '--deep', '--verbose');
      expect(output).toMatch(/all good/);
      const everything = filesBelow(project.folder).map((file) => join(project.folder, file));
      const { readFileSync } = await import('node:fs');
      for (const file of everything) {
        const bytes = readFileSync(file);
        for (const secret of [GITHUB_TOKEN, S3_ENVIRONMENT.AWS_SECRET_ACCESS_KEY]) {
          expect(bytes.includes(secret), file).toBe(false);
        }
      }
    } finally {
      delete process.env['GITHUB_TOKEN'];
      await server.close();
    }
  });
});
