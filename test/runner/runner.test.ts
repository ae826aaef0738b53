import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { CommandObjectiveConfig } from '../../src/core/sweep-config.js';
import { CommandRunner } from '../../src/runner/command-runner.js';
import type { TrialMonitor, TrialOutcome, TrialRunner, TrialTask } from '../../src/runner/objective.js';
import { WorkerPool } from '../../src/runner/worker-pool.js';

let folder: string;
let runners: TrialRunner[] = [];
let trials = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'resweep-runner-'));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(
    join(folder, 'objective.js'),
    `export default async function (trial) {
       const { what } = trial.params;
       if (what === 'exit') process.exit(3);
       if (what === 'kill') process.kill(process.pid, 'SIGKILL');
       if (what === 'throw') throw new TypeError('no such layer');
       if (what === 'hang') for (;;);
       if (what === 'memory') { const held = []; for (;;) { held.push(Buffer.alloc(1e7, 1)); await new Promise((r) => setTimeout(r, 5)); } }
       if (what === 'pid') return { loss: process.pid };
       if (what === 'threads') return { loss: Number(process.env.OMP_NUM_THREADS) };
       if (what === 'wait') { for (let step = 1; ; step++) { await trial.report(step, step); await new Promise((r) => setTimeout(r, 20)); if (trial.signal.aborted) throw trial.signal.reason; } }
       console.log('hello from', what);
       return { loss: 0.25, other: 'word' };
     }`,
  );
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  await Promise.all(runners.map((runner) => runner.close()));
  runners = [];
});

function task(params: TrialTask['params'], more: Partial<TrialTask> = {}): TrialTask {
  const trialDir = join(folder, `trial-${trials}`);
  const checkpointDir = join(trialDir, 'checkpoint');
  mkdirSync(checkpointDir, { recursive: true });
  return {
    trialId: trials + 1,
    number: trials++,
    logicalIndex: 0,
    attempt: 0,
    studyName: 'test',
    params,
    trialDir,
    checkpointDir,
    seed: 1,
    metrics: [{ name: 'loss', direction: 'minimize' }],
    threads: 1,
    ...more,
  };
}

const quiet: TrialMonitor = {
  report: () => Promise.resolve('continue'),
  checkpoint: () => undefined,
  log: () => undefined,
};
const never = new AbortController().signal;

function pool(jobs = 1): WorkerPool {
  const runner = new WorkerPool({
    jobs,
    threads: 2,
    description: 'test',
    objective: { type: 'module', path: join(folder, 'objective.js'), exportName: 'default' },
    stopGraceMs: 2_000,
  });
  runners.push(runner);
  return runner;
}

function command(words: readonly string[], more: Partial<CommandObjectiveConfig> = {}): CommandRunner {
  const objective: CommandObjectiveConfig = {
    type: 'command',
    command: words,
    env: {},
    grace: 300,
    identity: {},
    ...more,
  };
  const runner = new CommandRunner({ objective, projectRoot: folder, study8: '01234567', jobs: 1 });
  runners.push(runner);
  return runner;
}

const shell = (script: string): CommandRunner => command(['sh', '-c', script]);
const messageOf = (outcome: TrialOutcome): string =>
  outcome.state === 'failed' ? outcome.failure.message : outcome.state;

describe('workers', () => {
  it('run a function of a module, keep its output, and stay warm', async () => {
    const runner = pool();
    const first = task({ what: 'value' });
    expect(await runner.run(first, quiet, never)).toEqual({
      state: 'complete',
      values: [0.25],
      metrics: { loss: 0.25, other: 'word' },
    });
    expect(readFileSync(join(first.trialDir, 'log.txt'), 'utf8')).toContain('hello from value');
    const pids = [
      await runner.run(task({ what: 'pid' }), quiet, never),
      await runner.run(task({ what: 'pid' }), quiet, never),
    ];
    expect(pids[0]).toEqual(pids[1]);
    expect(await runner.run(task({ what: 'threads' }), quiet, never)).toMatchObject({ values: [2] });
  });

  it.each([
    ['exit', {}, /exit code 3/],
    ['kill', {}, /SIGKILL/],
    ['throw', {}, /no such layer/],
    ['hang', { timeoutMs: 600 }, /longer than limits\.trial \(0\.6 s\)/],
    ['memory', { memoryBytes: 250e6 }, /more than limits\.memory \(250 MB\)/],
    ['hang', { idleMs: 500 }, /no sign for longer/],
  ])('%s %j: its trial alone fails, the next one works', async (what, limits, message) => {
    const runner = pool();
    expect(messageOf(await runner.run(task({ what }, limits), quiet, never))).toMatch(message);
    expect(await runner.run(task({ what: 'value' }), quiet, never)).toMatchObject({ state: 'complete' });
  });

  it('end a trial when the pruner says so, and when the sweep is stopped', async () => {
    const runner = pool();
    const pruning: TrialMonitor = { ...quiet, report: (step) => Promise.resolve(step === 3 ? 'prune' : 'continue') };
    expect(await runner.run(task({ what: 'wait' }), pruning, never)).toMatchObject({ state: 'pruned' });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 150);
    expect(await runner.run(task({ what: 'wait' }), quiet, stop.signal)).toMatchObject({ state: 'interrupted' });
    expect(await runner.run(task({ what: 'value' }), quiet, never)).toMatchObject({ state: 'complete' });
  });

  it('run as many trials at a time as there are jobs', async () => {
    const runner = pool(2);
    const outcomes = await Promise.all([
      runner.run(task({ what: 'pid' }), quiet, never),
      runner.run(task({ what: 'pid' }), quiet, never),
    ]);
    expect(outcomes[0]).not.toEqual(outcomes[1]);
  });
});

describe('commands', () => {
  it('get parameters by words, environment and file, and answer by last line', async () => {
    const runner = command(['sh', '-c', 'echo "$RESWEEP_TRIAL_NUMBER $RESWEEP_PARAMS $EXTRA ${lr}"; echo ${lr}'], {
      env: { EXTRA: 'seed-${seed}' },
    });
    const given = task({ lr: 0.5 });
    expect(await runner.run(given, quiet, never)).toMatchObject({ state: 'complete', values: [0.5] });
    expect(readFileSync(join(given.trialDir, 'log.txt'), 'utf8')).toContain(`${given.number} {"lr": 0.5} seed-1 0.5`);
  });

  it('report by lines on stdout and on their own descriptor', async () => {
    const seen: number[][] = [];
    const monitor: TrialMonitor = {
      ...quiet,
      report: (step, value) => Promise.resolve(seen.push([step, value]) > 0 ? 'continue' : 'continue'),
    };
    const script = `echo '{"step": 1, "value": 0.5}'; echo '{"step": 2, "value": 0.25}' >&3; sleep 0.1; printf '{"loss": 0.125, "epochs": 2}'`;
    expect(await shell(script).run(task({}), monitor, never)).toMatchObject({
      values: [0.125],
      metrics: { epochs: 2 },
    });
    expect(seen).toEqual([
      [1, 0.5],
      [2, 0.25],
    ]);
  });

  it.each([
    ['echo almost done', /last line is not a value: "almost done"/],
    ['true', /wrote nothing/],
    ['echo begun; echo broken >&2; sleep 0.1; echo ending; exit 4', /exit code 4: broken$/],
    ['echo what went wrong; exit 4', /exit code 4: what went wrong$/],
    ['kill -9 $$', /ended by SIGKILL/],
    ['echo nan', /loss is NaN/],
  ])('%s fails with what was found', async (script, message) => {
    const outcome = await shell(script).run(task({}), quiet, never);
    expect(messageOf(outcome)).toMatch(message);
  });

  it('name a program that is not there', async () => {
    expect(messageOf(await command(['no-such-program']).run(task({}), quiet, never))).toMatch(
      /no program "no-such-program"/,
    );
  });

  it('survive ten megabytes of output', async () => {
    const outcome = await shell('yes 0123456789 | head -c 10000000; echo; echo 0.5').run(task({}), quiet, never);
    expect(outcome).toMatchObject({ state: 'complete', values: [0.5] });
  });

  it('are ended with all they started: pruned within a second, stopped, out of time', async () => {
    const mark = join(folder, 'grandchild');
    const script = `(sleep 3; touch ${mark}) & echo '{"step": 1, "value": 1}'; trap '' TERM; sleep 3; echo 1`;
    const start = performance.now();
    const pruning: TrialMonitor = { ...quiet, report: () => Promise.resolve('prune') };
    expect(await shell(script).run(task({}), pruning, never)).toMatchObject({ state: 'pruned' });
    expect(performance.now() - start).toBeLessThan(2_000);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 200);
    expect(await shell('sleep 5; echo 1').run(task({}), quiet, stop.signal)).toMatchObject({ state: 'interrupted' });
    expect(messageOf(await shell('sleep 5; echo 1').run(task({}, { timeoutMs: 300 }), quiet, never))).toMatch(
      /limits\.trial/,
    );
    expect(messageOf(await shell('sleep 5; echo 1').run(task({}, { idleMs: 300 }), quiet, never))).toMatch(
      /idle_output/,
    );
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(() => readFileSync(mark)).toThrow();
  });
});
