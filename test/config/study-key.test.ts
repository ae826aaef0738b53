import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { dataFingerprintOf } from '../../src/config/data-fingerprint.js';
import { loadConfigText } from '../../src/config/load-config.js';
import { hashedTextOf, study8Of } from '../../src/config/study-key.js';
import type { SweepConfig } from '../../src/core/sweep-config.js';
import { conv8Of, spec8Of, trial8Of } from '../../src/core/trial-key.js';
import { configText, sampleRegistry } from './sample-registry.js';

function configOf(replace: Readonly<Record<string, string | undefined>> = {}): SweepConfig {
  return loadConfigText(configText(replace), {
    registry: sampleRegistry,
    name: 'c.yaml',
    projectRoot: '/nowhere',
    env: {},
    checkFiles: false,
  }).config;
}

function keyOf(replace: Readonly<Record<string, string | undefined>> = {}, fingerprint = 'version:1'): string {
  return study8Of(hashedTextOf(configOf(replace), fingerprint));
}

const objective = (more: string, data = ''): string =>
  `{type: tfjs, trainer: mlp-classifier, ${more} data: {path: digits.csv, version: 1 ${data}}}`;
const command = (text: string): Readonly<Record<string, string>> => ({ objective: `{type: command, ${text}}` });

describe('study8', () => {
  test('golden: these values are in the names of folders and must never change', () => {
    expect(hashedTextOf(configOf(), 'version:1')).toBe(
      '{"backbone":"mlp","data":"version:1","metrics":[{"direction":"maximize","name":"val_accuracy"}],' +
        '"objective":{"data":{},"settings":{},"trainer":"mlp-classifier","type":"tfjs"},"study":"digits-mlp"}',
    );
    expect(keyOf()).toBe('1b9a2cb6');
    expect(keyOf({ objective: objective('epochs: 30,', ', test: 30%') })).toBe('38617f27');
    expect(keyOf(command('command: [python, src/train.py, "${args}"], env: {A: 1}'))).toBe('88a2a10b');
    expect(keyOf({ objective: '{type: module, path: ./objective.ts}' })).toBe('f0006a5f');
    expect(
      hashedTextOf(
        configOf(command('command: [python, src/train.py, "${args}"], env: {A: 1, B: "${seed}"}')),
        undefined,
      ),
    ).toBe(
      '{"backbone":"mlp","data":null,"metrics":[{"direction":"maximize","name":"val_accuracy"}],' +
        '"objective":{"command":["python","train.py","${args}"],"env":{"A":"1"},"type":"command"},"study":"digits-mlp"}',
    );
  });

  test.each<[string, Readonly<Record<string, string | undefined>>]>([
    ['environment', { environment: 'colab' }],
    ['target', { metric: '{name: val_accuracy, goal: maximize, target: 0.9}' }],
    ['trials', { trials: '41' }],
    ['parallel', { parallel: '2' }],
    ['sampler and seed', { sampler: '{type: random, seed: 4}' }],
    ['pruner', { pruner: 'nop' }],
    ['parameters', { parameters: '\n  learning_rate: {min: 1e-5, max: 1e-1, log: true}' }],
    ['feasible', { feasible: '["layers < 3"]' }],
    ['backend', { backend: 'cpu' }],
    ['limits', { limits: '{trial: 3m}' }],
    ['retry', { retry: '{failed: 2}' }],
    ['storage', { storage: 'memory' }],
    ['checkpoint', { checkpoint: '{every: 1m}' }],
    ['backup', { backup: '{enabled: false}' }],
    ['benchmark', { benchmark: '{top: 2}' }],
    ['select', { select: '{within: 2%}' }],
    ['final', { final: '{seeds: 2}' }],
    ['convert', { convert: '{format: tfjs}' }],
    ['launch', { launch: '{slurm: {}}' }],
    [
      'path of the data',
      { objective: '{type: tfjs, trainer: mlp-classifier, data: {path: /elsewhere/digits.csv, version: 1}}' },
    ],
    ['a default written out', { objective: objective('epochs: 20,', ', test: 20%, seed: 0, scaling: standard') }],
    ['a metric as a list of one', { metric: undefined, metrics: '[{name: val_accuracy, goal: maximize}]' }],
  ])('is the same with another %s', (_name, replace) => {
    expect(keyOf(replace)).toBe(keyOf());
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['study', { study: 'other' }],
    ['backbone', { backbone: 'cnn' }],
    ['metric', { metric: '{name: val_loss, goal: maximize}' }],
    ['goal', { metric: '{name: val_accuracy, goal: minimize}' }],
    ['fixed setting', { objective: objective('epochs: 21,') }],
    ['split', { objective: objective('', ', test: 0.3') }],
    ['column to predict', { objective: objective('', ', target: first') }],
    ['option of the data', { objective: objective('', ', scaling: none') }],
    ['objective', command('command: [a]')],
  ])('is another with another %s', (_name, replace) => {
    expect(keyOf(replace)).not.toBe(keyOf());
  });

  test('follows the data, not its place', () => {
    expect(keyOf({}, 'sha256:aa')).not.toBe(keyOf({}, 'sha256:bb'));
  });

  test('of a command: its words without folders, no limits, no variables that differ from machine to machine', () => {
    const key = (text: string): string => keyOf(command(text));
    const plain = key('command: [python, train.py, "--lr=${learning_rate}"]');
    expect(
      key(
        'command: [/opt/env/bin/python, code/train.py, "--lr=${learning_rate}"], cwd: /x, grace: 3s, env: {T: "${envvar:T}"}',
      ),
    ).toBe(plain);
    expect(key('command: [python, train.py, "--rate=${learning_rate}"]')).not.toBe(plain);
    expect(key('command: [python, train.py, "--lr=${learning_rate}"], env: {A: 1}')).not.toBe(plain);
  });
});

test('keys of trials, specifications and conversions: golden, and other for other parts', () => {
  expect(trial8Of('0123abcd', 3, { b: 1, a: 'x' })).toBe('7596a90b');
  expect(trial8Of('0123abcd', 3, { a: 'x', b: 1 })).toBe('7596a90b');
  expect(trial8Of('0123abcd', 4, { a: 'x', b: 1 })).not.toBe('7596a90b');
  expect(spec8Of('0123abcd', { a: 1 }, { epochs: 50 })).toBe('b0d92fb7');
  expect(conv8Of('b0d92fb7', { format: 'onnx' })).toBe('79894a8e');
});

describe('fingerprint of data', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'resweep-data-'));
    mkdirSync(join(root, 'data'));
  });
  afterEach(() => {
    chmodSync(root, 0o755);
    rmSync(root, { recursive: true });
  });
  const withPath = (path: string, version?: string): Pick<SweepConfig, 'objective'> => ({
    objective: { type: 'command', command: ['true'], env: {}, grace: 1, identity: {}, data: { path, version } },
  });
  const cache = (): string => join(root, '.resweep', 'data-fingerprints.json');

  test('is the hash of the content, kept by path, size and time', async () => {
    const file = join(root, 'data', 'a.csv');
    writeFileSync(file, 'abc');
    const first = await dataFingerprintOf(withPath('data/a.csv'), { projectRoot: root });
    expect(first).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(existsSync(cache())).toBe(true);
    // Planted into the cache, another hash is what comes out: the file was not read again …
    writeFileSync(cache(), readFileSync(cache(), 'utf8').replace('ba7816bf', '00000000'));
    expect(await dataFingerprintOf(withPath('data/a.csv'), { projectRoot: root })).toMatch(/^sha256:00000000/);
    // … until its time changes.
    utimesSync(file, new Date(1e12), new Date(1e12));
    expect(await dataFingerprintOf(withPath('data/a.csv'), { projectRoot: root })).toBe(first);
    writeFileSync(file, 'abcd');
    expect(await dataFingerprintOf(withPath('data/a.csv'), { projectRoot: root })).not.toBe(first);
  });

  test('of a folder: names and content of its files, whatever their times and order', async () => {
    mkdirSync(join(root, 'data', 'sub'));
    writeFileSync(join(root, 'data', 'b.csv'), 'b');
    writeFileSync(join(root, 'data', 'sub', 'a.csv'), 'a');
    const first = await dataFingerprintOf(withPath('data'), { projectRoot: root });
    writeFileSync(join(root, 'data', '.DS_Store'), 'x');
    utimesSync(join(root, 'data', 'b.csv'), new Date(1e12), new Date(1e12));
    expect(await dataFingerprintOf(withPath('data'), { projectRoot: root })).toBe(first);
    writeFileSync(join(root, 'data', 'sub', 'a.csv'), 'b');
    expect(await dataFingerprintOf(withPath('data'), { projectRoot: root })).not.toBe(first);
  });

  test('a damaged cache is made anew, and a place that cannot be written needs none', async () => {
    writeFileSync(join(root, 'data', 'a.csv'), 'abc');
    mkdirSync(join(root, '.resweep'));
    writeFileSync(cache(), '{"data/a.csv": 3, "x"');
    expect(await dataFingerprintOf(withPath('data/a.csv'), { projectRoot: root })).toMatch(/^sha256:ba78/);
    expect(JSON.parse(readFileSync(cache(), 'utf8'))).toHaveProperty('data/a.csv');
    rmSync(join(root, '.resweep'), { recursive: true });
    // A file where the folder should be: not writable for anybody, not even for root.
    writeFileSync(join(root, '.resweep'), '');
    expect(await dataFingerprintOf(withPath('data/a.csv'), { projectRoot: root })).toMatch(/^sha256:ba78/);
  });

  test('a version stands for the content, and no data is no fingerprint', async () => {
    expect(await dataFingerprintOf(withPath('data/none.csv', 'v2'), { projectRoot: root })).toBe('version:v2');
    expect(
      await dataFingerprintOf(
        { objective: { type: 'module', path: 'o.js', export: 'default', identity: {} } },
        { projectRoot: root },
      ),
    ).toBeUndefined();
  });

  test('data that is not there: which, and the nearest', async () => {
    writeFileSync(join(root, 'data', 'digits.csv'), '');
    await expect(dataFingerprintOf(withPath('data/digit.csv'), { projectRoot: root })).rejects.toMatchObject({
      exitCode: 2,
      message: 'The data data/digit.csv cannot be read: there is no such file.',
      hint: 'Did you mean "digits.csv"?',
    });
  });
});
