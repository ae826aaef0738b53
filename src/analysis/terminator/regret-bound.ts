import { GaussianProcess, type GpParameters } from '../../algorithms/gaussian-process.js';
import { fitWithGammaPrior } from '../../algorithms/gp-gamma-prior.js';
import { standardize } from '../../algorithms/target-transform.js';
import { UsageError } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import { createRandom, mixSeed, type Random } from '../../core/random.js';
import type { StudyDirection } from '../../core/study-direction.js';
import { completeOf, type ImprovementEvaluator } from './improvement-evaluator.js';
import { ModelSpace } from './model-space.js';

export interface RegretBoundOptions {
  /** Share of the best trials that the model is fitted to. @default 0.5 */
  readonly topTrialsRatio?: number;
  /** At least as many. @default 20 */
  readonly minNTrials?: number;
  /** @default 0 */
  readonly seed?: number;
}

export const LEAST_NOISE = 1e-6;
const SAMPLES = 2048;
/** The unit where all values are the same. */
const LEAST_UNIT = 1e-10;

/**
 * Upper bound of the regret: how far the best trial may be from the optimum, by the confidence bounds of a Gaussian process (Makarova
 * et al., Automatic Termination for Hyperparameter Optimization, AutoML 2022, eq. 3). In the objective's own unit.
 */
export class RegretBoundEvaluator implements ImprovementEvaluator {
  readonly #topTrialsRatio: number;
  readonly #minNTrials: number;
  readonly #seed: number;

  constructor(options: RegretBoundOptions = {}) {
    this.#topTrialsRatio = options.topTrialsRatio ?? 0.5;
    this.#minNTrials = options.minNTrials ?? 20;
    this.#seed = options.seed ?? 0;
  }

  evaluate(trials: readonly FrozenTrial[], direction: StudyDirection): number {
    const complete = completeOf(trials);
    if (complete.length === 0) throw new UsageError('No trial is complete yet: the regret cannot be bounded.');
    const space = new ModelSpace(complete);
    if (space.dimensions === 0) {
      throw new UsageError('The complete trials share no parameter: the regret cannot be bounded.');
    }
    const scores = scoresOf(complete, direction);
    const wanted = Math.max(this.#minNTrials, Math.floor(scores.length * this.#topTrialsRatio));
    const size = Math.min(scores.length, wanted);
    const least = scores.toSorted((a, b) => b - a)[size - 1] ?? -Infinity;
    const top = [...scores.keys()].filter((i) => (scores[i] as number) >= least);
    const points = top.map((i) => space.pointOf(complete[i] as FrozenTrial));
    const topScores = top.map((i) => scores[i] as number);
    const { scores: targets, deviation } = standardize(topScores);
    const unit = topScores.every((score) => score === topScores[0]) ? LEAST_UNIT : Math.max(LEAST_UNIT, deviation);
    const parameters = fitProcess(space, points, targets);
    const process = new GaussianProcess(space.columns, points, targets, parameters);
    const random = createRandom(mixSeed(this.#seed, 'regret', complete.length));
    return standardizedRegretBound(process, space, points, random) * unit;
  }
}

/** Values with the larger the better; infinities give way to the nearest finite value. */
export function scoresOf(complete: readonly FrozenTrial[], direction: StudyDirection): Float64Array {
  const values = complete.map((trial) => (direction === 'minimize' ? -1 : 1) * (trial.value ?? NaN));
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return new Float64Array(values.length);
  const low = finite.reduce((a, b) => Math.min(a, b));
  const high = finite.reduce((a, b) => Math.max(a, b));
  return Float64Array.from(values, (value) => Math.min(high, Math.max(low, value)));
}

/** Hyper-parameters as Optuna fits them. */
export function fitProcess(
  space: ModelSpace,
  points: readonly Float64Array[],
  targets: Float64Array,
  options: { isDeterministic?: boolean; start?: GpParameters | undefined } = {},
): GpParameters {
  return fitWithGammaPrior(space.columns, points, targets, { ...options, precise: true });
}

/** Highest upper confidence bound anywhere less highest lower one at a trial. */
export function standardizedRegretBound(
  process: GaussianProcess,
  space: ModelSpace,
  points: readonly Float64Array[],
  random: Random,
  delta = 0.1,
): number {
  // Scaled down by 5 as in the experiments of Srinivas et al. (2010), which the paper follows.
  const beta = (2 * Math.log((space.dimensions * points.length ** 2 * Math.PI ** 2) / 6 / delta)) / 5;
  const atTrials = confidence(process, points, beta);
  const anywhere = confidence(process, space.sample(SAMPLES, random), beta);
  return Math.max(atTrials.upper, anywhere.upper) - atTrials.lower;
}

/** The highest upper and the highest lower confidence bound over some points. */
function confidence(
  process: GaussianProcess,
  points: readonly Float64Array[],
  beta: number,
): { readonly upper: number; readonly lower: number } {
  const means = new Float64Array(points.length);
  const variances = new Float64Array(points.length);
  process.predict(points, means, variances);
  let upper = -Infinity;
  let lower = -Infinity;
  for (const [i, mean] of means.entries()) {
    const reach = Math.sqrt(beta * (variances[i] as number));
    upper = Math.max(upper, mean + reach);
    lower = Math.max(lower, mean - reach);
  }
  return { upper, lower };
}
