import { LOG_SQRT_2PI } from './normal-distribution.js';
import type { NumericDimension } from './parzen-dimension.js';
import { clippedRange, logMassInside } from './parzen-parts.js';

/** Observations from which on the smallest bandwidth is the same for every larger number: range / 100. */
export const SETTLED = 98;
/** Kernels wider than this many smallest bandwidths are looked at always, the others only near the point. */
const NARROW = 1.25;
const NONE = -1;

/**
 * What the kernel of each observation needs, kept from one suggestion to the next: centre and 1/σ in each dimension and the product
 * of the factors before the exponentials. σ comes from the distances to the neighbours in each dimension, which are linked as
 * observations come; one that comes or goes touches its neighbours only, so a suggestion does not pay for the whole table.
 */
export class KernelRecords {
  /** Per row: the factor (NaN until it is asked for), then centre and 1/σ of each dimension. */
  data: Float64Array;
  /** Room for a mixture's weight of each row. */
  weights: Float64Array;
  readonly stride: number;
  readonly dimensions: readonly NumericDimension[];
  /** Largest 1/σ of a wide kernel in the first dimension. */
  readonly wideLimit: number;
  readonly #least: readonly number[];
  readonly #before: Int32Array[];
  readonly #after: Int32Array[];
  /** Rows whose kernel may be wide in the first dimension. */
  readonly #wide = new Set<number>();
  /** Rows whose neighbours are left out at present. */
  readonly #touched: number[] = [];
  #leaveOut: Uint8Array = new Uint8Array(0);
  readonly #considerEndpoints: boolean;

  constructor(dimensions: readonly NumericDimension[], capacity: number, considerEndpoints: boolean) {
    this.#considerEndpoints = considerEndpoints;
    this.dimensions = dimensions;
    this.stride = 1 + 2 * dimensions.length;
    this.data = new Float64Array(capacity * this.stride);
    this.weights = new Float64Array(capacity);
    this.#least = dimensions.map(({ from, to }) => clippedRange(to - from, SETTLED));
    this.wideLimit = 1 / ((this.#least[0] ?? 1) * NARROW);
    this.#before = dimensions.map(() => new Int32Array(capacity));
    this.#after = dimensions.map(() => new Int32Array(capacity));
  }

  grow(capacity: number): void {
    const enlarged = (from: Int32Array): Int32Array => {
      const to = new Int32Array(capacity);
      to.set(from);
      return to;
    };
    for (let j = 0; j < this.dimensions.length; j++) {
      this.#before[j] = enlarged(this.#before[j] as Int32Array);
      this.#after[j] = enlarged(this.#after[j] as Int32Array);
    }
    const data = new Float64Array(capacity * this.stride);
    data.set(this.data);
    this.data = data;
    this.weights = new Float64Array(capacity);
  }

  /** Puts a row between its neighbours in one dimension (-1: none). */
  link(j: number, row: number, mu: number, before: number, after: number): void {
    this.data[row * this.stride] = NaN;
    this.data[row * this.stride + 1 + 2 * j] = mu;
    this.#join(j, before, row);
    this.#join(j, row, after);
    if (j === 0) this.#setWide(row);
  }

  /** Takes a row out again in every dimension. */
  unlink(row: number): void {
    for (let j = 0; j < this.dimensions.length; j++) {
      this.#join(j, (this.#before[j] as Int32Array)[row] as number, (this.#after[j] as Int32Array)[row] as number);
    }
    this.#wide.delete(row);
  }

  #join(j: number, before: number, after: number): void {
    if (before !== NONE) {
      (this.#after[j] as Int32Array)[before] = after;
      this.data[before * this.stride] = NaN;
    }
    if (after !== NONE) {
      (this.#before[j] as Int32Array)[after] = before;
      this.data[after * this.stride] = NaN;
    }
    if (j === 0) {
      if (before !== NONE) this.#setWide(before);
      if (after !== NONE) this.#setWide(after);
    }
  }

  #setWide(row: number): void {
    const { from, to } = this.dimensions[0] as NumericDimension;
    const mu = this.#muOf(row, 0);
    const before = (this.#before[0] as Int32Array)[row] as number;
    const after = (this.#after[0] as Int32Array)[row] as number;
    const gap = Math.max(
      mu - (before === NONE ? from : this.#muOf(before, 0)),
      (after === NONE ? to : this.#muOf(after, 0)) - mu,
    );
    if (gap * this.wideLimit >= 1) this.#wide.add(row);
    else this.#wide.delete(row);
  }

  #muOf(row: number, j: number): number {
    return this.data[row * this.stride + 1 + 2 * j] as number;
  }

  /** Sets which rows do not take part (1 in `leaveOut`), and returns those that take part and are wide in the first dimension. */
  choose(leaveOut: Uint8Array, left: readonly number[]): readonly number[] {
    for (const row of this.#touched) this.data[row * this.stride] = NaN;
    this.#leaveOut = leaveOut;
    this.#touched.length = 0;
    let inFirst = 0;
    for (let j = 0; j < this.dimensions.length; j++) {
      for (const row of left) {
        this.#touch(this.#remaining(this.#before[j] as Int32Array, row));
        this.#touch(this.#remaining(this.#after[j] as Int32Array, row));
      }
      if (j === 0) inFirst = this.#touched.length;
    }
    const wide: number[] = [];
    for (const row of this.#wide) if (leaveOut[row] === 0 && this.#isWide(row)) wide.push(row);
    for (let i = 0; i < inFirst; i++) {
      const row = this.#touched[i] as number;
      if (!this.#wide.has(row) && this.#isWide(row) && !wide.includes(row)) wide.push(row);
    }
    return wide;
  }

  /** A row's neighbour has been left out: its kernel has grown. */
  #touch(row: number): void {
    if (row === NONE) return;
    this.data[row * this.stride] = NaN;
    this.#touched.push(row);
  }

  #isWide(row: number): boolean {
    this.factorOf(row);
    return (this.data[row * this.stride + 2] as number) <= this.wideLimit;
  }

  /** Nearest row in one direction that takes part. */
  #remaining(links: Int32Array, row: number): number {
    let neighbour = links[row] as number;
    while (neighbour !== NONE && this.#leaveOut[neighbour] === 1) neighbour = links[neighbour] as number;
    return neighbour;
  }

  /** The product of 1/(σ √(2π) · mass inside the range) of a row that takes part; brings its 1/σ up to date too. */
  factorOf(row: number): number {
    const at = row * this.stride;
    const known = this.data[at] as number;
    if (!Number.isNaN(known)) return known;
    let log = 0;
    for (let j = 0; j < this.dimensions.length; j++) {
      const dimension = this.dimensions[j] as NumericDimension;
      const mu = this.data[at + 1 + 2 * j] as number;
      const inverse = 1 / this.#sigmaOf(row, j, mu, dimension);
      this.data[at + 2 + 2 * j] = inverse;
      log += Math.log(inverse) - LOG_SQRT_2PI - logMassInside(dimension, mu, inverse);
    }
    return (this.data[at] = Math.exp(log));
  }

  #sigmaOf(row: number, j: number, mu: number, { from, to }: NumericDimension): number {
    const before = this.#remaining(this.#before[j] as Int32Array, row);
    const after = this.#remaining(this.#after[j] as Int32Array, row);
    const below = before === NONE ? (this.#considerEndpoints ? mu - from : 0) : mu - this.#muOf(before, j);
    const above = after === NONE ? (this.#considerEndpoints ? to - mu : 0) : this.#muOf(after, j) - mu;
    return Math.min(Math.max(below, above, this.#least[j] as number), to - from);
  }
}
