import type { Random } from '../core/random.js';

/** A binary regression tree as arrays over its nodes; node 0 is the root. */
export interface RegressionTree {
  /** Column that a node splits on; -1 at a leaf. */
  readonly feature: Int32Array;
  /** Rows with a value at or below go left. */
  readonly threshold: Float64Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Mean target of a node's rows. */
  readonly value: Float64Array;
  /** Rows of a node, repeated ones counted as often as they were drawn. */
  readonly weight: Float64Array;
  /** Variance of the targets of a node's rows. */
  readonly impurity: Float64Array;
}

export interface RandomForestOptions {
  /** @default 64 */
  readonly trees?: number;
  /** @default 64 */
  readonly maxDepth?: number;
  /** Draw the rows of each tree with replacement. @default true */
  readonly bootstrap?: boolean;
}

/**
 * Regression trees on bootstrap samples (Breiman, Machine Learning 2001), each split the one that lowers the variance most over all
 * columns, down to leaves of one value; what scikit-learn's RandomForestRegressor grows with its defaults.
 * @param columns values of all rows, one array per column; @param targets one value per row
 */
export function growRandomForest(
  columns: readonly Float64Array[],
  targets: Float64Array,
  random: Random,
  options: RandomForestOptions = {},
): RegressionTree[] {
  const { trees = 64, maxDepth = 64, bootstrap = true } = options;
  const n = targets.length;
  const sorted = columns.map((values) =>
    Int32Array.from(targets.keys()).sort((a, b) => (values[a] as number) - (values[b] as number)),
  );
  return Array.from({ length: trees }, () => {
    const weights = new Float64Array(n).fill(bootstrap ? 0 : 1);
    if (bootstrap) for (let i = 0; i < n; i++) (weights[random.integer(n)] as number)++;
    return new TreeGrower(columns, targets, weights, sorted, random, maxDepth).grow();
  });
}

/** The prediction for one point. */
export function predictTree(tree: RegressionTree, point: readonly number[] | Float64Array): number {
  let node = 0;
  for (;;) {
    const feature = tree.feature[node] as number;
    if (feature < 0) return tree.value[node] as number;
    const goesLeft = (point[feature] as number) <= (tree.threshold[node] as number);
    node = (goesLeft ? tree.left[node] : tree.right[node]) as number;
  }
}

/** Share of each column in a tree's reduction of variance (mean decrease of impurity), summing to 1; zeros where nothing is split. */
export function impurityDecrease(tree: RegressionTree, columns: number): Float64Array {
  const decrease = new Float64Array(columns);
  const spread = (node: number): number => (tree.weight[node] as number) * (tree.impurity[node] as number);
  let total = 0;
  for (const [node, feature] of tree.feature.entries()) {
    if (feature < 0) continue;
    const gain = spread(node) - spread(tree.left[node] as number) - spread(tree.right[node] as number);
    decrease[feature] = (decrease[feature] as number) + gain;
    total += gain;
  }
  return total > 0 ? decrease.map((value) => value / total) : decrease;
}

/** Grows one tree. Rows stay sorted by every column in each node's stretch, so that no node sorts. */
class TreeGrower {
  readonly #columns: readonly Float64Array[];
  readonly #targets: Float64Array;
  readonly #weights: Float64Array;
  readonly #orders: readonly Int32Array[];
  readonly #random: Random;
  readonly #maxDepth: number;
  readonly #scratch: Int32Array;
  readonly #goesLeft: Uint8Array;
  readonly #sequence: number[];
  readonly #feature: number[] = [];
  readonly #threshold: number[] = [];
  readonly #left: number[] = [];
  readonly #right: number[] = [];
  readonly #value: number[] = [];
  readonly #weight: number[] = [];
  readonly #impurity: number[] = [];

  constructor(
    columns: readonly Float64Array[],
    targets: Float64Array,
    weights: Float64Array,
    sorted: readonly Int32Array[],
    random: Random,
    maxDepth: number,
  ) {
    this.#columns = columns;
    this.#targets = targets;
    this.#weights = weights;
    this.#orders = sorted.map((order) => order.filter((row) => (weights[row] as number) > 0));
    this.#random = random;
    this.#maxDepth = maxDepth;
    this.#scratch = new Int32Array(targets.length);
    this.#goesLeft = new Uint8Array(targets.length);
    this.#sequence = columns.map((_, j) => j);
  }

  grow(): RegressionTree {
    this.#grow(0, this.#orders[0]?.length ?? 0, 0);
    return {
      feature: Int32Array.from(this.#feature),
      threshold: Float64Array.from(this.#threshold),
      left: Int32Array.from(this.#left),
      right: Int32Array.from(this.#right),
      value: Float64Array.from(this.#value),
      weight: Float64Array.from(this.#weight),
      impurity: Float64Array.from(this.#impurity),
    };
  }

  /** The subtree of the rows in [from, to) of every order; its root. */
  #grow(from: number, to: number, depth: number): number {
    const node = this.#feature.length;
    const order = this.#orders[0] ?? new Int32Array(0);
    let weight = 0;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const row = order[i] as number;
      const w = this.#weights[row] as number;
      weight += w;
      sum += w * (this.#targets[row] as number);
    }
    const mean = sum / weight;
    let squares = 0;
    for (let i = from; i < to; i++) {
      const row = order[i] as number;
      squares += (this.#weights[row] as number) * ((this.#targets[row] as number) - mean) ** 2;
    }
    const impurity = squares / weight;
    this.#feature.push(-1);
    this.#threshold.push(0);
    this.#left.push(-1);
    this.#right.push(-1);
    this.#value.push(mean);
    this.#weight.push(weight);
    this.#impurity.push(impurity);
    if (to - from < 2 || depth >= this.#maxDepth || impurity <= Number.EPSILON * (1 + mean * mean)) return node;
    const cut = this.#bestCut(from, to, weight, sum);
    if (cut === undefined) return node;
    const middle = this.#partition(from, to, cut.feature, cut.threshold);
    this.#feature[node] = cut.feature;
    this.#threshold[node] = cut.threshold;
    this.#left[node] = this.#grow(from, middle, depth + 1);
    this.#right[node] = this.#grow(middle, to, depth + 1);
    return node;
  }

  /** The cut that lowers the variance most; among equals the column that comes first in a random order. */
  #bestCut(
    from: number,
    to: number,
    weight: number,
    sum: number,
  ): { readonly feature: number; readonly threshold: number } | undefined {
    let bestScore = -Infinity;
    let best: { feature: number; threshold: number } | undefined;
    const mean = sum / weight;
    for (const feature of this.#random.shuffle(this.#sequence)) {
      const order = this.#orders[feature] as Int32Array;
      const values = this.#columns[feature] as Float64Array;
      let leftWeight = 0;
      let leftSum = 0;
      for (let i = from; i < to - 1; i++) {
        const row = order[i] as number;
        const w = this.#weights[row] as number;
        leftWeight += w;
        leftSum += w * ((this.#targets[row] as number) - mean);
        const low = values[row] as number;
        const high = values[order[i + 1] as number] as number;
        if (high <= low) continue;
        // Both means are counted from the node's own: their squares are the reduction itself.
        const score = (leftSum * leftSum) / leftWeight + (leftSum * leftSum) / (weight - leftWeight);
        if (score <= bestScore) continue;
        bestScore = score;
        const middle = low / 2 + high / 2;
        best = { feature, threshold: middle < high ? middle : low };
      }
    }
    return best;
  }

  /** Puts the rows that go left first, in every order. Returns where the others begin. */
  #partition(from: number, to: number, feature: number, threshold: number): number {
    const values = this.#columns[feature] as Float64Array;
    const own = this.#orders[feature] as Int32Array;
    let middle = from;
    for (let i = from; i < to; i++) {
      const row = own[i] as number;
      const goesLeft = (values[row] as number) <= threshold;
      this.#goesLeft[row] = goesLeft ? 1 : 0;
      if (goesLeft) middle++;
    }
    for (const order of this.#orders) {
      let left = from;
      let rest = 0;
      for (let i = from; i < to; i++) {
        const row = order[i] as number;
        if (this.#goesLeft[row] === 1) order[left++] = row;
        else this.#scratch[rest++] = row;
      }
      for (let i = 0; i < rest; i++) order[left + i] = this.#scratch[i] as number;
    }
    return middle;
  }
}
