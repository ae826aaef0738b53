import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { messageOf, ResweepError } from '../../../core/errors.js';

/** One layer as the layers format of TensorFlow.js stores it, with its weights by their names without the layer's. */
export interface StoredLayer {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: ReadonlyMap<string, StoredWeight>;
}

export interface StoredWeight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface StoredModel {
  readonly name: string;
  readonly layers: readonly StoredLayer[];
  /** Shape of one input, without the batch. */
  readonly inputShape: readonly number[];
}

interface ModelJson {
  readonly modelTopology: {
    readonly class_name: string;
    readonly config: {
      readonly name?: string;
      readonly layers: readonly { class_name: string; config: Record<string, unknown> }[];
    };
  };
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly { readonly name: string; readonly shape: readonly number[]; readonly dtype: string }[];
  }[];
}

/**
 * Reads a model of the built-in trainers (a sequence of layers) without loading TensorFlow.js.
 * @throws ResweepError where a file is missing, damaged or holds another kind of model
 */
export function readLayersModel(folder: string): StoredModel {
  try {
    const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as ModelJson;
    const { class_name: kind, config } = json.modelTopology;
    if (kind !== 'Sequential') throw new Error(`it is a ${kind} model, not a sequence of layers`);
    const weights = readWeights(folder, json);
    const layers = config.layers.map(({ class_name: className, config: layer }): StoredLayer => {
      const name = String(layer['name']);
      const own = [...weights].filter(([key]) => key.startsWith(`${name}/`));
      return {
        className,
        name,
        config: layer,
        weights: new Map(own.map(([key, weight]) => [key.slice(name.length + 1), weight])),
      };
    });
    const [, ...inputShape] = (layers[0]?.config['batch_input_shape'] ?? []) as number[];
    return { name: config.name ?? 'model', layers, inputShape };
  } catch (error) {
    throw new ResweepError('MODEL_UNREADABLE', `The model in ${folder} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function readWeights(folder: string, json: ModelJson): Map<string, StoredWeight> {
  const found = new Map<string, StoredWeight>();
  for (const { paths, weights } of json.weightsManifest) {
    const bytes = Buffer.concat(paths.map((path) => readFileSync(join(folder, path))));
    let offset = 0;
    for (const { name, shape, dtype } of weights) {
      if (dtype !== 'float32') throw new Error(`the weight ${name} is ${dtype}, not float32`);
      const length = shape.reduce((product, size) => product * size, 1);
      if (offset + 4 * length > bytes.length) throw new Error(`its weights end within ${name}`);
      // A copy: the file's bytes need not lie at a multiple of four.
      const data = new Float32Array(
        bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + 4 * length),
      );
      found.set(name, { shape, data });
      offset += 4 * length;
    }
    if (offset !== bytes.length) throw new Error(`its weights hold ${bytes.length} bytes, not ${offset}`);
  }
  return found;
}
