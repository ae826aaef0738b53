/**
 * Area under the receiver operating characteristic: how often a row of the class gets a higher score than one that is not, ties
 * counted as half (Mann–Whitney U by ranks). NaN where either kind is missing.
 */
export function areaUnderCurve(scores: Float64Array, isPositive: Uint8Array): number {
  const order = Uint32Array.from(scores, (_, index) => index).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  let rankSum = 0;
  let positives = 0;
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && scores[order[end] ?? 0] === scores[order[start] ?? 0]) end++;
    const rank = (start + 1 + end) / 2;
    for (let i = start; i < end; i++) {
      if (isPositive[order[i] ?? 0] !== 1) continue;
      rankSum += rank;
      positives++;
    }
    start = end;
  }
  const negatives = scores.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
