import type { DeclaredSpace } from '../core/declared-space.js';
import type { CategoricalChoice, ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { parseJson, stringifyJson, type JsonValue } from '../core/json.js';
import { numpyShuffle } from '../algorithms/mersenne-twister.js';
import { declaredPoints, MOST_POINTS, tooMany, valuesOf } from './finite-space.js';

/** Values of each parameter to be tried. */
export type GridSearchSpace = Readonly<Record<string, readonly CategoricalChoice[]>>;

type Point = Readonly<Record<string, ParamValue>>;

/** The points of a grid, each under its number. */
export interface GridPoints {
  readonly names: readonly string[];
  readonly size: number;
  at(id: number): Point;
  /** What is stored beside a trial's number, so that numbers of other grids are told apart. */
  readonly mark: JsonValue;
  /** Whether a stored mark is of this very grid. */
  isOwn(markText: string): boolean;
}

/**
 * All combinations of listed values, in the order of Optuna's GridSampler: the product with sorted names, the last one fastest,
 * shuffled by numpy's `RandomState(seed)`. So both mean the same point by a number.
 * @throws UsageError for an empty list, or more combinations than can be kept
 */
export function productGrid(searchSpace: GridSearchSpace, seed: number): GridPoints {
  const names = Object.keys(searchSpace).sort();
  const mark = Object.fromEntries(names.map((name) => [name, [...(searchSpace[name] ?? [])]]));
  let size = 1;
  for (const name of names) {
    const count = mark[name]?.length ?? 0;
    if (count === 0) throw new UsageError(`GridSampler: parameter "${name}" has no values.`);
    size *= count;
  }
  if (size > MOST_POINTS) throw tooMany('GridSampler', size);
  const order = numpyShuffle(size, seed);
  const own = new Map<string, boolean>();
  return {
    names,
    size,
    mark,
    at: (id) => {
      let rest = order[id] as number;
      const point: Record<string, ParamValue> = {};
      for (const name of names.toReversed()) {
        const values = mark[name] ?? [];
        point[name] = values[rest % values.length] as ParamValue;
        rest = Math.floor(rest / values.length);
      }
      return point;
    },
    isOwn: (text) => {
      let known = own.get(text);
      if (known === undefined) own.set(text, (known = isSameGrid(text, mark)));
      return known;
    },
  };
}

/**
 * All sets of parameters that a declared space allows. Without conditions and rules it is the grid of every parameter's values, as
 * above.
 * @throws UsageError for a continuous parameter, or more points than can be kept
 */
export function declaredGrid(space: DeclaredSpace, seed: number): GridPoints {
  const { parameters } = space;
  const names = parameters.map(({ name }) => name);
  const points = declaredPoints(space, 'GridSampler');
  const lists = parameters.map(({ name, distribution }) => valuesOf(name, distribution, 'GridSampler'));
  if (points.length === lists.reduce((product, { length }) => product * length, 1))
    return productGrid(Object.fromEntries(names.map((name, j) => [name, lists[j] ?? []])), seed);
  if (points.length === 0) throw new UsageError('GridSampler: no point of the declared space keeps its rules.');
  const order = numpyShuffle(points.length, seed);
  const mark = { declared: Object.fromEntries(names.map((name, j) => [name, lists[j] ?? []])), points: points.length };
  const text = stringifyJson(mark);
  return {
    names,
    size: points.length,
    mark,
    at: (id) => points[order[id] as number] ?? {},
    isOwn: (other) => other === text,
  };
}

function isSameGrid(text: string, grid: Readonly<Record<string, readonly ParamValue[]>>): boolean {
  const other = parseJson(text);
  if (typeof other !== 'object' || other === null || Array.isArray(other)) return false;
  const record = other as Readonly<Record<string, JsonValue>>;
  const names = Object.keys(grid);
  return (
    Object.keys(record).length === names.length &&
    names.every((name) => {
      const values = record[name];
      const own = grid[name] ?? [];
      return (
        Array.isArray(values) &&
        values.length === own.length &&
        own.every((value, i) => Object.is(value, values[i]) || value === values[i])
      );
    })
  );
}
