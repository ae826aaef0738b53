import { GaussianProcess } from '../../algorithms/gaussian-process.js';
import { normalCdf } from '../../algorithms/normal-distribution.js';
import { standardize } from '../../algorithms/target-transform.js';
import { UsageError } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import { createRandom, mixSeed } from '../../core/random.js';
import type { StudyDirection } from '../../core/study-direction.js';
import { warnOnce } from '../../core/warnings.js';
import { completeOf, type ImprovementEvaluator } from './improvement-evaluator.js';
import { ModelSpace } from './model-space.js';
import { fitProcess, LEAST_NOISE, scoresOf, standardizedRegretBound } from './regret-bound.js';

export interface EmmrOptions {
  /** Whether the same parameters always give the same value. @default false */
  readonly deterministicObjective?: boolean;
  /** One less the probability with which the bound holds. @default 0.1 */
  readonly delta?: number;
  /** Below so many complete trials nothing is said. @default 2 */
  readonly minNTrials?: number;
  /** @default 0 */
  readonly seed?: number;
}

/** Larger than any improvement: do not stop. */
const BOUNDLESS = Number.MAX_VALUE * 0.1;

/**
 * Expected minimum model regret: a bound of how much the expected regret fell with the last trial (Ishibashi, Karasuyama, Takeuchi &
 * Hino, AISTATS 2023, Algorithm 1). In units of the values' standard deviation.
 */
export class EMMREvaluator implements ImprovementEvaluator {
  readonly #isDeterministic: boolean;
  readonly #delta: number;
  readonly #minNTrials: number;
  readonly #seed: number;

  /** @throws UsageError where minNTrials is below 2 */
  constructor(options: EmmrOptions = {}) {
    const { deterministicObjective = false, delta = 0.1, minNTrials = 2, seed = 0 } = options;
    if (!(minNTrials >= 2 && Number.isFinite(minNTrials))) {
      throw new UsageError(`EMMREvaluator: minNTrials must be 2 or more, but got ${minNTrials}.`);
    }
    this.#isDeterministic = deterministicObjective;
    this.#delta = delta;
    this.#minNTrials = minNTrials;
    this.#seed = seed;
  }

  evaluate(trials: readonly FrozenTrial[], direction: StudyDirection): number {
    const complete = completeOf(trials);
    if (complete.length < this.#minNTrials) return BOUNDLESS;
    const space = new ModelSpace(complete);
    if (space.dimensions === 0) {
      warnOnce('EMMREvaluator: the complete trials share no parameter, so the study will not be ended.');
      return BOUNDLESS;
    }
    const points = complete.map((trial) => space.pointOf(trial));
    const { scores } = standardize(scoresOf(complete, direction));
    const earlierPoints = points.slice(0, -1);
    const earlierScores = scores.slice(0, -1);
    const fit = { isDeterministic: this.#isDeterministic };
    const before = fitProcess(space, earlierPoints, earlierScores, fit);
    const now = fitProcess(space, points, scores, { ...fit, start: before });
    const earlier = new GaussianProcess(space.columns, earlierPoints, earlierScores, before);
    const current = new GaussianProcess(space.columns, points, scores, now);

    const best = points[indexOfLargest(scores)] as Float64Array;
    const earlierBest = points[indexOfLargest(earlierScores)] as Float64Array;
    const newest = posterior(current, points.at(-1) as Float64Array);
    const gain = posterior(current, best).mean - posterior(earlier, earlierBest).mean;
    const spread = Math.sqrt(
      Math.max(
        1e-10,
        current.covarianceAt(best, best) -
          2 * current.covarianceAt(best, earlierBest) +
          current.covarianceAt(earlierBest, earlierBest),
      ),
    );
    const ratio = gain / spread;
    const random = createRandom(mixSeed(this.#seed, 'emmr', complete.length));
    const regret = standardizedRegretBound(earlier, space, earlierPoints, random, this.#delta);
    const divergence = klDivergence(newest, scores.at(-1) ?? 0);
    return Math.min(
      Number.MAX_VALUE * 0.5,
      -gain + spread * (normalDensity(ratio) + ratio * normalCdf(ratio)) + regret * Math.sqrt(0.5 * divergence),
    );
  }
}

/** Between the processes before and after the newest trial (eq. 4 of the paper). */
function klDivergence(newest: { readonly mean: number; readonly variance: number }, value: number): number {
  const { mean, variance } = newest;
  const total = variance + LEAST_NOISE;
  return (
    0.5 * Math.log(1 + variance / LEAST_NOISE) -
    (0.5 * variance) / total +
    (0.5 * variance * (value - mean) ** 2) / total ** 2
  );
}

function posterior(process: GaussianProcess, point: Float64Array): { mean: number; variance: number } {
  const means = new Float64Array(1);
  const variances = new Float64Array(1);
  process.predict([point], means, variances);
  return { mean: means[0] as number, variance: variances[0] as number };
}

function indexOfLargest(values: Float64Array): number {
  let best = 0;
  for (const [i, value] of values.entries()) if (value > (values[best] as number)) best = i;
  return best;
}

function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}
