import { SETTLED, type KernelRecords } from './kernel-records.js';
import { LOG_SQRT_2PI } from './normal-distribution.js';
import type { ObservationTable } from './observation-table.js';
import { defaultWeights, type ParzenOptions } from './parzen-estimator.js';
import { clippedRange, LARGEST_RENORMALISATION, logMassInside } from './parzen-parts.js';

/** What a kernel may be left out for: its share of the total, in logarithm. */
const NEGLIGIBLE = Math.log(1e-12);
const NEAREST = 16;
/** Weight of the prior below which sums could underflow. */
const LEAST_PRIOR = 1e-6;

/**
 * The density of a Parzen estimator over many observations of continuous parameters: the same as `ParzenEstimator` gives, to about
 * 1e-12, from kernels that are kept between suggestions. Sums run in plain numbers: the prior, as wide as the range, keeps them from
 * underflow. One table serves one mixture at a time.
 */
export class ContinuousMixture {
  readonly #table: ObservationTable;
  readonly #kernels: KernelRecords;
  readonly #n: number;
  /** Weight of each row, not normalised; 0 for those left out. */
  readonly #weights: Float64Array;
  readonly #logTotal: number;
  readonly #wide: readonly number[];
  readonly #priorFactor: number;
  readonly #reach: number;
  readonly #point: Float64Array;

  /** Whether a table and options allow it. `n`: observations that take part. */
  static suits(table: ObservationTable, n: number, options: ParzenOptions): boolean {
    return (
      table.kernels !== undefined && n >= SETTLED && options.considerMagicClip && options.priorWeight >= LEAST_PRIOR
    );
  }

  /**
   * @param leaveOut 1 for each row that does not take part; as long as the table
   * @param left the rows that do not
   * @throws Error for a table that does not suit
   */
  constructor(table: ObservationTable, options: ParzenOptions, leaveOut: Uint8Array, left: readonly number[]) {
    const { kernels } = table;
    const n = table.size - left.length;
    if (kernels === undefined || !ContinuousMixture.suits(table, n, options))
      throw new Error('Only for many observations of continuous parameters.');
    this.#table = table;
    this.#kernels = kernels;
    this.#n = n;
    this.#weights = kernels.weights;
    const { total, largest } = this.#setWeights(options, leaveOut);
    this.#logTotal = Math.log(total + options.priorWeight);
    this.#wide = kernels.choose(leaveOut, left);
    let prior = Math.log(options.priorWeight);
    let reach = Math.log(largest) - NEGLIGIBLE + Math.log(n + 1);
    for (const dimension of kernels.dimensions) {
      const { from, to } = dimension;
      prior += -Math.log(to - from) - LOG_SQRT_2PI - logMassInside(dimension, 0.5 * (from + to), 1 / (to - from));
      reach += LARGEST_RENORMALISATION - Math.log(clippedRange(to - from, n)) - LOG_SQRT_2PI;
    }
    this.#priorFactor = Math.exp(prior);
    this.#reach = reach;
    this.#point = new Float64Array(kernels.dimensions.length);
  }

  /** Components, the prior included. */
  get size(): number {
    return this.#n + 1;
  }

  #setWeights({ weights }: ParzenOptions, leaveOut: Uint8Array): { total: number; largest: number } {
    const { byAge, size } = this.#table;
    const n = this.#n;
    const own = weights === defaultWeights ? undefined : weights(n);
    // The default's own formula: the newest 25 count fully, older ones rise linearly from 1/n.
    const ramp = n - 25;
    const rise = (1 - 1 / n) / (ramp - 1);
    let total = 0;
    let largest = 0;
    let i = 0;
    for (let place = 0; place < size; place++) {
      const row = byAge[place] as number;
      if (leaveOut[row] === 1) {
        this.#weights[row] = 0;
        continue;
      }
      const weight = own === undefined ? (i < ramp ? 1 / n + i * rise : 1) : (own[i] as number);
      this.#weights[row] = weight;
      total += weight;
      if (weight > largest) largest = weight;
      i++;
    }
    return { total, largest };
  }

  /**
   * Logarithm of the density at a point in the parameters' own units.
   * @param enough once the density is known to exceed this, Infinity is returned in its place
   */
  logPdf(point: readonly number[], enough = Infinity): number {
    const { dimensions } = this.#kernels;
    const x = this.#point;
    let squares = 0;
    for (let j = 0; j < dimensions.length; j++) {
      const { log, from, to } = dimensions[j] as { log: boolean; from: number; to: number };
      const value = point[j] as number;
      x[j] = log ? Math.log(value) : value;
      const z = ((x[j] as number) - 0.5 * (from + to)) / (to - from);
      squares += z * z;
    }
    const limit = Math.exp(enough + this.#logTotal);
    let sum = this.#priorFactor * Math.exp(-0.5 * squares);
    sum = this.#addWide(sum, limit);
    const start = this.#firstAtOrAbove(x[0] as number);
    if (sum <= limit) sum = this.#addNarrow(sum, limit, start, 1);
    if (sum <= limit) sum = this.#addNarrow(sum, limit, start - 1, -1);
    return sum > limit ? Infinity : Math.log(sum) - this.#logTotal;
  }

  #addWide(sum: number, limit: number): number {
    const { data, stride } = this.#kernels;
    const x = this.#point;
    const most = 2 * (this.#reach - Math.log(sum));
    for (const row of this.#wide) {
      const at = row * stride;
      let squares = 0;
      for (let j = 0, i = at + 1; j < x.length && squares <= most; j++, i += 2) {
        const z = ((x[j] as number) - (data[i] as number)) * (data[i + 1] as number);
        squares += z * z;
      }
      if (squares > most) continue;
      sum += (this.#weights[row] as number) * (data[at] as number) * Math.exp(-0.5 * squares);
      if (sum > limit) break;
    }
    return sum;
  }

  /** Adds the narrow kernels from a place in the order of the first parameter on, upward or downward, until too far away. */
  #addNarrow(sum: number, limit: number, start: number, step: 1 | -1): number {
    const kernels = this.#kernels;
    const { data, stride, wideLimit } = kernels;
    const order = this.#table.sorted[0] as Int32Array;
    const { size } = this.#table;
    const weights = this.#weights;
    const x = this.#point;
    const x0 = x[0] as number;
    let most = 2 * (this.#reach - Math.log(sum));
    let farthest = Math.sqrt(most) / wideLimit;
    for (let place = start; place >= 0 && place < size; place += step) {
      // The nearest have made the sum larger, and with it what may be left out.
      if (place === start + NEAREST * step) {
        most = 2 * (this.#reach - Math.log(sum));
        farthest = Math.sqrt(most) / wideLimit;
      }
      const row = order[place] as number;
      const at = row * stride;
      const distance = x0 - (data[at + 1] as number);
      if (distance > farthest || distance < -farthest) break;
      const weight = weights[row] as number;
      if (weight === 0) continue;
      let factor = data[at] as number;
      if (Number.isNaN(factor)) factor = kernels.factorOf(row);
      const inverse = data[at + 2] as number;
      if (inverse <= wideLimit) continue;
      const z0 = distance * inverse;
      let squares = z0 * z0;
      for (let j = 1, i = at + 3; j < x.length && squares <= most; j++, i += 2) {
        const z = ((x[j] as number) - (data[i] as number)) * (data[i + 1] as number);
        squares += z * z;
      }
      if (squares > most) continue;
      sum += weight * factor * Math.exp(-0.5 * squares);
      if (sum > limit) break;
    }
    return sum;
  }

  #firstAtOrAbove(x: number): number {
    const order = this.#table.sorted[0] as Int32Array;
    const column = this.#table.columns[0] as Float64Array;
    let low = 0;
    let high = this.#table.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((column[order[middle] as number] as number) < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
