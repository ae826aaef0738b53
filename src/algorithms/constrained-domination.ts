import { dominates, nonDominationRanks } from './non-dominated-sort.js';

/** What a solution is compared by. Losses are minimised. */
export interface Solution {
  readonly losses: readonly number[];
  /** Sum of the violated constraints; 0 where all are kept. */
  readonly violation: number;
}

/** Deb's rule (IEEE TEC 2002, definition 1): feasible before infeasible, among infeasible ones the smaller violation. */
export function constrainedDominates(a: Solution, b: Solution): boolean {
  if (a.violation <= 0 && b.violation <= 0) return dominates(a.losses, b.losses);
  return b.violation > 0 && (a.violation <= 0 || a.violation < b.violation);
}

/** Fronts by that rule, best first: those of the feasible ones, then infeasible ones by violation. Indices, in order. */
export function constrainedFronts(solutions: readonly Solution[]): number[][] {
  const feasible = [...solutions.keys()].filter((i) => (solutions[i]?.violation ?? 0) <= 0);
  const infeasible = [...solutions.keys()].filter((i) => (solutions[i]?.violation ?? 0) > 0);
  return [
    ...group(feasible, nonDominationRanks(feasible.map((i) => solutions[i]?.losses ?? []))),
    ...group(infeasible, nonDominationRanks(infeasible.map((i) => [solutions[i]?.violation ?? 0]))),
  ];
}

function group(indices: readonly number[], ranks: Int32Array): number[][] {
  const fronts: number[][] = [];
  for (const [k, i] of indices.entries()) (fronts[ranks[k] as number] ??= []).push(i);
  return fronts;
}
