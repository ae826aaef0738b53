import type { Random } from '../core/random.js';

/** Infinite values are put this many ranges beyond the finite ones. */
const MARGIN = 3;
/** Weight that makes an axis count for an extreme point along another. */
const FAR = 1e6;

/**
 * Das and Dennis's reference points (SIAM J. Optim. 1998): every way to share `divisions` units out among the objectives, in
 * lexicographic order of the units.
 */
export function referencePoints(objectives: number, divisions: number): number[][] {
  const points: number[][] = [];
  const extend = (first: number, left: number, point: readonly number[]): void => {
    if (left === 0) {
      points.push([...point]);
      return;
    }
    for (let m = first; m < objectives; m++)
      extend(
        m,
        left - 1,
        point.map((value, i) => (i === m ? value + 1 : value)),
      );
  };
  extend(0, divisions, new Array<number>(objectives).fill(0));
  return points;
}

/** Losses with infinities brought near: beyond the finite ones by three times their range. */
export function withoutInfinities(losses: readonly (readonly number[])[]): number[][] {
  const objectives = losses[0]?.length ?? 0;
  const bounds = Array.from({ length: objectives }, (_, m) => {
    const finite = losses.map((loss) => loss[m] ?? NaN).filter(Number.isFinite);
    const least = finite.length === 0 ? 0 : Math.min(...finite);
    const most = finite.length === 0 ? 0 : Math.max(...finite);
    return { low: least - MARGIN * (most - least), high: most + MARGIN * (most - least) };
  });
  return losses.map((loss) =>
    loss.map((value, m) => Math.min(bounds[m]?.high ?? value, Math.max(bounds[m]?.low ?? value, value))),
  );
}

/**
 * Losses from the ideal point in units of the intercepts of the plane through the extreme points (NSGA-III, section IV-C); where
 * those make no plane, in units of the worst.
 */
export function normalizedLosses(losses: readonly (readonly number[])[]): number[][] {
  const objectives = losses[0]?.length ?? 0;
  const ideal = Array.from({ length: objectives }, (_, m) => Math.min(...losses.map((loss) => loss[m] as number)));
  const shifted = losses.map((loss) => loss.map((value, m) => value - (ideal[m] as number)));
  const extremes = ideal.map((_, axis) => {
    let best: readonly number[] = [];
    let least = Infinity;
    for (const loss of shifted) {
      const achieved = Math.max(...loss.map((value, m) => value * (m === axis ? 1 : FAR)));
      if (achieved < least || best.length === 0) {
        least = achieved;
        best = loss;
      }
    }
    return best;
  });
  const inverses =
    solve(extremes) ??
    ideal.map((_, m) => {
      const worst = Math.max(...shifted.map((loss) => loss[m] as number));
      return 1 / (worst === 0 ? 1 : worst);
    });
  return shifted.map((loss) =>
    loss.map((value, m) => value * (Number.isFinite(inverses[m]) ? (inverses[m] as number) : 1)),
  );
}

/** x with A x = 1, by Gaussian elimination with pivots; undefined where A is singular to working precision. */
function solve(matrix: readonly (readonly number[])[]): number[] | undefined {
  const n = matrix.length;
  const rows = matrix.map((row) => [...row, 1]);
  const largest = Math.max(...matrix.flat().map(Math.abs));
  if (!Number.isFinite(largest)) return undefined;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) {
      if (Math.abs(rows[i]?.[k] as number) > Math.abs(rows[pivot]?.[k] as number)) pivot = i;
    }
    const row = rows[pivot] as number[];
    if (!(Math.abs(row[k] as number) > largest * n * Number.EPSILON)) return undefined;
    rows[pivot] = rows[k] as number[];
    rows[k] = row;
    for (let i = k + 1; i < n; i++) {
      const other = rows[i] as number[];
      const factor = (other[k] as number) / (row[k] as number);
      for (let j = k; j <= n; j++) other[j] = (other[j] as number) - factor * (row[j] as number);
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let k = n - 1; k >= 0; k--) {
    const row = rows[k] as number[];
    let rest = row[n] as number;
    for (let j = k + 1; j < n; j++) rest -= (row[j] as number) * (x[j] as number);
    x[k] = rest / (row[k] as number);
  }
  return x;
}

/** For each point the reference line it is nearest to, and how far away it is (section IV-D). */
export function associate(
  points: readonly (readonly number[])[],
  references: readonly (readonly number[])[],
): { readonly closest: Int32Array; readonly distance: Float64Array } {
  const closest = new Int32Array(points.length);
  const distance = new Float64Array(points.length).fill(Infinity);
  for (const [i, point] of points.entries()) {
    for (const [k, reference] of references.entries()) {
      const squared = reference.reduce((sum, value) => sum + value * value, 0);
      const along = point.reduce((sum, value, m) => sum + value * (reference[m] as number), 0) / squared;
      const away = Math.sqrt(point.reduce((sum, value, m) => sum + (value - along * (reference[m] as number)) ** 2, 0));
      if (away < (distance[i] as number)) {
        distance[i] = away;
        closest[i] = k;
      }
    }
  }
  return { closest, distance };
}

/**
 * Fills the next generation from the front that does not fit whole: always from the reference line that has fewest members so far,
 * its nearest point where it has none, else any (Deb & Jain, IEEE TEC 2014, algorithm 4).
 * @param kept how many of the points, the first ones, are in already
 * @returns indices of points, `wanted` of them
 */
export function fillNiches(
  closest: Int32Array,
  distance: Float64Array,
  kept: number,
  wanted: number,
  random: Random,
): number[] {
  const waiting = new Map<number, number[]>();
  for (let i = kept; i < closest.length; i++) {
    const reference = closest[i] as number;
    const members = waiting.get(reference);
    if (members === undefined) waiting.set(reference, [i]);
    else members.push(i);
  }
  const counts = new Map<number, number>();
  for (let i = 0; i < kept; i++) counts.set(closest[i] as number, (counts.get(closest[i] as number) ?? 0) + 1);
  const byCount: number[][] = [];
  const at = (count: number): number[] => (byCount[count] ??= []);
  for (const reference of waiting.keys()) at(counts.get(reference) ?? 0).push(reference);

  const chosen: number[] = [];
  const shuffled = new Set<number>();
  for (let count = 0; chosen.length < wanted; count++) {
    const references = random.shuffle(at(count));
    for (
      let reference = references.pop();
      reference !== undefined && chosen.length < wanted;
      reference = references.pop()
    ) {
      const members = waiting.get(reference) ?? [];
      if (count === 0) members.sort((a, b) => (distance[b] as number) - (distance[a] as number) || b - a);
      else if (!shuffled.has(reference)) {
        random.shuffle(members);
        shuffled.add(reference);
      }
      chosen.push(members.pop() as number);
      if (members.length > 0) at(count + 1).push(reference);
    }
  }
  return chosen;
}
