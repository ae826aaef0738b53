import type * as Layers from '@tensorflow/tfjs-layers';

import type { Activation } from './activations.js';

/** Numbers of words to vectors, and what reads these: one number per layer. */
export interface SequenceShape {
  /** Numbers that there are. */
  readonly vocabulary: number;
  /** Places of a text. */
  readonly length: number;
  /** Numbers at each place. */
  readonly features: number;
  /** Width of each number's vector. */
  readonly embedding: number;
  readonly architecture: 'cnn' | 'bilstm';
  /** Filters of the convolutions, or units of each direction of the LSTMs. */
  readonly units: readonly number[];
  readonly kernelSize: number;
  readonly activation: Activation;
  readonly dropout: number;
}

type Add = (layer: Layers.layers.Layer) => void;

/** Adds embedding and readers to a model: text (length · features numbers) → length × width of the last reader. */
export function addSequence({ layers: make }: typeof Layers, add: Add, shape: SequenceShape): void {
  const { vocabulary, length, features, embedding, units } = shape;
  add(
    make.embedding({
      inputDim: vocabulary,
      outputDim: embedding,
      inputLength: length * features,
      embeddingsInitializer: 'zeros',
      name: 'embedding',
    }),
  );
  if (features > 1) add(make.reshape({ targetShape: [length, features * embedding], name: 'features' }));
  if (shape.dropout > 0) add(make.dropout({ rate: shape.dropout, name: 'dropout_embedding' }));
  units.forEach((width, index) => {
    if (shape.architecture === 'cnn') {
      add(
        make.conv1d({
          filters: width,
          kernelSize: shape.kernelSize,
          padding: 'same',
          kernelInitializer: 'zeros',
          name: `conv_${index}`,
        }),
      );
      add(make.activation({ activation: shape.activation, name: `activation_${index}` }));
    } else {
      const lstm = make.lstm({
        units: width,
        returnSequences: true,
        recurrentActivation: 'sigmoid',
        kernelInitializer: 'zeros',
        recurrentInitializer: 'zeros',
        name: `lstm_${index}`,
      });
      add(make.bidirectional({ layer: lstm, mergeMode: 'concat', name: `bidirectional_${index}` }));
    }
    if (shape.dropout > 0) add(make.dropout({ rate: shape.dropout, name: `dropout_${index}` }));
  });
}

/** Multiplications for one text. */
export function workOfSequence({
  length,
  features,
  embedding,
  architecture,
  units,
  kernelSize,
}: SequenceShape): number {
  let width = features * embedding;
  let work = 0;
  for (const unit of units) {
    work += architecture === 'cnn' ? length * kernelSize * width * unit : length * 8 * unit * (width + unit);
    width = architecture === 'cnn' ? unit : 2 * unit;
  }
  return work;
}

/** Width of what the last reader gives. */
export function widthOfSequence({ features, embedding, architecture, units }: SequenceShape): number {
  const last = units.at(-1);
  return last === undefined ? features * embedding : architecture === 'cnn' ? last : 2 * last;
}
