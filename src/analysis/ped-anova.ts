import { paretoSubset } from '../algorithms/pareto-subset.js';
import { gridCounts, scottDensity } from '../algorithms/scott-parzen.js';
import { isSameDistribution, type Distribution } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { StudyView } from '../core/study-view.js';
import { warnOnce } from '../core/warnings.js';
import {
  assessedParams,
  byImportance,
  completeTrials,
  type EvaluateOptions,
  type ImportanceEvaluator,
  type ImportanceTarget,
} from './importance-evaluator.js';

export interface PedAnovaOptions {
  /** The importance is that for reaching this share of the best trials. @default 0.1 */
  readonly targetQuantile?: number;
  /** Trials of this share of the best are what it is compared with. @default 1 */
  readonly regionQuantile?: number;
  /** Compare with where trials were, not with the whole range. @default true */
  readonly evaluateOnLocal?: boolean;
}

/** Trials that a regime (the absence of a parameter, or one distribution of it) must have to count. */
const LEAST_IN_REGIME = 2;

/**
 * PED-ANOVA: how far the density of a parameter among the best trials departs from that among all, as Pearson divergence (Watanabe,
 * Bansal & Hutter, IJCAI 2023); conditional parameters and changed ranges regime by regime (condPED-ANOVA, arXiv:2601.20800).
 * Optuna's default evaluator. Assumes that lower values of a `target` are better.
 */
export class PedAnovaImportanceEvaluator implements ImportanceEvaluator {
  readonly #targetQuantile: number;
  readonly #regionQuantile: number;
  readonly #evaluateOnLocal: boolean;

  /** @throws UsageError unless 0 < targetQuantile < regionQuantile <= 1 */
  constructor(options: PedAnovaOptions = {}) {
    const { targetQuantile = 0.1, regionQuantile = 1, evaluateOnLocal = true } = options;
    if (!(targetQuantile > 0 && targetQuantile < regionQuantile && regionQuantile <= 1)) {
      throw new UsageError(
        `PedAnovaImportanceEvaluator: 0 < targetQuantile < regionQuantile <= 1 must hold, but they are ${targetQuantile} and ${regionQuantile}.`,
      );
    }
    this.#targetQuantile = targetQuantile;
    this.#regionQuantile = regionQuantile;
    this.#evaluateOnLocal = evaluateOnLocal;
  }

  evaluate(study: StudyView, options: EvaluateOptions = {}): Readonly<Record<string, number>> {
    const { target } = options;
    const complete = completeTrials(study);
    const params = assessedParams(complete, options.params);
    const trials = complete.filter((trial) =>
      target === undefined ? trial.values?.every(Number.isFinite) === true : Number.isFinite(target(trial)),
    );
    const nothing = byImportance(params.map((name) => [name, 0]));
    if (trials.length <= 1) {
      warnOnce('There are too few complete trials to tell importances: all parameters are given the same.');
      return nothing;
    }
    const best = bestShare(study, trials, this.#targetQuantile, target);
    const region = bestShare(study, trials, this.#regionQuantile, target);
    if (best.length === 0) return nothing;
    if (best.length === region.length) {
      warnOnce('The best trials are all trials there are: all parameters are given the same importance.');
    }
    const scale = (best.length / region.length) ** 2;
    const isBest = new Set(best);
    return byImportance(
      params.map((name) => {
        let importance = 0;
        for (const { distribution, members } of regimesOf(name, region)) {
          if (distribution === undefined || distribution.single()) continue;
          const good = members.filter((trial) => isBest.has(trial));
          if (good.length === 0) continue;
          const divergence = this.#divergence(name, distribution, good, members);
          importance += ((good.length / best.length) ** 2 / (members.length / region.length)) * divergence;
        }
        return [name, importance * scale] as const;
      }),
    );
  }

  /** Pearson divergence of the good trials' density from that of all (or from the uniform one) on the parameter's grid. */
  #divergence(
    name: string,
    distribution: Distribution,
    good: readonly FrozenTrial[],
    all: readonly FrozenTrial[],
  ): number {
    const densityOf = (trials: readonly FrozenTrial[]): Float64Array =>
      scottDensity(
        gridCounts(
          distribution,
          trials.map((trial) => trial.internalParams[name] ?? NaN),
        ),
        distribution.kind === 'categorical',
      );
    const top = densityOf(good);
    const local = this.#evaluateOnLocal ? densityOf(all) : top.map(() => 1 / top.length);
    let divergence = 0;
    for (const [i, value] of top.entries()) {
      const base = (local[i] as number) + (this.#evaluateOnLocal ? TINY : 0);
      divergence += base * ((value + TINY) / base - 1) ** 2;
    }
    return divergence;
  }
}

/** Keeps quotients of densities finite. */
const TINY = 1e-12;

/** The best share of the trials: by value, ties at the border included; with several objectives by rank and hypervolume. */
function bestShare(
  study: StudyView,
  trials: readonly FrozenTrial[],
  share: number,
  target: ImportanceTarget | undefined,
): readonly FrozenTrial[] {
  if (share === 1) return trials;
  const size = Math.ceil(share * trials.length);
  if (study.directions.length > 1 && target === undefined) {
    const losses = trials.map((trial) =>
      (trial.values ?? []).map((value, i) => (study.directions[i] === 'maximize' ? -value : value)),
    );
    const chosen = new Set(paretoSubset(losses, size));
    return trials.filter((_, i) => chosen.has(i));
  }
  const sign = target === undefined && study.directions[0] === 'maximize' ? -1 : 1;
  const losses = trials.map((trial) => sign * (target === undefined ? (trial.values?.[0] ?? NaN) : target(trial)));
  const limit = losses.toSorted((a, b) => a - b)[size - 1] ?? Infinity;
  return trials.filter((_, i) => (losses[i] as number) <= limit);
}

interface Regime {
  readonly distribution: Distribution | undefined;
  readonly members: FrozenTrial[];
}

/** The trials by the distribution that they had the parameter under (or did not have it), where there are enough. */
function regimesOf(name: string, trials: readonly FrozenTrial[]): Regime[] {
  const regimes: Regime[] = [];
  for (const trial of trials) {
    const distribution = trial.distributions[name];
    const known = regimes.find(({ distribution: other }) =>
      distribution === undefined || other === undefined
        ? distribution === other
        : isSameDistribution(distribution, other),
    );
    if (known === undefined) regimes.push({ distribution, members: [trial] });
    else known.members.push(trial);
  }
  const enough = regimes.filter(({ members }) => members.length >= LEAST_IN_REGIME);
  if (enough.length < regimes.length) {
    warnOnce(`Parameter "${name}" stands in too few trials in some of its forms: its importance may be inaccurate.`);
  }
  return enough;
}
