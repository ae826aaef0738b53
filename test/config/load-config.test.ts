import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { jsonSchemaOf } from '../../src/config/json-schema.js';
import { configsOf, loadConfig, loadConfigText, type LoadedConfig } from '../../src/config/load-config.js';
import { findProjectRoot, resolveInputPath } from '../../src/config/project-root.js';
import { UsageError } from '../../src/core/errors.js';
import { configText, sampleRegistry } from './sample-registry.js';

function read(text: string, options: { set?: string[]; env?: Record<string, string> } = {}): LoadedConfig {
  return loadConfigText(text, {
    registry: sampleRegistry,
    name: 'c.yaml',
    projectRoot: '/nowhere',
    env: {},
    ...options,
  });
}

const WHOLE = `
# yaml-language-server: $schema=./resweep.schema.json
study: digits-mlp
backbone: mlp
environment: colab
metric: {name: val_accuracy, goal: maximize, target: 0.99}
trials: 40
parallel: 2
sampler: {type: tpe, seed: 42, n_startup_trials: 5}
pruner: {type: median, n_warmup_steps: 2}
parameters:
  optimizer:     {values: [adam, sgd]}
  learning_rate: {min: 1e-4, max: 1e-1, log: true}
  momentum:      {min: 0.0, max: 0.99, when: {optimizer: sgd}}
  layers:        {min: 1, max: 4}
  units:         {min: 16, max: 256, step: 16, repeat: layers}
feasible: ["layers * units_0 <= 512"]
objective: {type: tfjs, trainer: mlp-classifier, epochs: 30, data: {path: data/digits.csv.gz, version: 3, target: last, test: 20%}}
limits: {trial: 30m, session: 12h, study: 3d, failures: 10, memory: 4GB, disk_free: 2GiB, idle_output: 90s, cost: {per_hour: 0.4, max: 5}}
retry: {interrupted: 3, failed: 1}
storage: {url: "postgresql://me:\${PASSWORD}@host/db", durability: full}
backend: wasm
checkpoint: {every: 2m}
backup:
  enabled: true
  mounts: [/mnt/drive]
  destinations:
    - {name: drive, type: folder, path: /content/drive/MyDrive/resweep}
    - {name: archive, type: s3, bucket: my-sweeps, path_style: true, every: 15m, priority: 2, project: p, storage_class: COLD,
       tags: {team: a}, encrypt: {passphrase_env: PASS}, verify: {every: 6h, deep: true}, keep: {days: 3, milestones: [5]}}
benchmark: {top: 3, batch_sizes: [1, 8]}
select: {within: 1%, then: minimize latency_p95, constraints: ["latency_p95 <= 5"]}
final: {epochs: 50, seeds: 3}
convert: {format: onnx, command: [python, "convert.py", "\${trial_dir}"]}
launch: {slurm: {partition: gpu, gres_flags: x}}
`;

describe('a valid configuration', () => {
  test('with every section', () => {
    const { config } = read(WHOLE, { env: { PASSWORD: 'secret-word' } });
    expect(config).toMatchObject({
      study: 'digits-mlp',
      backbone: 'mlp',
      backbones: ['mlp'],
      environment: 'colab',
      metrics: [{ name: 'val_accuracy', goal: 'maximize', target: 0.99 }],
      trials: 40,
      parallel: 2,
      sampler: { type: 'tpe', seed: 42, options: { nStartupTrials: 5, multivariate: true } },
      pruner: { type: 'median', options: { nStartupTrials: 5, nWarmupSteps: 2, intervalSteps: 1, nMinTrials: 1 } },
      feasible: ['layers * units_0 <= 512'],
      backend: 'wasm',
      limits: {
        trial: 1_800_000,
        session: 43_200_000,
        study: 259_200_000,
        failures: 10,
        memory: 4e9,
        diskFree: 2 ** 31,
        idleOutput: 90_000,
        cost: { perHour: 0.4, max: 5 },
      },
      retry: { interrupted: 3, failed: 1 },
      storage: { kind: 'url', url: 'postgresql://me:secret-word@host/db', durability: 'full' },
      checkpoint: { every: 120_000 },
      benchmark: { top: 3, batchSizes: [1, 8], warmup: 10, repeats: 100 },
      select: {
        within: { share: 0.01 },
        then: { goal: 'minimize', name: 'latency_p95' },
        constraints: ['latency_p95 <= 5'],
      },
      final: { epochs: 50, seeds: 3, data: 'train+validation' },
      convert: { format: 'onnx', command: ['python', 'convert.py', '${trial_dir}'], tolerance: 1e-5 },
      launch: { slurm: { partition: 'gpu', gresFlags: 'x' } },
    });
    expect(config.backup.destinations[1]).toEqual({
      name: 'archive',
      type: 's3',
      options: { bucket: 'my-sweeps', pathStyle: true },
      every: { milliseconds: 900_000 },
      priority: 2,
      project: 'p',
      encrypt: { passphraseEnv: 'PASS' },
      storageClass: 'COLD',
      tags: { team: 'a' },
      verify: { every: 21_600_000, deep: true },
      keep: { newest: 10, days: 3, weeks: 8, months: 12, milestones: [5] },
    });
    expect(config.objective).toMatchObject({
      type: 'tfjs',
      trainer: 'mlp-classifier',
      settings: { epochs: 30, optimizer: 'adam' },
      data: {
        path: 'data/digits.csv.gz',
        version: '3',
        target: 'last',
        test: 0.2,
        validation: 0.2,
        options: { scaling: 'standard' },
      },
    });
  });

  test('is plain data: JSON holds all of it', () => {
    const { config } = read(WHOLE, { env: { PASSWORD: 'secret-word' } });
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  test('with the least that is needed gets the defaults', () => {
    const { config, warnings } = read(configText());
    expect(config).toMatchObject({
      environment: 'local',
      parallel: 1,
      sampler: { type: 'tpe', options: { nStartupTrials: 10 } },
      pruner: { type: 'median' },
      storage: { kind: 'file', durability: 'normal' },
      retry: { interrupted: 5, failed: 0 },
      backend: 'auto',
      backup: { enabled: true, destinations: [] },
      checkpoint: { every: 300_000 },
    });
    expect(config.sampler.seed).toBeUndefined();
    expect(config.limits).toEqual({});
    expect(warnings).toEqual([]);
  });

  test('may leave a section empty', () => {
    expect(read(configText({ limits: '', backup: '', storage: '', sampler: '' })).config.limits).toEqual({});
  });

  test('tells int from float as it is written', () => {
    const kinds = (range: string): unknown =>
      read(configText({ parameters: `\n  units: ${range}`, objective: '{type: module, path: ./o.js}' }), {}).config
        .parameters[0]?.kind;
    const withModule = (range: string): unknown => {
      const text = configText({ parameters: `\n  units: ${range}`, objective: '{type: command, command: ["true"]}' });
      return read(text).config.parameters[0]?.kind;
    };
    expect(() => kinds('{min: 0, max: 1}')).toThrow('no such file or folder');
    expect(withModule('{min: 0, max: 1}')).toBe('int');
    expect(withModule('{min: 0.0, max: 1}')).toBe('float');
    expect(withModule('{min: 0, max: 1.0}')).toBe('float');
    expect(withModule('{min: 0, max: 1, step: 0.25}')).toBe('float');
    expect(withModule('{min: 0, max: 1, type: float}')).toBe('float');
    expect(withModule('{min: 0, max: 1, distribution: uniform}')).toBe('float');
    expect(withModule('{min: 0, max: 1, distribution: int_uniform}')).toBe('int');
    expect(withModule('{min: 0, max: 1, q: 0.5, distribution: q_uniform}')).toBe('float');
    expect(withModule('{min: 1, max: 1e3, distribution: log_uniform_values}')).toBe('float');
    expect(withModule('{value: 3}')).toBe('constant');
    expect(withModule('{values: [3]}')).toBe('categorical');
  });

  test('commands: a list, or a text for the shell, placeholders left as they are', () => {
    const command = (text: string): unknown => {
      const { objective } = read(
        configText({ objective: `{type: command, command: ${text}, env: {A: 1, B: "\${envvar:HOME}"}, grace: 3s}` }),
        {},
      ).config;
      return objective;
    };
    expect(command('[python, train.py, "${args}", 3]')).toMatchObject({
      type: 'command',
      command: ['python', 'train.py', '${args}', '3'],
      env: { A: '1', B: '${envvar:HOME}' },
      grace: 3000,
    });
    expect(command('"python train.py ${learning_rate}"')).toMatchObject({
      command: ['/bin/sh', '-c', 'python train.py ${learning_rate}'],
    });
  });

  test('several backbones are several configurations', () => {
    const { config } = read(configText({ backbone: undefined, backbones: '[mlp, cnn]' }));
    expect(configsOf(config).map(({ backbone, backbones }) => [backbone, backbones])).toEqual([
      ['mlp', ['mlp', 'cnn']],
      ['cnn', ['mlp', 'cnn']],
    ]);
  });

  test('warns of what works but may not be meant', () => {
    const text = configText({
      parallel: '50',
      limits: '{trial: 2h, session: 1h}',
      metric: '{name: val_loss, goal: maximize}',
    });
    expect(read(text).warnings).toEqual([
      'metric val_loss is usually to minimize, but its goal is maximize.',
      'parallel (50) is above trials (40); no more than 40 run at once.',
      'limits.session is shorter than limits.trial; a long trial may never finish within a session.',
    ]);
  });
});

describe('variables and --set', () => {
  test('variables become numbers only without quotes', () => {
    const env = { N: '7', NAME: '12' };
    const { config } = read(configText({ trials: '${N}', study: '"${NAME}"', parallel: '${P:-3}' }), { env });
    expect([config.trials, config.study, config.parallel]).toEqual([7, '12', 3]);
  });

  test('the text to be stored holds no value of the environment, and reads back as the same configuration', () => {
    const env = { PASSWORD: 'secret-word' };
    const first = read(WHOLE, {
      env,
      set: ['sampler.seed=7', 'trials=50', 'limits.trial=1h', 'backup.destinations.0.path=/x'],
    });
    expect(first.resolvedText).not.toContain('secret-word');
    expect(first.resolvedText).toContain('${PASSWORD}');
    expect(first.resolvedText).toContain('# yaml-language-server');
    expect(first.config).toMatchObject({ trials: 50, sampler: { seed: 7 }, limits: { trial: 3_600_000 } });
    expect(first.config.backup.destinations[0]?.options).toEqual({ path: '/x' });
    expect(read(first.resolvedText, { env }).config).toEqual(first.config);
    expect(first.redact('at secret-word!')).toBe('at ${PASSWORD}!');
  });

  test('--set goes below a word that stands for a mapping', () => {
    const { config } = read(configText({ sampler: 'tpe', storage: 'memory' }), {
      set: ['sampler.seed=1', 'sampler.multivariate=false', 'storage.durability=full'],
    });
    expect(config.sampler).toEqual({ type: 'tpe', seed: 1, options: { nStartupTrials: 10, multivariate: false } });
    expect(config.storage).toEqual({ kind: 'memory', durability: 'full' });
  });

  test('1.0 set from the command line is a float too', () => {
    const { config } = read(configText(), { set: ['parameters.momentum.max=1.0', 'parameters.momentum.min=0'] });
    expect(config.parameters.find(({ name }) => name === 'momentum')).toMatchObject({ kind: 'float', min: 0, max: 1 });
  });

  test('aliases stand for what they name', () => {
    const { config } = read(configText({ parameters: '\n  layers: &a {min: 1, max: 4}\n  epochs: *a' }));
    expect(config.parameters[1]).toMatchObject({ name: 'epochs', kind: 'int', max: 4 });
  });
});

describe('files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'resweep-config-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('data lies under the project root, else beside the configuration', () => {
    mkdirSync(join(folder, '.resweep'));
    mkdirSync(join(folder, 'configs', 'data'), { recursive: true });
    const path = join(folder, 'configs', 'x.yaml');
    writeFileSync(path, configText({ objective: '{type: tfjs, trainer: mlp-classifier, data: {path: data/a.csv}}' }));
    expect(() => loadConfig(path, { registry: sampleRegistry })).toThrow(
      'no such file or folder under the project root or beside the configuration',
    );
    expect(loadConfig(path, { registry: sampleRegistry, checkFiles: false }).projectRoot).toBe(folder);
    const beside = join(folder, 'configs', 'data', 'a.csv');
    writeFileSync(beside, '1,2\n');
    const loaded = loadConfig(path, { registry: sampleRegistry });
    expect(loaded).toMatchObject({ path, projectRoot: folder, configFolder: join(folder, 'configs') });
    expect(resolveInputPath('data/a.csv', loaded)).toBe(beside);
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data', 'a.csv'), '1,2\n');
    expect(resolveInputPath('data/a.csv', loaded)).toBe(join(folder, 'data', 'a.csv'));
  });

  test('a near file name is proposed', () => {
    mkdirSync(join(folder, '.resweep'));
    writeFileSync(join(folder, 'digits.csv.gz'), '');
    const path = join(folder, 'x.yaml');
    writeFileSync(path, configText({ objective: '{type: tfjs, trainer: mlp-classifier, data: {path: digit.csv.gz}}' }));
    expect(() => loadConfig(path, { registry: sampleRegistry })).toThrow('Did you mean "digits.csv.gz"?');
  });

  test('a file that is not there', () => {
    expect(() => loadConfig(join(folder, 'no.yaml'), { registry: sampleRegistry })).toThrow(UsageError);
    expect(() => loadConfig(join(folder, 'no.yaml'), { registry: sampleRegistry })).toThrow('there is no such file');
    expect(() => loadConfig(folder, { registry: sampleRegistry })).toThrow('it is a folder');
  });

  test('the project root is the nearest folder with a mark, else the working directory', () => {
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    // Not in the folder for temporary files, where others may have left a mark.
    expect(findProjectRoot('/no such folder/b', '/elsewhere')).toBe('/elsewhere');
    writeFileSync(join(folder, 'package.json'), '{}');
    expect(findProjectRoot(join(folder, 'a', 'b'), '/elsewhere')).toBe(folder);
    mkdirSync(join(folder, 'a', '.resweep'));
    expect(findProjectRoot(join(folder, 'a', 'b'), '/elsewhere')).toBe(join(folder, 'a'));
  });
});

test('the JSON Schema describes every key and needs what must be there', () => {
  const schema = jsonSchemaOf(sampleRegistry) as {
    properties: Record<string, { description?: string }>;
    required: string[];
    additionalProperties: boolean;
  };
  expect(schema.additionalProperties).toBe(false);
  expect(schema.required).toEqual(['study', 'trials', 'parameters', 'objective']);
  const text = JSON.stringify(schema);
  expect(JSON.parse(text)).toEqual(schema);
  for (const word of ['n_startup_trials', 'mlp-classifier', 'learning_rate', 'bucket', 'partition', 'when', 'scaling'])
    expect(text).toContain(`"${word}"`);
  const without = Object.entries(schema.properties).filter(([, property]) => property.description === undefined);
  expect(without.map(([key]) => key)).toEqual([]);
});
