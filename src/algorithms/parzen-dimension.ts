/** One parameter as a Parzen estimator sees it. Numeric bounds are those of the transformed, cell-widened range. */
export type Dimension = NumericDimension | CategoricalDimension;

export interface NumericDimension {
  readonly kind: 'numeric';
  /** The estimator works on the logarithm. */
  readonly log: boolean;
  /** Distance of the grid in the parameter's own unit; undefined for a continuous one. */
  readonly step: number | undefined;
  /** Bounds in the parameter's own unit. */
  readonly low: number;
  readonly high: number;
  /** Bounds after widening by half a step and taking the logarithm. */
  readonly from: number;
  readonly to: number;
}

export interface CategoricalDimension {
  readonly kind: 'categorical';
  readonly choices: number;
  /** Distance from each choice to each other one; undefined where all are equally far. */
  readonly distances?: readonly (readonly number[])[] | undefined;
}

/** A numeric dimension with its derived bounds. */
export function numericDimension(range: {
  low: number;
  high: number;
  log: boolean;
  step: number | undefined;
}): NumericDimension {
  const { low, high, log, step } = range;
  const half = (step ?? 0) / 2;
  const transform = log ? Math.log : (value: number): number => value;
  return { kind: 'numeric', log, step, low, high, from: transform(low - half), to: transform(high + half) };
}
