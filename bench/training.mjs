// Speed of training. Prints ratios of alternating pairs in one process; needs: npm run build.
// node bench/training.mjs [--pairs 5] [loop|wasm|auto|jobs …]
//   loop  a trial's training beside the bare loop of TensorFlow.js (layers, tf.train.adam), same model, data and batches: >= 0.98x
//   wasm  steps on WebAssembly beside plain JavaScript: CNN >= 20x, BiLSTM >= 10x
//   auto  what backend: auto chose beside the best of those that work, for each built-in trainer: within 10 %
//   jobs  trials per second with two jobs beside one, once both run (a quiet machine with two cores): >= 1.7x
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { availableBackends, useBackend } from '../build/training/backends.js';
import { loadTabularData } from '../build/training/data/tabular-data.js';
import { loadTensorflow } from '../build/training/tensorflow.js';
import { findTrainer } from '../build/training/trainers.js';

/* global AbortController */
const args = process.argv.slice(2);
const pairsAt = args.indexOf('--pairs');
const pairs = pairsAt < 0 ? 5 : Number(args.splice(pairsAt, 2)[1]);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'resweep-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const dataOf = (name) => ({
  path: join(root, 'data', name),
  target: 'last',
  test: 0.2,
  validation: 0.2,
  skipRows: name.startsWith('breast') ? 1 : 0,
  delimiter: ',',
  ignore: [],
  seed: 0,
  options: {},
});

/** A form of each trainer's model, with data and metric. */
const MODELS = {
  'mlp-classifier': { data: 'digits.csv.gz', metric: 'val_accuracy', params: { units: 128, batch_size: 32 } },
  'mlp-classifier, tiny': {
    data: 'breast_cancer.csv',
    metric: 'val_accuracy',
    params: { units: 16, layers: 1, batch_size: 32 },
  },
  'mlp-regressor': { data: 'diabetes.csv', metric: 'val_rmse', params: { units: 32, batch_size: 32 } },
  'cnn-classifier': { data: 'digits.csv.gz', metric: 'val_accuracy', params: { batch_size: 32 } },
  'text-classifier': { data: 'sms_spam.tsv.gz', metric: 'val_auc', params: { batch_size: 32 } },
  'text-classifier, LSTM': {
    data: 'sms_spam.tsv.gz',
    metric: 'val_auc',
    params: { architecture: 'bilstm', batch_size: 32, length: 30 },
  },
  'token-classifier': {
    data: 'ncbi_disease.conll.gz',
    metric: 'val_entity_f1',
    params: { length: 30, batch_size: 32 },
  },
};

/** Part of the data that is enough to time a model by. */
const SHARES = {
  'cnn-classifier': 0.3,
  'text-classifier': 0.3,
  'text-classifier, LSTM': 0.1,
  'token-classifier': 0.1,
};

let trials = 0;

/** Trains one trial; gives the milliseconds of its steps alone (data, model and the choice of a backend are not counted). */
async function train(name, backend, { epochs = 1, share = 1, choices } = {}) {
  const { data, metric, params } = MODELS[name];
  const trainer = findTrainer(name.split(',')[0]);
  const trialDir = join(folder, String(++trials));
  const times = [];
  let begun = 0;
  const context = {
    params: { ...params, epochs },
    seed: 1,
    trialDir,
    checkpointDir: join(trialDir, 'checkpoint'),
    signal: new AbortController().signal,
    checkpointEveryMs: 1e9,
    backendChoices: choices,
    report: async () => void times.push(performance.now()),
    log: (line) => {
      if (line.startsWith('backend ')) begun = performance.now();
    },
    onCheckpoint() {},
  };
  const goal = metric === 'val_rmse' ? 'minimize' : 'maximize';
  const parts = { ...dataOf(data), test: 1 - 0.8 * share, validation: Math.max(0.02, 0.2 * share) };
  const request = { trainer: trainer.type, settings: {}, data: parts, backend, metrics: [{ name: metric, goal }] };
  const result = await trainer.train(request, context);
  return { milliseconds: times.at(-1) - begun, result };
}

/** The same training as a plain program would write it: TensorFlow.js's layers, loss and Adam, no resweep. */
async function bareLoop({ epochs, units }) {
  const { tf, layers } = loadTensorflow();
  const { features, labels, width, split, classes } = loadTabularData('classification', dataOf('digits.csv.gz'));
  const model = layers.sequential();
  model.add(layers.layers.dense({ units, activation: 'relu', inputShape: [width] }));
  model.add(layers.layers.dense({ units, activation: 'relu' }));
  model.add(layers.layers.dense({ units: classes.length }));
  const optimizer = tf.train.adam(0.001);
  const variables = model.trainableWeights.map((weight) => weight.read());
  const batchOf = (rows) => {
    const values = new Float32Array(rows.length * width);
    rows.forEach((row, index) => values.set(features.subarray(row * width, (row + 1) * width), index * width));
    return tf.tensor2d(values, [rows.length, width]);
  };
  const judge = (rows) =>
    tf.tidy(() => {
      const outputs = model.apply(batchOf(rows), { training: false });
      const truth = tf.tensor1d(
        Int32Array.from(rows, (row) => labels[row]),
        'int32',
      );
      return tf.mean(tf.cast(tf.equal(tf.argMax(outputs, 1), truth), 'float32')).dataSync()[0];
    });
  const start = performance.now();
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = [...split.train].sort(() => Math.random() - 0.5);
    for (let at = 0; at < order.length; at += 32) {
      const rows = order.slice(at, at + 32);
      tf.tidy(() => {
        const inputs = batchOf(rows);
        const truth = tf.oneHot(
          tf.tensor1d(
            Int32Array.from(rows, (row) => labels[row]),
            'int32',
          ),
          classes.length,
        );
        optimizer.minimize(
          () => tf.losses.softmaxCrossEntropy(truth, model.apply(inputs, { training: true })),
          false,
          variables,
        );
      });
    }
    judge(split.validation);
  }
  const milliseconds = performance.now() - start;
  optimizer.dispose();
  model.dispose();
  return milliseconds;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const show = (value) => Number(value.toPrecision(3));
const say = (what, ratios, goal) =>
  console.log(
    `${what}: ${show(median(ratios))}x (${show(Math.min(...ratios))} to ${show(Math.max(...ratios))}); goal ${goal}`,
  );

const cases = {
  loop: async () => {
    const { names } = await availableBackends('auto');
    for (const backend of names.filter((name) => name !== 'cpu')) {
      await useBackend(loadTensorflow(), backend);
      await bareLoop({ epochs: 1, units: 128 });
      const ratios = [];
      for (let i = 0; i < pairs; i++) {
        await useBackend(loadTensorflow(), backend);
        const theirs = await bareLoop({ epochs: 4, units: 128 });
        const { milliseconds } = await train('mlp-classifier', backend, { epochs: 4 });
        ratios.push(theirs / milliseconds);
      }
      say(`training in a trial beside the bare loop, ${backend}`, ratios, '>= 0.98x');
    }
  },
  wasm: async () => {
    for (const [name, share, goal] of [
      ['cnn-classifier', 0.25, '>= 20x'],
      ['text-classifier, LSTM', 0.1, '>= 10x'],
      ['token-classifier', 0.1, '>= 10x'],
    ]) {
      await train(name, 'wasm', { share });
      const ratios = [];
      for (let i = 0; i < Math.min(3, pairs); i++) {
        const cpu = (await train(name, 'cpu', { share })).milliseconds;
        ratios.push(cpu / (await train(name, 'wasm', { share })).milliseconds);
      }
      say(`${name}, wasm beside cpu`, ratios, goal);
    }
  },
  auto: async () => {
    const { names } = await availableBackends('auto');
    for (const name of Object.keys(MODELS)) {
      const share = SHARES[name] ?? 1;
      const chosen = (await train(name, 'auto', { share, choices: join(folder, `${trials}.json`) })).result;
      const others = names.filter((backend) => backend !== 'cpu' || !/cnn|LSTM|token/.test(name));
      for (const backend of others) await train(name, backend, { share });
      const ratios = [];
      for (let i = 0; i < Math.min(3, pairs); i++) {
        const times = {};
        for (const backend of others) times[backend] = (await train(name, backend, { share })).milliseconds;
        ratios.push(times[chosen.backend] / Math.min(...Object.values(times)));
      }
      say(
        `${name}: auto chose ${chosen.backend} (${chosen.backendReason}); its time beside the best`,
        ratios,
        '<= 1.1x',
      );
    }
  },
  jobs: () => {
    const config = readFileSync(join(root, 'configs', 'quickstart.yaml'), 'utf8');
    const seconds = (jobs, trials) => {
      const place = mkdtempSync(join(folder, 'jobs-'));
      const yaml = join(place, 'sweep.yaml');
      writeFileSync(join(place, 'package.json'), '{}');
      writeFileSync(yaml, config.replace('data/digits.csv.gz', join(root, 'data', 'digits.csv.gz')));
      const set = ['sampler.type=random', 'pruner=nop', 'backup.enabled=false', 'objective.epochs=40', 'backend=wasm'];
      const options = set.flatMap((text) => ['--set', text]);
      const main = join(root, 'dist', 'cli', 'main.js');
      const output = execFileSync(
        process.execPath,
        [main, 'run', yaml, '--json', '--jobs', String(jobs), '--trials', String(trials), ...options],
        { cwd: place, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      );
      return JSON.parse(output).elapsedSeconds;
    };
    // Runs of two lengths are subtracted: start and end of the command count in neither.
    const perTrial = (jobs) => (seconds(jobs, 36) - seconds(jobs, 12)) / 24;
    const ratios = Array.from({ length: Math.min(3, pairs) }, () => perTrial(1) / perTrial(2));
    say('two jobs beside one', ratios, '>= 1.7x on two quiet cores');
  },
};

for (const name of args.length > 0 ? args : Object.keys(cases)) {
  if (cases[name] === undefined) throw new Error(`There is no case ${name}: ${Object.keys(cases).join(', ')}`);
  await cases[name]();
}
