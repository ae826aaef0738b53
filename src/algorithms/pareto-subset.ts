import { hypervolumeSubset } from './hypervolume.js';
import { nonDominationRanks } from './non-dominated-sort.js';

/**
 * The `size` best of several loss vectors: whole fronts while they fit; of the front that does not, the subset of largest
 * hypervolume (the split of multi-objective TPE: Ozaki et al., JAIR 2022).
 * @returns indices into `losses`, in no certain order
 */
export function paretoSubset(losses: readonly (readonly number[])[], size: number): number[] {
  if (size >= losses.length) return losses.map((_, i) => i);
  if (size <= 0) return [];
  const ranks = nonDominationRanks(losses, size);
  const chosen: number[] = [];
  for (let rank = 0; chosen.length < size; rank++) {
    const front = [...ranks.keys()].filter((i) => ranks[i] === rank);
    if (chosen.length + front.length <= size) {
      chosen.push(...front);
      continue;
    }
    const frontLosses = front.map((i) => losses[i] ?? []);
    const subset = hypervolumeSubset(frontLosses, size - chosen.length, referencePoint(frontLosses));
    chosen.push(...subset.map((k) => front[k] ?? 0));
  }
  return chosen;
}

/** A little beyond the worst of each objective, as Optuna sets it. */
function referencePoint(losses: readonly (readonly number[])[]): number[] {
  const dimensions = losses[0]?.length ?? 0;
  return Array.from({ length: dimensions }, (_, i) => {
    const worst = Math.max(...losses.map((loss) => loss[i] ?? -Infinity));
    const reference = Math.max(1.1 * worst, 0.9 * worst);
    return reference === 0 ? 1e-12 : reference;
  });
}
