import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CliProject, exitOf, until } from '../../support/cli-project.js';
import { freePort } from '../../support/own-servers.js';

const python = process.env['RESWEEP_PYTHON'];
const SIDE = join(import.meta.dirname, 'tracker_side.py');

interface TrialRow {
  readonly number: number;
  readonly state: string;
  readonly values: readonly number[] | null;
  readonly params: Readonly<Record<string, number | string>>;
}

interface EventRun {
  readonly files: number;
  readonly scalars: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  readonly hparams: Readonly<Record<string, string>>;
}

interface MlflowRun {
  readonly name: string;
  readonly id: string;
  readonly parent: string | null;
  readonly status: string;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly history: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

// The caller knows what it asks for.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
function read<T>(...args: readonly string[]): T {
  const text = execFileSync(python ?? '', [SIDE, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return JSON.parse(text) as T;
}

const byNumber = (runs: readonly MlflowRun[]): ReadonlyMap<number, MlflowRun> =>
  new Map(runs.filter((run) => run.parent !== null).map((run) => [Number(run.tags['resweep.trial']), run]));

async function isUp(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

describe.skipIf(python === undefined)('experiment trackers', () => {
  let project: CliProject;
  let url: string;
  let studyDb: string;
  let port: number;
  const children: ChildProcess[] = [];
  /** Reports of a trial as the database holds them. */
  const reportsOf = (number: number): [number, number][] => {
    const db = new Database(studyDb, { readonly: true });
    try {
      const text = `SELECT step, intermediate_value FROM trial_intermediate_values JOIN trials USING (trial_id)
        WHERE number = ? ORDER BY step`;
      return db.prepare(text).raw().all(number) as [number, number][];
    } finally {
      db.close();
    }
  };
  const start = async (module: string, args: readonly string[], probe: string): Promise<void> => {
    const child = spawn(python ?? '', ['-m', module, ...args], {
      cwd: project.folder,
      stdio: 'ignore',
      detached: true,
    });
    children.push(child);
    for (let waited = 0; !(await isUp(probe)); waited++) {
      if (waited > 900) throw new Error(`${module} did not start.`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  const startMlflow = (): Promise<void> =>
    start(
      'mlflow',
      [
        'server',
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--workers',
        '1',
        '--backend-store-uri',
        'sqlite:///m.db',
      ],
      `${url}/health`,
    );

  beforeAll(async () => {
    port = await freePort();
    url = `http://127.0.0.1:${port}`;
    project = new CliProject({ pauseMs: 20 });
    project.writeConfig(`track: { tensorboard: {}, mlflow: { url: '${url}', experiment: demo } }\ntrials: 14`);
  });
  afterAll(() => {
    for (const { pid } of children) if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    project.remove();
  });

  it('a server that is not there costs nothing but its lines; a sweep that is killed and goes on leaves nothing twice', async () => {
    const killed = project.start('run', project.config);
    await until(() => killed.output().includes('[4/14]'), 'some trials');
    process.kill(-(killed.pid ?? 0), 'SIGKILL');
    await exitOf(killed);
    expect(killed.output()).toContain('The sweep goes on');
    await startMlflow();
    interface Summary {
      readonly tracking: readonly { readonly name: string; readonly missing: number }[];
      readonly trials: { readonly total: number };
    }
    let summary = project.json<Summary>('run', project.config);
    // A server that is slow gets the rest from the next runs, as the documentation says.
    for (let again = 0; again < 4 && summary.tracking.some(({ missing }) => missing > 0); again++)
      summary = project.json<Summary>('run', project.config);
    const { total } = summary.trials;
    expect(summary.tracking).toEqual([
      expect.objectContaining({ name: 'tensorboard', written: total, missing: 0, error: null }),
      expect.objectContaining({ name: 'mlflow', location: url, written: total, missing: 0, error: null }),
    ]);
    // Once more, with nothing to do.
    ({ studyDb } = project.json<{ studyDb: string }>('run', project.config));
  });

  it('MLflow has one run for the study, and below it each trial once with what the database says', () => {
    const runs = read<MlflowRun[]>('mlflow', url, 'demo');
    const parents = runs.filter((run) => run.parent === null);
    expect(parents).toEqual([expect.objectContaining({ name: 'quadratic', status: 'FINISHED' })]);
    const rows = project.json<TrialRow[]>('trials', project.config, '--format', 'json');
    const children = byNumber(runs);
    expect(runs).toHaveLength(rows.length + 1);
    expect([...children.keys()].sort((a, b) => a - b)).toEqual(rows.map((row) => row.number));
    for (const { number, state, values, params } of rows) {
      const run = children.get(number);
      expect(run?.parent).toBe(parents[0]?.id);
      expect(run?.params).toEqual(Object.fromEntries(Object.entries(params).map(([k, v]) => [k, String(v)])));
      if (state !== 'COMPLETE') {
        expect(['KILLED', 'FAILED']).toContain(run?.status);
        continue;
      }
      expect(run?.status).toBe('FINISHED');
      expect(run?.tags['resweep.state']).toBe('complete');
      expect(run?.metrics['loss']).toBeCloseTo(values?.[0] ?? NaN, 9);
      expect(run?.metrics['seconds']).toBe(0.5);
      expect(run?.history['intermediate/loss']).toEqual(reportsOf(number));
    }
  });

  it('TensorBoard reads every event, and its HParams plugin shows the sweep', async () => {
    const folder = join(project.folder, 'outputs', 'tensorboard');
    const runs = read<Record<string, EventRun>>('events', folder);
    const rows = project.json<TrialRow[]>('trials', project.config, '--format', 'json');
    const study = Object.keys(runs).find((name) => !name.includes('/')) ?? '';
    expect(runs[study]?.hparams['experiment']).toContain('name: "quadratic"');
    expect(Object.keys(runs)).toHaveLength(rows.length + 1);
    const complete = rows.filter((row) => row.state === 'COMPLETE');
    for (const { number, values } of complete) {
      const run = runs[`${study}/trial-${String(number).padStart(4, '0')}`];
      expect(run?.files).toBe(1);
      expect(run?.scalars['intermediate/loss']).toEqual(
        reportsOf(number).map(([step, value]) => [step, Math.fround(value)]),
      );
      expect(run?.scalars['loss']).toHaveLength(1);
      expect(run?.scalars['loss']?.[0]?.[1]).toBe(Math.fround(values?.[0] ?? NaN));
      expect(run?.hparams['session_end_info']).toContain('STATUS_SUCCESS');
    }
    const tbPort = await freePort();
    const base = `http://127.0.0.1:${tbPort}/data/plugin/hparams`;
    await start(
      'tensorboard.main',
      ['--logdir', folder, '--host', '127.0.0.1', '--port', String(tbPort), '--load_fast=false'],
      `http://127.0.0.1:${tbPort}/data/environment`,
    );
    const ask = async <T>(path: string, body: object): Promise<T> => {
      const response = await fetch(`${base}/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ experimentName: '', ...body }),
      });
      return (await response.json()) as T;
    };
    const allowedStatuses = ['STATUS_SUCCESS', 'STATUS_FAILURE', 'STATUS_RUNNING', 'STATUS_UNKNOWN'];
    const colParams = [{ metric: { group: '', tag: 'loss' }, order: 'ORDER_ASC' }];
    interface Group {
      readonly name: string;
      readonly hparams: Readonly<Record<string, number | string>>;
      readonly metricValues: readonly { readonly value: number }[];
    }
    const groups = async (): Promise<readonly Group[]> =>
      (
        await ask<{ sessionGroups?: readonly Group[] }>('session_groups', {
          allowedStatuses,
          colParams,
          startIndex: 0,
          sliceSize: 100,
        })
      ).sessionGroups ?? [];
    await expect.poll(async () => (await groups()).length, { timeout: 60_000 }).toBe(rows.length);
    const shown = (await groups()).filter((group) => group.metricValues.length > 0);
    const expected = complete.toSorted((a, b) => (a.values?.[0] ?? 0) - (b.values?.[0] ?? 0));
    expect(shown.map(({ name }) => name)).toEqual(
      expected.map(({ number }) => `trial-${String(number).padStart(4, '0')}`),
    );
    expect(shown.map(({ hparams }) => hparams)).toEqual(expected.map(({ params }) => params));
    const experiment = await ask<{ hparamInfos: { name: string }[]; metricInfos: { name: { tag: string } }[] }>(
      'experiment',
      {},
    );
    expect(experiment.hparamInfos.map(({ name }) => name)).toEqual(['kind', 'x', 'y']);
    expect(experiment.metricInfos.map(({ name }) => name.tag)).toEqual(['loss']);
  });
});
