import { z } from 'zod';

import { wilcoxonSignedRankP } from '../algorithms/wilcoxon-signed-rank.js';
import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { isBetter } from '../core/study-direction.js';
import type { StudyView } from '../core/study-view.js';
import type { Pruner } from './pruner.js';

export interface WilcoxonPrunerOptions {
  /** A trial is pruned where it is worse than the best with a p-value below this. @default 0.1 */
  readonly pThreshold?: number | undefined;
  /** Steps that both trials have reported before any pruning; at least 2 are needed anyway. @default 2 */
  readonly nStartupSteps?: number | undefined;
}

interface Best {
  trial: FrozenTrial | undefined;
  consumed: number;
}

/**
 * Compares a trial with the best one step by step, where steps are instances of a problem or folds of a validation, in any order: it is
 * pruned where Wilcoxon's signed-rank test finds it worse. A trial whose mean is no worse than the best one's is never pruned, nor is
 * one with a NaN or infinite report. The rule is that of Optuna's WilcoxonPruner.
 */
export class WilcoxonPruner implements Pruner {
  readonly name = 'wilcoxon';
  readonly #pThreshold: number;
  readonly #nStartupSteps: number;
  readonly #best = new WeakMap<StudyView, Best>();

  /** @throws UsageError for options out of range */
  constructor(options: WilcoxonPrunerOptions = {}) {
    const { pThreshold = 0.1, nStartupSteps = 2 } = options;
    if (!(pThreshold >= 0 && pThreshold <= 1))
      throw new UsageError(`pThreshold must be from 0 to 1, but got ${pThreshold}.`);
    if (!(nStartupSteps >= 0)) throw new UsageError(`nStartupSteps must be 0 or more, but got ${nStartupSteps}.`);
    this.#pThreshold = pThreshold;
    this.#nStartupSteps = nStartupSteps;
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const best = this.#bestOf(study);
    if (best === undefined) return false;
    const own = Object.values(trial.intermediateValues);
    const others = Object.values(best.intermediateValues);
    if (!own.every(Number.isFinite) || !others.every(Number.isFinite)) return false;
    const differences: number[] = [];
    for (const step in trial.intermediateValues) {
      const value = trial.intermediateValues[step];
      const other = best.intermediateValues[step];
      if (value !== undefined && other !== undefined) differences.push(value - other);
    }
    if (differences.length < Math.max(2, this.#nStartupSteps)) return false;
    const isMaximize = study.directions[0] === 'maximize';
    const isNoWorse = isMaximize ? mean(others) <= mean(own) : mean(others) >= mean(own);
    if (isNoWorse) return false;
    return wilcoxonSignedRankP(differences, isMaximize ? 'less' : 'greater') < this.#pThreshold;
  }

  /** The best feasible COMPLETE trial, the earliest of equals. */
  #bestOf(study: StudyView): FrozenTrial | undefined {
    let best = this.#best.get(study);
    if (best === undefined) this.#best.set(study, (best = { trial: undefined, consumed: 0 }));
    const { finished } = study.history;
    const direction = study.directions[0] ?? 'minimize';
    for (; best.consumed < finished.length; best.consumed++) {
      const trial = finished[best.consumed];
      const value = trial?.values?.[0];
      if (trial?.state !== 'COMPLETE' || value === undefined || !trial.isFeasible) continue;
      const known = best.trial?.values?.[0];
      if (
        best.trial === undefined ||
        known === undefined ||
        isBetter(direction, value, known) ||
        (value === known && trial.number < best.trial.number)
      ) {
        best.trial = trial;
      }
    }
    return best.trial;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export const wilcoxonPrunerDefinition = {
  type: 'wilcoxon',
  summary: 'Trials that a signed-rank test finds worse than the best, instance by instance, are pruned',
  schema: z
    .object({
      p_threshold: z.number().min(0).max(1).default(0.1).describe('p-value below which a trial is pruned.'),
      n_startup_steps: z.number().int().min(0).default(2).describe('Steps in common before any pruning.'),
    })
    .strict(),
  create: (options: WilcoxonPrunerOptions) => new WilcoxonPruner(options),
};
