import type { RegressionTree } from './random-forest.js';

/** Bounds of one column. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

interface Leaf {
  readonly value: number;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/**
 * Variance of a tree's prediction over a box, and the parts of it that single parameters explain: functional ANOVA (Hutter, Hoos &
 * Leyton-Brown, ICML 2014, §3). A tree is constant on the boxes of its leaves, so every integral is a sum over leaves.
 */
export class TreeVariance {
  readonly #ranges: readonly Range[];
  readonly #leaves: readonly Leaf[];
  /** Share of the box that each leaf covers. */
  readonly #shares: Float64Array;
  readonly #mean: number;
  /** Over the whole box. */
  readonly total: number;

  constructor(tree: RegressionTree, ranges: readonly Range[]) {
    this.#ranges = ranges;
    this.#leaves = leavesOf(tree, ranges);
    this.#shares = Float64Array.from(this.#leaves, (leaf) =>
      ranges.reduce((share, _, j) => share * this.#width(leaf, j), 1),
    );
    let mean = 0;
    for (const [i, leaf] of this.#leaves.entries()) mean += (this.#shares[i] as number) * leaf.value;
    this.#mean = mean;
    let total = 0;
    for (const [i, leaf] of this.#leaves.entries()) total += (this.#shares[i] as number) * (leaf.value - mean) ** 2;
    this.total = total;
  }

  /**
   * Variance of the mean prediction as a function of some columns alone (one, or the one-hot columns of a categorical parameter),
   * the others integrated out.
   */
  marginal(columns: readonly number[]): number {
    const [column] = columns;
    if (column === undefined) return 0;
    return Math.max(0, columns.length === 1 ? this.#marginalOfOne(column) : this.#marginalOfMany(columns));
  }

  /** A column's part of a leaf, as a share of its range. */
  #width(leaf: Leaf, column: number): number {
    const { low, high } = this.#ranges[column] as Range;
    return ((leaf.high[column] as number) - (leaf.low[column] as number)) / (high - low);
  }

  /** Share of the box without these columns that a leaf covers, times how far its value is from the mean. */
  #pull(index: number, leaf: Leaf, columns: readonly number[]): number {
    const width = columns.reduce((product, column) => product * this.#width(leaf, column), 1);
    return width > 0 ? ((this.#shares[index] as number) / width) * (leaf.value - this.#mean) : 0;
  }

  /** Between two neighbouring cuts the marginal is constant: the pulls of the leaves there, summed by a sweep. */
  #marginalOfOne(column: number): number {
    const changes = new Map<number, number>();
    const add = (at: number, pull: number): void => {
      changes.set(at, (changes.get(at) ?? 0) + pull);
    };
    for (const [i, leaf] of this.#leaves.entries()) {
      const pull = this.#pull(i, leaf, [column]);
      add(leaf.low[column] as number, pull);
      add(leaf.high[column] as number, -pull);
    }
    const cuts = [...changes.keys()].sort((a, b) => a - b);
    const { low, high } = this.#ranges[column] as Range;
    let height = 0;
    let variance = 0;
    for (const [k, cut] of cuts.entries()) {
      height += changes.get(cut) ?? 0;
      variance += (((cuts[k + 1] ?? cut) - cut) / (high - low)) * height * height;
    }
    return variance;
  }

  /** Leaves that agree in these columns pull together; each two such groups meet on the overlap of their boxes. */
  #marginalOfMany(columns: readonly number[]): number {
    const groups = new Map<string, { leaf: Leaf; pull: number }>();
    for (const [i, leaf] of this.#leaves.entries()) {
      const key = columns.map((column) => `${leaf.low[column]},${leaf.high[column]}`).join(';');
      const pull = this.#pull(i, leaf, columns);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { leaf, pull });
      else group.pull += pull;
    }
    const list = [...groups.values()];
    let variance = 0;
    for (const [i, a] of list.entries()) {
      for (let k = i; k < list.length; k++) {
        const b = list[k] as { leaf: Leaf; pull: number };
        variance += (k === i ? 1 : 2) * a.pull * b.pull * this.#overlap(a.leaf, b.leaf, columns);
      }
    }
    return variance;
  }

  #overlap(a: Leaf, b: Leaf, columns: readonly number[]): number {
    let share = 1;
    for (const column of columns) {
      const { low, high } = this.#ranges[column] as Range;
      const from = Math.max(a.low[column] as number, b.low[column] as number);
      const to = Math.min(a.high[column] as number, b.high[column] as number);
      if (to <= from) return 0;
      share *= (to - from) / (high - low);
    }
    return share;
  }
}

function leavesOf(tree: RegressionTree, ranges: readonly Range[]): Leaf[] {
  const leaves: Leaf[] = [];
  const stack = [
    { node: 0, low: Float64Array.from(ranges, ({ low }) => low), high: Float64Array.from(ranges, ({ high }) => high) },
  ];
  for (let box = stack.pop(); box !== undefined; box = stack.pop()) {
    const { node, low, high } = box;
    const feature = tree.feature[node] as number;
    if (feature < 0) {
      leaves.push({ value: tree.value[node] as number, low, high });
      continue;
    }
    const threshold = tree.threshold[node] as number;
    const leftHigh = high.slice();
    leftHigh[feature] = threshold;
    const rightLow = low.slice();
    rightLow[feature] = threshold;
    stack.push({ node: tree.right[node] as number, low: rightLow, high });
    stack.push({ node: tree.left[node] as number, low, high: leftHigh });
  }
  return leaves;
}
