import type { JsonValue } from '../core/json.js';
import type { Carried, FitResult } from './fit.js';
import type { MetricDescription } from './trainer.js';

interface FoldState {
  /** Of the trial: what was carried for anything else is not gone on from. */
  readonly key: string;
  /** Values of each fold that is done. */
  readonly folds: Record<string, number>[];
  epochs: number;
  bestFold: number;
  bestEpoch: number;
}

/** What k-fold cross-validation knows of the folds that are done. Travels in every checkpoint of those after. */
export class FoldResults {
  readonly #state: FoldState;
  #bestWeights: readonly Float32Array[];

  constructor(key: string, state?: FoldState, bestWeights: readonly Float32Array[] = []) {
    this.#state = state ?? { key, folds: [], epochs: 0, bestFold: 0, bestEpoch: 0 };
    this.#bestWeights = bestWeights;
  }

  /** From a checkpoint; undefined where it was written for other settings or data. */
  static from(carried: Carried | undefined, key: string): FoldResults | undefined {
    const state = carried?.state as unknown as FoldState | undefined;
    return state?.key === key ? new FoldResults(key, structuredClone(state), carried?.arrays) : undefined;
  }

  carried(): Carried {
    return { state: structuredClone(this.#state) as unknown as JsonValue, arrays: this.#bestWeights };
  }

  get count(): number {
    return this.#state.folds.length;
  }

  /** Epochs of all folds together. */
  get epochs(): number {
    return this.#state.epochs;
  }

  get bestFold(): number {
    return this.#state.bestFold;
  }

  get bestEpoch(): number {
    return this.#state.bestEpoch;
  }

  get bestWeights(): readonly Float32Array[] {
    return this.#bestWeights;
  }

  add(fitted: FitResult, { name, goal }: MetricDescription, weights: readonly Float32Array[]): void {
    const state = this.#state;
    const value = fitted.values[name] ?? NaN;
    const best = state.folds[state.bestFold]?.[name] ?? NaN;
    const isBest = Number.isNaN(best) || (goal === 'maximize' ? value > best : value < best);
    state.folds.push({ ...fitted.values });
    state.epochs += fitted.epochs;
    if (!isBest) return;
    state.bestFold = state.folds.length - 1;
    state.bestEpoch = fitted.bestEpoch;
    this.#bestWeights = weights.map((array) => array.slice());
  }

  /** Mean of a metric over the first fold, the first two, …. */
  means(metric: string): number[] {
    let sum = 0;
    return this.#state.folds.map((values, index) => (sum += values[metric] ?? NaN) / (index + 1));
  }

  /** Means over all folds; and the deviation between folds (of a sample) of the metric that is reported. */
  values(reported: string): Record<string, number> {
    const { folds } = this.#state;
    const names = Object.keys(folds[0] ?? {});
    const values = Object.fromEntries(names.map((name) => [name, this.means(name).at(-1) ?? NaN]));
    const mean = values[reported] ?? NaN;
    const squares = folds.reduce((sum, fold) => sum + ((fold[reported] ?? NaN) - mean) ** 2, 0);
    return { ...values, [`${reported}_std`]: Math.sqrt(squares / Math.max(1, folds.length - 1)) };
  }
}
