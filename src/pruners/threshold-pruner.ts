import { z } from 'zod';

import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { StudyView } from '../core/study-view.js';
import type { Pruner } from './pruner.js';
import { isFirstInInterval } from './reports.js';

export interface ThresholdPrunerOptions {
  /** Reports below are pruned. @default none */
  readonly lower?: number | undefined;
  /** Reports above are pruned. @default none */
  readonly upper?: number | undefined;
  /** Steps of each trial before any pruning. @default 0 */
  readonly nWarmupSteps?: number | undefined;
  /** Steps between two decisions, counted from the warm-up. @default 1 */
  readonly intervalSteps?: number | undefined;
}

/** Prunes a trial whose last report is NaN or outside of fixed bounds. The rule is that of Optuna's ThresholdPruner. */
export class ThresholdPruner implements Pruner {
  readonly name = 'threshold';
  readonly #lower: number;
  readonly #upper: number;
  readonly #nWarmupSteps: number;
  readonly #intervalSteps: number;

  /** @throws UsageError without a bound, or for options out of range */
  constructor(options: ThresholdPrunerOptions) {
    const { lower, upper, nWarmupSteps = 0, intervalSteps = 1 } = options;
    if (lower === undefined && upper === undefined) {
      throw new UsageError('ThresholdPruner needs lower or upper, or both.');
    }
    for (const [name, bound] of Object.entries({ lower, upper })) {
      if (bound !== undefined && (typeof bound !== 'number' || Number.isNaN(bound)))
        throw new UsageError(`${name} must be a number, but got ${String(bound)}.`);
    }
    this.#lower = lower ?? -Infinity;
    this.#upper = upper ?? Infinity;
    if (this.#lower > this.#upper)
      throw new UsageError(`lower must not be above upper, but got lower=${this.#lower}, upper=${this.#upper}.`);
    if (!(nWarmupSteps >= 0)) throw new UsageError(`nWarmupSteps must be 0 or more, but got ${nWarmupSteps}.`);
    if (!(intervalSteps >= 1)) throw new UsageError(`intervalSteps must be 1 or more, but got ${intervalSteps}.`);
    this.#nWarmupSteps = nWarmupSteps;
    this.#intervalSteps = intervalSteps;
  }

  prune(_study: StudyView, trial: FrozenTrial): boolean {
    const step = trial.lastStep;
    if (step === undefined || step < this.#nWarmupSteps) return false;
    if (!isFirstInInterval(trial, step, this.#nWarmupSteps, this.#intervalSteps)) return false;
    const value = trial.intermediateValues[step] ?? NaN;
    return Number.isNaN(value) || value < this.#lower || value > this.#upper;
  }
}

export const thresholdPrunerDefinition = {
  type: 'threshold',
  summary: 'Trials that report NaN or a value outside of fixed bounds are pruned',
  schema: z
    .object({
      lower: z.number().optional().describe('Reports below are pruned.'),
      upper: z.number().optional().describe('Reports above are pruned.'),
      n_warmup_steps: z.number().int().min(0).default(0).describe('Steps of each trial before any pruning.'),
      interval_steps: z.number().int().min(1).default(1).describe('Steps between two decisions.'),
    })
    .strict()
    .refine(({ lower, upper }) => lower !== undefined || upper !== undefined, 'lower or upper must be given')
    .refine(({ lower = -Infinity, upper = Infinity }) => lower <= upper, 'lower must not be above upper'),
  create: (options: ThresholdPrunerOptions) => new ThresholdPruner(options),
};
