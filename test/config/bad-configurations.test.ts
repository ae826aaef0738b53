import { describe, expect, test } from 'vitest';

import { ConfigError } from '../../src/config/config-error.js';
import { loadConfigText } from '../../src/config/load-config.js';
import { UsageError } from '../../src/core/errors.js';
import { configText, sampleRegistry } from './sample-registry.js';

/** Reads a text that is wrong and gives its problems as they are shown. */
function problemsOf(text: string, options: { set?: string[]; env?: Record<string, string> } = {}): string[] {
  try {
    loadConfigText(text, { registry: sampleRegistry, name: 'c.yaml', projectRoot: '/nowhere', env: {}, ...options });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toBeInstanceOf(UsageError);
    const { message, exitCode } = error as ConfigError;
    expect(exitCode).toBe(2);
    return message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

const ROOT_KEYS =
  'study, backbone, backbones, environment, metric, metrics, trials, parallel, sampler, pruner, parameters, feasible, ' +
  'objective, backend, limits, retry, storage, checkpoint, backup, track, benchmark, select, final, convert, launch';

const parameters = (text: string): string =>
  `\n  ${text
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .join('\n  ')}`;

/** What is wrong → exactly what is said. Lines count from `configText`: study 1, backbone 2, metric 3, trials 4, parameters 5. */
const cases: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  [
    'an unknown key',
    configText({ trails: '40' }),
    [`c.yaml:12:1: trails: unknown key; expected one of ${ROOT_KEYS}. Did you mean "trials"?`],
  ],
  ['a missing key', configText({ study: undefined }), ['c.yaml:1:1: study: is missing; expected text.']],
  [
    'a misspelt key that is then missing, once',
    configText({ study: undefined, stady: 'x' }),
    [`c.yaml:11:1: stady: unknown key; expected one of ${ROOT_KEYS}. Did you mean "study"?`],
  ],
  [
    'a wrong type',
    configText({ trials: 'many' }),
    ['c.yaml:4:9: trials: found "many"; expected a whole number, 1 or more.'],
  ],
  [
    'a number too small',
    configText({ trials: '0' }),
    ['c.yaml:4:9: trials: found 0; expected a whole number, 1 or more.'],
  ],
  [
    'a fraction of a trial',
    configText({ trials: '1.5' }),
    ['c.yaml:4:9: trials: found 1.5; expected a whole number, 1 or more.'],
  ],
  [
    'a wrong word',
    configText({ metric: '{name: val_accuracy, goal: maximise}' }),
    ['c.yaml:3:36: metric.goal: found "maximise"; expected one of minimize, maximize. Did you mean "maximize"?'],
  ],
  [
    'a metric that the trainer has not',
    configText({ metric: '{name: val_acuracy, goal: maximize}' }),
    [
      'c.yaml:3:16: metric.name: found "val_acuracy"; expected a metric of mlp-classifier: val_accuracy, val_loss. Did you mean "val_accuracy"?',
    ],
  ],
  [
    'metric and metrics',
    configText({ metrics: '[{name: val_loss, goal: minimize}]' }),
    ['c.yaml:12:1: metrics: stands beside metric; write one of the two.'],
  ],
  [
    'no backbone',
    configText({ backbone: undefined }),
    ['c.yaml:1:1: backbone: is missing; expected backbone: a name for the model family, or backbones: a list of such.'],
  ],
  [
    'a backbone that is no folder',
    configText({ backbone: '../x' }),
    [
      'c.yaml:2:11: backbone: found "../x"; expected a name for the model family, of letters, digits, ".", "_" and "-" (it becomes a folder).',
    ],
  ],
  [
    'an unknown sampler',
    configText({ sampler: 'tpee' }),
    ['c.yaml:12:10: sampler: found "tpee"; expected one of random, tpe. Did you mean "tpe"?'],
  ],
  [
    'an unknown option of a sampler',
    configText({ sampler: '{type: tpe, n_startup_trial: 3}' }),
    [
      'c.yaml:12:22: sampler.n_startup_trial: unknown key; expected one of type, seed, n_startup_trials, multivariate. Did you mean "n_startup_trials"?',
    ],
  ],
  [
    'a wrong option of a pruner',
    configText({ pruner: '{type: median, interval_steps: 0}' }),
    ['c.yaml:12:40: pruner.interval_steps: found 0; expected a whole number, 1 or more.'],
  ],
  [
    'a duration without its unit',
    configText({ limits: '{trial: 30}' }),
    [
      'c.yaml:12:17: limits.trial: found 30; expected a duration with its unit (ms, s, m, h, d, w), such as 90s, 30m or 1h30m.',
    ],
  ],
  [
    'a size without its unit',
    configText({ limits: '{memory: 4G}' }),
    [
      'c.yaml:12:18: limits.memory: found "4G"; expected a size with its unit (B, KB, MB, GB, TB, or KiB, MiB, GiB, TiB), such as 512MB or 4GB.',
    ],
  ],
  [
    'a cost without its price',
    configText({ limits: '{cost: {max: 5}}' }),
    ['c.yaml:12:10: limits.cost.per_hour: is missing; expected a number, above 0.'],
  ],
  [
    'min above max',
    configText({ parameters: parameters('units: {min: 3, max: 2}') }),
    ['c.yaml:6:16: parameters.units.min: min 3 is above max 2.'],
  ],
  [
    'log from zero',
    configText({ parameters: parameters('learning_rate: {min: 0, max: 0.1, log: true}') }),
    ['c.yaml:6:24: parameters.learning_rate.min: a logarithmic range must begin above 0, but min is 0.'],
  ],
  [
    'a step that does not divide',
    configText({ parameters: parameters('units: {min: 16, max: 250, step: 16}') }),
    [
      'c.yaml:6:36: parameters.units.step: step 16 does not divide the range from 16 to 250; the last value would be 240. Write max: 240 or another step.',
    ],
  ],
  [
    'a choice twice',
    configText({ parameters: parameters('optimizer: {values: [adam, sgd, adam]}') }),
    ['c.yaml:6:35: parameters.optimizer.values.2: stands twice in the list (first at position 1).'],
  ],
  [
    'two forms of a parameter',
    configText({ parameters: parameters('units: {min: 1, max: 2, values: [3]}') }),
    ['c.yaml:6:10: parameters.units: mixes several forms; write one of {values: […]}, {value: …} or {min: …, max: …}.'],
  ],
  [
    'an unknown key of a parameter',
    configText({ parameters: parameters('units: {min: 1, mac: 2}') }),
    [
      'c.yaml:6:10: parameters.units.max: is missing; expected a finite number.',
      'c.yaml:6:19: parameters.units.mac: unknown key; expected one of values, value, min, max, log, step, q, type, distribution, when, repeat. Did you mean "max"?',
    ].slice(1),
  ],
  [
    'a distribution without an equal',
    configText({ parameters: parameters('learning_rate: {distribution: log_uniform, min: -5, max: -1}') }),
    [
      'c.yaml:6:33: parameters.learning_rate.distribution: distribution log_uniform has no equal here: its bounds are exponents; write the bounds themselves and log: true.',
    ],
  ],
  [
    'a misspelt distribution',
    configText({ parameters: parameters('learning_rate: {distribution: unifrom, min: 0.1, max: 0.2}') }),
    [
      'c.yaml:6:33: parameters.learning_rate.distribution: found "unifrom"; expected one of constant, categorical, int_uniform, uniform, q_uniform, log_uniform_values. Did you mean "uniform"?',
    ],
  ],
  [
    'a condition on an unknown parameter, although that one is wrong itself',
    configText({
      parameters: parameters(
        'optimizer: {values: [adam, adam]}\nmomentum: {min: 0.0, max: 0.9, when: {optimiser: sgd}}',
      ),
    }),
    [
      'c.yaml:6:30: parameters.optimizer.values.1: stands twice in the list (first at position 1).',
      'c.yaml:7:41: parameters.momentum.when.optimiser: unknown parameter; expected an earlier parameter: optimizer. Did you mean "optimizer"?',
    ],
  ],
  [
    'a condition on a later parameter',
    configText({
      parameters: parameters(
        'momentum: {min: 0.0, max: 0.9, when: {optimizer: sgd}}\noptimizer: {values: [adam, sgd]}',
      ),
    }),
    [
      'c.yaml:6:41: parameters.momentum.when.optimizer: optimizer is declared at or after this parameter; move it above.',
    ],
  ],
  [
    'a condition that can never be true',
    configText({
      parameters: parameters(
        'optimizer: {values: [adam, sgd]}\nlayers: {min: 1, max: 4}\nmomentum: {min: 0.0, max: 0.9, when: {optimizer: [sgd, rmsprp], layers: ">= 5"}}',
      ),
    }),
    [
      'c.yaml:8:58: parameters.momentum.when.optimizer.1: found "rmsprp"; expected a value that optimizer can take: adam, sgd.',
      'c.yaml:8:75: parameters.momentum.when.layers: is never true: layers lies from 1 to 4.',
    ],
  ],
  [
    'a repeat of what is no int',
    configText({
      parameters: parameters(
        'layers: {min: 1, max: 4}\noptimizer: {values: [adam]}\nunits: {min: 1, max: 2, repeat: layer}',
      ),
    }),
    [
      'c.yaml:8:35: parameters.units.repeat: found "layer"; expected an earlier int parameter: layers. Did you mean "layers"?',
    ],
  ],
  [
    'a parameter that the trainer has not',
    configText({ parameters: parameters('learning_rat: {min: 0.1, max: 0.2}') }),
    [
      'c.yaml:6:3: parameters.learning_rat: is no setting of the trainer mlp-classifier; it has optimizer, learning_rate, momentum, layers, units, epochs. Did you mean "learning_rate"?',
    ],
  ],
  [
    'a value that the trainer does not take',
    configText({ parameters: parameters('optimizer: {values: [adam, adagrad]}') }),
    ['c.yaml:6:30: parameters.optimizer.values.1: the trainer mlp-classifier takes no such value for optimizer.'],
  ],
  [
    'rules',
    configText({ feasible: '["layers * unit_0 <= 512", "layers * 2", "layers +", "layer(1) > 2", "optimizer > 1"]' }),
    [
      'c.yaml:12:12: feasible.0: the rule names unit_0, which is no parameter; parameters are optimizer, learning_rate, momentum, layers, units, units_0, units_1, units_2, units_3. Did you mean "units_0"?',
      'c.yaml:12:38: feasible.1: the rule gives a value, not true or false; write a comparison such as a * b <= 512.',
      'c.yaml:12:52: feasible.2: the rule is no expression: Expected expression after + at character 9.',
      'c.yaml:12:64: feasible.3: the rule calls layer, which does not exist; functions are min, max, sum, len, abs, floor, ceil, round, sqrt, exp, log, log2, log10, pow.',
      'c.yaml:12:80: feasible.4: the rule applies > to "adam", which is no number.',
    ],
  ],
  [
    'an unknown objective',
    configText({ objective: '{type: comand}' }),
    ['c.yaml:11:19: objective.type: found "comand"; expected one of tfjs, command, module. Did you mean "command"?'],
  ],
  [
    'a setting and a data key',
    configText({
      objective:
        '{type: tfjs, trainer: mlp-classifier, epoch: 3, data: {path: a.csv, version: 1, tset: 0.2, scaling: standart}}',
    }),
    [
      'c.yaml:11:50: objective.epoch: unknown key; expected one of type, trainer, data, optimizer, learning_rate, momentum, layers, units, epochs. Did you mean "epochs"?',
      'c.yaml:11:92: objective.data.tset: unknown key; expected one of path, version, target, test, validation, header, skip_rows, delimiter, ignore, seed, scaling. Did you mean "test"?',
      'c.yaml:11:112: objective.data.scaling: found "standart"; expected one of standard, none. Did you mean "standard"?',
    ],
  ],
  [
    'an unknown placeholder',
    configText({
      parameters: parameters('lr: {min: 0.1, max: 0.2}'),
      objective: '{type: command, command: [python, train.py, "${arg}", "$${text}", "${envvar:HOME}"]}',
    }),
    [
      'c.yaml:7:56: objective.command.2: the placeholder ${arg} is unknown; known are args, args_no_hyphens, args_no_boolean_flags, args_json, args_json_file, env, interpreter, trial_number, trial_dir, checkpoint_dir, seed, study8, project_root, lr and envvar:NAME (a variable of the environment). Write $${arg} for the text itself. Did you mean "args"?',
    ],
  ],
  [
    'data that is not there',
    configText({ objective: '{type: tfjs, trainer: mlp-classifier, data: {path: data/digits.csv.gz}}' }),
    ['c.yaml:11:63: objective.data.path: no such file or folder under the project root.'],
  ],
  [
    'destinations',
    configText({
      backup:
        '\n  destinations:\n    - {name: a, type: foldr, path: x}\n    - {name: b, type: s3, buckets: x, every: 10}\n    - {name: b, type: folder, path: y, keep: {day: 3}}',
    }),
    [
      'c.yaml:14:23: backup.destinations.0.type: found "foldr"; expected one of folder, s3. Did you mean "folder"?',
      'c.yaml:15:27: backup.destinations.1.buckets: unknown key; expected one of type, name, every, priority, project, encrypt, storage_class, tags, verify, keep, bucket, path_style. Did you mean "bucket"?',
      'c.yaml:15:46: backup.destinations.1.every: found 10; expected trial, a number of trials such as 10 trials, or a duration such as 15m.',
      'c.yaml:16:47: backup.destinations.2.keep.day: unknown key; expected one of newest, days, weeks, months, milestones. Did you mean "days"?',
    ],
  ],
  [
    'two destinations of one name',
    configText({ backup: '{destinations: [{name: b, type: folder, path: x}, {name: b, type: folder, path: y}]}' }),
    ['c.yaml:12:66: backup.destinations.1.name: another destination is called b already.'],
  ],
  [
    'a password in clear',
    configText({ storage: '{url: "postgresql://me:secret@host/db", durabilty: full}' }),
    [
      'c.yaml:12:16: storage.url: holds a password in clear; write it as ${NAME} and set that variable of the environment.',
      'c.yaml:12:50: storage.durabilty: unknown key; expected one of url, durability. Did you mean "durability"?',
    ],
  ],
  [
    'a storage that is no URL',
    configText({ storage: 'study.db' }),
    ['c.yaml:12:10: storage: found "study.db"; expected a URL such as sqlite:///file.db or postgresql://…, or memory.'],
  ],
  [
    'an engine',
    configText({ launch: '{slrm: {}}' }),
    ['c.yaml:12:10: launch.slrm: unknown key; expected slurm. Did you mean "slurm"?'],
  ],
  [
    'selection',
    configText({ select: '{within: near, then: fastest}' }),
    [
      'c.yaml:12:18: select.within: found "near"; expected a percentage such as 1%, or a number in the metric’s own unit.',
      'c.yaml:12:30: select.then: found "fastest"; expected minimize or maximize and a name, such as minimize latency_p95.',
    ],
  ],
  [
    'a variable that is not set',
    configText({ study: '${NAME_OF_STUDY}' }),
    ['c.yaml:1:8: study: the environment variable NAME_OF_STUDY is not set; set it, or write ${NAME:-default}.'],
  ],
  [
    'a key twice',
    `${configText()}trials: 3\n`,
    ['c.yaml:12:1: trials: stands twice in the same mapping; keep one of them.'],
  ],
  [
    'a W&B sweep file with mistakes',
    'method: baies\nprogram: t.py\nmetric: {goal: down}\nparameters:\n  lr: {distribution: log_unifrom, min: 0, max: 1}\n  m: {parameters: {x: {min: 3, max: 1}}}\nrun_cup: 3\n',
    [
      'c.yaml:1:9: method: found "baies"; expected one of bayes, random, grid, custom. Did you mean "bayes"?',
      'c.yaml:3:1: metric.name: is missing; expected the name under which the program logs it.',
      'c.yaml:3:16: metric.goal: found "down"; expected one of minimize, maximize.',
      'c.yaml:5:22: parameters.lr.distribution: found "log_unifrom"; expected one of constant, categorical, categorical_w_probabilities, int_uniform, uniform, q_uniform, log_uniform, log_uniform_values, q_log_uniform, q_log_uniform_values, inv_log_uniform, inv_log_uniform_values, normal, q_normal, log_normal, q_log_normal, beta, q_beta. Did you mean "log_uniform"?',
      'c.yaml:6:29: parameters.m.parameters.x.min: min 3 is above max 1.',
      'c.yaml:7:1: run_cup: unknown key; expected one of apiVersion, kind, controller, description, program, job, image_uri, entity, project, name, method, command, run_cap, metric, metrics, scheduler, early_terminate, parameters. Did you mean "run_cap"?',
    ],
  ],
  [
    'a list',
    '[1, 2]\n',
    ['c.yaml:1:1: found a list; expected a mapping with study, backbone, metric, trials, parameters and objective.'],
  ],
  [
    'an empty file',
    '',
    ['c.yaml:1:1: is missing; expected a mapping with study, backbone, metric, trials, parameters and objective.'],
  ],
  ['a tab', 'study: a\nlimits:\n\ttrial: 3m\n', ['c.yaml:3:1: a tab stands where only spaces may indent.']],
];

describe('a wrong configuration', () => {
  test.each(cases)('%s', (_name, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test('gives its parts to programs', () => {
    try {
      loadConfigText(configText({ sampler: 'tpee' }), {
        registry: sampleRegistry,
        name: 'c.yaml',
        projectRoot: '/nowhere',
      });
      expect.unreachable();
    } catch (error) {
      expect((error as ConfigError).problems).toEqual([
        {
          file: 'c.yaml',
          line: 12,
          column: 10,
          key: 'sampler',
          found: '"tpee"',
          allowed: 'one of random, tpe',
          nearest: 'tpe',
          message: 'found "tpee"; expected one of random, tpe. Did you mean "tpe"?',
        },
      ]);
      expect((error as ConfigError).message).toMatch(/^c\.yaml has 1 error:\n/);
    }
  });

  test('never shows a value that came from the environment', () => {
    const env = { TOKEN: 'top-secret-value' };
    const text = configText({ sampler: '${TOKEN}', trials: '${TOKEN}', objective: '{type: "${TOKEN}"}' });
    const shown = problemsOf(text, { env }).join('\n');
    expect(shown).not.toContain('top-secret-value');
    expect(shown).toContain('found "${TOKEN}"');
  });

  test('names --set where the value came from there', () => {
    expect(
      problemsOf(configText(), { set: ['sampler.type=tpee', 'trials=0', 'novalue', 'trials.more=1', 'a=[1'] }),
    ).toEqual([
      '--set novalue: needs the form dotted.key=value, such as sampler.seed=7.',
      '--set trials.more: trials is a single value, so nothing can be set below it.',
      expect.stringMatching(/^--set a: its value is not valid YAML: /),
      '--set trials: found 0; expected a whole number, 1 or more.',
      '--set sampler.type: found "tpee"; expected one of random, tpe. Did you mean "tpe"?',
    ]);
  });
});
