import { decimalSum, type FloatDistribution, type IntDistribution } from '../core/distributions.js';

export type NumericDistribution = FloatDistribution | IntDistribution;

/** Bounds of a parameter as genetic operators see it: its logarithm where it is searched so, half a step beyond at both ends. */
export function rawBounds({ low, high, log, step }: NumericDistribution): readonly [number, number] {
  const half = (step ?? 0) / 2;
  return log ? [Math.log(low - half), Math.log(high + half)] : [low - half, high + half];
}

/** A value in those terms. */
export function toRaw({ log }: NumericDistribution, internal: number): number {
  return log ? Math.log(internal) : internal;
}

/**
 * The value at a raw coordinate, on its grid. What lies above a continuous range is brought back to its end, what lies below is
 * left there, as Optuna does.
 */
export function fromRaw(distribution: NumericDistribution, raw: number): number {
  const { low, high, log, step } = distribution;
  const value = log ? Math.exp(raw) : raw;
  if (step === undefined) return Math.min(high, value);
  const k = Math.round((value - low) / step);
  const gridded = distribution.kind === 'int' ? low + k * step : Number.isFinite(k) ? decimalSum(low, k, step) : value;
  return Math.min(high, Math.max(low, gridded));
}
