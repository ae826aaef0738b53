import { normalCdf } from './normal-distribution.js';

/** Most differences whose distribution is worked out exactly, without and with ties or zeros (scipy's choice). */
const EXACT = 50;
const EXACT_WITH_TIES = 13;

/**
 * One-sided p-value of Wilcoxon's signed-rank test that the differences lie above (`greater`) or below (`less`) zero. Ranks of zeros
 * are split between the signs. Exact over all assignments of signs for up to 50 differences, 13 where some are equal or zero; beyond
 * by the normal approximation with correction for ties, without one for continuity: `scipy.stats.wilcoxon` 1.17 with
 * `zero_method='zsplit'`.
 *
 * Wilcoxon, Biometrics Bulletin 1945; Pratt, JASA 1959.
 *
 * @returns NaN for no differences
 */
export function wilcoxonSignedRankP(differences: readonly number[], alternative: 'greater' | 'less'): number {
  const n = differences.length;
  if (n === 0) return NaN;
  // Turned about, so that there is one question only: the chance of a sum of positive ranks this large.
  const signed = alternative === 'greater' ? differences : differences.map((value) => -value);
  const { ranks, ties, zeros } = averageRanks(signed);
  const positive = signed.reduce((sum, value, i) => sum + (ranks[i] ?? 0) * (value > 0 ? 1 : value === 0 ? 0.5 : 0), 0);
  const isPlain = ties.length === 0 && zeros === 0;
  if (n <= (isPlain ? EXACT : EXACT_WITH_TIES)) return exactTail(signed, ranks, positive);
  const mean = (n * (n + 1)) / 4;
  const tied = ties.reduce((sum, count) => sum + count ** 3 - count, 0);
  const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1) - tied / 2) / 24);
  return normalCdf((mean - positive) / deviation);
}

interface Ranks {
  readonly ranks: readonly number[];
  /** Sizes of the groups of equal absolute values, those of one left out. */
  readonly ties: readonly number[];
  readonly zeros: number;
}

/** Ranks of the absolute values from 1, equal ones sharing their mean. */
function averageRanks(values: readonly number[]): Ranks {
  const sizes = values.map(Math.abs);
  const order = sizes.map((_, i) => i).sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0));
  const ranks = new Array<number>(values.length).fill(0);
  const ties: number[] = [];
  for (let from = 0; from < order.length;) {
    const size = sizes[order[from] ?? 0];
    let to = from + 1;
    while (to < order.length && sizes[order[to] ?? 0] === size) to++;
    for (let i = from; i < to; i++) ranks[order[i] ?? 0] = (from + 1 + to) / 2;
    if (to - from > 1) ties.push(to - from);
    from = to;
  }
  return { ranks, ties, zeros: sizes.filter((size) => size === 0).length };
}

/** Share of the 2^n assignments of signs whose sum of positive ranks reaches `positive`. Sums are counted in quarters, exactly. */
function exactTail(values: readonly number[], ranks: readonly number[], positive: number): number {
  const rest = 4 * positive - values.reduce((sum, value, i) => sum + (value === 0 ? 2 * (ranks[i] ?? 0) : 0), 0);
  const steps = ranks.flatMap((rank, i) => (values[i] === 0 ? [] : [4 * rank]));
  let shares = Float64Array.of(1);
  for (const step of steps) {
    const next = new Float64Array(shares.length + step);
    for (let sum = 0; sum < shares.length; sum++) {
      const half = (shares[sum] ?? 0) / 2;
      next[sum] = (next[sum] ?? 0) + half;
      next[sum + step] = (next[sum + step] ?? 0) + half;
    }
    shares = next;
  }
  let tail = 0;
  for (let sum = shares.length - 1; sum >= rest; sum--) tail += shares[sum] ?? 0;
  return tail;
}
