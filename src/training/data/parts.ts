import * as z from 'zod';

import type { DataConfig } from '../../core/sweep-config.js';
import type { TrainingRequest } from '../trainer.js';

/** Keys of `data:` by which every trainer of ours divides its rows, beside `test`, `validation` and `seed`. */
export const partsSchema = z.strictObject({
  stratify: z.boolean().default(true).describe('Whether all parts have the classes in the same proportions.'),
  folds: z
    .int()
    .min(2)
    .max(100)
    .optional()
    .describe(
      'k-fold cross-validation: what is not held out for the test is divided into this many folds, a model is trained for each with that fold as its validation part, and a trial’s values are the means. After each fold the mean so far is reported, so that the pruner can decide between folds. In place of `validation`.',
    ),
});

/** Which part of the data a model is fitted on. */
export interface Part {
  readonly fitOn?: TrainingRequest['fitOn'];
  /** Of k-fold, from 0. */
  readonly fold?: number | undefined;
}

/** Number of folds that a trial trains; undefined: one model, as a final training always is. */
export function foldsOf({ options }: DataConfig, fitOn: TrainingRequest['fitOn']): number | undefined {
  const { folds } = options;
  return typeof folds === 'number' && fitOn !== 'train+validation' ? folds : undefined;
}
