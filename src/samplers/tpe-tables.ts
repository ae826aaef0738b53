import type { Distribution } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { SearchSpace } from '../core/study-view.js';
import { ObservationTable } from '../algorithms/observation-table.js';
import { numericDimension, type Dimension } from '../algorithms/parzen-dimension.js';
import type { ParzenEstimator, ParzenOptions } from '../algorithms/parzen-estimator.js';
import type { CategoricalDistance } from './tpe-options.js';
import type { TpeHistory } from './tpe-split.js';

const MOST_TABLES = 64;

/** Rows of a search space gathered from the history, up to the place `consumed`. */
export interface SpaceTable {
  good: GoodTrials | undefined;
  readonly names: readonly string[];
  readonly table: ObservationTable;
  /** Row of each trial of the history; -1 where it lacks a parameter. */
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

/** The table of a space, up to date with the history. */
export function tableOf(
  { history, tables }: { readonly history: TpeHistory; readonly tables: Map<string, SpaceTable> },
  space: SearchSpace,
  kernels: ParzenOptions,
  distances: Readonly<Record<string, CategoricalDistance>> | undefined,
): SpaceTable {
  const key = Object.entries(space)
    .map(([name, distribution]) => `${name} ${distribution.json}`)
    .join('\n');
  let entry = tables.get(key);
  if (entry === undefined) {
    if (tables.size >= MOST_TABLES) tables.clear();
    const dimensions = Object.entries(space).map(([name, distribution]) =>
      dimensionOf(name, distribution, distances?.[name]),
    );
    entry = {
      good: undefined,
      names: Object.keys(space),
      table: new ObservationTable(dimensions, { kernels }),
      rowOf: [],
    };
    tables.set(key, entry);
  }
  for (let index = entry.rowOf.length; index < history.trials.length; index++) {
    const values = internalValues(history.trials[index]?.internalParams ?? {}, entry.names);
    entry.rowOf.push(values.some(Number.isNaN) ? -1 : entry.table.add(values, history.ages[index] ?? 0));
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
