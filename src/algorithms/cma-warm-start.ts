import { choleskyInPlace } from './cholesky.js';
import type { CmaSolution } from './cma-optimizer.js';

/** Share of the source's solutions that count as good. */
const GAMMA = 0.1;
/** Spread added to each of them. */
const ALPHA = 0.1;

/** Solutions of a similar task that a warm start needs at least. */
export const LEAST_SOURCES = Math.ceil(1 / GAMMA);

/**
 * Where to begin, from solutions of a similar task: mean, step size and covariance of the normal distribution nearest to the promising
 * one (WS-CMA-ES: Nomura et al., AAAI 2021, arXiv:2012.06932, section 3.3).
 * @param sources at least LEAST_SOURCES
 */
export function warmStart(sources: readonly CmaSolution[]): {
  readonly mean: Float64Array;
  readonly sigma: number;
  readonly covariance: Float64Array;
} {
  const n = sources[0]?.x.length ?? 0;
  const good = [...sources]
    .sort((a, b) => (a.loss < b.loss ? -1 : a.loss > b.loss ? 1 : 0))
    .slice(0, Math.floor(sources.length * GAMMA));
  const mean = Float64Array.from(
    { length: n },
    (_, i) => good.reduce((sum, { x }) => sum + (x[i] as number), 0) / good.length,
  );
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const second = good.reduce((sum, { x }) => sum + (x[i] as number) * (x[j] as number), 0) / good.length;
      matrix[i * n + j] = (i === j ? ALPHA ** 2 : 0) + second - (mean[i] as number) * (mean[j] as number);
    }
  }
  const factor = matrix.slice();
  choleskyInPlace(factor, n);
  let logDeterminant = 0;
  for (let i = 0; i < n; i++) logDeterminant += 2 * Math.log(factor[i * n + i] as number);
  const scale = Math.exp(logDeterminant / n);
  return { mean, sigma: Math.sqrt(scale), covariance: matrix.map((value) => value / scale) };
}
