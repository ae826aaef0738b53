import { VERSION } from '../../../core/version.js';
import { GraphBuilder } from './graph-builder.js';
import { convertLayer } from './layer-converters.js';
import { readLayersModel, type StoredModel } from './layers-model.js';
import { encodeOnnx, type OnnxValue } from './onnx-model.js';

/** Names of the one input and the one output of a converted model. */
export const ONNX_INPUT = 'input';
export const ONNX_OUTPUT = 'output';

export interface ConvertedModel {
  readonly bytes: Uint8Array;
  readonly input: OnnxValue;
  /** Numbers in the weights. */
  readonly parameters: number;
}

/**
 * Turns a model of the built-in trainers (layers format of TensorFlow.js, in `folder`) into ONNX (operator set 17). The batch is free;
 * images stay rows × columns × channels at the input, as they were in training. `metadata` is stored with the model.
 * @throws ResweepError for files that cannot be read, and for layers without a conversion
 */
export function convertLayersModel(folder: string, metadata: Readonly<Record<string, string>> = {}): ConvertedModel {
  const model = readLayersModel(folder);
  const input = inputOf(model);
  const graph = new GraphBuilder(ONNX_INPUT, ONNX_OUTPUT, model.inputShape);
  for (const layer of model.layers) convertLayer(graph, layer);
  const bytes = encodeOnnx(graph.finish(model.name, input), { name: 'resweep', version: VERSION }, metadata);
  const parameters = model.layers.reduce(
    (sum, layer) => [...layer.weights.values()].reduce((inner, { data }) => inner + data.length, sum),
    0,
  );
  return { bytes, input, parameters };
}

function inputOf({ layers, inputShape }: StoredModel): OnnxValue {
  // Texts come as numbers of words.
  const isText = layers[0]?.className === 'Embedding';
  return { name: ONNX_INPUT, type: isText ? 'int32' : 'float', shape: ['batch', ...inputShape] };
}
