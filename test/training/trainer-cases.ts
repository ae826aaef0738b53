import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import type { ParamValue } from '../../src/core/distributions.js';
import type { Trainer, TrainingRequest } from '../../src/training/trainer.js';
import { cnnClassifier } from '../../src/training/trainers/cnn-classifier.js';
import { mlpClassifier } from '../../src/training/trainers/mlp-classifier.js';
import { mlpRegressor } from '../../src/training/trainers/mlp-regressor.js';
import { dataFile, dataOf, temporaryFolder } from './training-support.js';

/** One form of a trainer's model on a small piece of real data. */
export interface TrainerCase {
  readonly name: string;
  readonly trainer: Trainer;
  readonly params: Readonly<Record<string, ParamValue>>;
  /** A request on `rows` rows of the data. */
  request(rows: number, more?: Partial<TrainingRequest>): TrainingRequest;
}

function piece(name: string, rows: number, skip = 0): string {
  const bytes = readFileSync(dataFile(name));
  const text = name.endsWith('.gz') ? gunzipSync(bytes).toString('utf8') : bytes.toString('utf8');
  const path = join(temporaryFolder(), name.replace(/\.gz$/, ''));
  writeFileSync(
    path,
    `${text
      .split('\n')
      .slice(0, rows + skip)
      .join('\n')}\n`,
  );
  return path;
}

function tableCase(name: string, trainer: Trainer, file: string, metric: string, params = {}): TrainerCase {
  return {
    name,
    trainer,
    params: { batch_size: 16, ...params },
    request: (rows, more) => ({
      trainer: trainer.type,
      settings: {},
      data: dataOf(piece(file, rows, file === 'diabetes.csv' ? 1 : 0), { options: { ...more?.data?.options } }),
      backend: 'wasm',
      metrics: [{ name: metric, goal: metric === 'val_rmse' ? 'minimize' : 'maximize' }],
      ...more,
    }),
  };
}

/** Every built-in trainer, in every form of model that takes other kernels. */
export const TRAINER_CASES: readonly TrainerCase[] = [
  tableCase('mlp-classifier', mlpClassifier, 'digits.csv.gz', 'val_accuracy', { batch_norm: true, dropout: 0.2 }),
  tableCase('mlp-regressor', mlpRegressor, 'diabetes.csv', 'val_rmse', { loss: 'huber', activation: 'gelu' }),
  tableCase('cnn-classifier', cnnClassifier, 'digits.csv.gz', 'val_accuracy', {
    filters: 4,
    units: 16,
    dropout: 0.2,
    shift: 0.1,
    rotate: 10,
    noise: 0.02,
  }),
  tableCase('cnn-classifier, separable', cnnClassifier, 'digits.csv.gz', 'val_accuracy', {
    filters: 4,
    convolutions: 2,
    separable: true,
    pool: 'average',
    summary: 'average',
    batch_norm: true,
  }),
  tableCase('cnn-classifier, strided', cnnClassifier, 'digits.csv.gz', 'val_accuracy', {
    filters: 4,
    kernel_size: 5,
    pool: 'stride',
    summary: 'max',
    units: 0,
    activation: 'swish',
  }),
];
