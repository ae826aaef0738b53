import { logExpectedImprovement } from './expected-improvement.js';
import type { ExtraTrees } from './extra-trees.js';
import type { GaussianProcess } from './gaussian-process.js';

/** Covariances of candidates with all rows, of one search after another: of use only while the best candidate is sought. */
let covariances = new Float64Array(0);

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
  readonly #noiseFactor: number;
  readonly #deviationFactor: number;

  /**
   * @param noiseFactor how many times the process' noise counts as a chance to improve: what is to be beaten is the best result, which
   * had luck of its own, so that among points of like expectation a well known one promises as much as one hardly known. The trees'
   * spread holds the noise anyhow. 0: only what the function itself may do counts.
   * @param deviationFactor what the standard deviation is multiplied by where improvement is expected of it: above 1, more is tried
   * where little is known
   */
  constructor(
    process: GaussianProcess,
    trees: ExtraTrees | undefined,
    weights: EnsembleWeights,
    noiseFactor = 0,
    deviationFactor = 1,
  ) {
    this.process = process;
    this.trees = trees;
    this.#noiseFactor = noiseFactor;
    this.#deviationFactor = deviationFactor;
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

  /** Means and standard deviations at points, as `best` takes them. */
  predictAll(points: readonly Float64Array[]): { means: Float64Array; deviations: Float64Array } {
    const means = new Float64Array(points.length);
    const deviations = new Float64Array(points.length);
    const treesMeans = new Float64Array(points.length);
    const treesVariances = new Float64Array(points.length);
    this.process.predict(points, means, deviations);
    this.trees?.predict(points, treesMeans, treesVariances);
    const noise = this.#noiseFactor * this.process.parameters.noiseVariance;
    for (let i = 0; i < points.length; i++) {
      const { mean, variance } = this.#mix(
        means[i] as number,
        (deviations[i] as number) + noise,
        treesMeans[i] as number,
        treesVariances[i] as number,
      );
      means[i] = mean;
      deviations[i] = this.#deviationFactor * Math.sqrt(variance);
    }
    return { means, deviations };
  }

  /**
   * The candidate of largest log expected improvement plus `bonus`; undefined where there is none. The Gaussian process' variance is
   * worked out only where its cheap bound leaves a chance: improvement grows with variance, so the answer is exact.
   */
  best(
    candidates: readonly Float64Array[],
    incumbent: number,
    bonus?: (point: Float64Array) => number,
  ): { index: number; score: number } | undefined {
    const n = candidates.length;
    const processMeans = new Float64Array(n);
    const bounds = new Float64Array(n);
    if (covariances.length < n * this.process.size) covariances = new Float64Array(n * this.process.size);
    this.process.predictBounds(candidates, processMeans, bounds, covariances);
    const treesMeans = new Float64Array(n);
    const treesVariances = new Float64Array(n);
    this.trees?.predict(candidates, treesMeans, treesVariances);
    const extra = bonus === undefined ? undefined : candidates.map(bonus);
    const { process: p, trees: t } = this.weights;
    const noise = this.#noiseFactor * this.process.parameters.noiseVariance;
    const scoreAt = (i: number, processVariance: number): number => {
      const a = processMeans[i] as number;
      const b = treesMeans[i] as number;
      const mean = p * a + t * b;
      const variance =
        p * (processVariance + noise + a * a) + t * ((treesVariances[i] as number) + b * b) - mean * mean;
      const deviation = this.#deviationFactor * Math.sqrt(Math.max(variance, 0));
      return logExpectedImprovement(mean, deviation, incumbent) + (extra?.[i] ?? 0);
    };
    const upper = bounds.map((bound, i) => scoreAt(i, bound));
    let top: { index: number; score: number } | undefined;
    const variances = new Float64Array(4);
    for (let done = 0; done < n; done += 4) {
      const four = takeLargestFour(upper);
      if (top !== undefined && four.bound <= top.score) break;
      this.process.variancesOfFour(four.indices, covariances, variances);
      for (const [q, index] of four.indices.entries()) {
        const score = scoreAt(index, variances[q] as number);
        if (top === undefined || score > top.score) top = { index, score };
      }
    }
    return top;
  }
}

/** The up to four largest bounds, the first among equals; NaN takes their place. Few are asked for, so that sorting would take longer. */
function takeLargestFour(bounds: Float64Array): { indices: number[]; bound: number } {
  const indices: number[] = [];
  let bound = NaN;
  for (let q = 0; q < 4; q++) {
    let at = -1;
    let largest = -Infinity;
    for (let i = 0; i < bounds.length; i++) {
      const own = bounds[i] as number;
      if (own > largest || (at < 0 && own === largest)) {
        largest = own;
        at = i;
      }
    }
    if (at < 0) break;
    if (q === 0) bound = largest;
    bounds[at] = NaN;
    indices.push(at);
  }
  return { indices, bound };
}
