import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createRandom } from '../../src/core/random.js';
import { convertLayersModel } from '../../src/pipeline/convert/onnx/convert-layers-model.js';
import { loadBackend, useBackend } from '../../src/training/backends.js';
import { saveModel } from '../../src/training/saved-model.js';
import { loadTensorflow, type Tensorflow } from '../../src/training/tensorflow.js';

let tensorflow: Tensorflow;
let folder: string;
beforeAll(async () => {
  tensorflow = loadTensorflow();
  await loadBackend('cpu');
  await useBackend(tensorflow, 'cpu');
  folder = mkdtempSync(join(tmpdir(), 'resweep-onnx-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

type Make = (layers: typeof Layers) => Layers.layers.Layer[];

/** Random weights everywhere, those of normalisations included, and how far ONNX Runtime is from TensorFlow.js on them. */
async function difference(make: Make, inputShape: readonly number[], words?: number): Promise<number> {
  const { tf, layers } = tensorflow;
  const model = layers.sequential({ name: 'model' });
  for (const layer of make(layers)) model.add(layer);
  const random = createRandom(7);
  model.setWeights(
    model.weights.map((weight) => {
      const shape = weight.shape as number[];
      const size = shape.reduce((product, n) => product * n, 1);
      const isVariance = weight.originalName.includes('variance');
      const values = Float32Array.from({ length: size }, () =>
        isVariance ? 0.5 + random.uniform() : 0.5 * random.normal(),
      );
      return tf.tensor(values, shape);
    }),
  );
  const path = join(folder, 'model');
  await saveModel(tensorflow, model, path, { trainer: 'test', columns: [], scaler: { offset: [], divisor: [] } });
  const { bytes, input, parameters } = convertLayersModel(path, { key: 'value' });
  expect(parameters).toBe(model.countParams());
  const batch = 5;
  const size = batch * inputShape.reduce((product, n) => product * n, 1);
  const values = Float32Array.from({ length: size }, () =>
    words === undefined ? random.normal() : Math.floor(random.uniform() * words),
  );
  const expected = (model.predict(tf.tensor(values, [batch, ...inputShape])) as Core.Tensor).dataSync<'float32'>();
  const session = await InferenceSession.create(bytes);
  const shape = [batch, ...inputShape];
  const tensor =
    input.type === 'int32' ? new Tensor('int32', Int32Array.from(values), shape) : new Tensor('float32', values, shape);
  const actual = (await session.run({ input: tensor }))['output'];
  expect(actual?.data.length).toBe(expected.length);
  const output = session.outputMetadata[0];
  expect(output?.isTensor === true && output.shape.slice(1)).toEqual(model.outputs[0]?.shape.slice(1));
  let worst = 0;
  (actual?.data as Float32Array).forEach(
    (value, index) => (worst = Math.max(worst, Math.abs(value - (expected[index] ?? NaN)))),
  );
  return worst;
}

const ACTIVATIONS = ['relu', 'elu', 'selu', 'gelu', 'swish', 'tanh', 'sigmoid', 'softmax', 'linear'] as const;

describe('ONNX Runtime computes what TensorFlow.js does', () => {
  it.each(ACTIVATIONS)('a perceptron with %s', async (activation) => {
    const make: Make = ({ layers }) => [
      layers.dense({ units: 6, inputShape: [4], useBias: false }),
      layers.batchNormalization({}),
      layers.activation({ activation }),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: 3, activation, name: 'output' }),
      layers.softmax({ name: 'input' }),
    ];
    expect(await difference(make, [4])).toBeLessThan(1e-5);
  });

  it.each([
    ['same', 1, 'max'],
    ['same', 2, 'average'],
    ['valid', 1, 'average'],
    ['valid', 2, 'max'],
  ] as const)(
    'a convolutional network: padding %s, stride %i, pooling %s, odd sizes',
    async (padding, strides, pool) => {
      const make: Make = ({ layers }) => [
        layers.conv2d({ filters: 4, kernelSize: 3, padding, strides, inputShape: [11, 9, 2] }),
        layers.batchNormalization({}),
        layers.activation({ activation: 'relu' }),
        layers.separableConv2d({ filters: 5, kernelSize: 2, padding, depthMultiplier: 2 }),
        pool === 'max'
          ? layers.maxPooling2d({ poolSize: 2, strides: 2, padding })
          : layers.averagePooling2d({ poolSize: 2, strides: 2, padding }),
        layers.flatten(),
        layers.dense({ units: 3 }),
      ];
      expect(await difference(make, [11, 9, 2])).toBeLessThan(1e-5);
    },
  );

  it.each(['globalAveragePooling2d', 'globalMaxPooling2d'] as const)('%s', async (pooling) => {
    const make: Make = ({ layers }) => [
      layers.conv2d({ filters: 4, kernelSize: [3, 2], padding: 'same', inputShape: [6, 5, 1], activation: 'elu' }),
      layers[pooling]({}),
      layers.dense({ units: 2 }),
    ];
    expect(await difference(make, [6, 5, 1])).toBeLessThan(1e-5);
  });

  it.each(['globalAveragePooling1d', 'globalMaxPooling1d'] as const)('texts by convolutions, %s', async (pooling) => {
    const make: Make = ({ layers }) => [
      layers.embedding({ inputDim: 12, outputDim: 4, inputLength: 14 }),
      layers.reshape({ targetShape: [7, 8] }),
      layers.conv1d({ filters: 5, kernelSize: 3, padding: 'same', activation: 'gelu' }),
      layers[pooling]({}),
      layers.dense({ units: 3 }),
      layers.softmax({}),
    ];
    expect(await difference(make, [14], 12)).toBeLessThan(1e-5);
  });

  it.each([
    [true, 'sigmoid'],
    [false, 'sigmoid'],
    [true, 'hardSigmoid'],
  ] as const)('LSTMs both ways, each step %s, gates by %s', async (returnSequences, recurrentActivation) => {
    const make: Make = ({ layers }) => [
      layers.embedding({ inputDim: 12, outputDim: 4, inputLength: 6 }),
      layers.bidirectional({
        layer: layers.lstm({
          units: 3,
          returnSequences,
          recurrentActivation,
          recurrentInitializer: 'zeros',
        }),
        mergeMode: 'concat',
      }),
      layers.dense({ units: 4 }),
      layers.softmax({ axis: -1 }),
    ];
    expect(await difference(make, [6], 12)).toBeLessThan(1e-5);
  });

  it.each([true, false])('an LSTM one way, each step %s', async (returnSequences) => {
    const make: Make = ({ layers }) => [
      layers.lstm({ units: 3, returnSequences, recurrentInitializer: 'zeros', inputShape: [5, 2] }),
      layers.dense({ units: 2 }),
    ];
    expect(await difference(make, [5, 2])).toBeLessThan(1e-5);
  });

  it('refuses a layer that it does not know, by name', async () => {
    const make: Make = ({ layers }) => [
      layers.dense({ units: 2, inputShape: [2] }),
      layers.leakyReLU({ name: 'leaky' }),
    ];
    await expect(difference(make, [2])).rejects.toThrow(/leaky is a LeakyReLU, which has no conversion/);
  });
});
