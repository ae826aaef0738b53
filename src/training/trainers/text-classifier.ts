import * as z from 'zod';

import { classificationMetrics, classWeights, createClassificationTask } from '../classification-task.js';
import { foldsOf } from '../data/parts.js';
import { numberBatches } from '../data/text/number-batches.js';
import { loadTextData, textDataSchema } from '../data/text/text-data.js';
import { buildVocabulary, divide, UNITS } from '../data/text/vocabulary.js';
import { drawFirstWeights } from '../models/first-weights.js';
import { workOfSequence, type SequenceShape } from '../models/sequence.js';
import { buildTextModel, TEXT_SUMMARIES } from '../models/text-model.js';
import { sequenceSettings } from '../sequence-settings.js';
import { trainNetwork, type Recipe } from '../train-network.js';
import type { Trainer } from '../trainer.js';
import { classWeightSetting, count, numberPerLayer, settingsOfTrial } from '../training-settings.js';

const type = 'text-classifier';

const schema = sequenceSettings.extend({
  architecture: z
    .enum(['cnn', 'bilstm', 'mean'])
    .default('cnn')
    .describe(
      'What reads the words: convolutions over neighbours, LSTMs in both directions, or nothing (the mean of the words’ vectors).',
    ),
  summary: z
    .enum(TEXT_SUMMARIES)
    .default('max')
    .describe('What of all places goes on: the greatest or the mean of each value.'),
  dense: z.int().min(0).max(8192).default(0).describe('Units of a dense layer before the last; 0: none.'),
  length: count('Words of a text that are looked at; the rest is cut off.', 10_000).default(50),
  unit: z.enum(UNITS).default('words').describe('What a text is divided into.'),
  lowercase: z.boolean().default(true).describe('Whether capitals are read as small letters.'),
  class_weight: classWeightSetting,
});

/** An embedding with convolutions or LSTMs, that tells the classes of texts. */
export const textClassifier: Trainer = {
  type,
  summary: 'Embedding with convolutions or LSTMs that predicts a class from a text: CSV, TSV or JSONL.',
  schema,
  data: textDataSchema,
  metrics: classificationMetrics,
  train: async (request, context) => {
    const { settings, members } = settingsOfTrial(schema, type, request.settings, context.params);
    const { length, unit, lowercase, architecture } = settings;
    const recipe = (fold: number | undefined): Recipe => {
      const { texts, labels, classes, split, contentHash } = loadTextData(request.data, { fitOn: request.fitOn, fold });
      const words = texts.map((text) => divide(text, unit, lowercase).slice(0, length));
      const training = Array.from(split.train, (row) => words[row] ?? []);
      const vocabulary = buildVocabulary(training, settings.vocabulary, settings.min_count);
      const numbers = new Int32Array(texts.length * length);
      words.forEach((row, index) => {
        numbers.set(row.map(vocabulary.numberOf), index * length);
      });
      const weights = classWeights(settings.class_weight, labels, classes, split.train);
      const layers = architecture === 'mean' ? 0 : settings.layers;
      const shape: SequenceShape = {
        vocabulary: vocabulary.size,
        length,
        features: 1,
        embedding: settings.embedding,
        architecture: architecture === 'mean' ? 'cnn' : architecture,
        units: numberPerLayer('units', layers, settings.units, members, 2048),
        kernelSize: settings.kernel_size,
        activation: settings.activation,
        dropout: settings.dropout,
      };
      const form = { ...shape, dense: settings.dense, classes: classes.length, summary: settings.summary };
      return {
        inputs: numberBatches({ numbers, width: length, wordDropout: settings.word_dropout, every: 1 }),
        split,
        task: createClassificationTask({ labels, classes: classes.length, weights }),
        contentHash,
        build: ({ layers: api }) => buildTextModel(api, form),
        firstWeights: (model, seed) => drawFirstWeights(model, settings.activation, seed),
        hasHead: true,
        shape: [vocabulary.size, ...shape.units],
        kind: `text ${architecture} layers=${layers} length=${length}`,
        work: workOfSequence(shape) + length * settings.embedding,
        preprocessing: {
          columns: [],
          scaler: { offset: [], divisor: [] },
          classes,
          text: { vocabulary: vocabulary.words, length, lowercase, unit },
        },
      };
    };
    const folds = foldsOf(request.data, request.fitOn);
    return trainNetwork({ trainer: type, metrics: classificationMetrics, settings, folds, recipe }, request, context);
  },
};
