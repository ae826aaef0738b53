import type { Box } from './box-decomposition.js';
import { STABILIZING_NOISE, type ConditionalSamples } from './conditional-samples.js';
import { logStandardImprovement } from './expected-improvement.js';
import { LOG_SQRT_2PI, logNormalCdf } from './normal-distribution.js';
import type { ProcessPosterior } from './process-posterior.js';

/** Least improvement of one draw: keeps logarithms and gradients finite. */
const LEAST = 1e-12;
/** Width of the smooth step between feasible and not, in units of the standardised constraint. */
const FEASIBILITY_WIDTH = 1e-2;
const NONE = new Float64Array(0);

/** How much a trial at a point promises, in logarithm; larger is better. */
export interface Acquisition {
  /** Where `gradient` is given, that by the point's coordinates is added to it. */
  evaluate(point: Float64Array, gradient?: Float64Array): number;
  /** The same at many points, where that costs less than one after another. */
  evaluateMany?(points: readonly Float64Array[]): Float64Array;
}

/** Values at many points. */
export function valuesAt(acquisition: Acquisition, points: readonly Float64Array[]): Float64Array {
  return acquisition.evaluateMany?.(points) ?? Float64Array.from(points, (point) => acquisition.evaluate(point));
}

/** Sum of logarithms: improvement times the probability that all constraints are kept (Gardner et al., ICML 2014). */
export class AcquisitionSum implements Acquisition {
  readonly #terms: readonly Acquisition[];

  constructor(terms: readonly Acquisition[]) {
    this.#terms = terms;
  }

  evaluate(point: Float64Array, gradient?: Float64Array): number {
    let sum = 0;
    for (const term of this.#terms) sum += term.evaluate(point, gradient);
    return sum;
  }

  evaluateMany(points: readonly Float64Array[]): Float64Array {
    const sums = new Float64Array(points.length);
    for (const term of this.#terms)
      for (const [i, value] of valuesAt(term, points).entries()) sums[i] = (sums[i] as number) + value;
    return sums;
  }
}

/** log E[max(0, best - y)], y = f(x) and noise of some variance (Ament et al., NeurIPS 2023, eq. 9). */
export class LogExpectedImprovement implements Acquisition {
  readonly #posterior: ProcessPosterior;
  readonly #best: number;
  readonly #noise: number;

  /** @param noise variance that counts as a chance to improve. @default 0 */
  constructor(posterior: ProcessPosterior, best: number, noise = 0) {
    this.#posterior = posterior;
    this.#best = best;
    this.#noise = noise + STABILIZING_NOISE;
  }

  evaluate(point: Float64Array, gradient?: Float64Array): number {
    const posterior = this.#posterior;
    posterior.at(point);
    const deviation = Math.sqrt(posterior.variance + this.#noise);
    const z = (this.#best - posterior.mean) / deviation;
    const logImprovement = logStandardImprovement(z);
    if (gradient !== undefined) {
      // h'(z) = Φ(z) and h(z) - z Φ(z) = φ(z).
      const byMean = -Math.exp(logNormalCdf(z) - logImprovement) / deviation;
      const byDeviation = Math.exp(-0.5 * z * z - LOG_SQRT_2PI - logImprovement) / deviation;
      posterior.addGradient(byMean, byDeviation / (2 * deviation), NONE, gradient);
    }
    return Math.log(deviation) + logImprovement;
  }

  evaluateMany(points: readonly Float64Array[]): Float64Array {
    const means = new Float64Array(points.length);
    const variances = new Float64Array(points.length);
    this.#posterior.atMany(points, means, variances);
    return means.map((mean, i) => {
      const deviation = Math.sqrt((variances[i] as number) + this.#noise);
      return Math.log(deviation) + logStandardImprovement((this.#best - mean) / deviation);
    });
  }
}

/** log P[c(x) ≤ limit]. */
export class LogFeasibility implements Acquisition {
  readonly #posterior: ProcessPosterior;
  readonly #limit: number;

  constructor(posterior: ProcessPosterior, limit: number) {
    this.#posterior = posterior;
    this.#limit = limit;
  }

  evaluate(point: Float64Array, gradient?: Float64Array): number {
    const posterior = this.#posterior;
    posterior.at(point);
    const deviation = Math.sqrt(posterior.variance + STABILIZING_NOISE);
    const z = (this.#limit - posterior.mean) / deviation;
    const value = logNormalCdf(z);
    if (gradient !== undefined) {
      const slope = Math.exp(-0.5 * z * z - LOG_SQRT_2PI - value) / deviation;
      posterior.addGradient(-slope, (-slope * z) / (2 * deviation), NONE, gradient);
    }
    return value;
  }

  evaluateMany(points: readonly Float64Array[]): Float64Array {
    const means = new Float64Array(points.length);
    const variances = new Float64Array(points.length);
    this.#posterior.atMany(points, means, variances);
    return means.map((mean, i) =>
      logNormalCdf((this.#limit - mean) / Math.sqrt((variances[i] as number) + STABILIZING_NOISE)),
    );
  }
}

/** Draws of a constraint and its limit. */
export interface DrawnConstraint {
  readonly samples: ConditionalSamples;
  readonly limit: number;
}

/** log of a smooth step at the limit, and its derivative by the draw. */
function logKept({ limit }: DrawnConstraint, value: number): { log: number; slope: number } {
  const u = (limit - value) / FEASIBILITY_WIDTH;
  const log = u > 0 ? -Math.log1p(Math.exp(-u)) : u - Math.log1p(Math.exp(u));
  const slope = -1 / (1 + Math.exp(u)) / FEASIBILITY_WIDTH;
  return { log, slope };
}

/**
 * log E[improvement of the best of the pending points and this one], constraints kept by draw (q-batch log expected improvement by
 * fixed draws: Ament et al., NeurIPS 2023, eq. 10).
 */
export class LogBatchImprovement implements Acquisition {
  readonly #objective: ConditionalSamples;
  readonly #best: number | undefined;
  readonly #constraints: readonly DrawnConstraint[];
  /** By draw: the largest utility among the pending points. */
  readonly #pendingBest: Float64Array;
  readonly #utilities: Float64Array;
  readonly #weights: Float64Array;

  /** @param best undefined while nothing is feasible: then only constraints count */
  constructor(objective: ConditionalSamples, best: number | undefined, constraints: readonly DrawnConstraint[] = []) {
    this.#objective = objective;
    this.#best = best;
    this.#constraints = constraints;
    this.#utilities = new Float64Array(objective.count);
    this.#weights = new Float64Array(objective.count);
    this.#pendingBest = Float64Array.from(objective.fantasies, (values, s) => {
      let most = -Infinity;
      for (const [r, value] of values.entries()) {
        let utility = best === undefined ? 0 : Math.log(Math.max(LEAST, best - value));
        for (const constraint of constraints)
          utility += logKept(constraint, constraint.samples.fantasies[s]?.[r] ?? NaN).log;
        if (utility > most) most = utility;
      }
      return most;
    });
  }

  evaluate(point: Float64Array, gradient?: Float64Array): number {
    const objective = this.#objective;
    const best = this.#best;
    const utilities = this.#utilities;
    objective.at(point);
    for (let s = 0; s < utilities.length; s++)
      utilities[s] = best === undefined ? 0 : Math.log(Math.max(LEAST, best - (objective.values[s] as number)));
    for (const constraint of this.#constraints) {
      constraint.samples.at(point);
      for (let s = 0; s < utilities.length; s++)
        utilities[s] = (utilities[s] as number) + logKept(constraint, constraint.samples.values[s] as number).log;
    }
    const total = utilities.map((utility, s) => Math.max(utility, this.#pendingBest[s] as number));
    const value = logMeanExp(total);
    if (gradient === undefined) return value;
    const shares = total.map((utility, s) =>
      utility > (utilities[s] as number) ? 0 : Math.exp(utility - value) / total.length,
    );
    if (best !== undefined) {
      const weights = this.#weights;
      for (let s = 0; s < weights.length; s++) {
        const gain = best - (objective.values[s] as number);
        weights[s] = gain > LEAST ? -(shares[s] as number) / gain : 0;
      }
      objective.addGradient(weights, gradient);
    }
    addConstraintGradients(this.#constraints, shares, gradient);
    return value;
  }
}

function addConstraintGradients(
  constraints: readonly DrawnConstraint[],
  shares: Float64Array,
  gradient: Float64Array,
): void {
  for (const constraint of constraints) {
    const { values } = constraint.samples;
    constraint.samples.addGradient(
      shares.map((share, s) => share * logKept(constraint, values[s] as number).slope),
      gradient,
    );
  }
}

/**
 * log E[hypervolume that is added], over draws of all objectives, constraints kept by draw (Daulton, Balandat & Bakshy, NeurIPS 2020,
 * eq. 1).
 */
export class LogHypervolumeImprovement implements Acquisition {
  readonly #objectives: readonly ConditionalSamples[];
  /** By draw, or one for all. */
  readonly #boxes: readonly (readonly Box[])[];
  readonly #constraints: readonly DrawnConstraint[];

  /** @param boxes what is not dominated, by draw, or one decomposition for all */
  constructor(
    objectives: readonly ConditionalSamples[],
    boxes: readonly (readonly Box[])[],
    constraints: readonly DrawnConstraint[] = [],
  ) {
    this.#objectives = objectives;
    this.#boxes = boxes;
    this.#constraints = constraints;
  }

  evaluate(point: Float64Array, gradient?: Float64Array): number {
    const objectives = this.#objectives;
    for (const samples of objectives) samples.at(point);
    const count = objectives[0]?.count ?? 0;
    const logs = new Float64Array(count);
    const slopes = objectives.map(() => new Float64Array(gradient === undefined ? 0 : count));
    const loss = new Float64Array(objectives.length);
    for (let s = 0; s < count; s++) {
      for (const [m, samples] of objectives.entries()) loss[m] = samples.values[s] as number;
      const boxes = this.#boxes.length === 1 ? this.#boxes[0] : this.#boxes[s];
      const volume = addedVolume(boxes ?? [], loss, gradient === undefined ? undefined : slopes, s);
      logs[s] = Math.log(volume);
      if (gradient !== undefined) for (const own of slopes) own[s] = (own[s] as number) / volume;
    }
    for (const constraint of this.#constraints) {
      constraint.samples.at(point);
      for (let s = 0; s < count; s++)
        logs[s] = (logs[s] as number) + logKept(constraint, constraint.samples.values[s] as number).log;
    }
    const value = logMeanExp(logs);
    if (gradient === undefined) return value;
    const shares = logs.map((log) => Math.exp(log - value) / count);
    for (const [m, samples] of objectives.entries()) {
      const own = slopes[m] as Float64Array;
      samples.addGradient(
        own.map((slope, s) => slope * (shares[s] as number)),
        gradient,
      );
    }
    addConstraintGradients(this.#constraints, shares, gradient);
    return value;
  }
}

/** Volume that a loss vector adds, over boxes; adds the derivatives by its entries to `slopes[m][at]`. */
function addedVolume(
  boxes: readonly Box[],
  loss: Float64Array,
  slopes: readonly Float64Array[] | undefined,
  at: number,
): number {
  const objectives = loss.length;
  let total = 0;
  for (const { lower, upper } of boxes) {
    let volume = 1;
    for (let m = 0; m < objectives; m++) {
      const width = (upper[m] as number) - Math.max(loss[m] as number, lower[m] as number);
      volume *= width > LEAST ? width : LEAST;
    }
    total += volume;
    if (slopes === undefined) continue;
    for (let m = 0; m < objectives; m++) {
      const y = loss[m] as number;
      const width = (upper[m] as number) - y;
      if (y <= (lower[m] as number) || width <= LEAST) continue;
      const own = slopes[m] as Float64Array;
      own[at] = (own[at] as number) - volume / width;
    }
  }
  return total;
}

function logMeanExp(values: Float64Array): number {
  let most = -Infinity;
  for (const value of values) if (value > most) most = value;
  if (most === -Infinity) return most;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - most);
  return most + Math.log(sum / values.length);
}
