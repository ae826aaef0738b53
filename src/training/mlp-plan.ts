import type { TabularData } from './data/tabular-data.js';
import { matrixBatches } from './batches.js';
import type { MlpSettings } from './mlp-settings.js';
import { buildMlp, drawKernels, type MlpShape } from './models/mlp.js';
import type { Preprocessing } from './saved-model.js';
import type { Task } from './task.js';
import type { Recipe } from './train-network.js';
import { numberPerLayer, type TrialSettings } from './training-settings.js';

/** What both perceptrons have in common: the model for a table. */
export function mlpRecipe(
  data: TabularData,
  task: Task,
  head: MlpShape['head'],
  { settings, members }: TrialSettings<MlpSettings>,
  preprocessing: Pick<Preprocessing, 'classes' | 'targetScaler'>,
): Recipe {
  const shape: MlpShape = {
    inputs: data.width,
    units: numberPerLayer('units', settings.layers, settings.units, members),
    outputs: task.outputs,
    activation: settings.activation,
    batchNorm: settings.batch_norm,
    dropout: settings.dropout,
    head,
  };
  const widths = [shape.inputs, ...shape.units, shape.outputs];
  const { columns, scaler } = data;
  return {
    inputs: matrixBatches(data.features, data.width),
    split: data.split,
    task,
    contentHash: data.contentHash,
    build: ({ layers }) => buildMlp(layers, shape),
    firstWeights: (_model, seed) => drawKernels(shape, seed),
    hasHead: head !== 'none',
    shape: [...shape.units],
    kind: ['mlp', `layers=${settings.layers}`, settings.batch_norm ? 'norm' : '', settings.dropout > 0 ? 'dropout' : '']
      .filter((word) => word !== '')
      .join(' '),
    work: widths.slice(1).reduce((sum, width, index) => sum + width * (widths[index] ?? 0), 0),
    preprocessing: { columns, scaler, ...preprocessing },
  };
}
