/**
 * One axis of an encoded search space. Points are vectors with one number per column: a coordinate in [0, 1] for numbers, the index
 * of the choice for categories, NaN where the parameter does not take part.
 */
export type Column = ContinuousColumn | OrdinalColumn | CategoricalColumn;

/** Any coordinate in [0, 1]. */
export interface ContinuousColumn {
  readonly kind: 'continuous';
}

/** Numbered values in their order, each with its coordinate. */
export interface OrdinalColumn {
  readonly kind: 'ordinal';
  readonly levels: number;
  /** Coordinate of a level; 0 for the first, 1 for the last. */
  coordinateOf(level: number): number;
  /** Nearest level to a coordinate. */
  levelOf(coordinate: number): number;
  /** Level for a uniform draw from [0, 1). */
  levelFor(share: number): number;
}

/** Values without an order. */
export interface CategoricalColumn {
  readonly kind: 'categorical';
  readonly levels: number;
}

/** An encoded search space. */
export interface SearchDomain {
  readonly columns: readonly Column[];
  /** Marks the columns of a whole point that do not take part: same length, NaN there. Absent: all always take part. */
  readonly mask?: ((point: Float64Array) => Float64Array) | undefined;
  /** Whether a whole point may be tried. Absent: any may. */
  readonly isAllowed?: ((point: Float64Array) => boolean) | undefined;
}

/** Evenly spaced levels. */
export function evenColumn(levels: number): OrdinalColumn {
  const last = Math.max(1, levels - 1);
  return {
    kind: 'ordinal',
    levels,
    coordinateOf: (level) => level / last,
    levelOf: (coordinate) => Math.min(levels - 1, Math.max(0, Math.round(coordinate * last))),
    levelFor: (share) => Math.min(levels - 1, Math.floor(share * levels)),
  };
}

/** Coordinate or index of a column for a uniform draw from [0, 1). */
export function valueForShare(column: Column, share: number): number {
  if (column.kind === 'continuous') return share;
  if (column.kind === 'categorical') return Math.min(column.levels - 1, Math.floor(share * column.levels));
  return column.coordinateOf(column.levelFor(share));
}

/** Text that is the same for equal points. */
export function pointKey(point: Float64Array): string {
  return point.join();
}

/** The point as models see it. */
export function masked(domain: SearchDomain, point: Float64Array): Float64Array {
  return domain.mask === undefined ? point : domain.mask(point);
}
