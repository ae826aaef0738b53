/** An axis-parallel box of loss vectors; a lower corner may be -Infinity. */
export interface Box {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/**
 * Splits what no point of a front dominates, up to the reference point, into boxes that do not overlap: slices along the last
 * objective, each split along the others (hypervolume by slicing objectives: While, Hingston, Barone & Huband, IEEE TEC 2006). The
 * hypervolume that a new point adds is then a sum over boxes (Daulton, Balandat & Bakshy, NeurIPS 2020, eq. 1).
 */
export function nonDominatedBoxes(losses: readonly ArrayLike<number>[], reference: ArrayLike<number>): Box[] {
  const objectives = reference.length;
  const inside = losses.filter((loss) => {
    for (let m = 0; m < objectives; m++) if (!((loss[m] as number) < (reference[m] as number))) return false;
    return true;
  });
  const boxes: Box[] = [];
  const lower = new Float64Array(objectives);
  const upper = new Float64Array(objectives);
  split(inside, objectives, reference, lower, upper, boxes);
  return boxes;
}

/** Splits along the first `count` objectives; the bounds of the others are set. */
function split(
  points: readonly ArrayLike<number>[],
  count: number,
  reference: ArrayLike<number>,
  lower: Float64Array,
  upper: Float64Array,
  boxes: Box[],
): void {
  const last = count - 1;
  if (count === 1) {
    lower[0] = -Infinity;
    upper[0] = points.reduce((least, point) => Math.min(least, point[0] as number), reference[0] as number);
    boxes.push({ lower: lower.slice(), upper: upper.slice() });
    return;
  }
  const sorted = [...points].sort((a, b) => (a[last] as number) - (b[last] as number));
  const active: ArrayLike<number>[] = [];
  let floor = -Infinity;
  for (let i = 0; i <= sorted.length; i++) {
    const point = sorted[i];
    const ceiling = point === undefined ? (reference[last] as number) : (point[last] as number);
    // A point that is dominated in the other objectives by those below it changes nothing.
    const isCovered = point !== undefined && active.some((other) => covers(other, point, last));
    if (isCovered) continue;
    if (ceiling > floor) {
      lower[last] = floor;
      upper[last] = ceiling;
      split(active, last, reference, lower, upper, boxes);
      floor = ceiling;
    }
    if (point !== undefined) active.push(point);
  }
}

/** Whether `a` is nowhere worse than `b` in the first `count` objectives. */
function covers(a: ArrayLike<number>, b: ArrayLike<number>, count: number): boolean {
  for (let m = 0; m < count; m++) if ((a[m] as number) > (b[m] as number)) return false;
  return true;
}

/** The reference point that hypervolumes are taken up to: a tenth beyond the worst of each objective, always worse than it. */
export function referencePoint(losses: readonly ArrayLike<number>[], objectives: number): Float64Array {
  return Float64Array.from({ length: objectives }, (_, m) => {
    const worst = losses.reduce((most, loss) => Math.max(most, loss[m] as number), -Infinity);
    const beyond = Math.max(1.1 * worst, 0.9 * worst);
    return beyond + Math.max(Math.abs(beyond) * 2.3e-16, 5e-324);
  });
}
