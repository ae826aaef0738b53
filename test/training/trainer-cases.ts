import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import type { ParamValue } from '../../src/core/distributions.js';
import type { Trainer, TrainingRequest } from '../../src/training/trainer.js';
import { cnnClassifier } from '../../src/training/trainers/cnn-classifier.js';
import { mlpClassifier } from '../../src/training/trainers/mlp-classifier.js';
import { mlpRegressor } from '../../src/training/trainers/mlp-regressor.js';
import { textClassifier } from '../../src/training/trainers/text-classifier.js';
import { tokenClassifier } from '../../src/training/trainers/token-classifier.js';
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

function sentences(rows: number): string {
  const text = gunzipSync(readFileSync(dataFile('ncbi_disease.conll.gz'))).toString('utf8');
  const path = join(temporaryFolder(), 'ncbi.conll');
  writeFileSync(path, `${text.split('\n\n').slice(0, rows).join('\n\n')}\n`);
  return path;
}

function textCase(name: string, params: Record<string, ParamValue>): TrainerCase {
  return {
    name,
    trainer: textClassifier,
    params: { batch_size: 16, embedding: 6, units: 5, length: 12, word_dropout: 0.1, ...params },
    request: (rows, more) => ({
      trainer: 'text-classifier',
      settings: {},
      data: dataOf(piece('sms_spam.tsv.gz', rows, 1)),
      backend: 'wasm',
      metrics: [{ name: 'val_auc', goal: 'maximize' }],
      ...more,
    }),
  };
}

function tokenCase(name: string, params: Record<string, ParamValue>): TrainerCase {
  return {
    name,
    trainer: tokenClassifier,
    params: { batch_size: 16, embedding: 6, units: 5, length: 15, ...params },
    request: (rows, more) => ({
      trainer: 'token-classifier',
      settings: {},
      data: dataOf(sentences(rows)),
      backend: 'wasm',
      metrics: [{ name: 'val_entity_f1', goal: 'maximize' }],
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
  textCase('text-classifier', { dropout: 0.2, class_weight: 'balanced' }),
  textCase('text-classifier, LSTM', { architecture: 'bilstm', dense: 4, clip_norm: 1 }),
  textCase('text-classifier, mean', { architecture: 'mean', unit: 'characters' }),
  tokenCase('token-classifier', { dropout: 0.2, word_dropout: 0.1, layers: 2, units: 3 }),
  tokenCase('token-classifier, convolutions', { architecture: 'cnn', affixes: false }),
];
