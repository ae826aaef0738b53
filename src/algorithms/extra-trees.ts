import type { Random } from '../core/random.js';
import type { Column } from './search-domain.js';

export interface ExtraTreesOptions {
  /** @default 100 */
  readonly trees?: number | undefined;
  /** Nodes with fewer rows are not split. @default 2 */
  readonly minSplit?: number | undefined;
  /** Columns tried at each node, as a share of all. @default 1 */
  readonly columnShare?: number | undefined;
  /** Draw the rows of each tree with replacement, which gives predictions for rows left out. @default false */
  readonly bootstrap?: boolean | undefined;
}

/** Coordinate of a number that does not take part: outside of [0, 1], so that one cut tells it apart. */
const INACTIVE = -0.5;
/** Bit of a category that does not take part; there are 31 others, which further choices share. */
const INACTIVE_BIT = 31;

/**
 * Extremely randomised regression trees (Geurts, Ernst & Wehenkel, Machine Learning 2006): at each node one random cut per column,
 * the one that lowers the variance most is taken. The spread of the trees' predictions, plus that within leaves, is the
 * uncertainty (Hutter, Xu, Hoos & Leyton-Brown, Artificial Intelligence 2014, §4.3.2).
 */
export class ExtraTrees {
  readonly #isCategorical: readonly boolean[];
  readonly #roots: Int32Array;
  /** Column of a node's cut, ~column where it is categorical, LEAF at a leaf. */
  readonly #column: Int32Array;
  /** Numbers at or below go left. */
  readonly #cut: Float64Array;
  /** Categories whose bit is set go left. */
  readonly #bits: Int32Array;
  /** The right child of a node, then its left one. */
  readonly #next: Int32Array;
  readonly #mean: Float64Array;
  readonly #variance: Float64Array;
  readonly #outOfBag: Float64Array | undefined;
  #nodes = 0;

  /** @param rows points as `SearchDomain` has them; @param targets one value each */
  constructor(
    columns: readonly Column[],
    rows: readonly Float64Array[],
    targets: Float64Array,
    random: Random,
    options: ExtraTreesOptions = {},
  ) {
    const { trees = 100, minSplit = 2, columnShare = 1, bootstrap = false } = options;
    const n = rows.length;
    const capacity = trees * Math.max(1, 2 * n);
    this.#isCategorical = columns.map(({ kind }) => kind === 'categorical');
    this.#column = new Int32Array(capacity);
    this.#cut = new Float64Array(capacity);
    this.#bits = new Int32Array(capacity);
    this.#next = new Int32Array(2 * capacity);
    this.#mean = new Float64Array(capacity);
    this.#variance = new Float64Array(capacity);
    this.#roots = new Int32Array(trees);
    const grower: Grower = {
      data: columns.map((_, j) =>
        Float64Array.from(rows, (row) => encodeValue(this.#isCategorical[j] === true, row[j] as number)),
      ),
      targets,
      minSplit,
      tries: Math.max(1, Math.ceil(columnShare * columns.length)),
      sequence: Int32Array.from(columns, (_, j) => j),
      order: new Int32Array(n),
      scratch: new Int32Array(n),
      own: new Float64Array(n),
      ownTargets: new Float64Array(n),
      state: (random.uniform() * 4_294_967_296) | 0,
    };
    const sums = new Float64Array(bootstrap ? n : 0);
    const counts = new Int32Array(bootstrap ? n : 0);
    for (let t = 0; t < trees; t++) {
      const root = this.#nodes;
      this.#roots[t] = root;
      const drawn = bootstrap ? new Uint8Array(n) : undefined;
      for (let i = 0; i < n; i++) {
        const row = drawn === undefined ? i : (nextUniform(grower) * n) | 0;
        if (drawn !== undefined) drawn[row] = 1;
        grower.order[i] = row;
      }
      this.#grow(grower, 0, n);
      if (drawn === undefined) continue;
      for (let i = 0; i < n; i++) {
        if (drawn[i] === 1) continue;
        sums[i] = (sums[i] as number) + (this.#mean[this.#leafOf(root, grower.data, i)] as number);
        counts[i] = (counts[i] as number) + 1;
      }
    }
    this.#outOfBag = bootstrap ? sums.map((sum, i) => sum / (counts[i] as number)) : undefined;
  }

  /** Prediction of each training row by the trees that did not see it; NaN where there is none. Undefined without bootstrap. */
  get outOfBag(): Float64Array | undefined {
    return this.#outOfBag;
  }

  /**
   * Mean and variance at many points.
   * @param means filled; @param variances filled
   */
  predict(points: readonly Float64Array[], means: Float64Array, variances: Float64Array): void {
    const dimensions = this.#isCategorical.length;
    const count = points.length;
    const data = new Float64Array(count * dimensions);
    for (let p = 0; p < count; p++) {
      const point = points[p] as Float64Array;
      for (let j = 0; j < dimensions; j++)
        data[p * dimensions + j] = encodeValue(this.#isCategorical[j] === true, point[j] as number);
    }
    const trees = this.#roots.length;
    const column = this.#column;
    const cut = this.#cut;
    const bits = this.#bits;
    const next = this.#next;
    const mean = this.#mean;
    const variance = this.#variance;
    const squares = new Float64Array(count);
    means.fill(0, 0, count);
    variances.fill(0, 0, count);
    // All points go through one tree after another: a tree stays in the nearest cache, a forest does not.
    for (let t = 0; t < trees; t++) {
      const root = this.#roots[t] as number;
      for (let p = 0, at = 0; p < count; p++, at += dimensions) {
        let node = root;
        for (;;) {
          const j = column[node] as number;
          if (j >= 0) node = next[2 * node + (Number((data[at + j] as number) <= (cut[node] as number)) | 0)] as number;
          else if (j !== LEAF)
            node = next[2 * node + (((bits[node] as number) >>> (data[at + ~j] as number)) & 1)] as number;
          else break;
        }
        const m = mean[node] as number;
        means[p] = (means[p] as number) + m;
        squares[p] = (squares[p] as number) + m * m;
        variances[p] = (variances[p] as number) + (variance[node] as number);
      }
    }
    for (let p = 0; p < count; p++) {
      const average = (means[p] as number) / trees;
      means[p] = average;
      variances[p] = Math.max(0, (squares[p] as number) / trees - average * average) + (variances[p] as number) / trees;
    }
  }

  #leafOf(root: number, data: readonly Float64Array[], row: number): number {
    let node = root;
    for (;;) {
      const j = this.#column[node] as number;
      if (j === LEAF) return node;
      const value = (data[j < 0 ? ~j : j] as Float64Array)[row] as number;
      const goesLeft =
        j < 0 ? ((this.#bits[node] as number) >>> value) & 1 : Number(value <= (this.#cut[node] as number)) | 0;
      node = this.#next[2 * node + goesLeft] as number;
    }
  }

  /** Grows the subtree of the rows order[from, to) and returns its root. */
  #grow(grower: Grower, from: number, to: number): number {
    const node = this.#nodes++;
    const { order, targets } = grower;
    const size = to - from;
    let sum = 0;
    let squares = 0;
    for (let i = from; i < to; i++) {
      const target = targets[order[i] as number] as number;
      sum += target;
      squares += target * target;
    }
    const mean = size === 0 ? 0 : sum / size;
    const variance = size === 0 ? 0 : Math.max(0, squares / size - mean * mean);
    this.#mean[node] = mean;
    this.#variance[node] = variance;
    this.#column[node] = LEAF;
    if (size < grower.minSplit || variance <= 1e-14 * (1 + mean * mean)) {
      this.#variance[node] = size < grower.minSplit ? variance : 0;
      return node;
    }
    const middle = this.#split(grower, node, from, to, sum);
    if (middle < 0) return node;
    this.#next[2 * node + 1] = this.#grow(grower, from, middle);
    this.#next[2 * node] = this.#grow(grower, middle, to);
    return node;
  }

  /** Chooses the cut of a node and orders its rows by it. Returns where the right part begins, -1 where all rows are alike. */
  #split(grower: Grower, node: number, from: number, to: number, total: number): number {
    const { data, targets, order, scratch, sequence } = grower;
    const dimensions = data.length;
    const size = to - from;
    // Between two rows every cut is as good as another: the first column that tells them apart will do.
    const tries = size === 2 ? 1 : grower.tries;
    // Side by side for all columns: what lies apart costs more to read than to add up.
    const { own, ownTargets } = grower;
    for (let i = 0; i < size; i++) ownTargets[i] = targets[order[from + i] as number] as number;
    let bestScore = -Infinity;
    let bestColumn = -1;
    let bestCut = 0;
    let tried = 0;
    for (let s = 0; s < dimensions && tried < tries; s++) {
      // Columns in random order, so that none is favoured among equals.
      const pick = s + ((nextUniform(grower) * (dimensions - s)) | 0);
      const j = sequence[pick] as number;
      sequence[pick] = sequence[s] as number;
      sequence[s] = j;
      const values = data[j] as Float64Array;
      let sum = 0;
      let count = 0;
      let cut: number;
      if (this.#isCategorical[j] === true) {
        let present = 0;
        for (let i = 0; i < size; i++) {
          const value = values[order[from + i] as number] as number;
          own[i] = value;
          present |= 1 << value;
        }
        if ((present & (present - 1)) === 0) continue;
        do cut = (nextUniform(grower) * 4_294_967_296) | 0;
        while ((cut & present) === 0 || (cut & present) === present);
        for (let i = 0; i < size; i++) {
          const goesLeft = (cut >>> (own[i] as number)) & 1;
          sum += goesLeft * (ownTargets[i] as number);
          count += goesLeft;
        }
      } else {
        let low = Infinity;
        let high = -Infinity;
        for (let i = 0; i < size; i++) {
          const value = values[order[from + i] as number] as number;
          own[i] = value;
          if (value < low) low = value;
          if (value > high) high = value;
        }
        if (!(high > low)) continue;
        cut = low + nextUniform(grower) * (high - low);
        if (cut >= high) cut = low;
        for (let i = 0; i < size; i++) {
          const goesLeft = Number((own[i] as number) <= cut) | 0;
          sum += goesLeft * (ownTargets[i] as number);
          count += goesLeft;
        }
      }
      tried++;
      // Largest where the two means differ most: the reduction of the sum of squares up to a constant.
      const score = (sum * sum) / count + ((total - sum) * (total - sum)) / (size - count);
      if (score <= bestScore) continue;
      bestScore = score;
      bestColumn = j;
      bestCut = cut;
    }
    if (bestColumn < 0) return -1;
    const values = data[bestColumn] as Float64Array;
    const isCategorical = this.#isCategorical[bestColumn] === true;
    this.#column[node] = isCategorical ? ~bestColumn : bestColumn;
    if (isCategorical) this.#bits[node] = bestCut;
    else this.#cut[node] = bestCut;
    let left = from;
    let rest = 0;
    for (let i = from; i < to; i++) {
      const row = order[i] as number;
      const value = values[row] as number;
      const goesLeft = isCategorical ? (bestCut >>> value) & 1 : Number(value <= bestCut) | 0;
      order[left] = row;
      scratch[rest] = row;
      left += goesLeft;
      rest += 1 - goesLeft;
    }
    for (let i = 0; i < rest; i++) order[left + i] = scratch[i] as number;
    return left;
  }
}

/*
 * Which way a row goes is as good as a coin toss, and a processor that guesses wrong half of the time loses more than the comparison
 * costs: so it is used as a number, 0 or 1, not branched on.
 */

/** Far from any ~column. */
const LEAF = -1_000_000_000;

interface Grower {
  readonly data: readonly Float64Array[];
  readonly targets: Float64Array;
  readonly minSplit: number;
  readonly tries: number;
  /** Columns, shuffled as they are drawn. */
  readonly sequence: Int32Array;
  readonly order: Int32Array;
  readonly scratch: Int32Array;
  /** Values and targets of a node's rows. */
  readonly own: Float64Array;
  readonly ownTargets: Float64Array;
  state: number;
}

/** Uniform in [0, 1), 32 bits: a counter through murmur's finaliser (Steele, Lea & Flood, OOPSLA 2014). A cut needs no more. */
function nextUniform(grower: { state: number }): number {
  grower.state = (grower.state + 0x9e3779b9) | 0;
  let z = grower.state;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return ((z ^ (z >>> 16)) >>> 0) / 4_294_967_296;
}

function encodeValue(isCategorical: boolean, value: number): number {
  if (isCategorical) return Number.isNaN(value) ? INACTIVE_BIT : value % INACTIVE_BIT;
  return Number.isNaN(value) ? INACTIVE : value;
}
