import { z } from 'zod';

import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { StudyView } from '../core/study-view.js';
import type { Pruner } from './pruner.js';
import { bestReport, isFirstInInterval } from './reports.js';

export interface PercentilePrunerOptions {
  /** Completed trials before any pruning. @default 5 */
  readonly nStartupTrials?: number | undefined;
  /** Steps of each trial before any pruning. @default 0 */
  readonly nWarmupSteps?: number | undefined;
  /** Steps between two decisions, counted from the warm-up. @default 1 */
  readonly intervalSteps?: number | undefined;
  /** Reports of other trials at a step without which nothing is pruned there. @default 1 */
  readonly nMinTrials?: number | undefined;
}

/** Values that completed trials reported, by step, in ascending order; kept up to date as trials complete. */
class StepValues {
  readonly #bySteps = new Map<number, number[]>();
  #consumed = 0;
  #completed = 0;

  /** Takes in the trials that finished since the last call. */
  update(study: StudyView): void {
    const { finished } = study.history;
    for (; this.#consumed < finished.length; this.#consumed++) {
      const trial = finished[this.#consumed];
      if (trial?.state !== 'COMPLETE') continue;
      this.#completed++;
      for (const step in trial.intermediateValues) {
        const value = trial.intermediateValues[step];
        if (value === undefined || Number.isNaN(value)) continue;
        let values = this.#bySteps.get(Number(step));
        if (values === undefined) this.#bySteps.set(Number(step), (values = []));
        values.splice(lowerBound(values, value), 0, value);
      }
    }
  }

  get completed(): number {
    return this.#completed;
  }

  at(step: number): readonly number[] {
    return this.#bySteps.get(step) ?? [];
  }
}

/**
 * Prunes a trial whose best value so far is worse than a percentile of what completed trials reported at the same step: the top
 * `percentile` per cent go on. The rule is that of Optuna's PercentilePruner.
 */
export class PercentilePruner implements Pruner {
  readonly name: string = 'percentile';
  readonly #percentile: number;
  readonly #nStartupTrials: number;
  readonly #nWarmupSteps: number;
  readonly #intervalSteps: number;
  readonly #nMinTrials: number;
  readonly #values = new WeakMap<StudyView, StepValues>();

  /** @throws UsageError for options out of range */
  constructor(percentile: number, options: PercentilePrunerOptions = {}) {
    const { nStartupTrials = 5, nWarmupSteps = 0, intervalSteps = 1, nMinTrials = 1 } = options;
    if (!(percentile >= 0 && percentile <= 100))
      throw new UsageError(`percentile must be from 0 to 100, but got ${percentile}.`);
    if (!(nStartupTrials >= 0)) throw new UsageError(`nStartupTrials must be 0 or more, but got ${nStartupTrials}.`);
    if (!(nWarmupSteps >= 0)) throw new UsageError(`nWarmupSteps must be 0 or more, but got ${nWarmupSteps}.`);
    if (!(intervalSteps >= 1)) throw new UsageError(`intervalSteps must be 1 or more, but got ${intervalSteps}.`);
    if (!(nMinTrials >= 1)) throw new UsageError(`nMinTrials must be 1 or more, but got ${nMinTrials}.`);
    this.#percentile = percentile;
    this.#nStartupTrials = nStartupTrials;
    this.#nWarmupSteps = nWarmupSteps;
    this.#intervalSteps = intervalSteps;
    this.#nMinTrials = nMinTrials;
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const step = trial.lastStep;
    if (step === undefined || step < this.#nWarmupSteps) return false;
    let values = this.#values.get(study);
    if (values === undefined) this.#values.set(study, (values = new StepValues()));
    values.update(study);
    if (values.completed === 0 || values.completed < this.#nStartupTrials) return false;
    if (!isFirstInInterval(trial, step, this.#nWarmupSteps, this.#intervalSteps)) return false;
    const direction = study.directions[0] ?? 'minimize';
    const best = bestReport(trial, direction);
    if (best === undefined) return true; // Nothing but NaN.
    const others = values.at(step);
    if (others.length < this.#nMinTrials) return false;
    const threshold = percentileOf(others, direction === 'maximize' ? 100 - this.#percentile : this.#percentile);
    if (Number.isNaN(threshold)) return false;
    return direction === 'maximize' ? best < threshold : best > threshold;
  }
}

/** Linear interpolation between the two nearest of ascending values, as numpy's nanpercentile; NaN where it lies between opposite infinities. */
function percentileOf(ascending: readonly number[], percentile: number): number {
  const place = (percentile / 100) * (ascending.length - 1);
  const below = Math.floor(place);
  const a = ascending[below] ?? NaN;
  const b = ascending[below + 1];
  const share = place - below;
  if (b === undefined || share === 0 || a === b) return a;
  // numpy interpolates from the nearer end.
  return share < 0.5 ? a + (b - a) * share : b - (b - a) * (1 - share);
}

function lowerBound(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? Infinity) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const percentilePrunerOptionsSchema = z
  .object({
    n_startup_trials: z.number().int().min(0).default(5).describe('Completed trials before any pruning.'),
    n_warmup_steps: z.number().int().min(0).default(0).describe('Steps of each trial before any pruning.'),
    interval_steps: z.number().int().min(1).default(1).describe('Steps between two decisions.'),
    n_min_trials: z
      .number()
      .int()
      .min(1)
      .default(1)
      .describe('Other reports at a step without which nothing is pruned.'),
  })
  .strict();

export const percentilePrunerDefinition = {
  type: 'percentile',
  summary: 'Trials outside the best per cent at the same step are pruned',
  schema: percentilePrunerOptionsSchema.extend({
    percentile: z.number().min(0).max(100).describe('Share of trials that go on, in per cent.'),
  }),
  create: ({ percentile, ...options }: PercentilePrunerOptions & { percentile: number }) =>
    new PercentilePruner(percentile, options),
};
