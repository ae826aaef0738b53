import { choleskyInPlace, solveLower, solveLowerTransposed } from './cholesky.js';
import type { ProcessPosterior } from './process-posterior.js';

/** Added to variances, so that none is 0. */
export const STABILIZING_NOISE = 1e-12;

/**
 * Draws of a process' value at a point, each under its own assumed results ("fantasies") of the pending points: what sequential
 * greedy batches are chosen by (Wilson, Hutter & Deisenroth, NeurIPS 2018, §3.1; Ament et al., NeurIPS 2023, eq. 10). The draws come
 * from fixed standard normals, so they are a smooth function of the point.
 */
export class ConditionalSamples {
  readonly count: number;
  /** Assumed results by draw and pending point. */
  readonly fantasies: readonly Float64Array[];
  /** At the latest point, by draw. */
  readonly values: Float64Array;
  readonly posterior: ProcessPosterior;
  readonly #normals: Float64Array;
  /** Factor of the pending points' posterior covariance. */
  readonly #factor: Float64Array;
  /** By draw: that covariance's inverse times (fantasies less means). */
  readonly #shifts: readonly Float64Array[];
  readonly #solved: Float64Array;
  readonly #slopes: Float64Array;
  #deviation = 0;

  /** @param normals by draw: one standard normal for each pending point, and the last for the point asked for */
  constructor(posterior: ProcessPosterior, normals: readonly Float64Array[]) {
    const r = posterior.pending.length;
    this.posterior = posterior;
    this.count = normals.length;
    this.values = new Float64Array(this.count);
    this.#normals = Float64Array.from(normals, (draw) => draw[r] as number);
    this.#solved = new Float64Array(r);
    this.#slopes = new Float64Array(r);
    const means = new Float64Array(r);
    this.#factor = pendingFactor(posterior, means);
    this.fantasies = normals.map((draw) => {
      const values = means.slice();
      for (let i = 0; i < r; i++)
        for (let k = 0; k <= i; k++)
          values[i] = (values[i] as number) + (this.#factor[i * r + k] as number) * (draw[k] as number);
      return values;
    });
    this.#shifts = this.fantasies.map((values) => {
      const shift = values.map((value, i) => value - (means[i] as number));
      solveLower(this.#factor, r, r, shift, shift);
      solveLowerTransposed(this.#factor, r, r, shift, shift);
      return shift;
    });
  }

  /** Draws the values at a point. */
  at(point: Float64Array): void {
    const { posterior } = this;
    posterior.at(point);
    const r = posterior.covariances.length;
    let variance = posterior.variance + STABILIZING_NOISE;
    if (r > 0) {
      solveLower(this.#factor, r, r, posterior.covariances, this.#solved);
      for (let i = 0; i < r; i++) variance -= (this.#solved[i] as number) ** 2;
      solveLowerTransposed(this.#factor, r, r, this.#solved, this.#solved);
    }
    this.#deviation = Math.sqrt(Math.max(0, variance));
    for (let s = 0; s < this.count; s++) {
      const shift = this.#shifts[s] as Float64Array;
      let value = posterior.mean + this.#deviation * (this.#normals[s] as number);
      for (let i = 0; i < r; i++) value += (posterior.covariances[i] as number) * (shift[i] as number);
      this.values[s] = value;
    }
  }

  /** Adds to `gradient` that of a function of the draws at the latest point, whose derivatives by these are given. */
  addGradient(byValues: Float64Array, gradient: Float64Array): void {
    const slopes = this.#slopes;
    slopes.fill(0);
    let byMean = 0;
    let byDeviation = 0;
    for (let s = 0; s < this.count; s++) {
      const weight = byValues[s] as number;
      if (weight === 0) continue;
      byMean += weight;
      byDeviation += weight * (this.#normals[s] as number);
      const shift = this.#shifts[s] as Float64Array;
      for (let i = 0; i < slopes.length; i++) slopes[i] = (slopes[i] as number) + weight * (shift[i] as number);
    }
    const byVariance = this.#deviation > 0 ? byDeviation / (2 * this.#deviation) : 0;
    for (let i = 0; i < slopes.length; i++)
      slopes[i] = (slopes[i] as number) - 2 * byVariance * (this.#solved[i] as number);
    this.posterior.addGradient(byMean, byVariance, slopes, gradient);
  }
}

/** Cholesky factor of the posterior covariance of the pending points; their means are written to `means`. */
function pendingFactor(posterior: ProcessPosterior, means: Float64Array): Float64Array {
  const r = means.length;
  const covariance = new Float64Array(r * r);
  for (let i = 0; i < r; i++) {
    posterior.at(posterior.pending[i] as Float64Array);
    means[i] = posterior.mean;
    for (let k = 0; k < i; k++) covariance[i * r + k] = posterior.covariances[k] as number;
    covariance[i * r + i] = posterior.variance;
  }
  for (let noise = STABILIZING_NOISE; ; noise *= 100) {
    const factor = covariance.slice();
    for (let i = 0; i < r; i++) factor[i * r + i] = (factor[i * r + i] as number) + noise;
    if (choleskyInPlace(factor, r)) return factor;
  }
}
