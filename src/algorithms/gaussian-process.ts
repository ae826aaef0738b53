import { choleskyInPlace, invertLower, solveLower, solveLowerTransposed } from './cholesky.js';
import { addColumn, ColumnShares, squaredDistance, type ColumnKernel } from './column-shares.js';
import { dotProduct, squaredNormsOfFour } from './dot-product.js';
import { matern52 } from './matern.js';
import type { Column } from './search-domain.js';

/** Hyper-parameters of a Gaussian process. */
export interface GpParameters {
  /** Inverse squared length scale of each column. */
  readonly inverseSquaredScales: Float64Array;
  readonly signalVariance: number;
  readonly noiseVariance: number;
  /** A sum of one-dimensional processes beside the joint one: what each parameter does by itself. Absent: none. */
  readonly additive?: { readonly inverseSquaredScales: Float64Array; readonly signalVariance: number } | undefined;
}

/** Of one process after another: it is of use only while one is made. Nothing above the diagonal is read. */
let factor = new Float64Array(0);

function factorBuffer(length: number): Float64Array {
  if (factor.length < length) factor = new Float64Array(length);
  return factor;
}

/**
 * Gaussian process with constant mean 0, ARD Matérn 5/2 kernel and Gaussian noise (Rasmussen & Williams 2006, ch. 2, 4, 5), to which a
 * sum of one-dimensional Matérn kernels may be added (Duvenaud, Nickisch & Rasmussen, NeurIPS 2011, first order); categories are at
 * distance 0 or 1 (Hutter 2009).
 */
export class GaussianProcess {
  readonly parameters: GpParameters;
  readonly size: number;
  /** Variance of the function before anything is seen. */
  readonly priorVariance: number;
  readonly #kernels: readonly ColumnKernel[];
  readonly #byColumn: readonly Float64Array[];
  /** Whether every row has a value in the column. */
  readonly #isComplete: readonly boolean[];
  /** Whether all that a column brings is its squared distance: complete numbers, no process of its own. */
  readonly #isPlain: readonly boolean[];
  /** The plain columns, and what their values are multiplied with. */
  readonly #plain: readonly number[];
  readonly #roots: Float64Array;
  /** Values of the plain columns in units of their length scales, column by column. */
  readonly #scaledRows: Float64Array;
  /** Those of the point of which #plainSums has the squared distances to all rows; NaN before there is one. */
  readonly #scaledPoint: Float64Array;
  readonly #plainSums: Float64Array;
  readonly #nextScaled: Float64Array;
  readonly #changed: Int32Array;
  readonly #inverseL: Float64Array;
  readonly #weights: Float64Array;
  readonly #covariances: Float64Array;
  readonly #additive: Float64Array;
  readonly #four: Float64Array;
  /** Prior variance of each row's result, noise included. */
  readonly #rowVariances: Float64Array;
  /** Of the columns that are not plain. */
  readonly #shares: ColumnShares;

  /** @param rowNoise noise of each row, in times `noiseVariance`. Absent: once */
  constructor(
    columns: readonly Column[],
    rows: readonly Float64Array[],
    targets: Float64Array,
    parameters: GpParameters,
    rowNoise?: Float64Array,
  ) {
    const n = rows.length;
    this.size = n;
    this.#covariances = new Float64Array(n);
    this.#additive = new Float64Array(n);
    this.#four = new Float64Array(4 * n);
    this.parameters = parameters;
    this.priorVariance = parameters.signalVariance + (parameters.additive?.signalVariance ?? 0);
    const { additive } = parameters;
    this.#kernels = columns.map(({ kind }, j) => ({
      isCategorical: kind === 'categorical',
      inverseSquaredScale: parameters.inverseSquaredScales[j] as number,
      own: additive && {
        inverseSquaredScale: additive.inverseSquaredScales[j] as number,
        variance: additive.signalVariance / columns.length,
      },
    }));
    this.#byColumn = columns.map((_, j) => Float64Array.from(rows, (row) => row[j] as number));
    this.#isComplete = this.#byColumn.map((values) => !values.some(Number.isNaN));
    this.#isPlain = columns.map(
      (column, j) => additive === undefined && column.kind !== 'categorical' && this.#isComplete[j] === true,
    );
    const plain = [...columns.keys()].filter((j) => this.#isPlain[j]);
    this.#plain = plain;
    const others = [...columns.keys()].filter((j) => this.#isPlain[j] !== true);
    this.#shares = new ColumnShares(columns, others, this.#kernels, this.#byColumn, n);
    this.#roots = Float64Array.from(plain, (j) => Math.sqrt(parameters.inverseSquaredScales[j] as number));
    this.#nextScaled = new Float64Array(plain.length);
    this.#scaledPoint = new Float64Array(plain.length).fill(NaN);
    this.#plainSums = new Float64Array(n);
    this.#changed = new Int32Array(plain.length);
    this.#scaledRows = new Float64Array(n * plain.length);
    for (const [c, j] of plain.entries()) {
      const root = this.#roots[c] as number;
      const values = this.#byColumn[j] as Float64Array;
      for (let i = 0; i < n; i++) this.#scaledRows[c * n + i] = (values[i] as number) * root;
    }
    this.#rowVariances = new Float64Array(n);
    for (let i = 0; i < n; i++)
      this.#rowVariances[i] = this.priorVariance + parameters.noiseVariance * (rowNoise?.[i] ?? 1);
    const l = factorBuffer(n * n);
    let noise = parameters.noiseVariance;
    for (;;) {
      for (let i = 0; i < n; i++) {
        this.#setCovariances(rows[i] as Float64Array, i);
        l.set(this.#covariances.subarray(0, i), i * n);
        l[i * n + i] = this.priorVariance + noise * (rowNoise?.[i] ?? 1);
      }
      if (choleskyInPlace(l, n)) break;
      noise = Math.max(1e-10, noise * 10);
    }
    this.#inverseL = new Float64Array(n * n);
    invertLower(l, n, n, this.#inverseL);
    this.#weights = new Float64Array(n);
    solveLower(l, n, n, targets, this.#weights);
    solveLowerTransposed(l, n, n, this.#weights, this.#weights);
  }

  /** Inverse of the Cholesky factor of the rows' covariances, noise included; lower triangular, row by row. */
  get inverseFactor(): Float64Array {
    return this.#inverseL;
  }

  /** What each row's covariance with a point counts for in the mean there: K⁻¹ y. */
  get weights(): Float64Array {
    return this.#weights;
  }

  /** Leave-one-out means and variances, noise included (Rasmussen & Williams, eq. 5.12). */
  leaveOneOut(targets: Float64Array): { means: Float64Array; variances: Float64Array } {
    const n = this.size;
    const means = new Float64Array(n);
    const variances = new Float64Array(n);
    const diagonal = new Float64Array(n);
    for (let k = 0; k < n; k++)
      for (let i = 0; i <= k; i++) diagonal[i] = (diagonal[i] as number) + (this.#inverseL[k * n + i] as number) ** 2;
    for (let i = 0; i < n; i++) {
      variances[i] = 1 / (diagonal[i] as number);
      means[i] = (targets[i] as number) - (this.#weights[i] as number) / (diagonal[i] as number);
    }
    return { means, variances };
  }

  /** Posterior mean and variance of the function (without noise) at many points. */
  predict(points: readonly Float64Array[], means: Float64Array, variances: Float64Array): void {
    for (let p = 0; p < points.length; p++) {
      means[p] = this.#meanAt(points[p] as Float64Array);
      variances[p] = this.#varianceFromCovariances();
    }
  }

  /**
   * Posterior means, and variances given the one nearest row alone: bounds from above that cost next to nothing.
   * @param covariances filled with those of each point with all rows, one point after another
   */
  predictBounds(
    points: readonly Float64Array[],
    means: Float64Array,
    upperVariances: Float64Array,
    covariances: Float64Array,
  ): void {
    const n = this.size;
    for (let p = 0; p < points.length; p++) {
      means[p] = this.#meanAt(points[p] as Float64Array);
      const k = this.#covariances;
      let largest = 0;
      let nearest = 0;
      for (let i = 0, at = p * n; i < n; i++, at++) {
        const covariance = k[i] as number;
        covariances[at] = covariance;
        if (covariance > largest) {
          largest = covariance;
          nearest = i;
        }
      }
      upperVariances[p] = this.priorVariance - (largest * largest) / (this.#rowVariances[nearest] as number);
    }
  }

  /**
   * Posterior variances of the function at up to four points together, from their covariances as `predictBounds` leaves them.
   * @param variances four entries; as many are filled as there are indices
   */
  variancesOfFour(indices: readonly number[], covariances: Float64Array, variances: Float64Array): void {
    const n = this.size;
    const four = this.#four;
    for (let q = 0; q < indices.length; q++) {
      const from = (indices[q] as number) * n;
      for (let i = 0, at = q; i < n; i++, at += 4) four[at] = covariances[from + i] as number;
    }
    squaredNormsOfFour(this.#inverseL, n, four, variances);
    for (let q = 0; q < indices.length; q++)
      variances[q] = Math.max(1e-12 * this.priorVariance, this.priorVariance - (variances[q] as number));
  }

  /** Posterior covariance of the function at two points. */
  covarianceAt(a: Float64Array, b: Float64Array): number {
    const n = this.size;
    const { signalVariance, inverseSquaredScales, additive } = this.parameters;
    let squared = 0;
    let own = 0;
    for (const [j, { isCategorical }] of this.#kernels.entries()) {
      const square = squaredDistance(isCategorical, a[j] as number, b[j] as number);
      squared += (inverseSquaredScales[j] as number) * square;
      if (additive !== undefined) own += matern52((additive.inverseSquaredScales[j] as number) * square);
    }
    const prior = signalVariance * matern52(squared) + ((additive?.signalVariance ?? 0) * own) / this.#byColumn.length;
    this.#setCovariances(a, n);
    const ofA = this.#covariances.slice();
    this.#setCovariances(b, n);
    let explained = 0;
    for (let i = 0; i < n; i++) {
      const row = i * n;
      explained +=
        dotProduct(this.#inverseL, row, ofA, 0, i + 1) * dotProduct(this.#inverseL, row, this.#covariances, 0, i + 1);
    }
    return prior - explained;
  }

  #varianceFromCovariances(): number {
    const n = this.size;
    let explained = 0;
    for (let i = 0; i < n; i++) {
      const projected = dotProduct(this.#inverseL, i * n, this.#covariances, 0, i + 1);
      explained += projected * projected;
    }
    return Math.max(1e-12 * this.priorVariance, this.priorVariance - explained);
  }

  #meanAt(point: Float64Array): number {
    this.#setCovariances(point, this.size);
    return dotProduct(this.#covariances, 0, this.#weights, 0, this.size);
  }

  /** Covariances of a point with the first `count` rows. */
  #setCovariances(point: Float64Array, count: number): void {
    const { signalVariance, additive } = this.parameters;
    const k = this.#covariances;
    const sum = this.#additive;
    const hasPlain = this.#setPlainSums(point);
    if (hasPlain && this.#plain.length === this.#byColumn.length) {
      const squares = this.#plainSums;
      for (let i = 0; i < count; i++) k[i] = signalVariance * matern52(squares[i] as number);
      return;
    }
    if (count === this.size) {
      this.#shares.moveTo(point);
      k.set(this.#shares.distances);
      if (additive !== undefined) sum.set(this.#shares.additive);
    } else {
      k.fill(0, 0, count);
      sum.fill(0, 0, count);
      for (let j = 0; j < this.#byColumn.length; j++) if (this.#isPlain[j] !== true) this.#addColumn(j, point, count);
    }
    if (!hasPlain) for (const j of this.#plain) this.#addColumn(j, point, count);
    if (hasPlain) for (let i = 0; i < count; i++) k[i] = (k[i] as number) + (this.#plainSums[i] as number);
    for (let i = 0; i < count; i++) k[i] = signalVariance * matern52(Math.max(0, k[i] as number));
    if (additive !== undefined) for (let i = 0; i < count; i++) k[i] = (k[i] as number) + (sum[i] as number);
  }

  /**
   * Squared distances of a point to all rows in the plain columns; false where there are none or one does not take part. Candidates
   * around a centre differ from the one before in a few columns: only these are worked out anew.
   */
  #setPlainSums(point: Float64Array): boolean {
    const plain = this.#plain;
    const width = plain.length;
    if (width === 0) return false;
    const scaled = this.#scaledPoint;
    const changed = this.#changed;
    const next = this.#nextScaled;
    let changes = 0;
    for (let c = 0; c < width; c++) {
      const x = (point[plain[c] as number] as number) * (this.#roots[c] as number);
      if (Number.isNaN(x)) return false;
      next[c] = x;
      if (x !== scaled[c]) changed[changes++] = c;
    }
    // Before the first point all are NaN, which nothing equals.
    if (3 * changes > width) setSquaredDistances(this.#scaledRows, this.size, next, this.#plainSums);
    else for (let q = 0; q < changes; q++) this.#moveAlong(changed[q] as number, next[changed[q] as number] as number);
    scaled.set(next);
    return true;
  }

  /** The sums with another value of one plain column: (r - x)² - (r - x₀)² = (x₀ - x)(2r - x₀ - x). */
  #moveAlong(c: number, x: number): void {
    const n = this.size;
    const sums = this.#plainSums;
    const rows = this.#scaledRows;
    const before = this.#scaledPoint[c] as number;
    const factor = before - x;
    const both = before + x;
    for (let i = 0, at = c * n; i < n; i++, at++)
      sums[i] = Math.max(0, (sums[i] as number) + factor * (2 * (rows[at] as number) - both));
  }

  #addColumn(j: number, point: Float64Array, count: number): void {
    const kernel = this.#kernels[j] as ColumnKernel;
    const values = this.#byColumn[j] as Float64Array;
    addColumn(kernel, point[j] as number, values, count, this.#covariances, this.#additive);
  }
}

/** Squared distances of a point to rows, column by column; columns by fours, so that each sum is written a quarter as often. */
function setSquaredDistances(rows: Float64Array, n: number, point: Float64Array, sums: Float64Array): void {
  const width = point.length;
  sums.fill(0, 0, n);
  let c = 0;
  for (; c + 4 <= width; c += 4) {
    const x0 = point[c] as number;
    const x1 = point[c + 1] as number;
    const x2 = point[c + 2] as number;
    const x3 = point[c + 3] as number;
    for (let i = 0, at = c * n; i < n; i++, at++) {
      const d0 = (rows[at] as number) - x0;
      const d1 = (rows[at + n] as number) - x1;
      const d2 = (rows[at + 2 * n] as number) - x2;
      const d3 = (rows[at + 3 * n] as number) - x3;
      sums[i] = (sums[i] as number) + d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3;
    }
  }
  for (; c < width; c++) {
    const x = point[c] as number;
    for (let i = 0, at = c * n; i < n; i++, at++) {
      const difference = (rows[at] as number) - x;
      sums[i] = (sums[i] as number) + difference * difference;
    }
  }
}
