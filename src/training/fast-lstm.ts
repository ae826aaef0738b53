import type * as Core from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';

import { fetched } from './fetched.js';

/**
 * LSTMs as one operation with a gradient of its own. The layer of TensorFlow.js takes some thirty operations per place of the text,
 * forward and back; here products with the input are taken of all places at once, the recurrent product is one operation per place,
 * and what happens at each unit is a loop over arrays.
 */

/** Whether `applyBidirectional` can stand for this layer. */
export function isBidirectionalLstm(layer: Layers.layers.Layer): boolean {
  if (layer.getClassName() !== 'Bidirectional') return false;
  const { mergeMode, layer: inner } = layer.getConfig() as {
    mergeMode?: string;
    layer?: { className?: string; config?: Readonly<Record<string, unknown>> };
  };
  const { returnSequences, activation, recurrentActivation, useBias, goBackwards } = inner?.config ?? {};
  return (
    mergeMode === 'concat' &&
    inner?.className === 'LSTM' &&
    returnSequences === true &&
    activation === 'tanh' &&
    recurrentActivation === 'sigmoid' &&
    useBias === true &&
    goBackwards !== true
  );
}

/** What the layer gives for a batch of sequences (batch × places × width): both directions' values side by side. */
export function applyBidirectional(tf: typeof Core, layer: Layers.layers.Layer, inputs: Core.Tensor): Core.Tensor {
  const weights = layer.trainableWeights.map((weight) => weight.read());
  const direction = (index: number): Core.Tensor => {
    const [kernel, recurrent, bias] = weights.slice(3 * index, 3 * index + 3);
    if (kernel === undefined || recurrent === undefined || bias === undefined)
      throw new TypeError('The layer has not the weights of two LSTMs.');
    const operation = tf.customGrad((...tensors) => {
      const save = tensors.pop() as unknown as Core.GradSaveFunc;
      const [x, k, r, b] = tensors as Core.Tensor[];
      if (x === undefined || k === undefined || r === undefined || b === undefined) throw new TypeError('No inputs.');
      // Weights live on by themselves; the inputs would be gone by the time of the gradient.
      save([x]);
      const pass = new LstmPass(tf, x, k, r, b, index === 1);
      return {
        value: pass.forward(),
        gradFunc: (slopes: Core.Tensor, [saved = x]: Core.Tensor[]) => pass.backward(slopes, saved),
      };
    });
    return operation(inputs, kernel, recurrent, bias);
  };
  return tf.concat([direction(0), direction(1)], -1);
}

/** One batch through one direction (Hochreiter & Schmidhuber 1997, with forget gates; gates in the order input, forget, cell, output). */
class LstmPass {
  readonly #tf: typeof Core;
  readonly #inputs: Core.Tensor;
  readonly #kernel: Core.Tensor;
  readonly #recurrent: Core.Tensor;
  readonly #bias: Core.Tensor;
  readonly #isReversed: boolean;
  readonly #batch: number;
  readonly #places: number;
  readonly #width: number;
  readonly #units: number;
  /** Place × row × gate × unit, after the gates' functions. */
  readonly #gates: Float32Array;
  /** Place × row × unit: the cells, their tanh, and the values given to the next place; each with zeros before the first place. */
  readonly #cells: Float32Array;
  readonly #tanhs: Float32Array;
  readonly #hidden: Float32Array;

  constructor(
    tf: typeof Core,
    inputs: Core.Tensor,
    kernel: Core.Tensor,
    recurrent: Core.Tensor,
    bias: Core.Tensor,
    isReversed: boolean,
  ) {
    this.#tf = tf;
    [this.#inputs, this.#kernel, this.#recurrent, this.#bias] = [inputs, kernel, recurrent, bias];
    this.#isReversed = isReversed;
    [this.#batch, this.#places, this.#width] = inputs.shape as [number, number, number];
    this.#units = (recurrent.shape as [number, number])[0];
    const size = this.#batch * this.#units;
    this.#gates = new Float32Array(this.#places * size * 4);
    this.#tanhs = new Float32Array(this.#places * size);
    this.#cells = new Float32Array((this.#places + 1) * size);
    this.#hidden = new Float32Array((this.#places + 1) * size);
  }

  /** Where in the text the n-th place that is read stands. */
  #positionOf(place: number): number {
    return this.#isReversed ? this.#places - 1 - place : place;
  }

  forward(): Core.Tensor {
    const tf = this.#tf;
    const [batch, places, units] = [this.#batch, this.#places, this.#units];
    const size = batch * units;
    const fromInputs = fetched(tf, () =>
      tf.matMul(tf.reshape(this.#inputs, [batch * places, this.#width]), this.#kernel),
    );
    const bias = this.#bias.dataSync<'float32'>();
    const given = new Float32Array(batch * places * units);
    const nothing = new Float32Array(4 * size);
    const sums = new Float32Array(4 * units);
    for (let place = 0; place < places; place++) {
      const position = this.#positionOf(place);
      const fromBefore =
        place === 0
          ? nothing
          : this.#times(this.#hidden.slice(place * size, (place + 1) * size), units, this.#recurrent);
      for (let row = 0; row < batch; row++) {
        const input = (row * places + position) * 4 * units;
        const gate = (place * batch + row) * 4 * units;
        for (let i = 0; i < 4 * units; i++) {
          sums[i] = (fromInputs[input + i] ?? 0) + (bias[i] ?? 0) + (fromBefore[row * 4 * units + i] ?? 0);
        }
        for (let unit = 0; unit < units; unit++) {
          const open = sigmoid(sums[unit] ?? 0);
          const keep = sigmoid(sums[units + unit] ?? 0);
          const offered = Math.tanh(sums[2 * units + unit] ?? 0);
          const show = sigmoid(sums[3 * units + unit] ?? 0);
          const at = (place * batch + row) * units + unit;
          const cell = keep * (this.#cells[at] ?? 0) + open * offered;
          const shown = Math.tanh(cell);
          this.#gates[gate + unit] = open;
          this.#gates[gate + units + unit] = keep;
          this.#gates[gate + 2 * units + unit] = offered;
          this.#gates[gate + 3 * units + unit] = show;
          this.#cells[at + size] = cell;
          this.#tanhs[at] = shown;
          this.#hidden[at + size] = show * shown;
          given[(row * places + position) * units + unit] = show * shown;
        }
      }
    }
    return tf.tensor(given, [batch, places, units]);
  }

  /** Slopes by inputs, kernel, recurrent kernel and bias (backpropagation through time). */
  backward(slopes: Core.Tensor, inputs: Core.Tensor): Core.Tensor[] {
    const tf = this.#tf;
    const [batch, places, units] = [this.#batch, this.#places, this.#units];
    const size = batch * units;
    const wanted = slopes.dataSync<'float32'>();
    /** By the sums before the gates' functions, row × position × gate × unit; beside it the hidden values that were met there. */
    const sums = new Float32Array(batch * places * 4 * units);
    const before = new Float32Array(batch * places * units);
    const biases = new Float32Array(4 * units);
    const cellSlopes = new Float32Array(size);
    const turned = tf.transpose(this.#recurrent);
    let fromAfter: Float32Array | undefined;
    for (let place = places - 1; place >= 0; place--) {
      const position = this.#positionOf(place);
      const part = new Float32Array(size * 4);
      for (let row = 0; row < batch; row++) {
        const gate = (place * batch + row) * 4 * units;
        for (let unit = 0; unit < units; unit++) {
          const at = (place * batch + row) * units + unit;
          const here = row * units + unit;
          const slope = (wanted[(row * places + position) * units + unit] ?? 0) + (fromAfter?.[here] ?? 0);
          const open = this.#gates[gate + unit] ?? 0;
          const keep = this.#gates[gate + units + unit] ?? 0;
          const offered = this.#gates[gate + 2 * units + unit] ?? 0;
          const show = this.#gates[gate + 3 * units + unit] ?? 0;
          const shown = this.#tanhs[at] ?? 0;
          const cell = (cellSlopes[here] ?? 0) + slope * show * (1 - shown * shown);
          cellSlopes[here] = cell * keep;
          const start = row * 4 * units + unit;
          part[start] = cell * offered * open * (1 - open);
          part[start + units] = cell * (this.#cells[at] ?? 0) * keep * (1 - keep);
          part[start + 2 * units] = cell * open * (1 - offered * offered);
          part[start + 3 * units] = slope * shown * show * (1 - show);
          before[(row * places + position) * units + unit] = this.#hidden[at] ?? 0;
        }
        const from = part.subarray(row * 4 * units, (row + 1) * 4 * units);
        sums.set(from, (row * places + position) * 4 * units);
        for (let i = 0; i < from.length; i++) biases[i] = (biases[i] ?? 0) + (from[i] ?? 0);
      }
      if (place > 0) fromAfter = this.#times(part, 4 * units, turned);
    }
    return tf.tidy(() => {
      const all = tf.tensor2d(sums, [batch * places, 4 * units]);
      const flat = tf.reshape<Core.Rank.R2>(inputs, [batch * places, this.#width]);
      return [
        tf.reshape(tf.matMul(all, this.#kernel as Core.Tensor2D, false, true), inputs.shape),
        tf.matMul(flat, all, true, false),
        tf.matMul(tf.tensor2d(before, [batch * places, units]), all, true, false),
        tf.tensor1d(biases),
      ];
    });
  }

  /** Rows of `values` times a matrix. */
  #times(values: Float32Array, width: number, matrix: Core.Tensor): Float32Array {
    const tf = this.#tf;
    return fetched(tf, () => tf.matMul(tf.tensor2d(values, [this.#batch, width]), matrix));
  }
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
