import { normalQuantile } from './normal-distribution.js';

/** Share of values below each one, ties at their mean rank: in (0, 1), with offset ½. Infinities are values like others. */
export function rankShares(values: ArrayLike<number>): Float64Array {
  const n = values.length;
  const order = Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => (values[a] as number) - (values[b] as number) || a - b,
  );
  const shares = new Float64Array(n);
  for (let from = 0; from < n;) {
    let to = from + 1;
    while (to < n && values[order[to] as number] === values[order[from] as number]) to++;
    for (let k = from; k < to; k++) shares[order[k] as number] = (from + to) / 2 / n;
    from = to;
  }
  return shares;
}

/** Normal scores: each value by its rank (Blom 1958, with offset ½). Models then see neither outliers nor units. NaN is not allowed. */
export function rankToNormal(values: ArrayLike<number>): Float64Array {
  return rankShares(values).map(normalQuantile);
}

/** Shifted and scaled to mean 0 and variance 1; infinities first take the place of the nearest finite value. All alike: zeros. */
export function standardize(values: ArrayLike<number>): { scores: Float64Array; mean: number; deviation: number } {
  const finite = Array.from(values).filter(Number.isFinite);
  const high = Math.max(...finite, -Number.MAX_VALUE);
  const low = Math.min(...finite, Number.MAX_VALUE);
  const clipped = Float64Array.from(values, (value) =>
    finite.length === 0 ? 0 : Math.min(high, Math.max(low, value)),
  );
  const n = Math.max(1, clipped.length);
  let mean = 0;
  for (const value of clipped) mean += value / n;
  let variance = 0;
  for (const value of clipped) variance += (value - mean) ** 2 / n;
  const deviation = variance > 0 ? Math.sqrt(variance) : 1;
  return { scores: clipped.map((value) => (value - mean) / deviation), mean, deviation };
}

/** How a model sees losses: by their rank, by the logarithm of their distance to the best, half by either, or as they are up to a bound. */
export type Warp = 'rank' | 'log' | 'blend' | 'linear';

/** Distance to the best, in units of the median's, that the logarithm does not tell from 0. */
const LOG_OFFSET = 0.1;
/** The same in which what is worse no longer counts as worse. */
const WORST = 4;
/** What ranks count for in `blend`, the logarithm for the rest. */
const RANK_SHARE = 0.4;

/**
 * Losses as targets with mean 0 and variance 1. By logarithm the best are told apart best, by rank outliers do not matter at all and
 * the best stay apart even where the others are far away, and smooth functions stay smooth as they are.
 */
export function warpLosses(losses: ArrayLike<number>, warp: Warp): Float64Array {
  if (warp === 'rank') return rankToNormal(losses);
  if (warp === 'blend') {
    const byLog = warpLosses(losses, 'log');
    return standardize(
      rankToNormal(losses).map((score, i) => RANK_SHARE * score + (1 - RANK_SHARE) * (byLog[i] as number)),
    ).scores;
  }
  const finite = Array.from(losses)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const best = finite[0] ?? 0;
  const median = finite[finite.length >> 1] ?? 0;
  const spread = median - best;
  if (!(spread > 0)) return rankToNormal(losses);
  const distances = Float64Array.from(losses, (loss) => Math.max(0, (loss - best) / spread));
  return standardize(
    distances.map((distance) =>
      warp === 'log' ? Math.log(LOG_OFFSET + Math.min(distance, 1e9)) : Math.min(distance, WORST),
    ),
  ).scores;
}
