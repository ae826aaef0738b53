import { logExpectedImprovement } from './expected-improvement.js';
import type { ExtraTrees } from './extra-trees.js';
import type { GaussianProcess } from './gaussian-process.js';

/** What the two surrogates count for, adding up to 1. */
export interface EnsembleWeights {
  readonly trees: number;
  readonly process: number;
}

/**
 * A Gaussian process and extremely randomised trees as one predictive distribution: the mixture of theirs, taken as normal with its
 * mean and variance. Where they disagree, that counts as uncertainty.
 */
export class SurrogateEnsemble {
  readonly process: GaussianProcess;
  readonly trees: ExtraTrees | undefined;
  readonly weights: EnsembleWeights;

  constructor(process: GaussianProcess, trees: ExtraTrees | undefined, weights: EnsembleWeights) {
    this.process = process;
    this.trees = trees;
    this.weights = trees === undefined ? { trees: 0, process: 1 } : weights;
  }

  /** Mean and variance of the mixture at one point. */
  predictOne(point: Float64Array): { mean: number; variance: number } {
    const mean = new Float64Array(1);
    const variance = new Float64Array(1);
    this.process.predict([point], mean, variance);
    const a = mean[0] as number;
    const va = variance[0] as number;
    if (this.trees === undefined) return { mean: a, variance: va };
    this.trees.predict([point], mean, variance);
    return this.#mix(a, va, mean[0] as number, variance[0] as number);
  }

  #mix(processMean: number, processVariance: number, treesMean: number, treesVariance: number) {
    const { process: p, trees: t } = this.weights;
    const mean = p * processMean + t * treesMean;
    const variance =
      p * (processVariance + processMean * processMean) + t * (treesVariance + treesMean * treesMean) - mean * mean;
    return { mean, variance: Math.max(variance, 0) };
  }

  /**
   * The candidates of largest log expected improvement plus `bonus`, best first. The Gaussian process' variance is worked out only
   * where its cheap bound leaves a chance: improvement grows with variance, so the answer is exact.
   */
  best(
    candidates: readonly Float64Array[],
    count: number,
    incumbent: number,
    bonus?: (point: Float64Array) => number,
  ): { index: number; score: number }[] {
    const n = candidates.length;
    const processMeans = new Float64Array(n);
    const bounds = new Float64Array(n);
    this.process.predictBounds(candidates, processMeans, bounds);
    const treesMeans = new Float64Array(n);
    const treesVariances = new Float64Array(n);
    this.trees?.predict(candidates, treesMeans, treesVariances);
    const extra = bonus === undefined ? undefined : candidates.map(bonus);
    const { process: p, trees: t } = this.weights;
    const scoreAt = (i: number, processVariance: number): number => {
      const a = processMeans[i] as number;
      const b = treesMeans[i] as number;
      const mean = p * a + t * b;
      const variance = p * (processVariance + a * a) + t * ((treesVariances[i] as number) + b * b) - mean * mean;
      return logExpectedImprovement(mean, Math.sqrt(Math.max(variance, 0)), incumbent) + (extra?.[i] ?? 0);
    };
    const upper = bounds.map((bound, i) => scoreAt(i, bound));
    const least = count > 1 ? -Infinity : this.#leastOf(candidates, upper, scoreAt);
    const order: number[] = [];
    for (let i = 0; i < n; i++) if ((upper[i] as number) >= least) order.push(i);
    order.sort((a, b) => (upper[b] as number) - (upper[a] as number) || a - b);
    const found: { index: number; score: number }[] = [];
    for (const index of order) {
      if (found.length === count && (upper[index] as number) <= (found[count - 1]?.score ?? -Infinity)) break;
      const score = scoreAt(index, this.process.varianceAt(candidates[index] as Float64Array));
      let place = found.length;
      while (place > 0 && (found[place - 1]?.score ?? 0) < score) place--;
      found.splice(place, 0, { index, score });
      if (found.length > count) found.pop();
    }
    return found;
  }
  /** What the best of all has at least: the score where the bound is highest. */
  #leastOf(
    candidates: readonly Float64Array[],
    upper: Float64Array,
    scoreAt: (i: number, processVariance: number) => number,
  ): number {
    let highest = -1;
    for (let i = 0; i < upper.length; i++)
      if (highest < 0 || (upper[i] as number) > (upper[highest] as number)) highest = i;
    return highest < 0 ? -Infinity : scoreAt(highest, this.process.varianceAt(candidates[highest] as Float64Array));
  }
}
