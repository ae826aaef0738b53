import * as z from 'zod';

import type { ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { JsonValue } from '../core/json.js';
import { nearestName } from '../core/nearest-name.js';
import { SCHEDULES } from './learning-rate.js';
import { OPTIMIZERS } from './optimizers.js';

/** A whole number from 1 on. */
export const count = (text: string, most: number) => z.int().min(1).max(most).describe(text);
/** A share below the whole. */
export const fraction = (text: string) => z.number().min(0).lt(1).describe(text);

/** One number for all, or one for each layer; `<name>_0`, `<name>_1`, … win. */
export const perLayer = (each: string, all: string, most: number) =>
  z.union([count(all, most), z.array(count(each, most)).min(1)]);

/** Settings of every trainer: how weights are changed, and how long. Each may be fixed in `objective:` or searched in `parameters:`. */
export const trainingSettings = z.strictObject({
  optimizer: z.enum(OPTIMIZERS).default('adam').describe('How weights are changed.'),
  learning_rate: z.number().positive().max(100).default(0.001).describe('Size of the steps.'),
  momentum: fraction('Momentum of sgd and rmsprop; absent: 0.9 with sgd, none with rmsprop.').optional(),
  weight_decay: z
    .number()
    .min(0)
    .max(10)
    .default(0)
    .describe('Pull of kernels towards 0: decoupled with adamw, else added to the gradient (L2).'),
  clip_norm: z
    .number()
    .min(0)
    .default(0)
    .describe('Longest gradient, over all weights together; a longer one is shortened to it. 0: any.'),
  schedule: z.enum(SCHEDULES).default('constant').describe('How the learning rate falls over the epochs.'),
  decay: z
    .number()
    .positive()
    .max(1)
    .default(0.5)
    .describe('Of the schedules step and exponential: what the learning rate is multiplied by in decay_epochs.'),
  decay_epochs: z
    .number()
    .positive()
    .max(100_000)
    .default(10)
    .describe('Of the schedules step and exponential: epochs between two steps.'),
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

export type TrainingSettings = z.output<typeof trainingSettings>;

/** How classes weigh in what is learnt from. */
export const classWeightSetting = z
  .union([z.enum(['none', 'balanced']), z.record(z.string(), z.number().min(0))])
  .default('none')
  .describe(
    'Weight of each class in what is learnt from: balanced (all classes weigh the same together, however rare), or numbers by name of the class (others: 1).',
  );

/** Settings of one trial, and the members of settings that are given per layer (`units_0`). */
export interface TrialSettings<T> {
  readonly settings: T;
  readonly members: ReadonlyMap<string, number>;
}

/**
 * The settings of one trial: fixed ones, over them the trial's parameters.
 * @throws UsageError naming each key that is wrong.
 */
export function settingsOfTrial<S extends z.ZodObject>(
  schema: S,
  trainer: string,
  fixed: Readonly<Record<string, JsonValue>>,
  params: Readonly<Record<string, ParamValue>>,
): TrialSettings<z.output<S>> {
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

/** One number for each of `layers` layers: `<name>_i` where the trial has it, else the setting's. @throws UsageError out of range. */
export function numberPerLayer(
  name: string,
  layers: number,
  setting: number | readonly number[],
  members: ReadonlyMap<string, number>,
  most = 8192,
): number[] {
  return Array.from({ length: layers }, (_, index) => {
    const own = typeof setting === 'number' ? setting : (setting[index] ?? setting.at(-1));
    const value = members.get(`${name}_${index}`) ?? own;
    if (value !== undefined && Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new UsageError(`${name}_${index} must be a whole number from 1 to ${most}, but is ${String(value)}.`);
  });
}
