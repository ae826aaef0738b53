import { choleskyInPlace, inverseFromFactor, invertLower, solveLower, solveLowerTransposed } from './cholesky.js';
import { squaredDistance } from './column-shares.js';
import type { GpParameters } from './gaussian-process.js';
import { minimizeBounded } from './l-bfgs-b.js';
import { expNegative } from './matern.js';
import type { Column } from './search-domain.js';

const SQRT5 = Math.sqrt(5);

/**
 * Minus the logarithm of a density of hyper-parameters, given their logarithms (inverse squared scales, signal variance, noise
 * variance); its gradient with respect to these is added to `gradient`.
 */
export type GpPrior = (logs: Float64Array, gradient: Float64Array) => number;

export interface GpFitOptions {
  /** @default all 1, 1 and 0.01 */
  readonly start?: GpParameters | undefined;
  /** 0 keeps the start. @default 30 */
  readonly maxIterations?: number | undefined;
  /** Mean of the logarithm of a length scale before anything is seen. */
  readonly logScaleMean?: number | undefined;
  /** @default 1 */
  readonly logScaleDeviation?: number | undefined;
  readonly noiseFloor?: number | undefined;
  /** @default 1 */
  readonly noiseCeiling?: number | undefined;
  readonly logNoiseMean?: number | undefined;
  readonly logNoiseDeviation?: number | undefined;
  /** Whether there are one-dimensional processes too. @default false */
  readonly additive?: boolean | undefined;
  /** Noise of each row, in times the noise variance. @default all 1 */
  readonly rowNoise?: Float64Array | undefined;
  /** In place of the log-normal densities that the options above describe. Not together with `additive`. */
  readonly prior?: GpPrior | undefined;
  /** Stops where an iteration gains less than this share of the value. @default 1e-4 */
  readonly valueTolerance?: number | undefined;
}

/** Hyper-parameters of largest posterior density, by L-BFGS-B on their logarithms (Rasmussen & Williams, eq. 5.9). */
export function fitGaussianProcess(
  columns: readonly Column[],
  rows: readonly Float64Array[],
  targets: Float64Array,
  options: GpFitOptions = {},
): GpParameters {
  const d = columns.length;
  const n = rows.length;
  const maxIterations = options.maxIterations ?? 30;
  const noiseFloor = options.noiseFloor ?? 1e-6;
  const scaleMean = options.logScaleMean ?? 0;
  const scaleDeviation = options.logScaleDeviation ?? 1;
  const noiseMean = options.logNoiseMean ?? Math.log(0.01);
  const noiseDeviation = options.logNoiseDeviation ?? 1.5;
  const hasAdditive = options.additive === true;
  const { prior, rowNoise } = options;
  const size = hasAdditive ? 2 * d + 3 : d + 2;
  const start = new Float64Array(size);
  for (let j = 0; j < d; j++) start[j] = Math.log(options.start?.inverseSquaredScales[j] ?? Math.exp(-2 * scaleMean));
  start[d] = Math.log(options.start?.signalVariance ?? 1);
  start[d + 1] = Math.log(options.start?.noiseVariance ?? Math.exp(noiseMean));
  const lower = new Float64Array(size).fill(-12);
  const upper = new Float64Array(size).fill(8);
  lower[d] = Math.log(prior === undefined ? 0.05 : 1e-6);
  upper[d] = Math.log(20);
  lower[d + 1] = Math.log(noiseFloor);
  upper[d + 1] = Math.log(options.noiseCeiling ?? 1);
  if (hasAdditive) {
    for (let j = 0; j < d; j++)
      start[d + 2 + j] = Math.log(options.start?.additive?.inverseSquaredScales[j] ?? Math.exp(-2 * scaleMean));
    start[size - 1] = Math.log(options.start?.additive?.signalVariance ?? 1);
    lower[size - 1] = Math.log(0.001);
    upper[size - 1] = Math.log(20);
    lower[d] = Math.log(0.001);
  }
  const pairs = (n * (n - 1)) / 2;
  const distances = columns.map((column, j) => {
    const isCategorical = column.kind === 'categorical';
    const values = new Float64Array(pairs);
    let p = 0;
    for (let i = 1; i < n; i++) {
      const a = (rows[i] as Float64Array)[j] as number;
      for (let k = 0; k < i; k++)
        values[p++] = squaredDistance(isCategorical, a, (rows[k] as Float64Array)[j] as number);
    }
    return values;
  });
  const squared = new Float64Array(pairs);
  const correlation = new Float64Array(pairs);
  const l = new Float64Array(n * n);
  const inverseL = new Float64Array(n * n);
  const inverse = new Float64Array(n * n);
  const alpha = new Float64Array(n);
  const weights = new Float64Array(pairs);
  const gs = new Float64Array(pairs);
  const sums = new Float64Array(pairs);
  const slopes = hasAdditive ? columns.map(() => new Float64Array(pairs)) : [];

  const objective = (x: Float64Array, gradient: Float64Array): number => {
    const signal = Math.exp(x[d] as number);
    const noise = Math.exp(x[d + 1] as number);
    squared.fill(0);
    for (let j = 0; j < d; j++) {
      const t = Math.exp(x[j] as number);
      const values = distances[j] as Float64Array;
      for (let p = 0; p < pairs; p++) squared[p] = (squared[p] as number) + t * (values[p] as number);
    }
    const height = hasAdditive ? Math.exp(x[size - 1] as number) : 0;
    sums.fill(0);
    for (let j = 0; j < slopes.length; j++) {
      const t = Math.exp(x[d + 2 + j] as number);
      const values = distances[j] as Float64Array;
      const slope = slopes[j] as Float64Array;
      for (let q = 0; q < pairs; q++) {
        const r = SQRT5 * Math.sqrt(t * (values[q] as number));
        const e = expNegative(r);
        sums[q] = (sums[q] as number) + ((1 + r + (r * r) / 3) * e) / d;
        slope[q] = ((-5 / 6) * (1 + r) * e) / d;
      }
    }
    let p = 0;
    for (let i = 0; i < n; i++) {
      const row = i * n;
      for (let k = 0; k < i; k++, p++) {
        const r = SQRT5 * Math.sqrt(squared[p] as number);
        const e = expNegative(r);
        const c = (1 + r + (r * r) / 3) * e;
        correlation[p] = c;
        // dm/d(r²) of the kernel: -(5/6)(1 + √5 r) exp(-√5 r).
        squared[p] = (-5 / 6) * (1 + r) * e;
        l[row + k] = signal * c + height * (sums[p] as number);
      }
      l[row + i] = signal + height + noise * (rowNoise?.[i] ?? 1);
    }
    if (!choleskyInPlace(l, n)) return Infinity;
    solveLower(l, n, n, targets, alpha);
    let fit = 0;
    let logDeterminant = 0;
    for (let i = 0; i < n; i++) {
      fit += (alpha[i] as number) ** 2;
      logDeterminant += Math.log(l[i * n + i] as number);
    }
    solveLowerTransposed(l, n, n, alpha, alpha);
    invertLower(l, n, n, inverseL);
    inverseFromFactor(inverseL, n, n, inverse);
    let value = 0.5 * fit + logDeterminant;
    let trace = 0;
    let noiseTrace = 0;
    let signalGradient = 0;
    let heightGradient = 0;
    p = 0;
    for (let i = 0; i < n; i++) {
      const row = i * n;
      const a = alpha[i] as number;
      for (let k = 0; k < i; k++, p++) {
        // (K⁻¹ - ααᵀ)ᵢₖ; each pair stands twice in the trace, which the factor ½ takes away.
        const g = (inverse[row + k] as number) - a * (alpha[k] as number);
        signalGradient += g * (correlation[p] as number);
        heightGradient += g * (sums[p] as number);
        gs[p] = g;
        weights[p] = g * signal * (squared[p] as number);
      }
      const own = (inverse[row + i] as number) - a * a;
      trace += own;
      noiseTrace += own * (rowNoise?.[i] ?? 1);
    }
    for (let j = 0; j < d; j++) {
      const values = distances[j] as Float64Array;
      let sum = 0;
      for (let q = 0; q < pairs; q++) sum += (weights[q] as number) * (values[q] as number);
      gradient[j] = sum * Math.exp(x[j] as number);
      if (prior !== undefined) continue;
      const u = (-0.5 * (x[j] as number) - scaleMean) / scaleDeviation;
      value += 0.5 * u * u;
      gradient[j] = (gradient[j] as number) - (0.5 * u) / scaleDeviation;
    }
    if (prior !== undefined) {
      gradient[d] = signal * (signalGradient + 0.5 * trace);
      gradient[d + 1] = 0.5 * noise * noiseTrace;
      return value + prior(x, gradient);
    }
    if (hasAdditive) {
      for (let j = 0; j < d; j++) {
        const values = distances[j] as Float64Array;
        const slope = slopes[j] as Float64Array;
        let sum = 0;
        for (let q = 0; q < pairs; q++) sum += (gs[q] as number) * (slope[q] as number) * (values[q] as number);
        const u = (-0.5 * (x[d + 2 + j] as number) - scaleMean) / scaleDeviation;
        value += 0.5 * u * u;
        gradient[d + 2 + j] = sum * height * Math.exp(x[d + 2 + j] as number) - (0.5 * u) / scaleDeviation;
      }
      const h = x[size - 1] as number;
      value += 0.5 * h * h;
      gradient[size - 1] = height * (heightGradient + 0.5 * trace) + h;
    }
    const s = x[d] as number;
    value += 0.5 * s * s;
    gradient[d] = signal * (signalGradient + 0.5 * trace) + s;
    const v = ((x[d + 1] as number) - noiseMean) / noiseDeviation;
    value += 0.5 * v * v;
    gradient[d + 1] = 0.5 * noise * noiseTrace + v / noiseDeviation;
    return value;
  };
  const { x } =
    maxIterations > 0
      ? minimizeBounded(objective, start, {
          lower,
          upper,
          maxIterations,
          maxEvaluations: 2 * maxIterations,
          gradientTolerance: 1e-2,
          valueTolerance: options.valueTolerance ?? 1e-4,
        })
      : { x: start };
  return {
    inverseSquaredScales: x.slice(0, d).map(Math.exp),
    signalVariance: Math.exp(x[d] as number),
    noiseVariance: Math.exp(x[d + 1] as number),
    additive: hasAdditive
      ? {
          inverseSquaredScales: x.slice(d + 2, 2 * d + 2).map(Math.exp),
          signalVariance: Math.exp(x[size - 1] as number),
        }
      : undefined,
  };
}
