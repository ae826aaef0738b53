import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { openStorage } from '../../../src/storage/open-storage.js';
import { CliProject, exitOf, until } from '../../support/cli-project.js';
import { newDatabase } from '../../support/server-databases.js';
import { OwnSlurm } from '../../support/slurm.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { expectWhole, trialsAt } from '../../support/whole-study.js';

const DIGITS = fileURLToPath(new URL('../../../data/digits.csv.gz', import.meta.url));

let slurm: OwnSlurm;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  slurm = await OwnSlurm.start([
    'PreemptType=preempt/partition_prio',
    'PreemptMode=REQUEUE',
    'PartitionName=low Nodes=ALL Default=YES State=UP PriorityTier=1 GraceTime=15',
    'PartitionName=high Nodes=ALL State=UP PriorityTier=10 PreemptMode=OFF',
  ]);
  Object.assign(process.env, slurm.environment);
});

afterAll(async () => {
  delete process.env['SLURM_CONF'];
  await slurm.remove();
});

afterEach(async () => {
  delete process.env['SWEEP_DB'];
  for (const close of closing.splice(0).reverse()) await close();
});

interface Status {
  readonly launches: readonly {
    readonly jobs: readonly { readonly name: string; readonly id: string; readonly state: string }[];
  }[];
}

async function sweep(
  trials: number,
  pauseMs: number,
  { stages = ', stages: []', lines = '' } = {},
): Promise<{ project: CliProject; url: string }> {
  const database = await newDatabase('PostgreSQL');
  closing.push(() => database.drop());
  process.env['SWEEP_DB'] = database.url;
  const project = new CliProject({
    config: `storage: \${SWEEP_DB}\ntrials: ${trials}\nparallel: 1\nlaunch: { slurm: { partition: low, mem: 100MB${stages} } }\n${lines}`,
    pauseMs,
  });
  closing.push(() => {
    project.remove();
  });
  return { project, url: database.url };
}

const statusOf = (project: CliProject, url: string): Status => project.json<Status>('launch', 'status', url);
const jobsOf = (project: CliProject, url: string) => statusOf(project, url).launches.flatMap(({ jobs }) => jobs);
const running = (project: CliProject, url: string) => jobsOf(project, url).filter(({ state }) => state === 'running');
const inState = async (url: string, wanted: string): Promise<number> =>
  (await trialsAt(url)).filter(({ state }) => state === wanted).length;
const finished = (url: string): Promise<number> => inState(url, 'COMPLETE');

const stateOf = (project: CliProject, url: string, job: string): string =>
  jobsOf(project, url).find(({ name }) => name === job)?.state ?? '';

const outputsOf = (project: CliProject): string[] =>
  readdirSync(join(project.folder, 'outputs'), { recursive: true, encoding: 'utf8' });

/** Logs of all workers of a project. */
function logsOf(project: CliProject): string {
  const folder = join(project.folder, 'outputs', 'launch');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
}

async function pidOfSomeWorker(url: string): Promise<number> {
  const storage = await openStorage(url);
  const [first] = await storage.processes();
  await storage.close();
  if (first === undefined) throw new Error('Nobody works on the study.');
  return first.pid;
}

describe('a sweep on Slurm', () => {
  it('a worker killed, a job queued again, a job cancelled, others preempted: every trial once', async () => {
    const { project, url } = await sweep(80, 400);
    project.json('launch', 'slurm', project.config, '--workers', '4');
    await until(async () => (await finished(url)) >= 3 && running(project, url).length === 4, 'four workers');

    // Another user's work comes first: what runs here gives way, and comes back.
    slurm.run('sbatch', '-p', 'high', '-c', '4', '--wrap', 'sleep 2', '-o', '/dev/null', '-J', 'urgent');
    await until(() => slurm.run('squeue', '-h', '-t', 'R', '-o', '%j').includes('urgent'), 'the urgent job');
    await until(() => !slurm.run('squeue', '-h', '-o', '%j').includes('urgent'), 'its end');
    await until(async () => (await inState(url, 'RUNNING')) >= 2, 'workers again', 120_000);
    expect(logsOf(project)).toMatch(/is queued again|PREEMPTION/);

    process.kill(await pidOfSomeWorker(url), 'SIGKILL');
    await until(() => logsOf(project).includes('is started again (1)'), 'the killed worker again');
    const [one] = running(project, url);
    slurm.run('scancel', '--batch', '--signal=USR1', one?.id ?? '');
    await until(() => logsOf(project).includes(`${one?.id ?? ''} is queued again`), 'the job that was told to leave');
    const other = running(project, url).find(({ id }) => id !== one?.id);
    slurm.run('scancel', other?.id ?? '');

    await until(
      () => jobsOf(project, url).every(({ state }) => state === 'done' || state === 'stopped'),
      'the end',
      120_000,
    );
    expectWhole(await trialsAt(url), 80);
    const states = jobsOf(project, url).map(({ state }) => state);
    expect(states.sort()).toEqual(['done', 'done', 'done', 'stopped']);
  });

  it('launch stop in the middle, from anywhere; the same command goes on later', async () => {
    const { project, url } = await sweep(40, 200);
    project.json('launch', 'slurm', project.config, '--workers', '6');
    await until(async () => (await finished(url)) >= 3, 'some trials');
    // Four fit on the node; two wait, and never start.
    const elsewhere = new CliProject();
    closing.push(() => {
      elsewhere.remove();
    });
    const stopped = elsewhere.run('launch', 'stop', url);
    expect(stopped.code).toBe(0);
    await until(() => running(project, url).length === 0, 'the end of all workers');
    const trials = await trialsAt(url);
    expect(trials.filter((trial) => trial.state === 'RUNNING')).toEqual([]);
    expect(trials.length).toBeLessThan(40);
    expect(
      jobsOf(project, url)
        .filter(({ name }) => name === 'workers')
        .map(({ state }) => state),
    ).toEqual(['stopped']);

    project.json('launch', 'slurm', project.config, '--workers', '2');
    await until(async () => (await finished(url)) === 40, 'the rest');
    await until(() => running(project, url).length === 0, 'the end');
    expectWhole(await trialsAt(url), 40);
  });

  it('launch stop --now queues running trials again and ends at once', async () => {
    const { project, url } = await sweep(20, 4_000);
    project.json('launch', 'slurm', project.config, '--workers', '2');
    await until(async () => (await inState(url, 'RUNNING')) === 2, 'two running trials');
    expect(project.run('launch', 'stop', project.config, '--now').code).toBe(0);
    expect(running(project, url)).toEqual([]);
    const trials = await trialsAt(url);
    expect(trials.map(({ state }) => state).sort()).toEqual(['FAIL', 'FAIL', 'WAITING', 'WAITING']);
  });

  it('the stages come after the sweep, in a job that waits for it: chosen, trained, converted', async () => {
    const { project, url } = await sweep(4, 0, {
      // Built-in trainers have the three stages by default.
      stages: '',
      lines: [
        'backbone: mlp',
        'metric: { name: val_accuracy, goal: maximize }',
        'sampler: { type: random, seed: 1 }',
        'backend: wasm',
        'parameters: { learning_rate: { min: 1e-3, max: 1e-2, log: true }, units: { min: 8, max: 24, step: 8 } }',
        'objective: { type: tfjs, trainer: mlp-classifier, epochs: 2, layers: 1, data: { path: data/digits.csv.gz, target: last, test: 0.2 } }',
        'final: { epochs: 2 }',
      ].join('\n'),
    });
    mkdirSync(join(project.folder, 'data'));
    copyFileSync(DIGITS, join(project.folder, 'data', 'digits.csv.gz'));
    project.json('launch', 'slurm', project.config, '--workers', '2');
    const waiting = jobsOf(project, url).find(({ name }) => name === 'stages');
    expect(waiting?.state).toBe('waiting');
    await until(() => jobsOf(project, url).every(({ state }) => state === 'done'), 'the end of all', 180_000);
    expectWhole(await trialsAt(url), 4);
    const made = outputsOf(project);
    for (const name of [
      /^best_configuration\/.*\.json$/,
      /^final_training\/.*training\.json$/,
      /^conversion\/.*\.onnx$/,
    ])
      expect(made.filter((path) => name.test(path)).length, `${String(name)} in ${made.join(' ')}`).toBe(1);
  });

  it('no stage runs where trials are left', async () => {
    const { project, url } = await sweep(50, 300, { stages: ', stages: [select]' });
    project.json('launch', 'slurm', project.config, '--workers', '2');
    await until(async () => (await finished(url)) >= 1, 'a trial');
    for (const { id } of jobsOf(project, url).filter(({ name }) => name.startsWith('worker'))) slurm.run('scancel', id);
    await until(() => ['done', 'failed'].includes(stateOf(project, url, 'stages')), 'the end of the job of the stages');
    expect(logsOf(project)).toMatch(/of 50 trials|trials are left|not finished/);
    expect(outputsOf(project).filter((path) => path.startsWith('best_configuration'))).toEqual([]);
  });

  it('a network to the database that is slow, cut and down: every trial once', async () => {
    const { project, url } = await sweep(24, 100);
    const proxy = await TcpProxy.before(url);
    closing.push(() => proxy.close());
    process.env['SWEEP_DB'] = proxy.through(url);
    // Never waits for a command in this thread: the proxy runs in it.
    expect(await exitOf(project.start('launch', 'slurm', project.config, '--workers', '4'))).toBe(0);
    await until(async () => (await finished(url)) >= 2, 'the first trials');
    proxy.delayMs = 80;
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 700));
      proxy.isDown = i % 2 === 0;
      proxy.cut();
    }
    Object.assign(proxy, { delayMs: 0, isDown: false });
    await until(async () => (await finished(url)) === 24, 'the end', 120_000);
    await until(() => slurm.run('squeue', '-h', '-o', '%j').trim() === '', 'the end of all jobs');
    expectWhole(await trialsAt(url), 24);
  });
});
