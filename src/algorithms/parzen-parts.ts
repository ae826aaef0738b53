import { logNormalMass, LOG_SQRT_2PI, truncatedNormalQuantile } from './normal-distribution.js';
import type { CategoricalDimension, NumericDimension } from './parzen-dimension.js';
import type { Random } from '../core/random.js';

/** A kernel centred anywhere in its range with σ no larger than the range keeps at least Φ(1) - Φ(0) of its mass. */
export const LARGEST_RENORMALISATION = -Math.log(0.3413);
const EPSILON = 1e-12;

/** Smallest bandwidth with n observations ("magic clip"). */
export function clippedRange(range: number, n: number): number {
  return range / Math.min(100, n + 2);
}

/** Logarithm of a normal's mass inside the range. */
export function logMassInside({ from, to }: NumericDimension, mu: number, inverseSigma: number): number {
  const a = (from - mu) * inverseSigma;
  const b = (to - mu) * inverseSigma;
  // Nothing of it lies outside that a double could tell.
  return a < -9 && b > 9 ? 0 : logNormalMass(a, b);
}

/** Truncated normals of one numeric parameter, or their masses in the cells of its grid. */
export class NumericPart {
  readonly dimension: NumericDimension;
  readonly #n: number;
  readonly mu: Float64Array;
  /** 1/σ of each kernel: what the sums need. */
  readonly inverseSigma: Float64Array;
  readonly smallestSigma: number;
  readonly bound: number;
  #priorNorm: number | undefined;
  /** Same number for components of equal μ and σ, of which a grid has many. */
  readonly #twin: Int32Array;
  readonly #cellMass: Float64Array;
  readonly #cellStamp: Int32Array;
  #stamp = 0;
  /** The point, transformed. */
  x = 0;
  #left = 0;
  #right = 0;

  /**
   * @param rows the observations that take part, in the order of this dimension
   * @param place component of each row of the table; undefined where that is the order of `rows`
   */
  constructor(
    dimension: NumericDimension,
    column: Float64Array,
    rows: Int32Array,
    place: Int32Array | undefined,
    options: { considerMagicClip: boolean; considerEndpoints: boolean },
  ) {
    const n = rows.length;
    this.dimension = dimension;
    this.#n = n;
    const { from, to, step } = dimension;
    const range = to - from;
    this.mu = new Float64Array(n + 1);
    this.inverseSigma = new Float64Array(n + 1);
    this.#twin = new Int32Array(step === undefined ? 0 : n + 1);
    const least = options.considerMagicClip ? clippedRange(range, n) : EPSILON;
    const useEnds = options.considerEndpoints || n < 2;
    let smallest = range;
    let twins = 0;
    let before = from;
    let mu = n === 0 ? to : (column[rows[0] as number] as number);
    let lastMu = NaN;
    let lastSigma = NaN;
    let inverse = NaN;
    for (let i = 0; i < n; i++) {
      const isLast = i === n - 1;
      const next = isLast ? to : (column[rows[i + 1] as number] as number);
      // The larger gap to a neighbour; the ends of the range are none, unless asked for or for want of others.
      let gap = Math.max(mu - before, next - mu);
      if (!useEnds && i === 0) gap = next - mu;
      if (!useEnds && isLast) gap = mu - before;
      const sigma = gap < least ? least : gap > range ? range : gap;
      const k = place === undefined ? i : (place[rows[i] as number] as number);
      // Most kernels of a large table have the smallest bandwidth.
      if (sigma !== lastSigma) inverse = 1 / sigma;
      this.mu[k] = mu;
      this.inverseSigma[k] = inverse;
      if (sigma < smallest) smallest = sigma;
      if (step !== undefined) {
        if (mu !== lastMu || sigma !== lastSigma) twins++;
        this.#twin[k] = twins;
      }
      lastMu = mu;
      lastSigma = sigma;
      before = mu;
      mu = next;
    }
    this.mu[n] = 0.5 * (from + to);
    this.inverseSigma[n] = 1 / range;
    this.smallestSigma = smallest;
    this.bound = LARGEST_RENORMALISATION + (step === undefined ? -Math.log(smallest) - LOG_SQRT_2PI : 0);
    this.#cellMass = new Float64Array(step === undefined ? 0 : twins + 2);
    this.#cellStamp = new Int32Array(this.#cellMass.length).fill(-1);
    if (step !== undefined) this.#twin[n] = twins + 1;
  }

  moveTo(x: number): void {
    const { log, step } = this.dimension;
    const half = (step ?? 0) / 2;
    this.x = log ? Math.log(x) : x;
    this.#left = step === undefined ? this.x : log ? Math.log(x - half) : x - half;
    this.#right = step === undefined ? this.x : log ? Math.log(x + half) : x + half;
    this.#stamp++;
  }

  /** Distance of a centre from the point, or from the nearest end of its cell. */
  #distance(k: number): number {
    const mu = this.mu[k] as number;
    return mu < this.#left ? this.#left - mu : mu > this.#right ? mu - this.#right : 0;
  }

  boundAt(k: number): number {
    const z = this.#distance(k) * (this.inverseSigma[k] as number);
    return this.bound - 0.5 * z * z;
  }

  /** Lower bound of z²/2 for every narrow kernel at least as far away as this one. */
  leastExponent(k: number, narrow: number): number {
    const z = this.#distance(k) / (this.smallestSigma * narrow);
    return 0.5 * z * z;
  }

  logPdf(k: number): number {
    const mu = this.mu[k] as number;
    const inverse = this.inverseSigma[k] as number;
    if (this.dimension.step === undefined) {
      const z = (this.x - mu) * inverse;
      return this.normOf(k) - 0.5 * z * z;
    }
    const twin = this.#twin[k] as number;
    if (this.#cellStamp[twin] !== this.#stamp) {
      this.#cellStamp[twin] = this.#stamp;
      const mass = logNormalMass((this.#left - mu) * inverse, (this.#right - mu) * inverse);
      this.#cellMass[twin] = mass - logMassInside(this.dimension, mu, inverse);
    }
    return this.#cellMass[twin] as number;
  }

  /** Logarithm of the factor before the exponential of kernel k: -log σ - log √(2π) - log of the mass inside the range. */
  normOf(k: number): number {
    const inverse = this.inverseSigma[k] as number;
    return Math.log(inverse) - LOG_SQRT_2PI - logMassInside(this.dimension, this.mu[k] as number, inverse);
  }

  logPrior(): number {
    if (this.dimension.step !== undefined) return this.logPdf(this.#n);
    this.#priorNorm ??= this.normOf(this.#n);
    const z = (this.x - (this.mu[this.#n] as number)) * (this.inverseSigma[this.#n] as number);
    return this.#priorNorm - 0.5 * z * z;
  }

  /** First kernel, in the order of this part, whose centre is not below the point. */
  firstAtOrAbove(): number {
    let low = 0;
    let high = this.#n;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.mu[middle] as number) < this.x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  sample(k: number, random: Random): number {
    const { from, to, log, step, low, high } = this.dimension;
    const mu = this.mu[k] as number;
    const inverse = this.inverseSigma[k] as number;
    const drawn = mu + truncatedNormalQuantile(random.uniform(), (from - mu) * inverse, (to - mu) * inverse) / inverse;
    const value = log ? Math.exp(drawn) : drawn;
    const gridded = step === undefined ? value : low + roundHalfEven((value - low) / step) * step;
    return Math.min(high, Math.max(low, gridded));
  }
}

/**
 * Kernels of one categorical parameter: an observed choice counts fully, every choice a little; with distances, choices count the
 * more the nearer they are to it (Optuna's rule: Watanabe, arXiv:2304.11127, section 3.3.2).
 */
export class CategoricalPart {
  readonly bound = 0;
  readonly #n: number;
  readonly #choices: number;
  readonly #category: Int32Array;
  /** Log probability of each choice (second index) where another was observed (first). */
  readonly #logs: Float64Array;
  #x = 0;

  constructor(
    { choices, distances }: CategoricalDimension,
    column: Float64Array,
    rows: Int32Array,
    place: Int32Array,
    priorWeight: number,
  ) {
    const n = rows.length;
    this.#n = n;
    this.#choices = choices;
    this.#category = new Int32Array(n);
    for (const row of rows) this.#category[place[row] as number] = column[row] as number;
    const spread = priorWeight / (n + 1);
    const coefficient = (Math.log((n + 1) / priorWeight) * Math.log(choices)) / Math.log(6);
    this.#logs = new Float64Array(choices * choices);
    for (let observed = 0; observed < choices; observed++) {
      const row = distances?.[observed];
      const farthest = row === undefined ? 0 : Math.max(...row);
      let total = 0;
      for (let choice = 0; choice < choices; choice++) {
        const weight =
          row === undefined
            ? spread + (choice === observed ? 1 : 0)
            : Math.exp(-(((row[choice] as number) / farthest) ** 2) * coefficient);
        this.#logs[observed * choices + choice] = weight;
        total += weight;
      }
      for (let choice = 0; choice < choices; choice++) {
        const at = observed * choices + choice;
        this.#logs[at] = Math.log((this.#logs[at] as number) / total);
      }
    }
  }

  moveTo(x: number): void {
    this.#x = x;
  }

  boundAt(k: number): number {
    return this.logPdf(k);
  }

  logPdf(k: number): number {
    return this.#logs[(this.#category[k] as number) * this.#choices + this.#x] as number;
  }

  logPrior(): number {
    return -Math.log(this.#choices);
  }

  sample(k: number, random: Random): number {
    if (k === this.#n) return random.integer(this.#choices);
    const row = (this.#category[k] as number) * this.#choices;
    let rest = random.uniform();
    for (let choice = 0; choice < this.#choices - 1; choice++) {
      rest -= Math.exp(this.#logs[row + choice] as number);
      if (rest < 0) return choice;
    }
    return this.#choices - 1;
  }
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
