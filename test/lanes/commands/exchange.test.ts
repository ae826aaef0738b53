import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CliProject } from '../../support/cli-project.js';
import { DEMO_DB, rows, studyRows } from '../../support/study-files.js';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const SPACE = JSON.stringify({
  x: { name: 'FloatDistribution', attributes: { low: 0, high: 1 } },
  n: { name: 'IntUniformDistribution', attributes: { low: 1, high: 9, step: 2 } },
  kind: { name: 'CategoricalDistribution', attributes: { choices: ['a', null, 1.5] } },
});
const hash = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

interface Asked {
  readonly study: string;
  readonly number: number;
  readonly params: Readonly<Record<string, unknown>>;
}

let project: CliProject;
beforeEach(() => {
  project = new CliProject();
});
afterEach(() => {
  project.remove();
});

describe('trials chosen by hand', () => {
  it('are queued before a sweep begins and while it rests, and run with the given parameters', () => {
    expect(project.json<Asked>('enqueue', project.config, 'x=1.5', 'kind=b')).toEqual({
      study: 'quadratic',
      number: 0,
      params: { x: 1.5, kind: 'b' },
    });
    expect(project.json<Asked>('enqueue', project.config, '--params', '{"x": -1}').number).toBe(1);
    expect(project.json<{ number: null }>('enqueue', project.config, 'x=-1', '--skip-if-exists').number).toBeNull();
    project.run('run', project.config, '--trials', '4');
    const trials = project.json<Asked[]>('trials', project.config);
    expect(trials).toHaveLength(4);
    expect(trials[0]?.params).toMatchObject({ x: 1.5, kind: 'b' });
    expect(Object.keys(trials[0]?.params ?? {})).toContain('y');
    expect(trials[1]?.params['x']).toBe(-1);
    expect(project.run('enqueue', '--help').stdout).toContain('--skip-if-exists');
  });

  it('are refused where they do not fit', () => {
    const { code, stderr } = project.run('enqueue', project.config, 'xx=1');
    expect([code, stderr]).toEqual([2, expect.stringContaining('Did you mean "x"?')]);
  });
});

describe('ask and tell', () => {
  it('serve a program of any language, with the configured space', () => {
    const asked = project.json<Asked>('ask', project.config);
    expect(asked).toMatchObject({ study: 'quadratic', number: 0 });
    expect(Object.keys(asked.params).slice(0, 2)).toEqual(['x', 'kind']);
    expect(project.json('tell', '0', project.config, '--values', '0.5')).toEqual({
      study: 'quadratic',
      number: 0,
      state: 'COMPLETE',
      values: [0.5],
    });
    // Without a target: the study last worked on, which holds its configuration.
    const { stdout, code } = project.run('ask');
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Asked).number).toBe(1);
    expect(project.run('tell', '1', '--state', 'fail').stdout).toContain('Trial 1 of "quadratic" is fail.');
    expect(project.json('ask', project.config)).toMatchObject({ number: 2 });
    const infinite = project.run('tell', '2', project.config, '--values=-inf', '--json').stdout;
    expect(infinite).toBe('{"study": "quadratic", "number": 2, "state": "COMPLETE", "values": [-1e999]}\n');
    expect(project.json('ask', project.config)).toMatchObject({ number: 3 });
    expect(project.json('tell', '3', project.config, '--values', 'nan')).toMatchObject({ state: 'FAIL', values: null });
    const again = project.run('tell', '0', project.config, '--values', '9');
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('finished');
    expect(project.json('tell', '0', project.config, '--values', '9', '--skip-if-finished')).toMatchObject({
      values: [0.5],
    });
  });

  it('work on a database without a configuration, as those of Optuna do', () => {
    const target = ['sqlite:///s.db', '--study', 's'];
    const first = project.json<Asked>('ask', ...target, '--direction', 'maximize', '--search-space', SPACE);
    expect(first).toMatchObject({ study: 's', number: 0 });
    expect(Object.keys(first.params)).toEqual(['x', 'n', 'kind']);
    expect(project.json('tell', '0', ...target, '--heartbeat')).toMatchObject({ state: 'RUNNING' });
    expect(rows(join(project.folder, 's.db'), 'SELECT count(*) FROM trial_heartbeats')).toEqual([[1]]);
    project.run('tell', '0', ...target, '--values', '1');
    expect(project.json('ask', ...target, '--search-space', SPACE, '--sampler', 'random')).toMatchObject({ number: 1 });
    const texts = rows(
      join(project.folder, 's.db'),
      "SELECT DISTINCT distribution_json FROM trial_params WHERE param_name = 'n'",
    );
    expect(texts).toEqual([
      ['{"name": "IntDistribution", "attributes": {"log": false, "step": 2, "low": 1, "high": 9}}'],
    ]);
  });

  it.each([
    [['tell', '0', 's.db'], 'What is to be recorded?'],
    [['tell', '0', 's.db', '--values', 'x'], '"x" is no number'],
  ])('refuse wrong use: %j', (words, message) => {
    const { code, stderr } = project.run(...words);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('compare', () => {
  it('sets studies and trials side by side', () => {
    project.run('run', project.config, '--trials', '4');
    project.writeConfig('study: other');
    project.run('run', project.config, '--trials', '3');
    const trials = project.json<{ kind: string; better: string; params: Record<string, { same: boolean }> }>(
      ...['compare', '0', '1', project.config],
    );
    expect(trials.kind).toBe('trials');
    expect(['a', 'b']).toContain(trials.better);
    expect(trials.params['x']?.same).toBe(false);
    expect(project.run('compare', '0', '1').stdout).toMatch(/trial 0 +trial 1\n.*state +complete +complete/s);
    project.run('copy', project.config, 'other.db');
    project.writeConfig('study: quadratic');
    const studies = project.json<{ a: { study: string }; b: { trials: { finished: number } }; difference: number }>(
      ...['compare', project.config, 'other.db'],
    );
    expect(studies).toMatchObject({ kind: 'studies', a: { study: 'quadratic' }, b: { trials: { finished: 3 } } });
    expect(project.run('compare', project.config, 'other.db').stdout).toMatch(/quadratic +other\n.*best loss/s);
    expect(project.run('compare', '0', '9', 'other.db').stderr).toContain('numbered 0 to 2');
    expect(project.run('compare', '0', '9', 'other.db').code).toBe(2);
  });
});

describe('copy', () => {
  it('gives the same rows in another file, and refuses what is there', () => {
    const report = project.json<{ trials: number; idsKept: boolean }>('copy', DEMO_DB, 'copy.db', '--study', 'nsga2');
    expect(report.trials).toBeGreaterThan(0);
    expect(report.idsKept).toBe(true);
    expect(studyRows(join(project.folder, 'copy.db'), 'nsga2')).toEqual(studyRows(DEMO_DB, 'nsga2'));
    const again = project.run('copy', DEMO_DB, 'copy.db', '--study', 'nsga2');
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('--name nsga2-copy');
    expect(project.run('copy', DEMO_DB, 'copy.db', '--study', 'nsga2', '--name', 'two').stdout).toContain('new ids');
    expect(rows(join(project.folder, 'copy.db'), 'SELECT study_name FROM studies')).toEqual([['nsga2'], ['two']]);
    expect(project.run('copy', DEMO_DB, 'x.db').stderr).toContain('name one');
  });
});

describe('import', () => {
  it('takes a database over into the study of a configuration, which then goes on; the original stays', () => {
    const original = join(project.folder, 'optuna.db');
    copyFileSync(DEMO_DB, original);
    const before = hash(original);
    project.writeConfig('parameters: { x: { min: -10.0, max: 10.0 } }\nmetric: { name: loss, goal: minimize }');
    const report = project.json<{ to: string; trials: number; name: string }>(
      ...['import', 'optuna.db', '--study', 'asha', '--config', project.config],
    );
    expect(report.name).toBe('quadratic');
    expect(report.to).toMatch(/outputs\/hpo\/local\/demo\/study-[0-9a-f]{8}\/study\.db$/);
    expect(studyRows(report.to, 'quadratic')).toEqual(studyRows(DEMO_DB, 'asha'));
    expect(hash(original)).toBe(before);
    expect(project.run('import', 'optuna.db', '--study', 'asha', '--config', project.config).code).toBe(2);
  });

  it('turns a W&B sweep file into a configuration', () => {
    for (const name of ['sweep.yaml', 'train.py']) {
      copyFileSync(
        fileURLToPath(new URL(`../../../examples/wandb/${name}`, import.meta.url)),
        join(project.folder, name),
      );
    }
    const before = hash(join(project.folder, 'sweep.yaml'));
    expect(project.json('import', 'sweep.yaml')).toMatchObject({ kind: 'wandb-sweep', trials: null });
    expect(project.run('validate', 'sweep.resweep.yaml').code).toBe(0);
    expect(project.run('import', 'sweep.yaml').stderr).toContain('exists already');
    expect(project.run('import', 'sweep.yaml', '--out', 'configs/other.yaml').stdout).toContain(
      'Next: resweep run configs/other.yaml',
    );
    expect(readFileSync(join(project.folder, 'configs/other.yaml'), 'utf8')).toContain('protocol: wandb');
    expect(hash(join(project.folder, 'sweep.yaml'))).toBe(before);
    writeFileSync(
      join(project.folder, 'bad.yaml'),
      'method: bayes\nprogram: t.py\nmetric: {name: l}\nparameters: {x: {mim: 1}}\n',
    );
    const bad = project.run('import', 'bad.yaml');
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('bad.yaml:4:18')]);
  });
});

describe('run --storage', () => {
  const fixture = (name: string): string =>
    fileURLToPath(new URL(`../../fixtures/optuna-dbs/${name}`, import.meta.url));

  it.each([
    ['earlier/optuna-2.10.1.db', 'several'],
    ['journal/optuna-5.0.0.log', 'several'],
  ])('takes %s over, once, and goes on with its trials; the original stays', (name, study) => {
    const original = join(project.folder, 'original');
    copyFileSync(fixture(name), original);
    const before = hash(original);
    writeFileSync(
      join(project.folder, 'objective.js'),
      'export default ({ params }) => ({ a: params.x, b: params.y });',
    );
    project.writeConfig(
      'parameters: { x: { min: 0.0, max: 1.0 }, y: { min: 0.0, max: 1.0 } }\nmetric: [{ name: a, goal: minimize }, { name: b, goal: maximize }]',
    );
    const text = readFileSync(join(project.folder, project.config), 'utf8').replace('metric:', 'metrics:');
    writeFileSync(join(project.folder, project.config), text);
    const words = ['run', project.config, '--storage', 'original', '--study', study];
    const first = project.json<{ trials: Record<string, number>; studyDb: string }>(...words, '--trials', '6');
    expect(first.trials).toMatchObject({ total: 6, fail: 0 });
    expect(first.studyDb).toContain('outputs/hpo/local/demo/study-');
    const second = project.json<typeof first>(...words, '--trials', '8');
    expect(second.studyDb).toBe(first.studyDb);
    expect(second.trials['total']).toBe(8);
    expect(hash(original)).toBe(before);
  });

  it('works on a database of the current Optuna where it is', () => {
    const path = join(project.folder, 'optuna.db');
    project.run('copy', DEMO_DB, 'optuna.db', '--study', 'asha', '--name', 'quadratic');
    const there = studyRows(path, 'quadratic')['trials'] ?? [];
    project.writeConfig('parameters: { x: { min: -10.0, max: 10.0 } }');
    const { trials } = project.json<{ trials: Record<string, number> }>(
      ...['run', project.config, '--storage', 'optuna.db', '--trials', String(there.length + 2)],
    );
    expect(trials['total']).toBe(there.length + 2);
    expect(studyRows(path, 'quadratic')['trials']?.slice(0, there.length)).toEqual(there);
    expect(rows(path, 'PRAGMA journal_mode')).toEqual([['delete']]);
    const beside = project.run('run', project.config, '--storage', 'optuna.db', '--study', 'new', '--trials', '1');
    expect(beside.stderr).toContain('holds "quadratic" but no study "new"');
  });
});
