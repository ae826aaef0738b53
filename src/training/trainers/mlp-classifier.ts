import { classificationMetrics, classWeights, createClassificationTask } from '../classification-task.js';
import { foldsOf } from '../data/parts.js';
import { loadTabularData, tabularDataSchema } from '../data/tabular-data.js';
import { mlpRecipe } from '../mlp-plan.js';
import { mlpSettings } from '../mlp-settings.js';
import { trainNetwork } from '../train-network.js';
import type { Trainer } from '../trainer.js';
import { classWeightSetting, settingsOfTrial } from '../training-settings.js';

const type = 'mlp-classifier';
const schema = mlpSettings.extend({ class_weight: classWeightSetting });

/** A multi-layer perceptron that tells the classes of a table's rows. */
export const mlpClassifier: Trainer = {
  type,
  summary: 'Multi-layer perceptron that predicts a class from the columns of a CSV file.',
  schema,
  data: tabularDataSchema,
  metrics: classificationMetrics,
  train: async (request, context) => {
    const trial = settingsOfTrial(schema, type, request.settings, context.params);
    const { settings } = trial;
    const recipe = (fold: number | undefined) => {
      const data = loadTabularData('classification', request.data, { fitOn: request.fitOn, fold });
      const { labels, classes, split } = data;
      const weights = classWeights(settings.class_weight, labels, classes, split.train);
      const task = createClassificationTask({ labels, classes: classes.length, weights });
      return mlpRecipe(data, task, 'softmax', trial, { classes });
    };
    const folds = foldsOf(request.data, request.fitOn);
    return trainNetwork({ trainer: type, metrics: classificationMetrics, settings, folds, recipe }, request, context);
  },
};
