import type { Distribution } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { mixSeed } from '../core/random.js';
import type { SearchSpace } from '../core/study-view.js';
import { ObservationTable } from '../algorithms/observation-table.js';
import { numericDimension, type Dimension } from '../algorithms/parzen-dimension.js';
import type { ParzenEstimator, ParzenOptions } from '../algorithms/parzen-estimator.js';
import type { CategoricalDistance } from './tpe-options.js';
import type { TpeHistory } from './tpe-split.js';

const MOST_TABLES = 64;
/** Trials up to which all are observations, as in Optuna; of more, every second, fourth, eighth … is. */
export const MOST_OBSERVATIONS = 10_000;

/** Rows of a search space gathered from the history, up to the place `consumed`. */
export interface SpaceTable {
  good: GoodTrials | undefined;
  readonly names: readonly string[];
  readonly table: ObservationTable;
  /** How many times the trials were halved: each row stands for two to that power. */
  readonly halvings: number;
  /** Row of each trial of the history; -1 where it lacks a parameter or is left out. */
  readonly rowOf: number[];
}

/** The good trials of a moment and their density. */
export class GoodTrials {
  readonly chosen: readonly number[];
  /** Their rows in the table. */
  readonly rows: readonly number[];
  readonly density: ParzenEstimator;
  #leaveOut = new Uint8Array(0);

  constructor(chosen: readonly number[], rows: readonly number[], density: ParzenEstimator) {
    this.chosen = chosen;
    this.rows = rows;
    this.density = density;
  }

  /** 1 for each of their rows, in a table of `size` rows. */
  leaveOutOf(size: number): Uint8Array {
    if (this.#leaveOut.length < size) {
      this.#leaveOut = new Uint8Array(size + 256);
      for (const row of this.rows) this.#leaveOut[row] = 1;
    }
    return this.#leaveOut;
  }
}

/** How many times so many trials are halved to leave no more than MOST_OBSERVATIONS. */
export function halvingsOf(trials: number): number {
  return Math.max(0, Math.ceil(Math.log2(trials / MOST_OBSERVATIONS)));
}

/** Whether a trial is left after so many halvings: by a hash of its place, so that workers who take turns are all heard. */
function isLeft(age: number, halvings: number): boolean {
  return halvings === 0 || mixSeed(Math.floor(age), 'halving') % 2 ** halvings === 0;
}

/**
 * The table of a space, up to date with the history.
 * @param mayThin whether it may leave out trials where there are very many
 */
export function tableOf(
  { history, tables }: { readonly history: TpeHistory; readonly tables: Map<string, SpaceTable> },
  space: SearchSpace,
  kernels: ParzenOptions,
  distances: Readonly<Record<string, CategoricalDistance>> | undefined,
  mayThin: boolean,
): SpaceTable {
  const key = Object.entries(space)
    .map(([name, distribution]) => `${name} ${distribution.json}`)
    .join('\n');
  let entry = tables.get(key);
  const halvings = mayThin ? halvingsOf(history.trials.length) : 0;
  if (entry?.halvings !== halvings) {
    if (tables.size >= MOST_TABLES) tables.clear();
    const dimensions = Object.entries(space).map(([name, distribution]) =>
      dimensionOf(name, distribution, distances?.[name]),
    );
    entry = {
      good: undefined,
      names: Object.keys(space),
      table: new ObservationTable(dimensions, { kernels }),
      halvings,
      rowOf: [],
    };
    tables.set(key, entry);
  }
  for (let index = entry.rowOf.length; index < history.trials.length; index++) {
    const age = history.ages[index] ?? 0;
    if (!isLeft(age, halvings)) {
      entry.rowOf.push(-1);
      continue;
    }
    const values = internalValues(history.trials[index]?.internalParams ?? {}, entry.names);
    entry.rowOf.push(values.some(Number.isNaN) ? -1 : entry.table.add(values, age));
  }
  return entry;
}

function dimensionOf(name: string, distribution: Distribution, distance: CategoricalDistance | undefined): Dimension {
  if (distribution.kind !== 'categorical') return numericDimension(distribution);
  const { choices } = distribution;
  if (distance === undefined || choices.length < 2) return { kind: 'categorical', choices: choices.length };
  const distances = choices.map((a) => choices.map((b) => distance(a, b)));
  for (const row of distances) {
    if (!row.every((value) => value >= 0 && Number.isFinite(value)) || row.every((value) => value === 0)) {
      throw new UsageError(
        `categoricalDistanceFunc of "${name}" must give finite distances >= 0, not all of them 0, but gave ${row.join(', ')}.`,
      );
    }
  }
  return { kind: 'categorical', choices: choices.length, distances };
}

/** NaN for a parameter that is absent. */
export function internalValues(params: Readonly<Record<string, number>>, names: readonly string[]): number[] {
  return names.map((name) => params[name] ?? NaN);
}
