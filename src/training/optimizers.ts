/**
 * Optimisers on plain arrays. TensorFlow.js's own take a dozen operations per variable and step and, saved and restored, do not
 * continue to the bit (Adam's powers of β are computed anew); these are one loop, the same on every backend, and their whole
 * state is arrays and a count.
 */
export const OPTIMIZERS = ['adam', 'adamw', 'sgd', 'rmsprop'] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];

export interface OptimizerSettings {
  readonly optimizer: OptimizerName;
  /** Of sgd and rmsprop. */
  readonly momentum: number;
  /** adamw: decoupled (Loshchilov & Hutter 2019); others: added to the gradient (L2). */
  readonly weightDecay: number;
}

/** One variable that is trained. Its arrays are changed in place. */
export interface TrainedArray {
  readonly weights: Float32Array;
  /** As many as `slotsOf` says, of the same length, zeros before the first step. */
  readonly slots: readonly Float32Array[];
  /** Biases and normalisation do not decay. */
  readonly decays: boolean;
}

const BETA1 = 0.9;
const BETA2 = 0.999;
const RHO = 0.9;
const EPSILON = 1e-8;

/** Arrays of state that each variable needs. */
export function slotsOf({ optimizer, momentum }: OptimizerSettings): number {
  switch (optimizer) {
    case 'adam':
    case 'adamw':
      return 2;
    case 'rmsprop':
      return momentum > 0 ? 2 : 1;
    case 'sgd':
      return momentum > 0 ? 1 : 0;
  }
}

/** One step. `step` counts from 1. */
export function updateArray(
  array: TrainedArray,
  gradient: Float32Array,
  settings: OptimizerSettings,
  learningRate: number,
  step: number,
): void {
  const { weights, slots } = array;
  const decay = array.decays ? settings.weightDecay : 0;
  const [first, second] = slots;
  switch (settings.optimizer) {
    case 'adam':
    case 'adamw': {
      if (first === undefined || second === undefined) break;
      const decoupled = settings.optimizer === 'adamw';
      adam(weights, gradient, first, second, learningRate, step, decoupled ? 0 : decay, decoupled ? decay : 0);
      return;
    }
    case 'rmsprop':
      if (first === undefined) break;
      rmsprop(weights, gradient, first, second, learningRate, settings.momentum, decay);
      return;
    case 'sgd':
      sgd(weights, gradient, first, learningRate, settings.momentum, decay);
      return;
  }
  throw new RangeError(`${settings.optimizer} needs ${slotsOf(settings)} arrays of state, but has ${slots.length}.`);
}

/** Kingma & Ba 2015, algorithm 1 in the order of its section 2 (bias correction in the step size). */
function adam(
  weights: Float32Array,
  gradient: Float32Array,
  mean: Float32Array,
  square: Float32Array,
  learningRate: number,
  step: number,
  l2: number,
  decoupled: number,
): void {
  const correction = Math.sqrt(1 - BETA2 ** step);
  const rate = (learningRate * correction) / (1 - BETA1 ** step);
  const epsilon = EPSILON * correction;
  const keep = 1 - learningRate * decoupled;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    const slope = (gradient[i] ?? 0) + l2 * weight;
    const m = BETA1 * (mean[i] ?? 0) + (1 - BETA1) * slope;
    const v = BETA2 * (square[i] ?? 0) + (1 - BETA2) * slope * slope;
    mean[i] = m;
    square[i] = v;
    weights[i] = keep * weight - (rate * m) / (Math.sqrt(v) + epsilon);
  }
}

/** Hinton's lecture 6e, with classical momentum as in PyTorch. */
function rmsprop(
  weights: Float32Array,
  gradient: Float32Array,
  square: Float32Array,
  velocity: Float32Array | undefined,
  learningRate: number,
  momentum: number,
  l2: number,
): void {
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    const slope = (gradient[i] ?? 0) + l2 * weight;
    const v = RHO * (square[i] ?? 0) + (1 - RHO) * slope * slope;
    square[i] = v;
    let change = slope / (Math.sqrt(v) + EPSILON);
    if (velocity !== undefined) {
      change += momentum * (velocity[i] ?? 0);
      velocity[i] = change;
    }
    weights[i] = weight - learningRate * change;
  }
}

function sgd(
  weights: Float32Array,
  gradient: Float32Array,
  velocity: Float32Array | undefined,
  learningRate: number,
  momentum: number,
  l2: number,
): void {
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    let change = (gradient[i] ?? 0) + l2 * weight;
    if (velocity !== undefined) {
      change += momentum * (velocity[i] ?? 0);
      velocity[i] = change;
    }
    weights[i] = weight - learningRate * change;
  }
}
