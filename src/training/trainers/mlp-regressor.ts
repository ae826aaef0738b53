import * as z from 'zod';

import { foldsOf } from '../data/parts.js';
import { loadTabularData, tabularDataSchema } from '../data/tabular-data.js';
import { mlpRecipe } from '../mlp-plan.js';
import { mlpSettings } from '../mlp-settings.js';
import { createRegressionTask, LOSSES } from '../regression-task.js';
import { trainNetwork } from '../train-network.js';
import type { MetricDescription, Trainer } from '../trainer.js';
import { settingsOfTrial } from '../training-settings.js';

const type = 'mlp-regressor';

const ofTheFit = (name: string): string =>
  `The same as val_${name} on the training part, over the course of the epoch.`;

const metrics: readonly MetricDescription[] = [
  {
    name: 'val_rmse',
    goal: 'minimize',
    summary: 'Root of the mean squared error on the validation part, in the target’s unit.',
  },
  { name: 'val_mae', goal: 'minimize', summary: 'Mean absolute error on the validation part, in the target’s unit.' },
  { name: 'val_r2', goal: 'maximize', summary: 'Share of the validation part’s variance that is explained.' },
  { name: 'val_loss', goal: 'minimize', summary: 'The loss of the scaled target on the validation part.' },
  { name: 'rmse', goal: 'minimize', summary: ofTheFit('rmse') },
  { name: 'mae', goal: 'minimize', summary: ofTheFit('mae') },
  { name: 'r2', goal: 'maximize', summary: ofTheFit('r2') },
  { name: 'loss', goal: 'minimize', summary: ofTheFit('loss') },
];

const schema = mlpSettings.extend({
  loss: z
    .enum(LOSSES)
    .default('mse')
    .describe(
      'What is learnt from: the squared error, the absolute error, or squared up to one deviation of the target and absolute beyond (Huber).',
    ),
});

/** A multi-layer perceptron that predicts a number from a table's rows. */
export const mlpRegressor: Trainer = {
  type,
  summary: 'Multi-layer perceptron that predicts a number from the columns of a CSV file.',
  schema,
  data: tabularDataSchema,
  metrics,
  train: async (request, context) => {
    const trial = settingsOfTrial(schema, type, request.settings, context.params);
    const { settings } = trial;
    const recipe = (fold: number | undefined) => {
      const data = loadTabularData('regression', request.data, { fitOn: request.fitOn, fold });
      const { targets, targetScaler } = data;
      const task = createRegressionTask({ targets, unit: targetScaler.divisor[0] ?? 1, loss: settings.loss });
      return mlpRecipe(data, task, 'none', trial, { targetScaler });
    };
    const folds = foldsOf(request.data, request.fitOn);
    return trainNetwork({ trainer: type, metrics, settings, folds, recipe }, request, context);
  },
};
