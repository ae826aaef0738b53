import type { GpPrior } from './gaussian-process-fit.js';

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
