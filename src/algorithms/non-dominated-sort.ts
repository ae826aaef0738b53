/** Whether loss `a` dominates `b`: nowhere worse, somewhere better. Losses are minimised. */
export function dominates(a: readonly number[], b: readonly number[]): boolean {
  let strictly = false;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    if (x > y) return false;
    if (x < y) strictly = true;
  }
  return strictly;
}

/**
 * Non-domination rank of each loss vector, 0 for the Pareto front, 1 for the front once that is taken away, and so on. Points are
 * taken in lexicographic order, so each is compared with the fronts so far only (Jensen, IEEE TEC 2003; Zhang et al., ENS, IEEE
 * TEC 2015).
 * @param enough stop ranking once the ranks given cover this many points; the rest share the next rank
 */
export function nonDominationRanks(losses: readonly (readonly number[])[], enough = Infinity): Int32Array {
  const order = losses.map((_, i) => i).sort((a, b) => compareLexicographically(losses[a] ?? [], losses[b] ?? []));
  const ranks = new Int32Array(losses.length);
  const fronts: number[][] = [];
  for (const i of order) {
    const point = losses[i] ?? [];
    // A point's front is the first of which no member dominates it; being in front r implies being dominated by r - 1.
    let low = 0;
    let high = fronts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isDominatedBy(fronts[middle] ?? [], losses, point)) low = middle + 1;
      else high = middle;
    }
    if (low === fronts.length) fronts.push([]);
    fronts[low]?.push(i);
    ranks[i] = low;
  }
  if (enough === Infinity) return ranks;
  let covered = 0;
  let last = 0;
  while (last < fronts.length && covered < enough) covered += fronts[last++]?.length ?? 0;
  return ranks.map((rank) => Math.min(rank, last));
}

/** Newest members first: they are the likeliest to dominate what comes next in lexicographic order. */
function isDominatedBy(
  front: readonly number[],
  losses: readonly (readonly number[])[],
  point: readonly number[],
): boolean {
  for (let k = front.length - 1; k >= 0; k--) if (dominates(losses[front[k] as number] ?? [], point)) return true;
  return false;
}

function compareLexicographically(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
