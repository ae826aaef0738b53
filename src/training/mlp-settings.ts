import * as z from 'zod';

import type { ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { JsonValue } from '../core/json.js';
import { nearestName } from '../core/nearest-name.js';
import { SCHEDULES } from './learning-rate.js';
import { ACTIVATIONS } from './models/mlp.js';
import { OPTIMIZERS } from './optimizers.js';

const count = (text: string, most: number) => z.int().min(1).max(most).describe(text);
const fraction = (text: string) => z.number().min(0).lt(1).describe(text);

/** Settings that both perceptrons have. Each may be fixed in `objective:` or searched in `parameters:`. */
export const mlpSettings = z.strictObject({
  layers: z.int().min(0).max(32).default(2).describe('Hidden layers.'),
  units: z
    .union([count('Units of every hidden layer.', 8192), z.array(count('Units of a layer.', 8192)).min(1)])
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
  optimizer: z.enum(OPTIMIZERS).default('adam').describe('How weights are changed.'),
  learning_rate: z.number().positive().max(100).default(0.001).describe('Size of the steps.'),
  momentum: fraction('Momentum of sgd and rmsprop; absent: 0.9 with sgd, none with rmsprop.').optional(),
  weight_decay: z
    .number()
    .min(0)
    .max(10)
    .default(0)
    .describe('Pull of kernels towards 0: decoupled with adamw, else added to the gradient (L2).'),
  schedule: z.enum(SCHEDULES).default('constant').describe('How the learning rate falls over the epochs.'),
  warmup_epochs: z
    .number()
    .min(0)
    .max(1000)
    .default(0)
    .describe('Epochs over which the learning rate rises at the start.'),
  batch_size: count('Rows per step.', 65_536).default(32),
  epochs: count('Most epochs.', 100_000).default(30),
  patience: z
    .int()
    .min(0)
    .default(0)
    .describe('Epochs without improvement after which a training ends; 0: never early.'),
  min_delta: z.number().min(0).default(0).describe('Least change that counts as an improvement.'),
  monitor: z.string().min(1).optional().describe('Metric that decides which epoch is best; absent: the study’s first.'),
  restore_best: z
    .boolean()
    .default(true)
    .describe('Whether the best epoch’s weights and values count, or the last one’s.'),
});

export type MlpSettings = z.output<typeof mlpSettings>;

/**
 * The settings of one trial: fixed ones, over them the trial's parameters; and the units of each hidden layer.
 * @throws UsageError naming each key that is wrong.
 */
export function settingsOfTrial<S extends z.ZodObject>(
  schema: S,
  trainer: string,
  fixed: Readonly<Record<string, JsonValue>>,
  params: Readonly<Record<string, ParamValue>>,
): { settings: z.output<S>; members: ReadonlyMap<string, number> } {
  const members = new Map<string, number>();
  const merged: Record<string, unknown> = { ...fixed };
  for (const [name, value] of Object.entries(params)) {
    const isMember = !Object.hasOwn(schema.shape, name) && Object.hasOwn(schema.shape, name.replace(/_\d+$/, ''));
    if (isMember && typeof value === 'number') members.set(name, value);
    else merged[name] = value;
  }
  const result = schema.safeParse(merged);
  if (result.success) return { settings: result.data, members };
  const names = Object.keys(schema.shape);
  const problems = result.error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [`${issue.path.join('.')}: ${issue.message}`];
    return issue.keys.map((key) => {
      const near = nearestName(key, names);
      return `${key}: no setting of ${trainer}${near === undefined ? '' : ` (did you mean ${near}?)`}`;
    });
  });
  throw new UsageError(`The trainer ${trainer} cannot take these settings: ${problems.join('; ')}.`);
}

/** Units of each hidden layer. @throws UsageError where a units_i is out of its range. */
export function hiddenUnits(
  settings: Pick<MlpSettings, 'layers' | 'units'>,
  members: ReadonlyMap<string, number>,
): number[] {
  const { layers, units } = settings;
  return Array.from({ length: layers }, (_, index) => {
    const value = members.get(`units_${index}`) ?? (typeof units === 'number' ? units : (units[index] ?? units.at(-1)));
    if (value !== undefined && Number.isInteger(value) && value >= 1 && value <= 8192) return value;
    throw new UsageError(`units_${index} must be a whole number from 1 to 8192, but is ${String(value)}.`);
  });
}
