import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';

import { mixSeed } from '../core/random.js';
import type { BatchSource } from './batches.js';
import { fetched } from './fetched.js';
import { applyBidirectional, isBidirectionalLstm } from './fast-lstm.js';
import { slotsOf, updateArray, type OptimizerSettings, type TrainedArray } from './optimizers.js';
import type { Sums, Task } from './task.js';
import type { Tensorflow } from './tensorflow.js';

/** Most rows, and most input values, that are passed through the model at once when it is only judged. */
const MOST_ROWS_JUDGED = 1024;
const MOST_VALUES_JUDGED = 2 ** 18;
const FEWEST_ROWS_JUDGED = 32;

/** All numbers that training changes, in a fixed order. Arrays are the network's own: copy to keep. */
export interface NetworkState {
  readonly weights: readonly Float32Array[];
  readonly slots: readonly Float32Array[];
}

export interface NetworkOptions {
  readonly model: Layers.Sequential;
  /** Whether the model's last layer turns outputs into probabilities; the task judges what comes before it. */
  readonly hasHead: boolean;
  readonly task: Task;
  readonly inputs: BatchSource;
  readonly optimizer: OptimizerSettings;
  /** Longest gradient over all weights; 0: any. */
  readonly clipNorm: number;
  /** Of dropout and of what the inputs change at random. */
  readonly seed: number;
}

/** A model with its weights at hand, that takes training steps and is judged. Holds tensors until `dispose`. */
export class Network {
  readonly model: Layers.Sequential;
  readonly #tf: typeof Core;
  readonly #options: NetworkOptions;
  readonly #layers: readonly Layers.layers.Layer[];
  readonly #trained: readonly (TrainedArray & { readonly variable: Core.Variable })[];
  /** Running statistics of normalisation: changed by the layers themselves. */
  readonly #running: readonly Core.Variable[];

  constructor({ tf }: Tensorflow, options: NetworkOptions) {
    this.#tf = tf;
    this.#options = options;
    this.model = options.model;
    this.#layers = options.hasHead ? options.model.layers.slice(0, -1) : options.model.layers;
    this.#trained = options.model.trainableWeights.map((weight) => {
      const variable = this.#variableOf(weight);
      const array = variable.dataSync<'float32'>().slice();
      const slots = Array.from({ length: slotsOf(options.optimizer) }, () => new Float32Array(array.length));
      return { variable, weights: array, slots, decays: variable.shape.length > 1 };
    });
    this.#running = options.model.nonTrainableWeights.map((weight) => this.#variableOf(weight));
  }

  /** Number of weights. */
  get parameters(): number {
    return this.state().weights.reduce((sum, array) => sum + array.length, 0);
  }

  /** Replaces the kernels (weights of two dimensions or more), in order. */
  setKernels(kernels: readonly Float32Array[]): void {
    this.#trained
      .filter((array) => array.decays)
      .forEach((array, index) => {
        const kernel = kernels[index];
        if (kernel?.length !== array.weights.length) throw new RangeError(`Kernel ${index} does not fit the model.`);
        array.weights.set(kernel);
        this.#upload(array);
      });
  }

  state(): NetworkState {
    return {
      weights: [
        ...this.#trained.map((array) => array.weights),
        ...this.#running.map((variable) => variable.dataSync<'float32'>()),
      ],
      slots: this.#trained.flatMap((array) => array.slots),
    };
  }

  /** Takes weights, and the optimiser's state where given. @throws RangeError where the sizes do not fit. */
  restore(weights: readonly Float32Array[], slots?: readonly Float32Array[]): void {
    const own = this.state();
    const fits = (mine: readonly Float32Array[], theirs: readonly Float32Array[]): boolean =>
      mine.length === theirs.length && mine.every((array, index) => array.length === theirs[index]?.length);
    if (!fits(own.weights, weights) || (slots !== undefined && !fits(own.slots, slots))) {
      throw new RangeError('The saved weights do not fit the model.');
    }
    this.#trained.forEach((array, index) => {
      array.weights.set(weights[index] ?? []);
      this.#upload(array);
    });
    this.#running.forEach((variable, index) => {
      this.#assign(variable, (weights[this.#trained.length + index] ?? new Float32Array()).slice());
    });
    slots?.forEach((saved, index) => own.slots[index]?.set(saved));
  }

  /**
   * One step of gradient descent on these rows. `step` counts all steps of the training from 1; dropout depends on it and the seed
   * alone. Returns the loss before the step.
   */
  step(rows: Int32Array, sums: Sums, step: number, learningRate: number): number {
    const tf = this.#tf;
    const { task, optimizer } = this.#options;
    let loss = NaN;
    tf.engine().startScope();
    try {
      // The loss and its slope are computed outside of the tensor engine: one operation with a gradient of its own.
      const judged = tf.customGrad((outputs) => {
        const { shape } = outputs as Core.Tensor;
        const gradient = new Float32Array(rows.length * task.outputs);
        loss = task.judge((outputs as Core.Tensor).dataSync<'float32'>(), rows, sums, gradient);
        return {
          value: tf.scalar(loss),
          gradFunc: () => tf.tensor(gradient, shape),
        };
      });
      const inputs = this.#batch(rows, mixSeed(this.#options.seed, 'inputs', step));
      const variables = this.#trained.map((array) => array.variable);
      const { grads } = tf.variableGrads(() => judged(this.#train(inputs, step)), variables);
      const gradients = this.#trained.map((array) => grads[array.variable.name]?.dataSync<'float32'>());
      this.#clip(gradients);
      this.#trained.forEach((array, index) => {
        const gradient = gradients[index];
        if (gradient === undefined) return;
        updateArray(array, gradient, optimizer, learningRate, step);
        this.#upload(array);
      });
    } finally {
      tf.engine().endScope();
    }
    return loss;
  }

  /** Judges rows without learning from them. */
  judge(rows: Int32Array, sums: Sums): void {
    const { task, inputs } = this.#options;
    const fitting = Math.floor(MOST_VALUES_JUDGED / sizeOf(inputs.shape));
    const atOnce = Math.max(FEWEST_ROWS_JUDGED, Math.min(MOST_ROWS_JUDGED, fitting));
    for (let start = 0; start < rows.length; start += atOnce) {
      const part = rows.subarray(start, start + atOnce);
      const outputs = fetched(this.#tf, () => {
        let values: Core.Tensor = this.#batch(part);
        for (const layer of this.#layers) values = this.#apply(layer, values, false);
        return values;
      });
      task.judge(outputs, part, sums);
    }
  }

  dispose(): void {
    this.model.dispose();
  }

  #variableOf(weight: { read(): Core.Tensor }): Core.Variable {
    const variable = weight.read();
    if (!(variable instanceof this.#tf.Variable)) throw new TypeError('A weight of the model is no variable.');
    return variable as Core.Variable;
  }

  #batch(rows: Int32Array, seed?: number): Core.Tensor {
    const { inputs } = this.#options;
    const { shape, dtype } = inputs;
    const size = rows.length * sizeOf(shape);
    const batch = dtype === 'int32' ? new Int32Array(size) : new Float32Array(size);
    inputs.fill(rows, batch, seed);
    return this.#tf.tensor(batch, [rows.length, ...shape], dtype);
  }

  /** Shortens the gradient of all weights together to the longest allowed (Pascanu et al. 2013, algorithm 1). */
  #clip(gradients: (Float32Array | undefined)[]): void {
    const { clipNorm } = this.#options;
    if (clipNorm === 0) return;
    let squares = 0;
    for (const gradient of gradients) {
      for (let i = 0; gradient !== undefined && i < gradient.length; i++) squares += (gradient[i] ?? 0) ** 2;
    }
    const factor = clipNorm / Math.sqrt(squares);
    if (!(factor < 1)) return;
    gradients.forEach((gradient, index) => {
      // The backend's own array: what is fetched of a tensor may not be changed.
      gradients[index] = gradient?.map((value) => value * factor);
    });
  }

  #train(inputs: Core.Tensor, step: number): Core.Tensor {
    let values = inputs;
    this.#layers.forEach((layer, index) => {
      // The dropout layer itself repeats one mask when it is seeded, and no run when it is not.
      if (layer.getClassName() === 'Dropout') {
        const rate = layer.getConfig()['rate'] as number;
        values = this.#tf.mul(values, this.#dropoutMask(values.shape, rate, mixSeed(this.#options.seed, index, step)));
      } else values = this.#apply(layer, values, true);
    });
    return values;
  }

  #apply(layer: Layers.layers.Layer, values: Core.Tensor, training: boolean): Core.Tensor {
    if (isBidirectionalLstm(layer)) return applyBidirectional(this.#tf, layer, values);
    return layer.apply(values, { training }) as Core.Tensor;
  }

  #dropoutMask(shape: number[], rate: number, seed: number): Core.Tensor {
    const mask = new Float32Array(sizeOf(shape));
    const kept = 1 / (1 - rate);
    const threshold = rate * 2 ** 32;
    let state = seed >>> 0;
    for (let i = 0; i < mask.length; i++) {
      // Mulberry32 (Tommy Ettinger): one multiplication chain per number, ample for a mask.
      state = (state + 0x6d2b79f5) >>> 0;
      let bits = Math.imul(state ^ (state >>> 15), state | 1);
      bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
      if ((bits ^ (bits >>> 14)) >>> 0 >= threshold) mask[i] = kept;
    }
    return this.#tf.tensor(mask, shape);
  }

  #upload({ variable, weights }: { variable: Core.Variable; weights: Float32Array }): void {
    // The cpu backend keeps the array itself: it is given the one that updates change in place, and never changes it.
    this.#assign(variable, weights);
  }

  #assign(variable: Core.Variable, values: Float32Array): void {
    const tensor = this.#tf.tensor(values, variable.shape);
    variable.assign(tensor);
    tensor.dispose();
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
