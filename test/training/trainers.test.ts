import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { UsageError } from '../../src/core/errors.js';
import { loadBackend } from '../../src/training/backends.js';
import { loadTabularData } from '../../src/training/data/tabular-data.js';
import { ACTIVATIONS } from '../../src/training/models/activations.js';
import { OPTIMIZERS } from '../../src/training/optimizers.js';
import { loadModel } from '../../src/training/saved-model.js';
import { loadTensorflow } from '../../src/training/tensorflow.js';
import { findTrainer, TRAINERS } from '../../src/training/trainers.js';
import { mlpClassifier } from '../../src/training/trainers/mlp-classifier.js';
import { mlpRegressor } from '../../src/training/trainers/mlp-regressor.js';
import { dataFile, dataOf, digitsRequest, RecordingContext } from './training-support.js';

const quick = { epochs: 5, units: 32, batch_size: 32, learning_rate: 0.01 };

describe('mlp-classifier', () => {
  it('learns the digits on every backend, the same on each, and leaves no tensor', async () => {
    const { tf } = loadTensorflow();
    await loadBackend('wasm');
    const accuracies: number[] = [];
    for (const backend of ['wasm', 'cpu'] as const) {
      const context = new RecordingContext(quick);
      const before = tf.memory().numTensors;
      const result = await mlpClassifier.train(digitsRequest({ backend, judgeTest: true }), context);
      expect(tf.memory().numTensors).toBe(before);
      expect(result.backend).toBe(backend);
      expect(result.values['val_accuracy']).toBeGreaterThan(0.93);
      expect(result.values['test_accuracy']).toBeGreaterThan(0.9);
      expect(result.parameters).toBe(65 * 32 + 33 * 32 + 33 * 10);
      expect(context.reports).toHaveLength(5);
      expect(Math.max(...context.reports.map(({ value }) => value))).toBe(result.values['val_accuracy']);
      const steps = context.checkpoints.map(({ step }) => step);
      expect([steps[0], steps.at(-1)]).toEqual([1, 5]);
      accuracies.push(result.values['val_accuracy'] ?? NaN);
    }
    expect(Math.abs((accuracies[0] ?? 0) - (accuracies[1] ?? 1))).toBeLessThan(0.02);
  });

  it('repeats to the bit, and differs with another seed', async () => {
    const train = async (seed: number) => {
      const context = new RecordingContext({ ...quick, epochs: 2, dropout: 0.3 });
      const result = await mlpClassifier.train(digitsRequest(), Object.assign(context, { seed }));
      return readFileSync(join(result.modelPath, 'weights.bin')).toString('hex');
    };
    const [first, again, other] = [await train(1), await train(1), await train(2)];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('saves a model that gives the values it was judged by', async () => {
    const params = { ...quick, dropout: 0.2, batch_norm: true };
    const result = await mlpClassifier.train(digitsRequest(), new RecordingContext(params));
    const data = loadTabularData('classification', digitsRequest().data);
    const { tf } = loadTensorflow();
    const before = tf.memory().numTensors;
    const { model, preprocessing } = await loadModel(loadTensorflow(), result.modelPath);
    const rows = data.split.validation;
    const inputs = tf.tensor2d(
      Array.from(rows, (row) => [...data.features.subarray(row * data.width, (row + 1) * data.width)]),
    );
    const outputs = model.predict(inputs) as typeof inputs;
    const predicted = tf.tidy(() => tf.argMax(outputs, 1).dataSync());
    const right = rows.filter((row, index) => predicted[index] === data.labels[row]).length;
    expect(right / rows.length).toBeCloseTo(result.values['val_accuracy'] ?? NaN, 10);
    expect(preprocessing).toMatchObject({ trainer: 'mlp-classifier', classes: data.classes });
    expect(preprocessing.columns).toHaveLength(64);
    tf.dispose([inputs, outputs]);
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('trains with every activation and optimiser', async () => {
    const combinations = [
      ...ACTIVATIONS.map((activation) => ({ activation, optimizer: 'adam' })),
      ...OPTIMIZERS.map((optimizer) => ({ activation: 'relu', optimizer })),
    ];
    for (const combination of combinations) {
      const params = {
        ...quick,
        ...combination,
        learning_rate: combination.optimizer === 'sgd' ? 0.05 : 0.01,
        epochs: 2,
      };
      const result = await mlpClassifier.train(digitsRequest(), new RecordingContext(params));
      expect(result.values['val_accuracy'], JSON.stringify(combination)).toBeGreaterThan(0.5);
    }
  });

  it('fits on training and validation part for a final training', async () => {
    const context = new RecordingContext({ ...quick, epochs: 3 });
    const request = digitsRequest({ fitOn: 'train+validation', judgeTest: true });
    const { values } = await mlpClassifier.train(request, context);
    expect(Object.keys(values).sort()).toEqual(
      ['accuracy', 'loss', 'macro_f1', 'test_accuracy', 'test_auc', 'test_loss', 'test_macro_f1'].sort(),
    );
    expect(context.reports.at(-1)?.value).toBe(values['accuracy']);
  });

  it('says that it diverged', async () => {
    const context = new RecordingContext({ ...quick, optimizer: 'sgd', learning_rate: 100, activation: 'elu' });
    const request = digitsRequest({ metrics: [{ name: 'val_loss', goal: 'minimize' }] });
    await expect(mlpClassifier.train(request, context)).rejects.toMatchObject({ code: 'DIVERGED' });
  });

  it('names what is wrong with settings and metrics', async () => {
    const fails = (params: Record<string, string | number>, more = {}) =>
      expect(mlpClassifier.train(digitsRequest(more), new RecordingContext(params))).rejects;
    await fails({ learning_rat: 0.1 }).toThrow(
      /learning_rat: no setting of mlp-classifier \(did you mean learning_rate\?\)/,
    );
    await fails({ dropout: 1 }).toThrow(/dropout/);
    await fails({ layers: 1, units_0: 0 }).toThrow(/units_0 must be a whole number/);
    await fails({}, { metrics: [{ name: 'val_acuracy', goal: 'maximize' }] }).toThrow(/no metric "val_acuracy"/);
    await fails({ dropout: 1 }).toThrow(UsageError);
  });
});

describe('mlp-regressor', () => {
  it('explains the diabetes set better than its mean, with errors in its unit', async () => {
    const request = {
      ...digitsRequest(),
      trainer: 'mlp-regressor',
      data: dataOf(dataFile('diabetes.csv'), { target: 'progression' }),
      metrics: [{ name: 'val_rmse', goal: 'minimize' as const }],
    };
    const result = await mlpRegressor.train(
      request,
      new RecordingContext({ epochs: 25, units: 16, learning_rate: 0.01, weight_decay: 0.01, optimizer: 'adamw' }),
    );
    expect(result.values['val_r2']).toBeGreaterThan(0.3);
    expect(result.values['val_rmse']).toBeGreaterThan(40);
    expect(result.values['val_rmse']).toBeLessThan(65);
    expect(result.values['val_mae']).toBeLessThan(result.values['val_rmse'] ?? 0);
  });
});

describe('the list of trainers', () => {
  it('gives what a configuration needs: a strict schema with defaults for every trainer', () => {
    for (const trainer of TRAINERS) {
      expect(trainer.schema.safeParse({}).success).toBe(true);
      expect(trainer.schema.safeParse({ nonsense: 1 }).success).toBe(false);
      expect(new Set(trainer.metrics.map(({ name }) => name)).size).toBe(trainer.metrics.length);
    }
    expect(() => findTrainer('mlp-clasifier')).toThrow(/There is no trainer "mlp-clasifier"/);
  });
});
