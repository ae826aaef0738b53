import { describe, expect, test } from 'vitest';

import { configRegistry } from '../../../src/app/studies/config-registry.js';
import { loadConfigText, type LoadedConfig } from '../../../src/config/load-config.js';

const registry = await configRegistry();

function read(text: string, set: string[] = []): LoadedConfig {
  return loadConfigText(text, { registry, name: 'sweep.yaml', projectRoot: '/nowhere', env: {}, set });
}

const HEAD = 'program: src/train.py\nmethod: random\nrun_cap: 5\nmetric: {name: val_loss}\n';
const withParameter = (parameter: string) => read(`${HEAD}parameters:\n  p: ${parameter}\n`);

describe('a W&B sweep file', () => {
  test('is a configuration: names, metric, method, budget, command', () => {
    const { config, resolvedText, warnings } = read(
      `${HEAD}name: my sweep\nproject: p\nentity: e\nparameters: {lr: {min: 0, max: 0.1}, n: {min: 1, max: 4}}\n`,
    );
    expect(config).toMatchObject({
      study: 'my sweep',
      backbone: 'train',
      trials: 5,
      metrics: [{ name: 'val_loss', goal: 'minimize' }],
      sampler: { type: 'random' },
      pruner: { type: 'nop' },
      parameters: [
        { name: 'lr', kind: 'float', min: 0, max: 0.1, log: false },
        { name: 'n', kind: 'int', min: 1, max: 4 },
      ],
      objective: {
        type: 'command',
        protocol: 'wandb',
        command: ['${env}', '${interpreter}', 'src/train.py', '${args}'],
      },
    });
    expect(warnings).toEqual([]);
    // What is stored is read as an ordinary configuration.
    expect(read(resolvedText).config).toEqual(config);
  });

  test('takes its own command, and values from the command line', () => {
    const { config } = read(
      'method: bayes\nrun_cap: 3\nmetric: {name: a, goal: maximize, target: 0.9}\ncommand: [python3, "${program}", "${args_json}", "${envvar:HOME}"]\nprogram: t.py\nparameters: {x: {value: 3}, y: {values: [1, 2]}}\n',
      ['sampler.seed=4', 'trials=9'],
    );
    expect(config).toMatchObject({
      trials: 9,
      sampler: { type: 'auto', seed: 4 },
      metrics: [{ name: 'a', goal: 'maximize', target: 0.9 }],
      objective: { command: ['python3', 't.py', '${args_json}', '${envvar:HOME}'] },
      parameters: [
        { kind: 'constant', value: 3 },
        { kind: 'categorical', values: [1, 2] },
      ],
    });
  });

  test.each([
    ['{distribution: constant, value: 7}', { kind: 'constant', value: 7 }],
    ['{distribution: categorical, values: [a, b]}', { kind: 'categorical', values: ['a', 'b'] }],
    ['{values: [[64, 64], {a: 1}, null]}', { kind: 'categorical', values: ['[64,64]', '{"a":1}', null] }],
    ['{min: 1, max: 8}', { kind: 'int', min: 1, max: 8, log: false }],
    ['{min: 1.0, max: 8}', { kind: 'float', min: 1, max: 8 }],
    ['{distribution: int_uniform, min: 0, max: 3}', { kind: 'int', min: 0, max: 3 }],
    ['{distribution: uniform, min: 0, max: 3}', { kind: 'float', min: 0, max: 3 }],
    ['{distribution: q_uniform, min: 0.04, max: 1, q: 0.1}', { kind: 'float', min: 0, max: 1, step: 0.1 }],
    ['{distribution: q_uniform, min: 10, max: 101, q: 8}', { kind: 'int', min: 8, max: 104, step: 8 }],
    ['{distribution: log_uniform, min: -2, max: 0}', { kind: 'float', min: Math.exp(-2), max: 1, log: true }],
    ['{distribution: log_uniform_values, min: 1e-4, max: 0.1}', { kind: 'float', min: 1e-4, max: 0.1, log: true }],
    ['{distribution: inv_log_uniform, min: 0, max: 2}', { kind: 'float', min: Math.exp(-2), max: 1, log: true }],
    ['{distribution: inv_log_uniform_values, min: 2, max: 5}', { kind: 'float', min: 2, max: 5, log: true }],
    ['{distribution: q_log_uniform_values, min: 1, max: 500}', { kind: 'int', min: 1, max: 500, log: true }],
  ])('reads %s as it is meant', (text, expected) => {
    const { config, warnings } = withParameter(text);
    expect(config.parameters[0]).toMatchObject(expected);
    expect(warnings).toEqual([]);
  });

  test.each([
    ['{distribution: normal, mu: 1, sigma: 2}', { kind: 'float', min: -5, max: 7 }, /normal covers its middle 99\.7 %/],
    ['{distribution: q_normal, mu: 0, sigma: 1, q: 0.5}', { kind: 'float', min: -3, max: 3, step: 0.5 }, /q_normal/],
    ['{distribution: log_normal, mu: 0, sigma: 1}', { kind: 'float', min: Math.exp(-3), log: true }, /log_normal/],
    ['{distribution: beta, a: 2, b: 5}', { kind: 'float', min: 0, max: 1 }, /beta covers 0 to 1/],
    ['{distribution: q_beta, a: 2, b: 5, q: 0.25}', { kind: 'float', min: 0, max: 1, step: 0.25 }, /q_beta/],
    ['{values: [1, 2], probabilities: [0.9, 0.1]}', { values: [1, 2] }, /probabilities are left out/],
    [
      '{distribution: q_log_uniform_values, min: 32, max: 256, q: 8}',
      { kind: 'categorical' },
      /choice among 2\d multiples of 8/,
    ],
  ])('reads %s as near as it can, and says so', (text, expected, warning) => {
    const { config, warnings } = withParameter(text);
    expect(config.parameters[0]).toMatchObject(expected);
    expect(warnings.join('\n')).toMatch(warning);
  });

  test('joins the names of nested parameters by dots', () => {
    const { config } = read(
      `${HEAD}parameters:\n  optimizer:\n    parameters:\n      kind: {values: [adam]}\n      sgd: {parameters: {momentum: {min: 0.0, max: 1}}}\n`,
    );
    expect(config.parameters.map(({ name }) => name)).toEqual(['optimizer.kind', 'optimizer.sgd.momentum']);
  });

  test.each([
    ['{type: hyperband, min_iter: 3}', { minResource: 3, reductionFactor: 3 }],
    ['{type: hyperband, max_iter: 27, s: 2, eta: 3}', { minResource: 3, reductionFactor: 3 }],
    ['{type: hyperband, min_iter: 2, eta: 4, strict: true}', { minResource: 2, reductionFactor: 4 }],
  ])('reads early_terminate %s as its one bracket', (text, options) => {
    const { config } = read(`${HEAD}early_terminate: ${text}\nparameters: {x: {min: 0, max: 1}}\n`);
    expect(config.pruner).toMatchObject({ type: 'successive-halving', options });
  });

  test('names what has no equal', () => {
    expect(
      read('method: bayes\nprogram: a.py\nmetric: {name: l, impute: worst}\nparameters: {x: {min: 0, max: 1}}\n'),
    ).toMatchObject({
      config: { trials: 100 },
      warnings: [
        'metric.impute has no equal: a failed trial stays failed, and the sampler does without it.',
        expect.stringMatching(/^run_cap is not set/),
      ],
    });
    expect(() => read(`${HEAD}parameters: {x: {min: 0, max: 1}}\njob: team/job:v1\n`)).toThrow(
      /sweep\.yaml:6:1: job: has no equal/,
    );
    expect(() => read('method: custom\nprogram: a.py\nmetric: {name: l}\nparameters: {x: {value: 1}}\n')).toThrow(
      /1:9: method: has no equal/,
    );
    expect(() => read(`${HEAD}early_terminate: {type: hyperband}\nparameters: {x: {value: 1}}\n`)).toThrow(
      /5:18: early_terminate: needs min_iter, or max_iter and s/,
    );
  });

  test('takes names as Hydra has them, and refuses what would break a placeholder', () => {
    const names = (text: string): readonly string[] =>
      read(`${HEAD}parameters: ${text}\n`).config.parameters.map(({ name }) => name);
    expect(names('{"db/engine": {value: a}, "+x.lr": {min: 0, max: 1}, größe: {value: 1}}')).toEqual([
      'db/engine',
      '+x.lr',
      'größe',
    ]);
    for (const name of ['a b', 'a}', '1', '-a', ''])
      expect(() => names(`{"${name}": {value: a}}`)).toThrow('is no name of a parameter');
  });

  test.each([
    ['{min: 0.0, max: 1.0, q: 0.1}', 'parameter p: q is not read with distribution uniform; q_uniform has q.'],
    ['{values: [1, 2], min: 0}', 'parameter p: min is not read with distribution categorical.'],
    ['{value: 3, min: 0, max: 2}', 'parameter p: min, max are not read with distribution constant.'],
    ['{value: 3, parameters: {x: {value: 1}}}', 'parameter p: value beside parameters is not read.'],
  ])('says which keys of a parameter it does not read: %s', (parameter, warning) => {
    expect(withParameter(parameter).warnings).toContain(warning);
  });

  test('says what early_terminate has no equal for, and begins at the whole iteration below', () => {
    const { config, warnings } = read(
      `${HEAD}early_terminate: {type: hyperband, max_iter: 50, s: 2, eta: 2.6, strict: true}\nparameters: {x: {min: 0, max: 1}}\n`,
    );
    // 50 / 2.6² is 7.4.
    expect(config.pruner).toMatchObject({ options: { minResource: 7, reductionFactor: 3 } });
    expect(warnings).toEqual([
      'early_terminate.strict has no equal: a trial is judged once at each rung, by its value there.',
      'early_terminate.eta is a whole number here: 3 in place of 2.6.',
    ]);
  });

  test('without a metric, as W&B allows for grid and random, takes it from the command line', () => {
    const text = 'program: t.py\nmethod: grid\nparameters: {x: {values: [1, 2]}}\n';
    expect(() => read(text)).toThrow('--set metric.name=NAME');
    expect(read(text, ['metric.name=val/loss']).config.metrics).toEqual([{ name: 'val/loss', goal: 'minimize' }]);
    expect(read(text, ['metric.name=acc', 'metric.goal=maximize']).config.metrics).toMatchObject([
      { goal: 'maximize' },
    ]);
  });
});
