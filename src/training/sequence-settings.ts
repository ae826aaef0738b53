import * as z from 'zod';

import { ACTIVATIONS } from './models/activations.js';
import { count, fraction, perLayer, trainingSettings } from './training-settings.js';

/** Settings of trainers of texts beside those of every trainer. */
export const sequenceSettings = z.strictObject({
  architecture: z
    .enum(['cnn', 'bilstm'])
    .default('cnn')
    .describe('What reads the words: convolutions over neighbours, or LSTMs in both directions.'),
  embedding: count('Width of the vector of each word.', 2048).default(32),
  layers: z.int().min(1).max(8).default(1).describe('Convolutions or pairs of LSTMs behind each other.'),
  units: perLayer('Filters, or units of each direction, of a layer.', 'The same of every layer.', 2048)
    .default(32)
    .describe(
      'Filters of the convolutions, or units of each direction of the LSTMs: one number, or one per layer. units_0, units_1, … win.',
    ),
  kernel_size: count('Words that a convolution sees at once.', 31).default(3),
  activation: z.enum(ACTIVATIONS).default('relu').describe('Activation of convolutions and dense layers.'),
  dropout: fraction('Share of values left out in each step, after the embedding and after each layer.').default(0),
  word_dropout: fraction('Share of the words that training does not see, each time other ones.').default(0),
  vocabulary: count('Most words that are told apart: the most frequent of the training part.', 1_000_000).default(
    10_000,
  ),
  min_count: count('Times that a word must occur in the training part to be told apart.', 1_000_000).default(2),
  ...trainingSettings.shape,
});
