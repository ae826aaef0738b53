import type { ParamAxis } from './param-axis.js';

/** A parameter as a contour's axis. */
export interface ContourAxis extends ParamAxis {
  /** Distinct values, ascending; a numeric axis with two or more has its range's ends too. */
  readonly indices: readonly (number | string)[];
}

/** The best value at a pair of distinct parameter values. */
export interface ContourCell {
  /** Places in `x.indices` and `y.indices`. */
  readonly xIndex: number;
  readonly yIndex: number;
  readonly z: number;
}

/** Interpolated values on a grid. */
export interface ContourSurface {
  /** Grid places along x and y: numbers, or on a category axis positions from 0. */
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** `[y][x]`. */
  readonly z: readonly (readonly number[])[];
}

/** Cells beyond this are thinned: more does not change what is seen. */
const MOST_CELLS = 1_500;

/**
 * Values between scattered points by inverse distance (Shepard 1968, exponent 4 and a small radius of smoothing, in coordinates
 * scaled to the axes' ranges).
 */
export function contourSurface(
  x: ContourAxis,
  y: ContourAxis,
  cells: readonly ContourCell[],
  size: number,
): ContourSurface {
  const stride = Math.ceil(cells.length / MOST_CELLS);
  const used = cells.filter((_, i) => i % stride === 0);
  const xScale = scaleOf(x);
  const yScale = scaleOf(y);
  const px = Float64Array.from(used, (cell) => xScale.at(cell.xIndex));
  const py = Float64Array.from(used, (cell) => yScale.at(cell.yIndex));
  const values = Float64Array.from(used, (cell) => cell.z);
  const gx = Array.from({ length: size }, (_, i) => i / (size - 1));
  const z = gx.map((v) => gx.map((u) => valueAt(u, v, px, py, values)));
  return { xs: gx.map(xScale.back), ys: gx.map(yScale.back), z };
}

function valueAt(u: number, v: number, px: Float64Array, py: Float64Array, values: Float64Array): number {
  let weights = 0;
  let sum = 0;
  for (let i = 0; i < px.length; i++) {
    const squared = (u - (px[i] as number)) ** 2 + (v - (py[i] as number)) ** 2 + 4e-4;
    const weight = 1 / (squared * squared);
    weights += weight;
    sum += weight * (values[i] as number);
  }
  return sum / weights;
}

interface AxisScale {
  /** Place of one of the axis' indices in 0 … 1. */
  readonly at: (index: number) => number;
  /** And back to the axis' own numbers. */
  readonly back: (share: number) => number;
}

function scaleOf(axis: ContourAxis): AxisScale {
  if (axis.isCategorical) {
    // From half a category before the first to half a one after the last.
    const count = axis.indices.length;
    return { at: (index) => (index + 0.5) / count, back: (share) => share * count - 0.5 };
  }
  const forward = axis.isLog ? Math.log10 : Number;
  const low = forward(axis.range[0]);
  const span = forward(axis.range[1]) - low || 1;
  return {
    at: (index) => (forward(axis.indices[index] as number) - low) / span,
    back: (share) => (axis.isLog ? 10 ** (low + share * span) : low + share * span),
  };
}
