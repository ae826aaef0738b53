import * as z from 'zod';

import { ACTIVATIONS } from './models/activations.js';
import { fraction, perLayer, trainingSettings } from './training-settings.js';

/** Settings that both perceptrons have beside those of every trainer. */
export const mlpSettings = z.strictObject({
  layers: z.int().min(0).max(32).default(2).describe('Hidden layers.'),
  units: perLayer('Units of a layer.', 'Units of every hidden layer.', 8192)
    .default(64)
    .describe(
      'Units of the hidden layers: one number, or one per layer (the last stands for those beyond). units_0, units_1, … win.',
    ),
  activation: z.enum(ACTIVATIONS).default('relu').describe('Activation of the hidden layers.'),
  dropout: fraction('Share of the hidden units left out in each step.').default(0),
  batch_norm: z
    .boolean()
    .default(false)
    .describe('Whether hidden layers are normalised over the batch, before the activation.'),
  ...trainingSettings.shape,
});

export type MlpSettings = z.output<typeof mlpSettings>;
