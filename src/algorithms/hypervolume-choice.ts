import type { Random } from '../core/random.js';
import { HypervolumeDirections } from './hypervolume-directions.js';
import { nonDominationRanks } from './non-dominated-sort.js';
import type { SurrogateEnsemble } from './surrogate-ensemble.js';

/** Directions along which the hypervolume is measured, drawn anew for each suggestion. */
const DIRECTIONS = 32;
/** Share of a range, or of a standard deviation where that is more, by which the reference point lies beyond what it is measured from. */
const BEYOND = 0.1;
/** Results up to which the reference point may lie as far out as the worst of them. */
const WIDE_ROWS = 20;

/** What is known of one objective. */
export interface ObjectiveBelief {
  readonly ensemble: SurrogateEnsemble;
  /** Results by row, lower is better. */
  readonly scores: Float64Array;
}

export interface HypervolumeProblem {
  /** By row: whether all constraints are kept. */
  readonly isFeasible: readonly boolean[];
  /** Points whose results are awaited: they count as if they had come out as expected. */
  readonly pending: readonly Float64Array[];
  readonly logFeasibility?: ((point: Float64Array) => number) | undefined;
  readonly random: Random;
}

/**
 * How to choose, among candidates, the one that adds most to the hypervolume of what is feasible, in expectation. The reference point
 * lies anywhere from a little beyond the worst of the front to a little beyond the worst of all, drawn for each suggestion, and nearer
 * to the front the more is known: far out, the ends of the front count most, near by, its middle.
 */
export function bestByHypervolume(
  beliefs: readonly ObjectiveBelief[],
  { isFeasible, pending, logFeasibility, random }: HypervolumeProblem,
): (points: readonly Float64Array[]) => { index: number; score: number } | undefined {
  const all = isFeasible.map((_, row) => beliefs.map(({ scores }) => scores[row] as number));
  const feasible = all.filter((_, row) => isFeasible[row] === true);
  const counted = feasible.length === 0 ? all : feasible;
  const ranks = nonDominationRanks(counted);
  const front = counted.filter((_, i) => ranks[i] === 0);
  const share = random.uniform() * Math.min(1, WIDE_ROWS / counted.length);
  const ideal = beliefs.map((_, m) => extreme(front, m, Math.min));
  const reference = beliefs.map((_, m) => {
    const near = extreme(front, m, Math.max);
    const limit = near + share * (extreme(counted, m, Math.max) - near);
    return limit + BEYOND * Math.max(1, limit - (ideal[m] as number));
  });
  const expected = pending.map((point) => beliefs.map(({ ensemble }) => ensemble.predictOne(point).mean));
  const volume = new HypervolumeDirections([...feasible, ...expected], reference, ideal, DIRECTIONS, random);
  const mean = new Float64Array(beliefs.length);
  const deviation = new Float64Array(beliefs.length);
  return (points) => {
    const predictions = beliefs.map(({ ensemble }) => ensemble.predictAll(points));
    let top: { index: number; score: number } | undefined;
    for (const [index, point] of points.entries()) {
      for (const [m, { means, deviations }] of predictions.entries()) {
        mean[m] = means[index] as number;
        deviation[m] = deviations[index] as number;
      }
      const score = volume.logImprovement(mean, deviation) + (logFeasibility?.(point) ?? 0);
      if (top === undefined || score > top.score) top = { index, score };
    }
    return top;
  };
}

function extreme(losses: readonly number[][], m: number, of: (a: number, b: number) => number): number {
  return losses.reduce((most, loss) => of(most, loss[m] as number), losses[0]?.[m] ?? 0);
}
