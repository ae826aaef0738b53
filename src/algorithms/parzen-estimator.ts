import type { ObservationTable } from './observation-table.js';
import { CategoricalPart, NumericPart } from './parzen-parts.js';
import type { Random } from '../core/random.js';

/** Options of an estimator, with Optuna 5's meanings. */
export interface ParzenOptions {
  /** Weight of the component that spreads over the whole range. */
  readonly priorWeight: number;
  /** Keeps bandwidths above range / min(100, n + 2). */
  readonly considerMagicClip: boolean;
  /** Whether the range's ends count as neighbours of the outermost observations. */
  readonly considerEndpoints: boolean;
  /** Weights of n observations, oldest first. */
  readonly weights: (n: number) => Float64Array;
}

/** What together weighs less than this share of the total is left out: 1e-12, in logarithm. */
const NEGLIGIBLE = Math.log(1e-12);
/** Kernels wider than this many smallest bandwidths are looked at always, the others only near the point. */
const NARROW = 1.25;

/** Weights of Optuna: the newest 25 count fully, older ones rise linearly from 1/n to 1. */
export function defaultWeights(n: number): Float64Array {
  const weights = new Float64Array(n).fill(1);
  const ramp = n - 25;
  for (let i = 0; i < ramp; i++) weights[i] = ramp === 1 ? 1 / n : 1 / n + ((1 - 1 / n) * i) / (ramp - 1);
  return weights;
}

/**
 * The density of a tree-structured Parzen estimator: a mixture with one component per observation, each a product of truncated
 * normals (numeric), cell masses (stepped) and smoothed indicators (categorical), and one wide prior component.
 *
 * Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011; the rules of bandwidth and weight are those of
 * Optuna 5 (Watanabe, arXiv:2304.11127, describes them). The density is exact to about 1e-12: components whose share is smaller
 * are not evaluated.
 */
export class ParzenEstimator {
  /** Observations; component n is the prior. */
  readonly #n: number;
  readonly #logWeights: Float64Array;
  readonly #weights: Float64Array;
  readonly #parts: readonly (NumericPart | CategoricalPart)[];
  /** Part whose order the kernels are in; undefined without a numeric one. */
  readonly #window: NumericPart | undefined;
  readonly #wide: Int32Array;
  readonly #isWide: Uint8Array;
  readonly #maxLogWeight: number;
  /** The parts, where all are continuous numbers. */
  readonly #continuous: readonly NumericPart[] | undefined;
  /** Log weight and normalisation of each component; NaN until it is needed. */
  readonly #base: Float64Array;
  readonly #slack: number;
  /** Bounds of what the parts from j on can add at most. */
  readonly #boundFrom: Float64Array;

  /**
   * @param table the observations
   * @param leaveOut rows (by index) that do not take part; undefined for none
   */
  constructor(table: ObservationTable, options: ParzenOptions, leaveOut?: Uint8Array) {
    const { dimensions } = table;
    const byAge = chosen(table.byAge, table.size, leaveOut);
    const n = byAge.length;
    this.#n = n;
    const windowAt = dimensions.findIndex(({ kind }) => kind === 'numeric');
    const orders = dimensions.map(({ kind }, j) =>
      kind === 'numeric' ? chosen(table.sorted[j] as Int32Array, table.size, leaveOut) : byAge,
    );
    // Components stand in the order of the first numeric parameter.
    const place = new Int32Array(table.size);
    const order = orders[windowAt] ?? byAge;
    for (let k = 0; k < n; k++) place[order[k] as number] = k;

    this.#weights = new Float64Array(n + 1);
    this.#logWeights = new Float64Array(n + 1).fill(NaN);
    this.#maxLogWeight = Math.log(this.#setWeights(options, byAge, place));
    this.#parts = dimensions.map((dimension, j) => {
      const column = table.columns[j] as Float64Array;
      const rows = orders[j] as Int32Array;
      return dimension.kind === 'numeric'
        ? new NumericPart(dimension, column, rows, j === windowAt ? undefined : place, options)
        : new CategoricalPart(dimension, column, rows, place, options.priorWeight);
    });
    this.#window = this.#parts.find((part): part is NumericPart => part instanceof NumericPart);
    const numeric = this.#parts.filter((part) => part instanceof NumericPart && part.dimension.step === undefined);
    this.#continuous = numeric.length === this.#parts.length ? (numeric as NumericPart[]) : undefined;
    this.#base = new Float64Array(n).fill(NaN);
    this.#slack = NEGLIGIBLE - Math.log(n + 1);
    this.#isWide = new Uint8Array(n);
    const wide: number[] = [];
    const inverses = this.#window?.inverseSigma;
    const limit = 1 / ((this.#window?.smallestSigma ?? 1) * NARROW);
    for (let k = 0; k < n; k++) {
      if (inverses !== undefined && (inverses[k] as number) >= limit) continue;
      this.#isWide[k] = 1;
      wide.push(k);
    }
    this.#wide = Int32Array.from(wide);
    this.#boundFrom = new Float64Array(this.#parts.length + 1);
    for (let j = this.#parts.length - 1; j >= 0; j--) {
      this.#boundFrom[j] = (this.#boundFrom[j + 1] as number) + (this.#parts[j]?.bound ?? 0);
    }
  }

  /** Returns the largest weight of an observation. */
  #setWeights(options: ParzenOptions, byAge: Int32Array, place: Int32Array): number {
    const n = byAge.length;
    const weights = options.weights(n);
    let total = n === 0 ? 1 : options.priorWeight;
    for (let i = 0; i < n; i++) total += weights[i] as number;
    let largest = 0;
    for (let i = 0; i < n; i++) {
      const weight = (weights[i] as number) / total;
      this.#weights[place[byAge[i] as number] as number] = weight;
      if (weight > largest) largest = weight;
    }
    this.#weights[n] = (n === 0 ? 1 : options.priorWeight) / total;
    return largest;
  }

  #logWeightOf(k: number): number {
    let logWeight = this.#logWeights[k] as number;
    if (Number.isNaN(logWeight)) this.#logWeights[k] = logWeight = Math.log(this.#weights[k] as number);
    return logWeight;
  }

  /** Components, the prior included. */
  get size(): number {
    return this.#n + 1;
  }

  /** Draws a point, in the parameters' own units (index of the choice for a categorical one). */
  sample(random: Random): number[] {
    let rest = random.uniform();
    let k = 0;
    for (; k < this.#n; k++) {
      rest -= this.#weights[k] as number;
      if (rest < 0) break;
    }
    return this.#parts.map((part) => part.sample(k, random));
  }

  /**
   * Logarithm of the density (mass, for stepped and categorical parameters) at a point in the parameters' own units.
   * @param enough once the density is known to exceed this, Infinity is returned in its place
   */
  logPdf(point: readonly number[], enough = Infinity): number {
    const parts = this.#parts;
    for (const [j, part] of parts.entries()) part.moveTo(point[j] ?? NaN);
    let high = this.#logWeightOf(this.#n);
    for (const part of parts) high += part.logPrior();
    const total: RunningSum = { high, sum: 1, floor: 0, enough };
    // Without a prior the sum begins at nothing, which -745 stands for in double precision.
    if (high === -Infinity) Object.assign(total, { high: -745, sum: 0 });
    total.floor = total.high + this.#slack;
    const isDone = this.#continuous === undefined ? this.#scan(total) : this.#scanContinuous(this.#continuous, total);
    return isDone ? Infinity : total.high + Math.log(total.sum);
  }

  /** Adds every component that matters; true as soon as there is enough. */
  #scan(total: RunningSum): boolean {
    const n = this.#n;
    for (const k of this.#wide) if (add(total, this.#kernel(k, total.floor))) return true;
    const window = this.#window;
    if (window === undefined || this.#wide.length === n) return false;
    const reach = this.#maxLogWeight + (this.#boundFrom[0] ?? 0);
    const start = window.firstAtOrAbove();
    for (const step of [1, -1]) {
      for (let k = step === 1 ? start : start - 1; k >= 0 && k < n; k += step) {
        if (this.#isWide[k] === 1) continue;
        if (reach - window.leastExponent(k, NARROW) < total.floor) break;
        if (add(total, this.#kernel(k, total.floor))) return true;
      }
    }
    return false;
  }

  /** The same for continuous parameters alone, as straight loops: most of the time of a suggestion is spent here. */
  #scanContinuous(parts: readonly NumericPart[], total: RunningSum): boolean {
    const n = this.#n;
    const [first] = parts;
    if (first === undefined || n === 0) return false;
    const isWide = this.#isWide;
    const { mu, inverseSigma, x } = first;
    const narrow = 1 / (first.smallestSigma * NARROW);
    const reach = this.#maxLogWeight + (this.#boundFrom[0] ?? 0);
    let { high, sum } = total;
    let most = 2 * (reach - high - this.#slack);
    let limit = Math.exp(total.enough - high);
    const start = first.firstAtOrAbove();
    // Wide kernels first, wherever they are; then the narrow ones upward and downward from the point, until too far away.
    for (let pass = 0; pass < 3; pass++) {
      const end = pass === 0 ? this.#wide.length : pass === 1 ? n - start : start;
      for (let i = 0; i < end; i++) {
        const k = pass === 0 ? (this.#wide[i] as number) : pass === 1 ? start + i : start - 1 - i;
        const distance = x - (mu[k] as number);
        if (pass > 0) {
          if (isWide[k] === 1) continue;
          const far = distance * narrow;
          if (far * far > most) break;
        }
        const z0 = distance * (inverseSigma[k] as number);
        let squares = z0 * z0;
        for (let j = 1; j < parts.length && squares <= most; j++) {
          const part = parts[j] as NumericPart;
          const z = (part.x - (part.mu[k] as number)) * (part.inverseSigma[k] as number);
          squares += z * z;
        }
        if (squares > most) continue;
        const value = this.#baseOf(k, parts) - 0.5 * squares - high;
        if (value <= 0) {
          sum += Math.exp(value);
        } else {
          high += value;
          sum = sum * Math.exp(-value) + 1;
          most = 2 * (reach - high - this.#slack);
          limit = Math.exp(total.enough - high);
        }
        if (sum > limit) return true;
      }
    }
    total.high = high;
    total.sum = sum;
    return false;
  }

  /** Log weight and factor of a component, computed when it is first needed. */
  #baseOf(k: number, parts: readonly NumericPart[]): number {
    let base = this.#base[k] as number;
    if (Number.isNaN(base)) {
      base = this.#logWeightOf(k);
      for (const part of parts) base += part.normOf(k);
      this.#base[k] = base;
    }
    return base;
  }

  /** Log density of one component, or -Infinity as soon as it is known to lie below `floor`. */
  #kernel(k: number, floor: number): number {
    let value = this.#logWeightOf(k);
    const parts = this.#parts;
    for (let j = 0; j < parts.length; j++) {
      const part = parts[j] as NumericPart | CategoricalPart;
      const rest = this.#boundFrom[j + 1] as number;
      if (value + part.boundAt(k) + rest < floor) return -Infinity;
      value += part.logPdf(k);
    }
    return value;
  }
}

/** The rows of an order that take part. */
function chosen(order: Int32Array, size: number, leaveOut: Uint8Array | undefined): Int32Array {
  const rows = new Int32Array(size);
  let n = 0;
  for (let i = 0; i < size; i++) {
    const row = order[i] as number;
    if (leaveOut === undefined || leaveOut[row] === 0) rows[n++] = row;
  }
  return rows.subarray(0, n);
}

/** A sum of exponentials relative to the largest so far. */
interface RunningSum {
  high: number;
  sum: number;
  /** What lies below is left out. */
  floor: number;
  readonly enough: number;
}

/** Adds exp(value); true once the whole exceeds what is enough. */
function add(total: RunningSum, value: number): boolean {
  if (value <= total.floor) return false;
  if (value <= total.high) {
    total.sum += Math.exp(value - total.high);
  } else {
    total.sum = total.sum * Math.exp(total.high - value) + 1;
    total.floor += value - total.high;
    total.high = value;
  }
  // log(sum) is at most sum - 1, so the logarithm itself is taken only near the answer.
  return total.high + total.sum - 1 > total.enough && total.high + Math.log(total.sum) > total.enough;
}
