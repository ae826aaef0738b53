import { ResweepError } from '../../../core/errors.js';
import type { GraphBuilder } from './graph-builder.js';
import type { StoredLayer, StoredWeight } from './layers-model.js';
import { convertBidirectional, convertLstm } from './recurrent-converters.js';
import { transpose, weightOf } from './weights.js';

/** Adds one layer to a graph. */
export type LayerConverter = (graph: GraphBuilder, layer: StoredLayer) => void;

/** By the class name that the layers format stores. */
const CONVERTERS: Readonly<Record<string, LayerConverter>> = {
  InputLayer: () => undefined,
  Dropout: () => undefined,
  SpatialDropout1D: () => undefined,
  GaussianNoise: () => undefined,
  Dense: convertDense,
  Activation: (graph, layer) => {
    activate(graph, String(layer.config['activation']), layer.name);
  },
  Softmax: (graph, { name, config }) => {
    graph.arrange('last');
    graph.apply('Softmax', name, [], { axis: Number(config['axis'] ?? 1) });
  },
  BatchNormalization: convertBatchNormalization,
  Conv2D: convertConvolution,
  Conv1D: convertConvolution,
  SeparableConv2D: convertSeparable,
  MaxPooling2D: convertPooling('MaxPool'),
  AveragePooling2D: convertPooling('AveragePool'),
  MaxPooling1D: convertPooling('MaxPool'),
  AveragePooling1D: convertPooling('AveragePool'),
  GlobalAveragePooling2D: convertGlobal('GlobalAveragePool'),
  GlobalMaxPooling2D: convertGlobal('GlobalMaxPool'),
  GlobalAveragePooling1D: convertGlobal('GlobalAveragePool'),
  GlobalMaxPooling1D: convertGlobal('GlobalMaxPool'),
  Flatten: (graph, { name }) => {
    graph.arrange('last');
    graph.apply('Flatten', name, [], { axis: 1 });
    graph.become({ shape: [product(graph.shape)] });
  },
  Reshape: (graph, { name, config }) => {
    graph.arrange('last');
    const target = config['target_shape'] as readonly number[];
    const free = product(graph.shape) / product(target.filter((size) => size > 0));
    const shape = target.map((size) => (size > 0 ? size : free));
    graph.apply('Reshape', name, [
      graph.constant(`${name}_shape`, [shape.length + 1], BigInt64Array.from([-1, ...shape].map(BigInt))),
    ]);
    graph.become({ shape });
  },
  Embedding: (graph, layer) => {
    const { name } = layer;
    const table = weightOf(layer, 'embeddings');
    const value = graph.node('Gather', name, [graph.constant(`${name}_table`, table.shape, table.data), graph.value], {
      axis: 0,
    });
    graph.become({ value, shape: [...graph.shape, table.shape[1] ?? 1] });
  },
  LSTM: convertLstm,
  Bidirectional: convertBidirectional,
};

/** Adds a layer. @throws ResweepError for one that the built-in trainers do not use */
export function convertLayer(graph: GraphBuilder, layer: StoredLayer): void {
  const convert = CONVERTERS[layer.className];
  if (convert === undefined) {
    throw new ResweepError(
      'LAYER_UNKNOWN',
      `The layer ${layer.name} is a ${layer.className}, which has no conversion to ONNX here.`,
      { hint: `Those that have one: ${Object.keys(CONVERTERS).join(', ')}.` },
    );
  }
  convert(graph, layer);
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

function convertDense(graph: GraphBuilder, layer: StoredLayer): void {
  const { name } = layer;
  graph.arrange('last');
  const kernel = weightOf(layer, 'kernel');
  const bias = layer.weights.get('bias');
  const weights = graph.constant(`${name}_kernel`, kernel.shape, kernel.data);
  const biasName = bias === undefined ? [] : [graph.constant(`${name}_bias`, bias.shape, bias.data)];
  if (graph.shape.length === 1) graph.apply('Gemm', name, [weights, ...biasName]);
  else {
    graph.apply('MatMul', name, [weights]);
    if (biasName.length > 0) graph.apply('Add', `${name}_shifted`, biasName);
  }
  graph.become({ shape: [...graph.shape.slice(0, -1), kernel.shape[1] ?? 1] });
  activate(graph, activationOf(layer), name);
}

function convertBatchNormalization(graph: GraphBuilder, layer: StoredLayer): void {
  const { name, config } = layer;
  graph.arrange('first');
  const channels = graph.shape.at(-1) ?? 1;
  const constant = (key: string, fallback: number): string => {
    const data = layer.weights.get(key)?.data ?? new Float32Array(channels).fill(fallback);
    return graph.constant(`${name}_${key}`, [channels], data);
  };
  const inputs = [
    constant('gamma', 1),
    constant('beta', 0),
    constant('moving_mean', 0),
    constant('moving_variance', 1),
  ];
  graph.apply('BatchNormalization', name, inputs, { epsilon: { float: Number(config['epsilon'] ?? 1e-3) } });
}

/** Kernel rows … × channels in × channels out becomes channels out × channels in × rows …. */
function convertConvolution(graph: GraphBuilder, layer: StoredLayer): void {
  const kernel = weightOf(layer, 'kernel');
  const places = kernel.shape.length - 2;
  const spatial = Array.from({ length: places }, (_, index) => index);
  addConvolution(graph, layer, layer.name, transpose(kernel, [places + 1, places, ...spatial]), {
    bias: layer.weights.get('bias'),
    strides: sizes(layer.config['strides'], places),
    dilations: sizes(layer.config['dilation_rate'], places),
    groups: 1,
  });
  activate(graph, activationOf(layer), layer.name);
}

/** A convolution of each channel by itself, then one of one place that mixes the channels. */
function convertSeparable(graph: GraphBuilder, layer: StoredLayer): void {
  const { name, config } = layer;
  const depthwise = weightOf(layer, 'depthwise_kernel');
  const [rows = 1, columns = 1, channels = 1, multiplier = 1] = depthwise.shape;
  const perChannel = transpose(depthwise, [2, 3, 0, 1]);
  addConvolution(
    graph,
    layer,
    `${name}_depthwise`,
    { data: perChannel.data, shape: [channels * multiplier, 1, rows, columns] },
    { strides: sizes(config['strides'], 2), dilations: sizes(config['dilation_rate'], 2), groups: channels },
  );
  addConvolution(graph, layer, name, transpose(weightOf(layer, 'pointwise_kernel'), [3, 2, 0, 1]), {
    bias: layer.weights.get('bias'),
    strides: [1, 1],
    dilations: [1, 1],
    groups: 1,
  });
  activate(graph, activationOf(layer), name);
}

function addConvolution(
  graph: GraphBuilder,
  layer: StoredLayer,
  name: string,
  kernel: StoredWeight,
  how: {
    readonly bias?: StoredWeight | undefined;
    readonly strides: readonly number[];
    readonly dilations: readonly number[];
    readonly groups: number;
  },
): void {
  graph.arrange('first');
  const [filters = 1, , ...window] = kernel.shape;
  const isSame = layer.config['padding'] === 'same';
  const inputs = [graph.constant(`${name}_kernel`, kernel.shape, kernel.data)];
  if (how.bias !== undefined) inputs.push(graph.constant(`${name}_bias`, how.bias.shape, how.bias.data));
  graph.apply('Conv', name, inputs, {
    kernel_shape: window,
    strides: how.strides,
    dilations: how.dilations,
    group: how.groups,
    auto_pad: isSame ? 'SAME_UPPER' : 'VALID',
  });
  const reach = window.map((size, index) => (size - 1) * (how.dilations[index] ?? 1) + 1);
  graph.become({ shape: [...shrink(graph.shape, reach, how.strides, isSame), filters] });
}

function convertPooling(op: 'MaxPool' | 'AveragePool'): LayerConverter {
  return (graph, { name, config }) => {
    const places = graph.shape.length - 1;
    const window = sizes(config['pool_size'], places);
    const strides = sizes(config['strides'] ?? config['pool_size'], places);
    const isSame = config['padding'] === 'same';
    graph.arrange('first');
    // Both leave out what lies beyond the border: AveragePool counts it only where asked to.
    graph.apply(op, name, [], { kernel_shape: window, strides, auto_pad: isSame ? 'SAME_UPPER' : 'VALID' });
    graph.become({ shape: [...shrink(graph.shape, window, strides, isSame), graph.shape.at(-1) ?? 1] });
  };
}

function convertGlobal(op: 'GlobalAveragePool' | 'GlobalMaxPool'): LayerConverter {
  return (graph, { name }) => {
    graph.arrange('first');
    graph.apply(op, name);
    graph.apply('Flatten', `${name}_flat`, [], { axis: 1 });
    graph.become({ shape: [graph.shape.at(-1) ?? 1], layout: 'last' });
  };
}

/** Sizes of the places after a window has gone over them. */
function shrink(
  shape: readonly number[],
  window: readonly number[],
  strides: readonly number[],
  isSame: boolean,
): number[] {
  return window.map((size, index) => {
    const length = shape[index] ?? 1;
    const stride = strides[index] ?? 1;
    return isSame ? Math.ceil(length / stride) : Math.floor((length - size) / stride) + 1;
  });
}

function sizes(value: unknown, count: number): number[] {
  if (Array.isArray(value)) return value.map(Number);
  return new Array<number>(count).fill(typeof value === 'number' ? value : 1);
}

function activationOf(layer: StoredLayer): string {
  const { activation } = layer.config;
  return typeof activation === 'string' ? activation : 'linear';
}

const PLAIN: Readonly<Record<string, string>> = {
  relu: 'Relu',
  elu: 'Elu',
  selu: 'Selu',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  hard_sigmoid: 'HardSigmoid',
  softplus: 'Softplus',
  softsign: 'Softsign',
};

/** Adds an activation, by its name in the layers format. @throws ResweepError for an unknown one */
function activate(graph: GraphBuilder, activation: string, name: string): void {
  const own = `${name}_${activation}`;
  const plain = PLAIN[activation];
  if (plain !== undefined) {
    graph.apply(plain, own);
    return;
  }
  const input = graph.value;
  switch (activation) {
    case 'linear':
      return;
    case 'softmax':
      graph.arrange('last');
      graph.apply('Softmax', own, [], { axis: -1 });
      return;
    case 'swish':
      graph.apply('Sigmoid', `${own}_gate`);
      graph.apply('Mul', own, [input]);
      return;
    case 'gelu': {
      // x · (1 + erf(x/√2)) / 2
      const scalar = (key: string, value: number): string =>
        graph.constant(`${own}_${key}`, [], Float32Array.of(value));
      graph.apply('Div', `${own}_scaled`, [scalar('root', Math.SQRT2)]);
      graph.apply('Erf', `${own}_erf`);
      graph.apply('Add', `${own}_shifted`, [scalar('one', 1)]);
      graph.apply('Mul', `${own}_product`, [input]);
      graph.apply('Mul', own, [scalar('half', 0.5)]);
      return;
    }
    default:
      throw new ResweepError('ACTIVATION_UNKNOWN', `The activation ${activation} has no conversion to ONNX here.`);
  }
}
