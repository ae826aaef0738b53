import { SIGMA_MAX } from './cma-optimizer.js';
import { symmetricEigen } from './symmetric-eigen.js';

const ALPHA = 1.4;
const BETA_MEAN = 0.1;
const BETA_COVARIANCE = 0.03;
const GAMMA = 0.1;

/** The distribution before an update. */
interface Before {
  readonly mean: Float64Array;
  readonly sigma: number;
  readonly covariance: Float64Array;
  /** C^(-1/2), row by row. */
  readonly inverseRoot: Float64Array;
}

/** The distribution after it, which is corrected in place. */
interface After {
  readonly mean: Float64Array;
  sigma: number;
  covariance: Float64Array;
}

/** One learning rate, from the signal-to-noise ratio of the updates seen so far. */
class Rate {
  value = 1;
  readonly #beta: number;
  readonly #average: Float64Array;
  #power = 0;

  constructor(size: number, beta: number) {
    this.#beta = beta;
    this.#average = new Float64Array(size);
  }

  /** @param update in local coordinates */
  adapt(update: Float64Array): void {
    const beta = this.#beta;
    let squares = 0;
    let norm = 0;
    for (let i = 0; i < update.length; i++) {
      const value = (1 - beta) * (this.#average[i] as number) + beta * (update[i] as number);
      this.#average[i] = value;
      squares += value * value;
      norm += (update[i] as number) ** 2;
    }
    this.#power = (1 - beta) * this.#power + beta * norm;
    const ratio = (squares - (beta / (2 - beta)) * this.#power) / (this.#power - squares);
    const relative = Math.min(1, Math.max(-1, ratio / ALPHA / this.value - 1));
    // An update of nothing at all says nothing.
    if (Number.isNaN(relative)) return;
    this.value = Math.min(1, this.value * Math.exp(Math.min(GAMMA * this.value, beta) * relative));
  }
}

/**
 * Learning rate adaptation of CMA-ES: updates are scaled down until their signal-to-noise ratio is large enough, so that noise and
 * many optima need no larger population (Nomura, Akimoto & Ono, LRA-CMA-ES, arXiv:2304.03473, algorithm 1).
 */
export class LearningRateAdaptation {
  readonly #n: number;
  readonly #mean: Rate;
  readonly #covariance: Rate;

  constructor(dimensions: number) {
    this.#n = dimensions;
    this.#mean = new Rate(dimensions, BETA_MEAN);
    this.#covariance = new Rate(dimensions * dimensions, BETA_COVARIANCE);
  }

  get rates(): { readonly mean: number; readonly covariance: number } {
    return { mean: this.#mean.value, covariance: this.#covariance.value };
  }

  correct(after: After, before: Before): void {
    const n = this.#n;
    const step = after.mean.map((value, i) => value - (before.mean[i] as number));
    const old = before.covariance.map((value) => value * before.sigma ** 2);
    const change = after.covariance.map((value, i) => value * after.sigma ** 2 - (old[i] as number));
    const root = before.inverseRoot.map((value) => value / before.sigma);
    const rateBefore = this.#mean.value;
    this.#mean.adapt(multiply(root, step, n, 1));
    this.#covariance.adapt(multiply(multiply(root, change, n, n), root, n, n).map((value) => value / Math.SQRT2));

    for (let i = 0; i < n; i++) after.mean[i] = (before.mean[i] as number) + this.#mean.value * (step[i] as number);
    const matrix = old.map((value, i) => value + this.#covariance.value * (change[i] as number));
    const { values } = symmetricEigen(matrix, n);
    const logDeterminant = values.reduce((sum, value) => sum + Math.log(value), 0);
    const sigma = Math.min(Math.exp(logDeterminant / 2 / n), SIGMA_MAX);
    after.covariance = matrix.map((value) => value / sigma ** 2);
    after.sigma = (sigma * rateBefore) / this.#mean.value;
  }
}

/** A (n × n) times B (n × columns), row by row. */
function multiply(a: Float64Array, b: Float64Array, n: number, columns: number): Float64Array {
  const product = new Float64Array(n * columns);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += (a[i * n + k] as number) * (b[k * columns + j] as number);
      product[i * columns + j] = sum;
    }
  }
  return product;
}
