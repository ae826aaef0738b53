import * as z from 'zod';

import { classificationMetrics, classWeights, createClassificationTask } from '../classification-task.js';
import { augmentationSettings } from '../data/images/augmentation.js';
import { imageBatches } from '../data/images/image-batches.js';
import { imageDataSchema, loadImageData } from '../data/images/image-data.js';
import { foldsOf } from '../data/parts.js';
import { ACTIVATIONS } from '../models/activations.js';
import { buildCnn, POOLINGS, SUMMARIES, workOfCnn, type CnnShape } from '../models/cnn.js';
import { drawFirstWeights } from '../models/first-weights.js';
import { trainNetwork, type Recipe } from '../train-network.js';
import type { Trainer } from '../trainer.js';
import {
  classWeightSetting,
  count,
  fraction,
  numberPerLayer,
  perLayer,
  settingsOfTrial,
  trainingSettings,
} from '../training-settings.js';

const type = 'cnn-classifier';

const schema = z.strictObject({
  blocks: count('Blocks of convolutions; each ends in a halving of the image.', 12).default(2),
  filters: perLayer('Filters of a block.', 'Filters of every block.', 2048)
    .default([16, 32])
    .describe(
      'Filters of the convolutions: one number, or one per block (the last stands for those beyond). filters_0, filters_1, … win.',
    ),
  convolutions: count('Convolutions of each block.', 8).default(1),
  kernel_size: count('Side of the filters, in pixels.', 31).default(3),
  separable: z
    .boolean()
    .default(false)
    .describe('Whether convolutions after the first are divided into one per channel and one across channels.'),
  pool: z
    .enum(POOLINGS)
    .default('max')
    .describe(
      'How a block halves the image: by the greatest or the mean of four, by its last convolution’s stride, not.',
    ),
  summary: z
    .enum(SUMMARIES)
    .default('flatten')
    .describe('What of the last block goes on: every value, or the mean or the greatest of each filter.'),
  units: z.int().min(0).max(8192).default(64).describe('Units of the dense layer before the last; 0: none.'),
  activation: z.enum(ACTIVATIONS).default('relu').describe('Activation of convolutions and the dense layer.'),
  batch_norm: z.boolean().default(false).describe('Whether values are normalised over the batch before activations.'),
  dropout: fraction('Share of values left out in each step, after the blocks and after the dense layer.').default(0),
  class_weight: classWeightSetting,
  ...augmentationSettings.shape,
  ...trainingSettings.shape,
});

/** A convolutional network that tells the classes of images. */
export const cnnClassifier: Trainer = {
  type,
  summary: 'Convolutional network that predicts a class from images: folders of PNG or JPEG, IDX files, CSV of pixels.',
  schema,
  data: imageDataSchema,
  metrics: classificationMetrics,
  train: async (request, context) => {
    const { settings, members } = settingsOfTrial(schema, type, request.settings, context.params);
    const recipe = async (fold: number | undefined): Promise<Recipe> => {
      const data = await loadImageData(request.data, { fitOn: request.fitOn, fold });
      const { labels, classes, split, height, width, channels, scaler } = data;
      const weights = classWeights(settings.class_weight, labels, classes, split.train);
      const shape: CnnShape = {
        height,
        width,
        channels,
        filters: numberPerLayer('filters', settings.blocks, settings.filters, members, 2048),
        convolutions: settings.convolutions,
        kernelSize: settings.kernel_size,
        separable: settings.separable,
        pool: settings.pool,
        summary: settings.summary,
        units: settings.units,
        classes: classes.length,
        activation: settings.activation,
        batchNorm: settings.batch_norm,
        dropout: settings.dropout,
      };
      return {
        inputs: imageBatches(data, settings),
        split,
        task: createClassificationTask({ labels, classes: classes.length, weights }),
        contentHash: data.contentHash,
        build: ({ layers }) => buildCnn(layers, shape),
        firstWeights: (model, seed) => drawFirstWeights(model, settings.activation, seed),
        hasHead: true,
        shape: [height, width, channels, ...shape.filters],
        kind: `cnn layers=${settings.blocks * settings.convolutions}${settings.separable ? ' separable' : ''}`,
        work: workOfCnn(shape),
        preprocessing: { columns: [], scaler, classes, image: { height, width, channels } },
      };
    };
    const folds = foldsOf(request.data, request.fitOn);
    return trainNetwork({ trainer: type, metrics: classificationMetrics, settings, folds, recipe }, request, context);
  },
};
