import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';

import { writeFileAtomically, writeJsonAtomically } from '../core/atomic-file.js';
import { messageOf, ResweepError } from '../core/errors.js';
import type { BatchSource } from './batches.js';
import type { Tensorflow } from './tensorflow.js';

/** Rows of real data as the model is given them, and what it answered: by these a copy or conversion of it is checked. */
export interface ModelExamples {
  readonly rows: number;
  /** Shape of one row. */
  readonly inputShape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  /** rows × inputShape. */
  readonly inputs: Float32Array | Int32Array;
  /** Shape of one answer. */
  readonly outputShape: readonly number[];
  /** rows × outputShape. */
  readonly outputs: Float32Array;
}

const JSON_FILE = 'examples.json';
const DATA_FILE = 'examples.bin';
const MOST_ROWS = 32;
const MOST_BYTES = 256 * 1024;

/** Answers of a model for the first of these rows, as many as fit into a small file; undefined where there are no rows. */
export function examplesOf(
  { tf }: Tensorflow,
  model: Layers.LayersModel,
  source: BatchSource,
  rows: Int32Array,
): ModelExamples | undefined {
  const width = source.shape.reduce((product, size) => product * size, 1);
  const count = Math.min(rows.length, MOST_ROWS, Math.max(1, Math.floor(MOST_BYTES / (4 * width))));
  if (count === 0) return undefined;
  const inputs = source.dtype === 'int32' ? new Int32Array(count * width) : new Float32Array(count * width);
  source.fill(rows.subarray(0, count), inputs);
  const { outputs, shape } = tf.tidy(() => {
    const answer = model.predict(tf.tensor(inputs, [count, ...source.shape], source.dtype)) as Core.Tensor;
    return { outputs: answer.dataSync<'float32'>().slice(), shape: answer.shape };
  });
  return { rows: count, inputShape: source.shape, dtype: source.dtype, inputs, outputShape: shape.slice(1), outputs };
}

/** Writes examples into a model's folder. */
export function writeExamples(folder: string, examples: ModelExamples): void {
  const { inputs, outputs, ...json } = examples;
  const bytes = (array: Float32Array | Int32Array): Buffer =>
    Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  writeFileAtomically(join(folder, DATA_FILE), Buffer.concat([bytes(inputs), bytes(outputs)]));
  writeJsonAtomically(join(folder, JSON_FILE), {
    ...json,
    inputShape: [...json.inputShape],
    outputShape: [...json.outputShape],
  });
}

/** Reads them; undefined where the model has none. @throws ResweepError where they are damaged */
export function readExamples(folder: string): ModelExamples | undefined {
  const path = join(folder, JSON_FILE);
  if (!existsSync(path)) return undefined;
  try {
    const json = JSON.parse(readFileSync(path, 'utf8')) as Omit<ModelExamples, 'inputs' | 'outputs'>;
    const size = (shape: readonly number[]): number => json.rows * shape.reduce((product, n) => product * n, 1);
    const file = readFileSync(join(folder, DATA_FILE));
    const [first, second] = [4 * size(json.inputShape), 4 * size(json.outputShape)];
    if (file.length !== first + second)
      throw new Error(`${DATA_FILE} holds ${file.length} bytes, not ${first + second}`);
    const bytes = new Uint8Array(file).buffer;
    const inputs = json.dtype === 'int32' ? new Int32Array(bytes, 0, first / 4) : new Float32Array(bytes, 0, first / 4);
    return { ...json, inputs, outputs: new Float32Array(bytes, first) };
  } catch (error) {
    throw new ResweepError('MODEL_UNREADABLE', `The examples in ${folder} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
