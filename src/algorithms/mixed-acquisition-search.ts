import type { Random } from '../core/random.js';
import { valuesAt, type Acquisition } from './acquisition.js';
import { changeSome } from './candidate-search.js';
import { minimizeBounded } from './l-bfgs-b.js';
import { pointKey, valueForShare, type Column } from './search-domain.js';
import { MOST_SOBOL_DIMENSIONS, SobolSequence } from './sobol.js';

/** Levels up to which all are tried. */
const FEW_LEVELS = 16;
/** Points drawn around each centre, with one to three columns changed, as a share of those drawn from everywhere. */
const AROUND = 0.3;
/** Rounds of one local search, each through all columns. */
const MOST_ROUNDS = 20;

export interface AcquisitionSearchOptions {
  readonly columns: readonly Column[];
  /** Length scale of each column, by which the gradient steps are scaled. */
  readonly scales: ArrayLike<number>;
  /** Points that local searches start from beside drawn ones: the best trials. */
  readonly starts: readonly Float64Array[];
  /** Points around which further starts are drawn: good trials. Improvement is to be had near them as a rule. @default none */
  readonly centres?: readonly Float64Array[] | undefined;
  /** Keys of points that are not to be proposed; of use where no column is continuous. */
  readonly excluded?: ReadonlySet<string> | undefined;
  /** Evenly spread points among which the others starts are found. @default 2048 */
  readonly draws?: number | undefined;
  /** Local searches in all. @default 10 */
  readonly searches?: number | undefined;
  /** Evaluations with gradient of one local search. @default 100 */
  readonly evaluations?: number | undefined;
  readonly random: Random;
}

/**
 * The point of largest acquisition in a mixed space: evenly spread points and some around good trials, then local searches from the
 * best of them, from others drawn by how good they are, and from the given ones. A local search takes turns: quasi-Newton steps in the continuous columns
 * together, and in each discrete one all levels, or steps that shrink, until nothing changes.
 */
export function searchAcquisition(acquisition: Acquisition, options: AcquisitionSearchOptions): Float64Array {
  const { columns, random, starts } = options;
  const search = new LocalSearch(acquisition, options);
  const count = options.draws ?? 2048;
  const draws = spreadPoints(columns, count, random);
  for (const centre of options.centres ?? [])
    for (let i = 0; i < AROUND * count; i++) draws.push(changeSome(columns, centre.slice(), 1 + (i % 3), random));
  const values = search.values(draws);
  const wanted = Math.max(1, (options.searches ?? 10) - starts.length);
  const candidates = [...chooseStarts(values, wanted, random).map((i) => draws[i] as Float64Array), ...starts];
  let best = candidates[0] as Float64Array;
  let bestValue = -Infinity;
  for (const start of candidates) {
    const { point, value } = search.from(start);
    if (value <= bestValue) continue;
    best = point;
    bestValue = value;
  }
  return best;
}

function spreadPoints(columns: readonly Column[], count: number, random: Random): Float64Array[] {
  const sequence = columns.length > MOST_SOBOL_DIMENSIONS ? undefined : new SobolSequence(columns.length, random);
  return Array.from({ length: count }, (_, i) => {
    const shares = sequence?.point(i);
    return Float64Array.from(columns, (column, j) => valueForShare(column, shares?.[j] ?? random.uniform()));
  });
}

/** The best, and others drawn without replacement with probabilities as the exponentials of their values. */
function chooseStarts(values: Float64Array, count: number, random: Random): number[] {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  const top = values[best] as number;
  if (top === -Infinity) return [best];
  // The largest of log-weights with Gumbel noise: a draw without replacement (Efraimidis & Spirakis 2006).
  const order = [...values.keys()]
    .filter((i) => i !== best && (values[i] as number) > top - 700)
    .map((i) => ({ i, key: (values[i] as number) - Math.log(-Math.log(1 - random.uniform() || 5e-324)) }))
    .sort((a, b) => b.key - a.key);
  return [best, ...order.slice(0, count - 1).map(({ i }) => i)];
}

/**
 * Ascent in some continuous columns, each in units of its length scale, which makes their curvatures alike. Moves the point where
 * that is better than `value`, what is known of it.
 * @returns the value then
 */
export function climbContinuous(
  acquisition: Acquisition,
  point: Float64Array,
  value: number,
  columns: readonly number[],
  allScales: ArrayLike<number>,
  evaluations: number,
): number {
  const scales = columns.map((j) => allScales[j] as number);
  const trial = point.slice();
  const full = new Float64Array(point.length);
  const { x, value: least } = minimizeBounded(
    (scaled, gradient) => {
      for (const [i, j] of columns.entries()) trial[j] = (scaled[i] as number) * (scales[i] as number);
      full.fill(0);
      const at = acquisition.evaluate(trial, full);
      for (const [i, j] of columns.entries()) gradient[i] = -(full[j] as number) * (scales[i] as number);
      return -at;
    },
    Float64Array.from(columns, (j, i) => (point[j] as number) / (scales[i] as number)),
    {
      lower: new Float64Array(columns.length),
      upper: Float64Array.from(scales, (scale) => 1 / scale),
      maxIterations: evaluations,
      maxEvaluations: evaluations,
      gradientTolerance: 1e-2,
      valueTolerance: 1e-6,
    },
  );
  if (!(-least > value)) return value;
  for (const [i, j] of columns.entries()) {
    point[j] = Math.min(1, Math.max(0, (x[i] as number) * (scales[i] as number)));
  }
  return -least;
}

class LocalSearch {
  readonly #acquisition: Acquisition;
  readonly #columns: readonly Column[];
  readonly #continuous: readonly number[];
  readonly #discrete: readonly number[];
  readonly #scales: ArrayLike<number>;
  readonly #excluded: ReadonlySet<string> | undefined;
  readonly #evaluations: number;
  /** Ends of searches that have been made, so that none is made twice. */
  readonly #seen = new Set<string>();

  constructor(acquisition: Acquisition, options: AcquisitionSearchOptions) {
    this.#acquisition = acquisition;
    this.#columns = options.columns;
    this.#scales = options.scales;
    this.#continuous = [...options.columns.keys()].filter((j) => options.columns[j]?.kind === 'continuous');
    this.#discrete = [...options.columns.keys()].filter((j) => options.columns[j]?.kind !== 'continuous');
    this.#excluded =
      this.#continuous.length === 0 && options.excluded !== undefined && options.excluded.size > 0
        ? options.excluded
        : undefined;
    this.#evaluations = options.evaluations ?? 100;
  }

  value(point: Float64Array): number {
    if (this.#excluded?.has(pointKey(point)) === true) return -Infinity;
    return this.#acquisition.evaluate(point);
  }

  values(points: readonly Float64Array[]): Float64Array {
    const values = valuesAt(this.#acquisition, points);
    for (const [i, point] of points.entries()) if (this.#excluded?.has(pointKey(point)) === true) values[i] = -Infinity;
    return values;
  }

  from(start: Float64Array): { point: Float64Array; value: number } {
    const point = start.slice();
    let value = this.value(point);
    let unchanged = 0;
    const turns = (this.#continuous.length > 0 ? 1 : 0) + this.#discrete.length;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      if (this.#continuous.length > 0) {
        const next = this.#climb(point, value);
        unchanged = next > value ? 0 : unchanged + 1;
        value = next;
        if (unchanged >= turns) return { point, value };
      }
      for (const j of this.#discrete) {
        const next = this.#tryLevels(point, j, value);
        unchanged = next > value ? 0 : unchanged + 1;
        value = next;
        if (unchanged >= turns) return { point, value };
      }
      if (this.#continuous.length === 0) {
        const key = pointKey(point);
        if (this.#seen.has(key)) return { point, value: -Infinity };
        this.#seen.add(key);
      }
    }
    return { point, value };
  }

  #climb(point: Float64Array, value: number): number {
    return climbContinuous(this.#acquisition, point, value, this.#continuous, this.#scales, this.#evaluations);
  }

  #tryLevels(point: Float64Array, j: number, value: number): number {
    const column = this.#columns[j];
    if (column === undefined || column.kind === 'continuous') return value;
    const coordinateOf = column.kind === 'categorical' ? (level: number) => level : column.coordinateOf.bind(column);
    const here = point[j] as number;
    let best = value;
    let bestCoordinate = here;
    const attempt = (level: number): boolean => {
      point[j] = coordinateOf(level);
      if (point[j] === here) return false;
      const at = this.value(point);
      if (!(at > best)) return false;
      best = at;
      bestCoordinate = point[j];
      return true;
    };
    if (column.kind === 'categorical' || column.levels <= FEW_LEVELS) {
      for (let level = 0; level < column.levels; level++) attempt(level);
    } else {
      let level = column.levelOf(here);
      for (let step = 2 ** Math.floor(Math.log2(column.levels / 4)); step >= 1;) {
        const up = Math.min(column.levels - 1, level + step);
        const down = Math.max(0, level - step);
        if (attempt(up)) level = up;
        else if (attempt(down)) level = down;
        else step /= 2;
      }
    }
    point[j] = bestCoordinate;
    return best;
  }
}
