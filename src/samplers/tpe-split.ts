import type { FrozenTrial } from '../core/frozen-trial.js';
import type { StudyDirection } from '../core/study-direction.js';
import type { StudyView } from '../core/study-view.js';
import { nonDominationRanks } from '../algorithms/non-dominated-sort.js';
import { paretoSubset } from '../algorithms/pareto-subset.js';

/** Place of a trial in the history without interruptions: what age means to TPE. */
export function ageOf(trial: FrozenTrial): number {
  return trial.logicalIndex + trial.number / 2 ** 31;
}

/** Good trials at most with several objectives: more cost time at every suggestion and make their density no sharper. */
export const MOST_GOOD_OF_SEVERAL = 250;
/** Candidates for them: beyond twice as many, the worse half is not looked at again. */
const CANDIDATES = 4 * MOST_GOOD_OF_SEVERAL;

interface Ranked {
  readonly index: number;
  readonly age: number;
  /** Compared in order, smaller is better; then by age. */
  readonly score: readonly [number, number];
}

/**
 * Finished trials of a study, sorted by how good they are within their kind: complete, pruned, infeasible. Kept up to date as trials
 * finish; an index into `trials` names one.
 */
export class TpeHistory {
  readonly trials: FrozenTrial[] = [];
  readonly ages: number[] = [];
  readonly #complete: Ranked[] = [];
  readonly #pruned: Ranked[] = [];
  readonly #infeasible: Ranked[] = [];
  readonly #directions: readonly StudyDirection[];
  readonly #mayForget: boolean;
  /** Completed trials so far. */
  #completed = 0;
  #consumed = 0;
  /** Last choice among several objectives: the same for every parameter of a trial. */
  #chosen: { readonly trials: number; readonly size: number; readonly best: number[] } | undefined;

  /** @param mayForget with several objectives: no more than MOST_GOOD_OF_SEVERAL will be asked for */
  constructor(directions: readonly StudyDirection[], mayForget = false) {
    this.#directions = directions;
    this.#mayForget = mayForget && directions.length > 1;
  }

  /** Takes in what has finished since. */
  update(study: StudyView): void {
    const { finished } = study.history;
    for (; this.#consumed < finished.length; this.#consumed++) {
      const trial = finished[this.#consumed];
      if (trial === undefined || (trial.state !== 'COMPLETE' && trial.state !== 'PRUNED')) continue;
      const index = this.trials.length;
      const age = ageOf(trial);
      this.trials.push(trial);
      this.ages.push(age);
      const violation = violationOf(trial);
      if (violation > 0) insert(this.#infeasible, { index, age, score: [violation, 0] });
      else if (trial.state === 'PRUNED')
        insert(this.#pruned, { index, age, score: prunedScore(trial, this.#directions[0]) });
      else this.#addComplete({ index, age, score: [this.#lossOf(trial), 0] });
    }
  }

  #addComplete(entry: Ranked): void {
    insert(this.#complete, entry);
    this.#completed++;
    if (!this.#mayForget || this.#complete.length < 2 * CANDIDATES) return;
    const ranks = nonDominationRanks(
      this.#complete.map(({ index }) => this.#lossesOf(index)),
      CANDIDATES,
    );
    const order = [...this.#complete.keys()].sort(
      (a, b) => (ranks[a] ?? 0) - (ranks[b] ?? 0) || (this.#complete[a]?.age ?? 0) - (this.#complete[b]?.age ?? 0),
    );
    const kept = new Set(order.slice(0, CANDIDATES));
    const left = this.#complete.filter((_, i) => kept.has(i));
    this.#complete.length = 0;
    this.#complete.push(...left);
  }

  #lossesOf(index: number): number[] {
    return (this.trials[index]?.values ?? []).map((value, i) => (this.#directions[i] === 'maximize' ? -value : value));
  }

  #lossOf(trial: FrozenTrial): number {
    const value = trial.values?.[0] ?? NaN;
    return this.#directions[0] === 'maximize' ? -value : value;
  }

  /** The `size` best: complete trials first, then pruned, then infeasible ones. Indices, in no certain order. */
  best(size: number): number[] {
    const complete =
      this.#directions.length > 1 ? this.#bestOfSeveral(size) : this.#complete.slice(0, size).map(({ index }) => index);
    const pruned = this.#pruned.slice(0, Math.max(0, size - complete.length)).map(({ index }) => index);
    const left = Math.max(0, size - complete.length - pruned.length);
    return [...complete, ...pruned, ...this.#infeasible.slice(0, left).map(({ index }) => index)];
  }

  /** Whole fronts while they fit; the front that does not is cut to the subset of largest hypervolume (Optuna's MOTPE split). */
  #bestOfSeveral(size: number): number[] {
    const trials = this.#completed;
    const known = this.#chosen;
    if (known?.trials === trials && known.size === size) return known.best;
    const pool = [...this.#complete].sort((a, b) => a.age - b.age);
    const losses = pool.map(({ index }) => this.#lossesOf(index));
    const best = paretoSubset(losses, size).map((i) => pool[i]?.index ?? 0);
    this.#chosen = { trials, size, best };
    return best;
  }
}

function violationOf(trial: FrozenTrial): number {
  const { constraints } = trial;
  if (constraints === undefined) return 0;
  return Object.values(constraints).reduce((sum, value) => sum + Math.max(0, value), 0);
}

/** Those that came furthest first, then those that stood better there; without a report last. */
function prunedScore(trial: FrozenTrial, direction: StudyDirection | undefined): readonly [number, number] {
  const step = trial.lastStep;
  if (step === undefined) return [1, 0];
  const value = trial.intermediateValues[step] ?? NaN;
  if (Number.isNaN(value)) return [-step, Infinity];
  return [-step, direction === 'maximize' ? -value : value];
}

function insert(list: Ranked[], entry: Ranked): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(list[middle] as Ranked, entry) <= 0) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, entry);
}

function compare(a: Ranked, b: Ranked): number {
  if (a.score[0] !== b.score[0]) return a.score[0] < b.score[0] ? -1 : 1;
  if (a.score[1] !== b.score[1]) return a.score[1] < b.score[1] ? -1 : 1;
  return a.age - b.age;
}
