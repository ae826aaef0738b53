import { squaredDistance } from './column-shares.js';
import { addScaled, dotProduct, squaredNormsOfFour } from './dot-product.js';
import type { GaussianProcess } from './gaussian-process.js';
import { expNegative } from './matern.js';
import type { Column } from './search-domain.js';

const SQRT5 = Math.sqrt(5);

/**
 * Posterior of a Gaussian process at one point after another, with the gradient of whatever is made of it: mean, variance, and
 * covariances with points whose results are still to come (Rasmussen & Williams 2006, eq. 2.25 and 2.26, derived by x). A gap
 * (a parameter that does not take part) has no gradient.
 */
export class ProcessPosterior {
  /** At the latest point. */
  mean = 0;
  /** Of the function, without noise. */
  variance = 0;
  /** With each pending point. */
  readonly covariances: Float64Array;
  readonly process: GaussianProcess;
  readonly pending: readonly Float64Array[];
  readonly #isCategorical: readonly boolean[];
  /** Rows, then pending points, by column. */
  readonly #byColumn: readonly Float64Array[];
  readonly #isComplete: readonly boolean[];
  readonly #rows: number;
  /** Covariances of the latest point with rows and pending points, and their derivatives by the squared scaled distance. */
  readonly #k: Float64Array;
  readonly #slopes: Float64Array;
  /** What the one-dimensional kernels add, and its derivatives by the squared distance in each column. */
  readonly #additive: Float64Array;
  readonly #additiveSlopes: readonly Float64Array[] | undefined;
  /** L⁻¹ k. */
  readonly #projected: Float64Array;
  readonly #coefficients: Float64Array;
  readonly #common: Float64Array;
  /** L⁻ᵀ row by row, made when the first gradient is asked for. */
  #transposed: Float64Array | undefined;
  /** K⁻¹ k(X, pending), a row per pending point. */
  readonly #explained: readonly Float64Array[];
  #point: Float64Array = new Float64Array(0);

  /** @param rows those that the process was made from */
  constructor(
    process: GaussianProcess,
    columns: readonly Column[],
    rows: readonly Float64Array[],
    pending: readonly Float64Array[] = [],
  ) {
    const n = rows.length;
    this.process = process;
    this.pending = pending;
    this.#rows = n;
    this.#isCategorical = columns.map(({ kind }) => kind === 'categorical');
    const all = [...rows, ...pending];
    this.#byColumn = columns.map((_, j) => Float64Array.from(all, (row) => row[j] as number));
    this.#isComplete = this.#byColumn.map((values) => !values.some(Number.isNaN));
    const { additive } = process.parameters;
    this.#additiveSlopes = additive === undefined ? undefined : columns.map(() => new Float64Array(all.length));
    this.#additive = new Float64Array(additive === undefined ? 0 : all.length);
    this.#k = new Float64Array(all.length);
    this.#slopes = new Float64Array(all.length);
    this.#projected = new Float64Array(n);
    this.#coefficients = new Float64Array(all.length);
    this.#common = new Float64Array(all.length);
    this.covariances = new Float64Array(pending.length);
    this.#explained = pending.map((point) => {
      this.#setCovariances(point);
      this.#project();
      const explained = new Float64Array(n);
      this.#unproject(explained);
      return explained;
    });
  }

  /** Sets mean, variance and covariances to those at a point. */
  at(point: Float64Array): void {
    this.#point = point;
    this.#setCovariances(point);
    this.#project();
    const n = this.#rows;
    this.mean = dotProduct(this.#k, 0, this.process.weights, 0, n);
    const explained = dotProduct(this.#projected, 0, this.#projected, 0, n);
    this.variance = Math.max(0, this.process.priorVariance - explained);
    for (let r = 0; r < this.covariances.length; r++) {
      this.covariances[r] =
        (this.#k[n + r] as number) - dotProduct(this.#k, 0, this.#explained[r] as Float64Array, 0, n);
    }
  }

  /**
   * Means and variances at many points, without what a gradient or a pending point needs.
   * @param means filled; @param variances filled
   */
  atMany(points: readonly Float64Array[], means: Float64Array, variances: Float64Array): void {
    const n = this.#rows;
    const four = new Float64Array(4 * n);
    const explained = new Float64Array(4);
    for (let p = 0; p < points.length; p += 4) {
      const last = Math.min(4, points.length - p);
      for (let q = 0; q < last; q++) {
        this.#setCovariances(points[p + q] as Float64Array, false);
        means[p + q] = dotProduct(this.#k, 0, this.process.weights, 0, n);
        for (let i = 0, at = q; i < n; i++, at += 4) four[at] = this.#k[i] as number;
      }
      squaredNormsOfFour(this.process.inverseFactor, n, four, explained);
      for (let q = 0; q < last; q++)
        variances[p + q] = Math.max(0, this.process.priorVariance - (explained[q] as number));
    }
  }

  /**
   * Adds to `gradient` that of a function of mean, variance and covariances at the latest point, whose derivatives by these are
   * given. Categories have none.
   */
  addGradient(byMean: number, byVariance: number, byCovariances: Float64Array, gradient: Float64Array): void {
    const n = this.#rows;
    const coefficients = this.#coefficients;
    const { weights } = this.process;
    this.#unproject(coefficients);
    for (let i = 0; i < n; i++)
      coefficients[i] = byMean * (weights[i] as number) - 2 * byVariance * (coefficients[i] as number);
    for (let r = 0; r < byCovariances.length; r++) {
      const slope = byCovariances[r] as number;
      addScaled(coefficients, 0, -slope, this.#explained[r] as Float64Array, 0, n);
      coefficients[n + r] = slope;
    }
    const total = n + byCovariances.length;
    // What all columns have in common: by the squared scaled distance to each row.
    const common = this.#common;
    let commonSum = 0;
    for (let i = 0; i < total; i++) {
      const product = (coefficients[i] as number) * (this.#slopes[i] as number);
      common[i] = product;
      commonSum += product;
    }
    for (let j = 0; j < this.#byColumn.length; j++) {
      const x = this.#point[j] as number;
      if (this.#isCategorical[j] === true || Number.isNaN(x)) continue;
      const values = this.#byColumn[j] as Float64Array;
      const scale = this.process.parameters.inverseSquaredScales[j] as number;
      const own = this.#additiveSlopes?.[j];
      if (own === undefined && this.#isComplete[j] === true) {
        const sum = x * commonSum - dotProduct(common, 0, values, 0, total);
        gradient[j] = (gradient[j] as number) + 2 * scale * sum;
        continue;
      }
      let sum = 0;
      for (let i = 0; i < total; i++) {
        const difference = x - (values[i] as number);
        if (Number.isNaN(difference)) continue;
        const additive = own === undefined ? 0 : (coefficients[i] as number) * (own[i] as number);
        sum += (scale * (common[i] as number) + additive) * difference;
      }
      gradient[j] = (gradient[j] as number) + 2 * sum;
    }
  }

  #setCovariances(point: Float64Array, hasSlopes = true): void {
    const { inverseSquaredScales, signalVariance, additive } = this.process.parameters;
    const k = this.#k;
    k.fill(0);
    this.#additive.fill(0);
    for (let j = 0; j < this.#byColumn.length; j++) {
      const values = this.#byColumn[j] as Float64Array;
      const x = point[j] as number;
      const t = inverseSquaredScales[j] as number;
      if (additive !== undefined) {
        this.#addOwn(j, x, additive.inverseSquaredScales[j] as number, additive.signalVariance);
      }
      if (this.#isCategorical[j] === true || this.#isComplete[j] !== true || Number.isNaN(x)) {
        const isCategorical = this.#isCategorical[j] === true;
        for (let i = 0; i < k.length; i++)
          k[i] = (k[i] as number) + t * squaredDistance(isCategorical, x, values[i] as number);
      } else {
        for (let i = 0; i < k.length; i++) {
          const difference = x - (values[i] as number);
          k[i] = (k[i] as number) + t * difference * difference;
        }
      }
    }
    for (let i = 0; i < k.length; i++) {
      const r = SQRT5 * Math.sqrt(k[i] as number);
      const e = signalVariance * expNegative(r);
      k[i] = (1 + r + (r * r) / 3) * e + (this.#additive[i] ?? 0);
      if (hasSlopes) this.#slopes[i] = (-5 / 6) * (1 + r) * e;
    }
  }

  /** What column j's own kernel brings. */
  #addOwn(j: number, x: number, scale: number, signalVariance: number): void {
    const values = this.#byColumn[j] as Float64Array;
    const slopes = this.#additiveSlopes?.[j] as Float64Array;
    const height = signalVariance / this.#byColumn.length;
    for (let i = 0; i < values.length; i++) {
      const square = squaredDistance(this.#isCategorical[j] === true, x, values[i] as number);
      const r = SQRT5 * Math.sqrt(scale * square);
      const e = height * expNegative(r);
      this.#additive[i] = (this.#additive[i] as number) + (1 + r + (r * r) / 3) * e;
      slopes[i] = (-5 / 6) * (1 + r) * e * scale;
    }
  }

  #project(): void {
    const n = this.#rows;
    const inverse = this.process.inverseFactor;
    for (let i = 0; i < n; i++) this.#projected[i] = dotProduct(inverse, i * n, this.#k, 0, i + 1);
  }

  /** K⁻¹ k = L⁻ᵀ (L⁻¹ k). */
  #unproject(out: Float64Array): void {
    const n = this.#rows;
    const transposed = (this.#transposed ??= transpose(this.process.inverseFactor, n));
    for (let i = 0; i < n; i++) out[i] = dotProduct(transposed, i * n + i, this.#projected, i, n - i);
  }
}

function transpose(matrix: Float64Array, size: number): Float64Array {
  const transposed = new Float64Array(size * size);
  for (let i = 0; i < size; i++) for (let k = 0; k <= i; k++) transposed[k * size + i] = matrix[i * size + k] as number;
  return transposed;
}
