import { erfcx } from './erf.js';
import { LOG_SQRT_2PI, logNormalCdf, normalCdf } from './normal-distribution.js';

const HALF_ROOT_PI = Math.sqrt(Math.PI / 2);

/** Standard normal density φ(z). */
function normalPdf(z: number): number {
  return Math.exp(-0.5 * z * z - LOG_SQRT_2PI);
}

/**
 * log h(z), h(z) = φ(z) + z Φ(z): the expected improvement of a standard normal, exact where h itself underflows (Ament, Daulton,
 * Eriksson, Balandat & Bakshy, NeurIPS 2023, eq. 9).
 */
export function logStandardImprovement(z: number): number {
  if (z > -1) return Math.log(normalPdf(z) + z * normalCdf(z));
  return -0.5 * z * z - LOG_SQRT_2PI + Math.log(tailFactor(-z));
}

/** 1 - t √(π/2) erfcx(t/√2) for t ≥ 1; about t⁻² far out. */
function tailFactor(t: number): number {
  if (t < 30) return 1 - t * HALF_ROOT_PI * erfcx(t / Math.SQRT2);
  const s = 1 / (t * t);
  return s * (1 - s * (3 - s * (15 - s * (105 - s * 945))));
}

/** log E[max(0, best - Y)], Y normal: how much a minimiser may hope to gain. -Infinity where σ is 0 and the mean no better. */
export function logExpectedImprovement(mean: number, deviation: number, best: number): number {
  if (!(deviation > 0)) return mean < best ? Math.log(best - mean) : -Infinity;
  return Math.log(deviation) + logStandardImprovement((best - mean) / deviation);
}

/** log P[Y ≤ threshold]. */
export function logProbabilityBelow(mean: number, deviation: number, threshold: number): number {
  if (!(deviation > 0)) return mean <= threshold ? 0 : -Infinity;
  return logNormalCdf((threshold - mean) / deviation);
}
