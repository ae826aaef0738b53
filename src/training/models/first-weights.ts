import type * as Layers from '@tensorflow/tfjs-layers';

import { createRandom, mixSeed, type Random } from '../../core/random.js';
import { varianceFor, type Activation } from './activations.js';

/**
 * First values of a model's kernels (weights of two dimensions or more), in the order of its trained weights, each from a stream of
 * its own. Kernels before `activation` are drawn uniformly with the variance that fits it, the layer called `output` with Glorot's;
 * recurrent kernels are orthogonal per gate (Saxe et al. 2014); embeddings uniform within ±√(3/width) (Lample et al. 2016).
 */
export function drawFirstWeights(model: Layers.Sequential, activation: Activation, seed: number): Float32Array[] {
  const kernels = model.trainableWeights.filter((weight) => weight.shape.length > 1);
  return kernels.map((weight, index) => {
    const random = createRandom(mixSeed(seed, 'kernel', index));
    const shape = weight.shape.map((size) => size ?? 1);
    const name = weight.originalName;
    const size = shape.reduce((product, n) => product * n, 1);
    const [last = 1, beforeLast = 1] = shape.toReversed();
    if (name.includes('recurrent_kernel')) return orthogonalGates(random, beforeLast, last);
    if (name.includes('embeddings')) return uniform(random, size, 1 / last);
    const field = shape.slice(0, -2).reduce((product, n) => product * n, 1);
    const isDepthwise = name.includes('depthwise_kernel');
    const fanIn = isDepthwise ? field : field * beforeLast;
    const isPlain = name.startsWith('output') || name.includes('lstm');
    return uniform(random, size, varianceFor(isPlain ? 'linear' : activation, fanIn, field * last));
  });
}

/** Values drawn uniformly with this variance and mean 0. */
export function uniform(random: Random, size: number, variance: number): Float32Array {
  const limit = Math.sqrt(3 * variance);
  return Float32Array.from({ length: size }, () => limit * (2 * random.uniform() - 1));
}

/** `rows` × `columns`, in square blocks of orthonormal rows (Gram–Schmidt on normal draws). */
function orthogonalGates(random: Random, rows: number, columns: number): Float32Array {
  const kernel = new Float32Array(rows * columns);
  for (let gate = 0; gate < columns / rows; gate++) {
    const basis: number[][] = [];
    while (basis.length < rows) {
      const vector = Array.from({ length: rows }, () => random.normal());
      for (const other of basis) {
        const product = vector.reduce((sum, value, i) => sum + value * (other[i] ?? 0), 0);
        other.forEach((value, i) => (vector[i] = (vector[i] ?? 0) - product * value));
      }
      const length = Math.hypot(...vector);
      if (length > 1e-6) basis.push(vector.map((value) => value / length));
    }
    basis.forEach((vector, row) => {
      kernel.set(vector, row * columns + gate * rows);
    });
  }
  return kernel;
}
