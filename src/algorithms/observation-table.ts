import { KernelRecords } from './kernel-records.js';
import type { Dimension, NumericDimension } from './parzen-dimension.js';

/**
 * Observations of some parameters as columns, kept sorted by each numeric one and by age as they come, so that an estimator needs no
 * sort. Values are transformed (logarithm taken); a categorical one is the index of its choice.
 */
export class ObservationTable {
  readonly dimensions: readonly Dimension[];
  /** One column per dimension; only the first `size` entries count. */
  readonly columns: Float64Array[];
  /** Rows in ascending order of each numeric column; empty for a categorical one. */
  readonly sorted: Int32Array[];
  /** Rows in ascending order of their keys. */
  byAge: Int32Array;
  /** Kernels that are kept from suggestion to suggestion; undefined unless asked for and all dimensions are continuous. */
  readonly kernels: KernelRecords | undefined;
  #keys: Float64Array;
  #size = 0;

  constructor(
    dimensions: readonly Dimension[],
    options: { capacity?: number; kernels?: { considerEndpoints: boolean } } = {},
  ) {
    const { capacity = 64, kernels } = options;
    const continuous = dimensions.filter((dimension) => dimension.kind === 'numeric' && dimension.step === undefined);
    this.kernels =
      kernels === undefined || continuous.length < dimensions.length
        ? undefined
        : new KernelRecords(continuous as NumericDimension[], capacity, kernels.considerEndpoints);
    this.dimensions = dimensions;
    this.columns = dimensions.map(() => new Float64Array(capacity));
    this.sorted = dimensions.map(({ kind }) => new Int32Array(kind === 'numeric' ? capacity : 0));
    this.byAge = new Int32Array(capacity);
    this.#keys = new Float64Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a row of values in the parameters' own units. Returns its index. */
  add(values: readonly number[], key: number): number {
    const row = this.#size;
    if (row === this.byAge.length) this.#grow();
    this.#keys[row] = key;
    for (const [j, dimension] of this.dimensions.entries()) {
      const value = values[j] ?? NaN;
      const transformed = dimension.kind === 'numeric' && dimension.log ? Math.log(value) : value;
      const column = this.columns[j] as Float64Array;
      column[row] = transformed;
      if (dimension.kind !== 'numeric') continue;
      const order = this.sorted[j] as Int32Array;
      const at = insertSorted(order, row, column, this.#keys, row);
      this.kernels?.link(
        j,
        row,
        transformed,
        at > 0 ? (order[at - 1] as number) : -1,
        at < row ? (order[at + 1] as number) : -1,
      );
    }
    insertSorted(this.byAge, row, this.#keys, this.#keys, row);
    this.#size = row + 1;
    return row;
  }

  /** Takes the rows from `size` on away again. */
  truncate(size: number): void {
    while (this.#size > size) {
      const row = --this.#size;
      for (const [j, dimension] of this.dimensions.entries()) {
        if (dimension.kind === 'numeric') removeRow(this.sorted[j] as Int32Array, row, row);
      }
      removeRow(this.byAge, row, row);
      this.kernels?.unlink(row);
    }
  }

  #grow(): void {
    const capacity = this.byAge.length * 2;
    for (const [j, column] of this.columns.entries()) {
      this.columns[j] = enlarged(column, new Float64Array(capacity));
      const order = this.sorted[j];
      if (order !== undefined && order.length > 0) this.sorted[j] = enlarged(order, new Int32Array(capacity));
    }
    this.byAge = enlarged(this.byAge, new Int32Array(capacity));
    this.#keys = enlarged(this.#keys, new Float64Array(capacity));
    this.kernels?.grow(capacity);
  }
}

function enlarged<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Puts `row` into an order of `size` rows by binary search; equal values stand in the order of their keys. Returns its place. */
function insertSorted(order: Int32Array, size: number, values: Float64Array, keys: Float64Array, row: number): number {
  const value = values[row] as number;
  const key = keys[row] as number;
  const isBefore = (other: number): boolean => {
    const otherValue = values[other] as number;
    return otherValue < value || (otherValue === value && (keys[other] as number) <= key);
  };
  // What comes last is looked at first: ages only grow, as a rule.
  let low = size > 0 && isBefore(order[size - 1] as number) ? size : 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(order[middle] as number)) low = middle + 1;
    else high = middle;
  }
  order.copyWithin(low + 1, low, size);
  order[low] = row;
  return low;
}

/** Takes `row` out of an order that has `size + 1` rows. */
function removeRow(order: Int32Array, size: number, row: number): void {
  const at = order[size] === row ? size : order.indexOf(row);
  order.copyWithin(at, at + 1, size + 1);
}
