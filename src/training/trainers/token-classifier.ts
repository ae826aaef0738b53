import * as z from 'zod';

import { classWeights } from '../classification-task.js';
import { foldsOf } from '../data/parts.js';
import { numberBatches } from '../data/text/number-batches.js';
import { loadTaggedData, taggedDataSchema } from '../data/text/tagged-data.js';
import { featureNames, featuresOf } from '../data/text/token-features.js';
import { buildVocabulary } from '../data/text/vocabulary.js';
import { drawFirstWeights } from '../models/first-weights.js';
import { widthOfSequence, workOfSequence, type SequenceShape } from '../models/sequence.js';
import { buildTagModel } from '../models/text-model.js';
import { sequenceSettings } from '../sequence-settings.js';
import { createTaggingTask, taggingMetrics } from '../tagging-task.js';
import { trainNetwork, type Recipe } from '../train-network.js';
import type { Trainer } from '../trainer.js';
import { classWeightSetting, count, numberPerLayer, settingsOfTrial } from '../training-settings.js';

const type = 'token-classifier';

const schema = sequenceSettings.extend({
  architecture: z
    .enum(['cnn', 'bilstm'])
    .default('bilstm')
    .describe('What reads the words: convolutions over neighbours, or LSTMs in both directions.'),
  length: count('Tokens of a sentence that are looked at; those beyond count as tagged O.', 2048).default(64),
  lowercase: z.boolean().default(true).describe('Whether capitals of words are read as small letters.'),
  affixes: z
    .boolean()
    .default(true)
    .describe('Whether the shape of a word, its first and its last three characters are looked at too.'),
  class_weight: classWeightSetting,
});

/** An embedding with LSTMs or convolutions, that tags every token of a sentence. */
export const tokenClassifier: Trainer = {
  type,
  summary: 'Embedding with LSTMs or convolutions that tags each token of a sentence (NER): CoNLL files.',
  schema,
  data: taggedDataSchema,
  metrics: taggingMetrics,
  train: async (request, context) => {
    const { settings, members } = settingsOfTrial(schema, type, request.settings, context.params);
    const { length, lowercase, affixes, architecture } = settings;
    const names = featureNames(affixes);
    const recipe = (fold: number | undefined): Recipe => {
      const { sentences, tags, split, contentHash } = loadTaggedData(request.data, { fitOn: request.fitOn, fold });
      const words = sentences.map(({ tokens }) =>
        tokens.slice(0, length).flatMap((token) => featuresOf(token, lowercase, affixes)),
      );
      const training = Array.from(split.train, (row) => words[row] ?? []);
      const vocabulary = buildVocabulary(training, settings.vocabulary, settings.min_count);
      const width = length * names.length;
      const numbers = new Int32Array(sentences.length * width);
      words.forEach((row, index) => {
        numbers.set(row.map(vocabulary.numberOf), index * width);
      });
      const tagNumbers = new Map(tags.map((tag, index) => [tag, index]));
      const truth = sentences.map((sentence) => Int32Array.from(sentence.tags, (tag) => tagNumbers.get(tag) ?? 0));
      const trained = Int32Array.from(Array.from(split.train, (row) => [...(truth[row] ?? [])]).flat());
      const everyToken = trained.map((_, index) => index);
      const weights = classWeights(settings.class_weight, trained, tags, everyToken);
      const shape: SequenceShape = {
        vocabulary: vocabulary.size,
        length,
        features: names.length,
        embedding: settings.embedding,
        architecture,
        units: numberPerLayer('units', settings.layers, settings.units, members, 2048),
        kernelSize: settings.kernel_size,
        activation: settings.activation,
        dropout: settings.dropout,
      };
      return {
        inputs: numberBatches({ numbers, width, wordDropout: settings.word_dropout, every: names.length }),
        split,
        task: createTaggingTask({ sentences: truth, tags, length, weights }),
        contentHash,
        build: ({ layers: api }) => buildTagModel(api, { ...shape, tags: tags.length }),
        firstWeights: (model, seed) => drawFirstWeights(model, settings.activation, seed),
        hasHead: true,
        shape: [vocabulary.size, tags.length, ...shape.units],
        kind: `tokens ${architecture} layers=${settings.layers} length=${length}`,
        work: workOfSequence(shape) + length * widthOfSequence(shape) * tags.length,
        preprocessing: {
          columns: [],
          scaler: { offset: [], divisor: [] },
          classes: tags,
          text: { vocabulary: vocabulary.words, length, lowercase, unit: 'tokens', features: names },
        },
      };
    };
    const folds = foldsOf(request.data, request.fitOn);
    return trainNetwork({ trainer: type, metrics: taggingMetrics, settings, folds, recipe }, request, context);
  },
};
