import { dominates } from './non-dominated-sort.js';

/**
 * Volume of what a set of loss vectors dominates, up to a reference point. Points beyond the reference count nothing. Two
 * objectives by a sweep, more by the WFG recursion (While, Bradstreet & Barone, IEEE TEC 2012).
 */
export function hypervolume(losses: readonly (readonly number[])[], reference: readonly number[]): number {
  const inside = losses.filter((loss) => loss.every((value, i) => value < (reference[i] as number)));
  return volumeOf(paretoSet(inside), reference);
}

/** Members that no other dominates, each distinct one once. */
function paretoSet(losses: readonly (readonly number[])[]): (readonly number[])[] {
  const kept: (readonly number[])[] = [];
  for (const loss of [...losses].sort(lexicographically)) {
    if (!kept.some((other) => dominates(other, loss) || other.every((value, i) => value === loss[i]))) kept.push(loss);
  }
  return kept;
}

function lexicographically(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

function volumeOf(front: readonly (readonly number[])[], reference: readonly number[]): number {
  if (front.length === 0) return 0;
  if (reference.length === 1) return (reference[0] as number) - Math.min(...front.map((loss) => loss[0] as number));
  if (reference.length === 2) return areaOf(front, reference);
  let total = 0;
  for (const [i, loss] of front.entries()) {
    // What this point adds to those after it: its own box less what they cover of it.
    const limited = front.slice(i + 1).map((other) => other.map((value, j) => Math.max(value, loss[j] as number)));
    total += boxOf(loss, reference) - volumeOf(paretoSet(limited), reference);
  }
  return total;
}

function areaOf(front: readonly (readonly number[])[], reference: readonly number[]): number {
  let area = 0;
  let ceiling = reference[1] as number;
  for (const loss of [...front].sort(lexicographically)) {
    const y = loss[1] as number;
    if (y >= ceiling) continue;
    area += ((reference[0] as number) - (loss[0] as number)) * (ceiling - y);
    ceiling = y;
  }
  return area;
}

function boxOf(loss: readonly number[], reference: readonly number[]): number {
  return loss.reduce((product, value, i) => product * Math.max(0, (reference[i] as number) - value), 1);
}

/**
 * Greedy choice of `size` points with the largest hypervolume together (within 1 - 1/e of the best choice: Nemhauser et al. 1978).
 * Gains only shrink, so a point is evaluated again only when it leads (Minoux 1978).
 * @returns indices into `losses`, in the order chosen
 */
export function hypervolumeSubset(
  losses: readonly (readonly number[])[],
  size: number,
  reference: readonly number[],
): number[] {
  if (size >= losses.length) return losses.map((_, i) => i);
  if (!reference.every(Number.isFinite)) return losses.slice(0, size).map((_, i) => i);
  const chosen: number[] = [];
  const chosenLosses: (readonly number[])[] = [];
  let current = 0;
  const gains = losses.map((loss) => hypervolume([loss], reference));
  const candidates = new Set(losses.keys());
  while (chosen.length < size) {
    const order = [...candidates].sort((a, b) => (gains[b] as number) - (gains[a] as number) || a - b);
    let best = -1;
    let bestGain = -Infinity;
    for (const i of order) {
      if ((gains[i] as number) <= bestGain) break;
      const gain = hypervolume([...chosenLosses, losses[i] ?? []], reference) - current;
      gains[i] = gain;
      if (gain > bestGain) {
        best = i;
        bestGain = gain;
      }
    }
    if (best < 0) best = order[0] ?? 0;
    chosen.push(best);
    candidates.delete(best);
    chosenLosses.push(losses[best] ?? []);
    current = hypervolume(chosenLosses, reference);
  }
  return chosen;
}
