import { ResweepError } from '../../../core/errors.js';
import type { GraphBuilder } from './graph-builder.js';
import type { StoredLayer } from './layers-model.js';
import { transpose, weightOf } from './weights.js';

/** Where ONNX wants the gates (input, output, forget, cell) among Keras' (input, forget, cell, output). */
const GATES = [0, 3, 1, 2] as const;

const ACTIVATIONS: Readonly<Record<string, string>> = {
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  hard_sigmoid: 'HardSigmoid',
  relu: 'Relu',
};

export function convertLstm(graph: GraphBuilder, layer: StoredLayer): void {
  const goesBack = layer.config['go_backwards'] === true;
  addLstm(graph, layer.name, layer.config, [{ layer, prefix: '' }], goesBack ? 'reverse' : 'forward');
}

/** Both directions at once, their results behind each other. */
export function convertBidirectional(graph: GraphBuilder, layer: StoredLayer): void {
  const inner = layer.config['layer'] as { readonly class_name: string; readonly config: Record<string, unknown> };
  if (inner.class_name !== 'LSTM' || layer.config['merge_mode'] !== 'concat') {
    throw new ResweepError(
      'LAYER_UNKNOWN',
      `The layer ${layer.name} is a bidirectional ${inner.class_name} with merge mode ${String(layer.config['merge_mode'])}; only LSTMs with concat have a conversion to ONNX here.`,
    );
  }
  const name = String(inner.config['name']);
  const parts = ['forward', 'backward'].map((direction) => ({ layer, prefix: `${direction}_${name}/` }));
  addLstm(graph, layer.name, inner.config, parts, 'bidirectional');
}

interface Part {
  readonly layer: StoredLayer;
  /** Of its weights' names. */
  readonly prefix: string;
}

function addLstm(
  graph: GraphBuilder,
  name: string,
  config: Readonly<Record<string, unknown>>,
  parts: readonly Part[],
  direction: 'forward' | 'reverse' | 'bidirectional',
): void {
  const units = Number(config['units']);
  const [steps = 1, width = 1] = graph.shape;
  const count = parts.length;
  graph.arrange('last');
  const stacked = (arrays: readonly Float32Array[]): Float32Array => {
    const all = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
    let offset = 0;
    for (const array of arrays) {
      all.set(array, offset);
      offset += array.length;
    }
    return all;
  };
  const kernel = (key: string): Float32Array =>
    stacked(parts.map(({ layer, prefix }) => gatesFirst(weightOf(layer, `${prefix}${key}`), units)));
  // ONNX has a bias for the inputs and one for the state; Keras has their sum.
  const bias = stacked(
    parts.map(({ layer, prefix }) => {
      const own = layer.weights.get(`${prefix}bias`)?.data ?? new Float32Array(4 * units);
      return stacked([reorder(own, units), new Float32Array(4 * units)]);
    }),
  );
  const activations = [config['recurrent_activation'], config['activation'], config['activation']].map((activation) => {
    const onnx = ACTIVATIONS[String(activation)];
    if (onnx === undefined) {
      throw new ResweepError(
        'ACTIVATION_UNKNOWN',
        `The LSTM ${name} has the activation ${String(activation)}, which has no conversion to ONNX here.`,
      );
    }
    return onnx;
  });
  // Sequence first, batch second.
  graph.apply('Transpose', `${name}_steps_first`, [], { perm: [1, 0, 2] });
  graph.apply(
    'LSTM',
    name,
    [
      graph.constant(`${name}_kernel`, [count, 4 * units, width], kernel('kernel')),
      graph.constant(`${name}_recurrent`, [count, 4 * units, units], kernel('recurrent_kernel')),
      graph.constant(`${name}_bias`, [count, 8 * units], bias),
    ],
    { hidden_size: units, direction, activations: Array.from({ length: count }, () => activations).flat() },
  );
  // steps × directions × batch × units
  graph.apply('Transpose', `${name}_batch_first`, [], { perm: [2, 0, 1, 3] });
  graph.apply('Reshape', `${name}_joined`, [
    graph.constant(`${name}_shape`, [3], BigInt64Array.from([-1, steps, count * units].map(BigInt))),
  ]);
  graph.become({ shape: [steps, count * units] });
  if (config['return_sequences'] !== true) lastStep(graph, name, steps, units, direction);
}

/** The state at the end of each direction: the last step going forward, the first going back. */
function lastStep(
  graph: GraphBuilder,
  name: string,
  steps: number,
  units: number,
  direction: 'forward' | 'reverse' | 'bidirectional',
): void {
  const all = graph.value;
  const pick = (step: number, from: number, label: string): string => {
    const constant = (key: string, values: readonly number[]): string =>
      graph.constant(`${name}_${label}_${key}`, [values.length], BigInt64Array.from(values.map(BigInt)));
    const part = graph.node('Slice', `${name}_${label}`, [
      all,
      constant('from', [step, from]),
      constant('to', [step + 1, from + units]),
      constant('axes', [1, 2]),
    ]);
    return graph.node('Flatten', `${name}_${label}_flat`, [part], { axis: 1 });
  };
  const parts =
    direction === 'bidirectional'
      ? [pick(steps - 1, 0, 'forward'), pick(0, units, 'backward')]
      : [pick(direction === 'forward' ? steps - 1 : 0, 0, 'last')];
  const value = parts.length === 1 ? parts[0] : graph.node('Concat', `${name}_last`, parts, { axis: 1 });
  graph.become({ ...(value === undefined ? {} : { value }), shape: [parts.length * units] });
}

/** Inputs × 4·units becomes 4·units × inputs, in the order of gates that ONNX wants. */
function gatesFirst(
  weight: { readonly shape: readonly number[]; readonly data: Float32Array },
  units: number,
): Float32Array {
  const turned = transpose(weight, [1, 0]);
  return reorder(turned.data, units * (weight.shape[0] ?? 1));
}

/** Four blocks of `size` in ONNX' order. */
function reorder(data: Float32Array, size: number): Float32Array {
  const result = new Float32Array(data.length);
  GATES.forEach((gate, index) => {
    result.set(data.subarray(gate * size, (gate + 1) * size), index * size);
  });
  return result;
}
