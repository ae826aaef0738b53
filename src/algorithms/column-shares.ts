import { matern52 } from './matern.js';
import type { Column } from './search-domain.js';

/** What kernels of one column need. */
export interface ColumnKernel {
  readonly isCategorical: boolean;
  /** Of the joint kernel. */
  readonly inverseSquaredScale: number;
  /** The column's own kernel, where there is a sum of one-dimensional ones. */
  readonly own: { readonly inverseSquaredScale: number; readonly variance: number } | undefined;
}

/** Squared distance of two values of a column: (difference)² of numbers, 0 or 1 of categories and where only one takes part. */
export function squaredDistance(isCategorical: boolean, a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : 1;
  if (isCategorical) return a === b ? 0 : 1;
  return (a - b) * (a - b);
}

/** Adds what one column brings to a point's squared scaled distances to the first `count` rows, and what its own kernel does. */
export function addColumn(
  kernel: ColumnKernel,
  x: number,
  values: Float64Array,
  count: number,
  distances: Float64Array,
  additive: Float64Array,
): void {
  const { isCategorical, inverseSquaredScale, own } = kernel;
  for (let i = 0; i < count; i++) {
    const square = squaredDistance(isCategorical, x, values[i] as number);
    distances[i] = (distances[i] as number) + inverseSquaredScale * square;
    if (own !== undefined)
      additive[i] = (additive[i] as number) + own.variance * matern52(own.inverseSquaredScale * square);
  }
}

/** Levels of a column up to which what each brings is kept. */
const MOST_KEPT = 256;
/** Points after which sums are made anew, so that no rounding adds up. */
const RENEWED = 256;

/** What one value of one column brings to all rows. */
interface Share {
  readonly distances: Float64Array;
  readonly additive: Float64Array;
}

interface SharedColumn {
  readonly j: number;
  readonly kernel: ColumnKernel;
  readonly values: Float64Array;
  /** By value, where candidates share few of them. */
  readonly kept: Map<number, Share> | undefined;
  x: number;
  current: Share;
  /** Room for the next value where none is kept. */
  spare: Share;
}

/** Whether candidates share so few values of a column that what each brings is kept. */
function hasFewLevels(column: Column): boolean {
  return column.kind !== 'continuous' && column.levels <= MOST_KEPT;
}

/**
 * Squared scaled distances of one point after another to all rows in some columns, and what these columns' own kernels add. Candidates
 * around a centre differ from the one before in a few columns: only these are worked out anew.
 */
export class ColumnShares {
  readonly distances: Float64Array;
  readonly additive: Float64Array;
  readonly #columns: readonly SharedColumn[];
  readonly #hasOwn: boolean;
  #pointsSince = Infinity;

  /** @param which the columns that take part */
  constructor(
    columns: readonly Column[],
    which: readonly number[],
    kernels: readonly ColumnKernel[],
    byColumn: readonly Float64Array[],
    rows: number,
  ) {
    this.#hasOwn = kernels.some(({ own }) => own !== undefined);
    const room = (): Share => ({
      distances: new Float64Array(rows),
      additive: new Float64Array(this.#hasOwn ? rows : 0),
    });
    ({ distances: this.distances, additive: this.additive } = room());
    this.#columns = which.map((j) => ({
      j,
      kernel: kernels[j] as ColumnKernel,
      values: byColumn[j] as Float64Array,
      kept: hasFewLevels(columns[j] as Column) ? new Map() : undefined,
      x: NaN,
      current: room(),
      spare: room(),
    }));
  }

  moveTo(point: Float64Array): void {
    const columns = this.#columns;
    let changes = 0;
    for (const { j, x } of columns) if (!Object.is(point[j], x)) changes++;
    const isFirst = this.#pointsSince === Infinity;
    const renews = isFirst || 2 * changes > columns.length || ++this.#pointsSince > RENEWED;
    if (changes === 0 && !renews) return;
    for (const column of columns) {
      const x = point[column.j] as number;
      if (!isFirst && Object.is(x, column.x)) continue;
      const before = column.current;
      const share = this.#shareOf(column, x);
      if (column.kept === undefined) column.spare = before;
      column.current = share;
      column.x = x;
      if (renews) continue;
      exchange(this.distances, before.distances, share.distances);
      if (this.#hasOwn) exchange(this.additive, before.additive, share.additive);
    }
    if (!renews) return;
    this.#pointsSince = 0;
    this.distances.fill(0);
    this.additive.fill(0);
    for (const { current } of columns) {
      add(this.distances, current.distances);
      if (this.#hasOwn) add(this.additive, current.additive);
    }
  }

  #shareOf({ kernel, values, kept, spare }: SharedColumn, x: number): Share {
    const known = kept?.get(x);
    if (known !== undefined) return known;
    const rows = values.length;
    const share =
      kept === undefined
        ? spare
        : { distances: new Float64Array(rows), additive: new Float64Array(this.#hasOwn ? rows : 0) };
    share.distances.fill(0);
    share.additive.fill(0);
    addColumn(kernel, x, values, rows, share.distances, share.additive);
    kept?.set(x, share);
    return share;
  }
}

function add(sums: Float64Array, parts: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (parts[i] as number);
}

function exchange(sums: Float64Array, before: Float64Array, after: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + ((after[i] as number) - (before[i] as number));
}
