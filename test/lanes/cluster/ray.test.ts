import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { openStorage } from '../../../src/storage/open-storage.js';
import { CliProject, until } from '../../support/cli-project.js';
import { OwnRay } from '../../support/ray.js';
import { newDatabase } from '../../support/server-databases.js';
import { expectWhole, trialsAt } from '../../support/whole-study.js';

let ray: OwnRay;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  ray = await OwnRay.start(4);
});
afterAll(() => ray.remove());
afterEach(async () => {
  delete process.env['SWEEP_DB'];
  for (const close of closing.splice(0).reverse()) await close();
});

interface Job {
  readonly name: string;
  readonly id: string;
  readonly state: string;
}
interface Status {
  readonly launches: readonly { readonly launch: string; readonly jobs: readonly Job[] }[];
}

async function sweep(trials: number, pauseMs: number): Promise<{ project: CliProject; url: string }> {
  const database = await newDatabase('PostgreSQL');
  closing.push(() => database.drop());
  process.env['SWEEP_DB'] = database.url;
  const project = new CliProject({
    config: `storage: \${SWEEP_DB}\ntrials: ${trials}\nparallel: 1\nlaunch: { ray: { address: '${ray.address}', num_cpus: 1, stages: [] } }`,
    pauseMs,
  });
  closing.push(() => {
    project.remove();
  });
  return { project, url: database.url };
}

const statusOf = (project: CliProject, url: string): Status => project.json<Status>('launch', 'status', url);
const inState = async (url: string, wanted: string): Promise<number> =>
  (await trialsAt(url)).filter(({ state }) => state === wanted).length;
const jobsOf = (project: CliProject, url: string) => statusOf(project, url).launches.flatMap(({ jobs }) => jobs);

async function killSomeWorker(url: string): Promise<void> {
  const storage = await openStorage(url);
  const [first] = await storage.processes();
  await storage.close();
  if (first === undefined) throw new Error('Nobody works on the study.');
  process.kill(first.pid, 'SIGKILL');
}

describe('a sweep on Ray', () => {
  it('runs to its end with a worker killed, every trial once; logs; a repeated submission is the same job', async () => {
    const { project, url } = await sweep(20, 200);
    project.json('launch', 'ray', project.config, '--workers', '3');
    await until(async () => (await inState(url, 'COMPLETE')) >= 2, 'the first trials');
    await killSomeWorker(url);
    const [job] = jobsOf(project, url);
    const again = await fetch(`${ray.address}/api/jobs/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ entrypoint: 'sleep 100', submission_id: job?.id }),
    });
    expect(again.ok).toBe(false);
    await until(() => jobsOf(project, url).every(({ state }) => state === 'done'), 'the end', 90_000);
    expect(jobsOf(project, url).map(({ name }) => name)).toEqual(['worker 0', 'worker 1', 'worker 2']);
    expectWhole(await trialsAt(url), 20);
    const texts = [0, 1, 2].map((n) => project.run('launch', 'logs', url, '--job', `worker ${n}`).stdout);
    expect(texts.join('')).toContain('is started again (1)');
    for (const text of texts) expect(text).toContain('20 trials of "quadratic" are finished');
  });

  it('launch stop ends its jobs after their trials; --now at once, trials queued again', async () => {
    const { project, url } = await sweep(30, 500);
    project.json('launch', 'ray', project.config, '--workers', '2');
    await until(async () => (await inState(url, 'RUNNING')) === 2, 'two running trials');
    expect(project.run('launch', 'stop', url).code).toBe(0);
    await until(() => jobsOf(project, url).every(({ state }) => state === 'done'), 'the end of both');
    expect((await trialsAt(url)).map(({ state }) => state)).not.toContain('RUNNING');

    project.json('launch', 'ray', project.config, '--workers', '2');
    await until(async () => (await inState(url, 'RUNNING')) === 2, 'two running trials');
    expect(project.run('launch', 'stop', url, '--now').code).toBe(0);
    const trials = await trialsAt(url);
    expect(trials.filter(({ state }) => state === 'RUNNING')).toEqual([]);
    expect(trials.filter(({ state }) => state === 'WAITING').length).toBe(2);
  });

  it('a password goes into no job', async () => {
    const { project } = await sweep(2, 0);
    process.env['SWEEP_DB'] = 'postgresql://postgres:geheim-7@127.0.0.1:5432/postgres';
    const refused = project.run('launch', 'ray', project.config, '--workers', '2');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('storage_url_file');
    project.writeConfig(
      `storage: \${SWEEP_DB}\nlaunch: { ray: { address: '${ray.address}', storage_url_file: /etc/resweep/url } }`,
    );
    const shown = project.run('launch', 'ray', project.config, '--workers', '2', '--dry-run');
    expect(shown.stdout).toContain('RESWEEP_STORAGE_URL_FILE');
    expect(shown.stdout + shown.stderr).not.toContain('geheim');
  });
});
