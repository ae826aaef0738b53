import type * as Layers from '@tensorflow/tfjs-layers';

import { createRandom, mixSeed } from '../../core/random.js';
import { varianceFor, type Activation } from './activations.js';
import { uniform } from './first-weights.js';

/** A multi-layer perceptron: dense layers with their activation, normalisation before it and dropout after it, and a last layer. */
export interface MlpShape {
  readonly inputs: number;
  readonly units: readonly number[];
  readonly outputs: number;
  readonly activation: Activation;
  readonly batchNorm: boolean;
  readonly dropout: number;
  /** Applied to the outputs of the saved model; the training works on what comes before it. */
  readonly head: 'softmax' | 'none';
}

/** Builds the model on the current backend, its kernels zero: `drawKernels` gives their first values. */
export function buildMlp(layers: typeof Layers, shape: MlpShape): Layers.Sequential {
  const model = layers.sequential({ name: 'mlp' });
  let inputs = shape.inputs;
  const dense = (units: number, index: number, name: string, useBias: boolean): void => {
    const first = index === 0 ? { inputShape: [inputs] } : {};
    model.add(layers.layers.dense({ units, name, useBias, kernelInitializer: 'zeros', ...first }));
    inputs = units;
  };
  shape.units.forEach((units, index) => {
    // The shift of a normalisation does what a bias would do.
    dense(units, index, `dense_${index}`, !shape.batchNorm);
    if (shape.batchNorm) model.add(layers.layers.batchNormalization({ name: `normalization_${index}` }));
    model.add(layers.layers.activation({ activation: shape.activation, name: `activation_${index}` }));
    if (shape.dropout > 0) model.add(layers.layers.dropout({ rate: shape.dropout, name: `dropout_${index}` }));
  });
  dense(shape.outputs, shape.units.length, 'output', true);
  if (shape.head === 'softmax') model.add(layers.layers.softmax({ name: 'probability' }));
  return model;
}

/** First values of the kernels in order, drawn uniformly: He's variance for rectifiers, LeCun's for selu, else Glorot's. */
export function drawKernels({ inputs, units, outputs, activation }: MlpShape, seed: number): Float32Array[] {
  const widths = [inputs, ...units, outputs];
  return widths.slice(1).map((fanOut, index) => {
    const fanIn = widths[index] ?? 1;
    const random = createRandom(mixSeed(seed, 'kernel', index));
    const isLast = index === units.length;
    return uniform(random, fanIn * fanOut, isLast ? 2 / (fanIn + fanOut) : varianceFor(activation, fanIn, fanOut));
  });
}
