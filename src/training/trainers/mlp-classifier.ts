import * as z from 'zod';

import { balancedWeights, createClassificationTask } from '../classification-task.js';
import { loadTabularData, tabularDataSchema } from '../data/tabular-data.js';
import { mlpSettings, settingsOfTrial } from '../mlp-settings.js';
import { trainMlp } from '../train-mlp.js';
import type { MetricDescription, Trainer } from '../trainer.js';

const metrics: readonly MetricDescription[] = [
  { name: 'val_accuracy', goal: 'maximize', summary: 'Share of the validation part that is classified rightly.' },
  { name: 'val_loss', goal: 'minimize', summary: 'Cross-entropy on the validation part, in nats.' },
  { name: 'val_macro_f1', goal: 'maximize', summary: 'F1 on the validation part, the mean over classes.' },
  { name: 'accuracy', goal: 'maximize', summary: 'Share of the training part, over the course of the epoch.' },
  { name: 'loss', goal: 'minimize', summary: 'Cross-entropy on the training part, over the course of the epoch.' },
  { name: 'macro_f1', goal: 'maximize', summary: 'F1 on the training part, over the course of the epoch.' },
];

const schema = mlpSettings.extend({
  class_weight: z
    .enum(['none', 'balanced'])
    .default('none')
    .describe('Whether rare classes weigh more in what is learnt from, so that all classes weigh the same.'),
});

/** A multi-layer perceptron that tells the classes of a table's rows. */
export const mlpClassifier: Trainer = {
  type: 'mlp-classifier',
  summary: 'Multi-layer perceptron that predicts a class from the columns of a CSV file.',
  schema,
  data: tabularDataSchema,
  metrics,
  train: async (request, context) => {
    const { settings, members } = settingsOfTrial(schema, 'mlp-classifier', request.settings, context.params);
    const data = loadTabularData('classification', request.data, request.fitOn);
    const { labels, split } = data;
    const classes = data.classes.length;
    const weights = settings.class_weight === 'balanced' ? balancedWeights(labels, classes, split.train) : undefined;
    const task = createClassificationTask({ labels, classes, weights });
    const preprocessing = { classes: data.classes };
    const kind = { trainer: 'mlp-classifier', metrics, data, task, head: 'softmax', preprocessing } as const;
    return trainMlp(kind, request, context, settings, members);
  },
};
