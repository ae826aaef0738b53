import type { Random } from '../core/random.js';

/** One decision: what was asked for, the values it could take (by index), and which it took. */
export interface TreeStep {
  readonly name: string;
  /** The same text for the same values. */
  readonly range: string;
  readonly size: number;
  /** Index of the value taken; outside of 0 … size - 1 for a value that is none of them. */
  readonly index: number;
}

interface Node {
  readonly parent: Node | undefined;
  step: Omit<TreeStep, 'index'> | undefined;
  children: Map<number, Node>;
  /** Ends below that nothing is known of; 1 for a node that has not been entered. */
  open: number;
  isLeaf: boolean;
  /** Paths under way that end here. */
  running: number;
  /** Open ends at or below this node that paths under way hold. */
  held: number;
  /** Whether one of them is this node itself. */
  holds: boolean;
}

/** What could not be put into the tree: another parameter, or other values, at a place that is known. */
export interface TreeConflict {
  readonly known: Omit<TreeStep, 'index'>;
  readonly found: Omit<TreeStep, 'index'>;
}

/** Share of a draw that goes to each child alike; the rest goes by how many ends are open below it. */
const FLAT = 0.5;

/**
 * All paths through a define-by-run objective, as far as they are known: which parameter comes next, which of its values have been
 * tried to the end. Counts of open ends are kept in each node, so that a step costs no more than the values it chooses from. The
 * rules are those of Optuna's BruteForceSampler.
 */
export class SearchTree {
  readonly #root: Node = newNode(undefined);

  /** Adds a path that has come to its end. Returns what contradicts the tree, if anything does: nothing is added then. */
  finish(path: readonly TreeStep[]): TreeConflict | undefined {
    const found = this.#enter(path);
    if (found === undefined || 'known' in found) return found;
    // A trial that stopped half-way tells nothing of what would have come next.
    if (found.step !== undefined || found.isLeaf) return undefined;
    found.isLeaf = true;
    change(found, -1);
    updateHold(found);
    return undefined;
  }

  /** Adds a path that is under way; the function returned takes the mark away again. */
  begin(path: readonly TreeStep[]): TreeConflict | (() => void) {
    const found = this.#enter(path);
    if (found === undefined) return () => undefined;
    if ('known' in found) return found;
    found.running++;
    updateHold(found);
    return () => {
      found.running--;
      updateHold(found);
    };
  }

  /** Makes sure of a parameter behind a path, and draws a value for it; undefined where all of them have been tried. */
  draw(
    path: readonly TreeStep[],
    next: Omit<TreeStep, 'index'>,
    excludeRunning: boolean,
    random: Random,
  ): TreeConflict | { readonly index: number | undefined } {
    const node = this.#enter(path);
    if (node === undefined) return { index: undefined };
    if ('known' in node) return node;
    const conflict = expand(node, next);
    if (conflict !== undefined) return conflict;
    const open = Array.from({ length: next.size }, (_, index) => openBelow(node.children.get(index), excludeRunning));
    const total = open.reduce((sum, count) => sum + count, 0);
    if (total === 0) return { index: undefined };
    const ways = open.filter((count) => count > 0).length;
    const weights = open.map((count) => (count > 0 ? ((1 - FLAT) * count) / total + FLAT / ways : 0));
    const isRunning = (index: number): boolean => (node.children.get(index)?.running ?? 0) > 0;
    if (weights.some((weight, index) => weight > 0 && !isRunning(index)))
      for (const index of weights.keys()) if (isRunning(index)) weights[index] = 0;
    let rest = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
    let last: number | undefined;
    for (const [index, weight] of weights.entries()) {
      if (weight === 0) continue;
      last = index;
      rest -= weight;
      if (rest < 0) break;
    }
    return { index: last };
  }

  /** Whether anything is left to be tried; what is under way counts as tried with `excludeRunning`. */
  isOpen(excludeRunning: boolean): boolean {
    return openBelow(this.#root, excludeRunning) > 0;
  }

  /** The node at the end of a path; undefined where the path leads outside. */
  #enter(path: readonly TreeStep[]): Node | TreeConflict | undefined {
    let node = this.#root;
    for (const step of path) {
      const conflict = expand(node, step);
      if (conflict !== undefined) return conflict;
      if (!(step.index >= 0 && step.index < step.size)) return undefined;
      let child = node.children.get(step.index);
      if (child === undefined) node.children.set(step.index, (child = newNode(node)));
      node = child;
    }
    return node;
  }
}

function newNode(parent: Node | undefined): Node {
  return { parent, step: undefined, children: new Map(), open: 1, isLeaf: false, running: 0, held: 0, holds: false };
}

function change(node: Node, by: number): void {
  for (let at: Node | undefined = node; at !== undefined; at = at.parent) at.open += by;
}

/** A path under way that ends where nothing further is known holds that open end. */
function updateHold(node: Node): void {
  const holds = node.step === undefined && !node.isLeaf && node.running > 0;
  if (holds === node.holds) return;
  node.holds = holds;
  for (let at: Node | undefined = node; at !== undefined; at = at.parent) at.held += holds ? 1 : -1;
}

function expand(node: Node, step: Omit<TreeStep, 'index'>): TreeConflict | undefined {
  const { step: known } = node;
  if (known !== undefined)
    return known.name === step.name && known.range === step.range ? undefined : { known, found: step };
  node.step = { name: step.name, range: step.range, size: step.size };
  // A trial ended here before, and others go on: its end was none.
  change(node, node.isLeaf ? step.size : step.size - 1);
  node.isLeaf = false;
  updateHold(node);
  return undefined;
}

/** Open ends below a child; one that has not been entered is one. */
function openBelow(node: Node | undefined, excludeRunning: boolean): number {
  if (node === undefined) return 1;
  return excludeRunning ? node.open - node.held : node.open;
}
