import type { GpParameters } from './gaussian-process.js';
import { fitGaussianProcess, type GpPrior } from './gaussian-process-fit.js';
import type { Column } from './search-domain.js';

/** Shape and rate of a gamma density. */
interface Gamma {
  readonly shape: number;
  readonly rate: number;
}

const SIGNAL: Gamma = { shape: 2, rate: 1 };
const NOISE: Gamma = { shape: 1.1, rate: 30 };
/** Of t and 1 / t for an inverse squared scale t. */
const SCALE_WEIGHT = 0.1;

/** The densities under which Optuna's GPSampler and terminators fit: inverse squared scales near 1, gammas for the variances. */
export const gammaPrior: GpPrior = (logs, gradient) => {
  const d = logs.length - 2;
  let value = 0;
  for (let j = 0; j < d; j++) {
    const t = Math.exp(logs[j] as number);
    value += SCALE_WEIGHT * (t + 1 / t);
    gradient[j] = (gradient[j] as number) + SCALE_WEIGHT * (t - 1 / t);
  }
  for (const [k, { shape, rate }] of [SIGNAL, NOISE].entries()) {
    const log = logs[d + k] as number;
    const variance = Math.exp(log);
    value += rate * variance - (shape - 1) * log;
    gradient[d + k] = (gradient[d + k] as number) + rate * variance - (shape - 1);
  }
  return value;
};

/** Noise below which no process goes, so that its matrix can be factorised. */
const LEAST_NOISE = 1e-6;

export interface GammaFitOptions {
  /** The noise is taken for the least there is. @default false */
  readonly isDeterministic?: boolean | undefined;
  /** @default all 1 */
  readonly start?: GpParameters | undefined;
  /** Go on until nothing is gained any more. @default false: as far as it shows in suggestions */
  readonly precise?: boolean | undefined;
  /** @default 200 */
  readonly maxIterations?: number | undefined;
}

/** Hyper-parameters for standardised targets as Optuna's GPSampler and terminators fit them. */
export function fitWithGammaPrior(
  columns: readonly Column[],
  rows: readonly Float64Array[],
  targets: Float64Array,
  options: GammaFitOptions = {},
): GpParameters {
  return fitGaussianProcess(columns, rows, targets, {
    start: options.start ?? {
      inverseSquaredScales: new Float64Array(columns.length).fill(1),
      signalVariance: 1,
      noiseVariance: 1,
    },
    prior: gammaPrior,
    noiseFloor: LEAST_NOISE,
    noiseCeiling: options.isDeterministic === true ? LEAST_NOISE : 1,
    maxIterations: options.maxIterations ?? 200,
    valueTolerance: options.precise === true ? 1e-9 : 1e-5,
  });
}
