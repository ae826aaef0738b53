import type * as Layers from '@tensorflow/tfjs-layers';

import { addSequence, type SequenceShape } from './sequence.js';

export const TEXT_SUMMARIES = ['max', 'average'] as const;

export interface TextModelShape extends SequenceShape {
  readonly summary: (typeof TEXT_SUMMARIES)[number];
  /** Units of the dense layer before the last; 0: none. */
  readonly dense: number;
  readonly classes: number;
}

/** A class for a text: readers, a summary over all places, dense layers. Kernels are zero. */
export function buildTextModel(api: typeof Layers, shape: TextModelShape): Layers.Sequential {
  const { layers: make } = api;
  const model = api.sequential({ name: 'text' });
  const add = (layer: Layers.layers.Layer): void => {
    model.add(layer);
  };
  addSequence(api, add, shape);
  const isMean = shape.summary === 'average' || shape.units.length === 0;
  add(isMean ? make.globalAveragePooling1d({ name: 'summary' }) : make.globalMaxPooling1d({ name: 'summary' }));
  if (shape.dense > 0) {
    add(make.dense({ units: shape.dense, kernelInitializer: 'zeros', name: 'dense' }));
    add(make.activation({ activation: shape.activation, name: 'activation_dense' }));
    if (shape.dropout > 0) add(make.dropout({ rate: shape.dropout, name: 'dropout_dense' }));
  }
  add(make.dense({ units: shape.classes, kernelInitializer: 'zeros', name: 'output' }));
  add(make.softmax({ name: 'probability' }));
  return model;
}

/** A tag for each place: readers, and a dense layer that is the same at every place. Kernels are zero. */
export function buildTagModel(api: typeof Layers, shape: SequenceShape & { readonly tags: number }): Layers.Sequential {
  const { layers: make } = api;
  const model = api.sequential({ name: 'tags' });
  const add = (layer: Layers.layers.Layer): void => {
    model.add(layer);
  };
  addSequence(api, add, shape);
  add(make.dense({ units: shape.tags, kernelInitializer: 'zeros', name: 'output' }));
  add(make.softmax({ axis: -1, name: 'probability' }));
  return model;
}
