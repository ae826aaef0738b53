import { loadTabularData, tabularDataSchema } from '../data/tabular-data.js';
import { mlpSettings, settingsOfTrial } from '../mlp-settings.js';
import { createRegressionTask } from '../regression-task.js';
import { trainMlp } from '../train-mlp.js';
import type { MetricDescription, Trainer } from '../trainer.js';

const metrics: readonly MetricDescription[] = [
  {
    name: 'val_rmse',
    goal: 'minimize',
    summary: 'Root of the mean squared error on the validation part, in the target’s unit.',
  },
  { name: 'val_mae', goal: 'minimize', summary: 'Mean absolute error on the validation part, in the target’s unit.' },
  { name: 'val_r2', goal: 'maximize', summary: 'Share of the validation part’s variance that is explained.' },
  { name: 'val_loss', goal: 'minimize', summary: 'Mean squared error of the scaled target on the validation part.' },
  {
    name: 'rmse',
    goal: 'minimize',
    summary: 'The same as val_rmse on the training part, over the course of the epoch.',
  },
  { name: 'mae', goal: 'minimize', summary: 'The same as val_mae on the training part, over the course of the epoch.' },
  { name: 'r2', goal: 'maximize', summary: 'The same as val_r2 on the training part, over the course of the epoch.' },
  {
    name: 'loss',
    goal: 'minimize',
    summary: 'The same as val_loss on the training part, over the course of the epoch.',
  },
];

/** A multi-layer perceptron that predicts a number from a table's rows. */
export const mlpRegressor: Trainer = {
  type: 'mlp-regressor',
  summary: 'Multi-layer perceptron that predicts a number from the columns of a CSV file.',
  schema: mlpSettings,
  data: tabularDataSchema,
  metrics,
  train: async (request, context) => {
    const { settings, members } = settingsOfTrial(mlpSettings, 'mlp-regressor', request.settings, context.params);
    const data = loadTabularData('regression', request.data, request.fitOn);
    const { targets, targetScaler } = data;
    const task = createRegressionTask({ targets, unit: targetScaler.divisor[0] ?? 1 });
    const kind = {
      trainer: 'mlp-regressor',
      metrics,
      data,
      task,
      head: 'none',
      preprocessing: { targetScaler },
    } as const;
    return trainMlp(kind, request, context, settings, members);
  },
};
