import type { Random } from '../core/random.js';
import { masked, pointKey, valueForShare, type Column, type SearchDomain } from './search-domain.js';

/** Levels of a column up to which all its values are tried as neighbours. */
const FEW_LEVELS = 12;
/** Columns around each centre along which neighbours are taken, drawn anew each time where there are more. */
const MOST_COLUMNS = 12;
/** Steps along a column with many levels, in a pass through all columns. */
const LEVEL_STEPS = [-8, -4, -2, -1, 1, 2, 4, 8];
/** Columns above which the whole domain is too large to draw from. */
const HIGH = 20;
/** Widths of the random steps along wider columns, as shares of the range. */
const STEP_WIDTHS = [0.3, 0.08, 0.02];
/** Candidates that share a piece of memory. */
const POINTS_AT_ONCE = 128;

/** A candidate: the whole point, and as models see it. */
export interface Candidate {
  readonly point: Float64Array;
  readonly seen: Float64Array;
}

export interface CandidateSearchOptions {
  readonly domain: SearchDomain;
  /** Keys of masked points that are not to be proposed again. */
  readonly excluded: ReadonlySet<string>;
  readonly random: Random;
  /** Points to search around, the best first. */
  readonly centres: readonly Float64Array[];
  /** Points drawn from the whole domain. */
  readonly draws: number;
  /** Points with two or three parameters changed, around each centre. */
  readonly doubleChanges: number;
  /** Rounds of local search from the best candidate. */
  readonly rounds: number;
  /** The best candidate among these. */
  readonly best: (seen: readonly Float64Array[]) => { index: number; score: number } | undefined;
}

/**
 * Maximises an acquisition function over any domain: draws from everywhere, all one-parameter neighbours and some two- and
 * three-parameter neighbours of the best trials, then hill climbing (after SMAC's local search: Hutter, Hoos & Leyton-Brown, LION
 * 2011, §4.3), and with many parameters a pass through all that are not continuous. Ends with the best point that has not been tried;
 * undefined where there is none.
 */
export function searchCandidates(options: CandidateSearchOptions): Candidate | undefined {
  const { domain, random, centres } = options;
  const pool = new CandidatePool(domain, options.excluded);
  const [first] = centres;
  // In many dimensions a point drawn from everywhere is far from all that is known: half of them stay near the best.
  const isHigh = domain.columns.length > HIGH && first !== undefined;
  for (let i = 0; i < options.draws; i++) {
    const point = pool.newPoint();
    if (isHigh && i % 2 === 0) near(domain.columns, first, random, point);
    else randomPoint(domain.columns, random, point);
    pool.add(point);
  }
  for (const centre of centres) {
    addNeighbours(pool, domain.columns, centre, random, STEP_WIDTHS);
    for (let i = 0; i < options.doubleChanges; i++)
      pool.add(changeSome(domain.columns, pool.newPoint(centre), 2 + (i % 2), random));
  }
  let fresh = pool.takeFresh();
  if (fresh.length === 0) return undefined;
  let best: Candidate | undefined;
  let bestScore = -Infinity;
  for (let round = 0; ; round++) {
    const top = options.best(fresh.map(({ seen }) => seen));
    if (top === undefined || (best !== undefined && top.score <= bestScore)) {
      if (round >= options.rounds || !domain.columns.some(isWide)) break;
    } else {
      best = fresh[top.index];
      bestScore = top.score;
    }
    if (round >= options.rounds || best === undefined) break;
    const widths = STEP_WIDTHS.map((width) => width * 0.4 ** round);
    addNeighbours(pool, domain.columns, best.point, random, widths);
    fresh = pool.takeFresh();
    if (fresh.length === 0) break;
  }
  if (domain.columns.length <= MOST_COLUMNS) return best;
  // Of many columns the neighbours above change but a few.
  for (const start of [best?.point, first]) {
    const found = start === undefined ? undefined : passThroughColumns(options, pool, start);
    if (found !== undefined && found.score > bestScore) ({ candidate: best, score: bestScore } = found);
  }
  return best;
}

/** The best that is met on the way through all columns that are not continuous, each set to the best of its levels in turn. */
function passThroughColumns(
  { domain, random, best: bestOf }: CandidateSearchOptions,
  pool: CandidatePool,
  start: Float64Array,
): { candidate: Candidate; score: number } | undefined {
  let found: { candidate: Candidate; score: number } | undefined;
  for (const j of random.shuffle([...domain.columns.keys()])) {
    const column = domain.columns[j] as Column;
    if (column.kind === 'continuous') continue;
    const here = found?.candidate.point ?? start;
    for (const value of levelsNear(column, here[j] as number)) {
      const point = pool.newPoint(here);
      point[j] = value;
      pool.add(point);
    }
    const fresh = pool.takeFresh();
    const top = fresh.length === 0 ? undefined : bestOf(fresh.map(({ seen }) => seen));
    if (top !== undefined && (found === undefined || top.score > found.score))
      found = { candidate: fresh[top.index] as Candidate, score: top.score };
  }
  return found;
}

/** All levels but the present one where they are few, else some at several distances. */
function levelsNear(column: Exclude<Column, { kind: 'continuous' }>, here: number): number[] {
  if (column.kind === 'categorical')
    return Array.from({ length: column.levels }, (_, level) => level).filter((level) => level !== here);
  const at = column.levelOf(here);
  const levels =
    column.levels <= FEW_LEVELS
      ? Array.from({ length: column.levels }, (_, level) => level)
      : LEVEL_STEPS.map((step) => at + step);
  return levels
    .filter((level) => level !== at && level >= 0 && level < column.levels)
    .map((level) => column.coordinateOf(level));
}

/** A uniform draw from the whole domain. */
export function randomPoint(
  columns: readonly Column[],
  random: Random,
  point: Float64Array = new Float64Array(columns.length),
): Float64Array {
  for (let j = 0; j < columns.length; j++) point[j] = valueForShare(columns[j] as Column, random.uniform());
  return point;
}

/** A point that differs from another by small steps in about twenty columns (after TuRBO: Eriksson et al., NeurIPS 2019, §2). */
function near(columns: readonly Column[], centre: Float64Array, random: Random, point: Float64Array): void {
  const width = 0.4 * random.uniform() ** 2;
  for (const [j, column] of columns.entries()) {
    const here = centre[j] as number;
    if (random.uniform() > 20 / columns.length) point[j] = here;
    else if (column.kind === 'categorical') point[j] = valueForShare(column, random.uniform());
    else point[j] = snapped(column, here + width * random.normal());
  }
}

/** Candidates without repetition. */
class CandidatePool {
  readonly #domain: SearchDomain;
  readonly #excluded: ReadonlySet<string>;
  readonly #keys = new Set<string>();
  /** Where a coordinate is continuous no point comes twice. */
  readonly #mayRepeat: boolean;
  #fresh: Candidate[] = [];
  /** Room for further points: a small array of its own each would take longer to make and to collect. */
  #room = new Float64Array(0);
  #used = 0;

  constructor(domain: SearchDomain, excluded: ReadonlySet<string>) {
    this.#domain = domain;
    this.#excluded = excluded;
    this.#mayRepeat = domain.mask !== undefined || domain.columns.every(({ kind }) => kind !== 'continuous');
  }

  /** A point to be set and added, equal to `from` at first. */
  newPoint(from?: Float64Array): Float64Array {
    const width = this.#domain.columns.length;
    if (this.#used + width > this.#room.length) {
      this.#room = new Float64Array(POINTS_AT_ONCE * width);
      this.#used = 0;
    }
    const point = this.#room.subarray(this.#used, this.#used + width);
    this.#used += width;
    if (from !== undefined) point.set(from);
    return point;
  }

  add(point: Float64Array): void {
    const seen = masked(this.#domain, point);
    if (this.#mayRepeat) {
      const key = pointKey(seen);
      if (this.#keys.has(key) || this.#excluded.has(key)) return;
      this.#keys.add(key);
    }
    if (this.#domain.isAllowed?.(point) === false) return;
    this.#fresh.push({ point, seen });
  }

  takeFresh(): Candidate[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }
}

function isWide(column: Column): boolean {
  return column.kind === 'continuous' || (column.kind === 'ordinal' && column.levels > FEW_LEVELS);
}

/** All points that differ from `centre` in one parameter; along a wide column, steps of several widths to either side. */
function addNeighbours(
  pool: CandidatePool,
  columns: readonly Column[],
  centre: Float64Array,
  random: Random,
  widths: readonly number[],
): void {
  const chosen =
    columns.length <= MOST_COLUMNS ? [...columns.keys()] : random.shuffle([...columns.keys()]).slice(0, MOST_COLUMNS);
  for (const j of chosen) {
    const column = columns[j] as Column;
    const here = centre[j] as number;
    const put = (value: number): void => {
      if (value === here) return;
      const point = pool.newPoint(centre);
      point[j] = value;
      pool.add(point);
    };
    if (column.kind === 'categorical') {
      if (column.levels <= 2 * FEW_LEVELS) for (let level = 0; level < column.levels; level++) put(level);
      else for (let i = 0; i < FEW_LEVELS; i++) put(random.integer(column.levels));
      continue;
    }
    if (column.kind === 'ordinal' && column.levels <= FEW_LEVELS) {
      for (let level = 0; level < column.levels; level++) put(column.coordinateOf(level));
      continue;
    }
    for (const width of widths) {
      for (const sign of [-1, 1]) put(snapped(column, here + sign * width * Math.abs(random.normal())));
    }
    if (column.kind === 'ordinal') {
      const level = column.levelOf(here);
      if (level > 0) put(column.coordinateOf(level - 1));
      if (level < column.levels - 1) put(column.coordinateOf(level + 1));
    }
  }
  if (!columns.some(isWide)) return;
  // Steps in all wide columns together follow slanted valleys.
  for (const width of widths) {
    for (let i = 0; i < 6; i++) {
      const point = pool.newPoint(centre);
      for (let j = 0; j < columns.length; j++) {
        const column = columns[j] as Column;
        if (isWide(column)) point[j] = snapped(column, (centre[j] as number) + (width / 2) * random.normal());
      }
      pool.add(point);
    }
  }
}

/** Changes a point in up to `count` columns: in wide ones half the time by a step, else by a new draw. */
export function changeSome(
  columns: readonly Column[],
  point: Float64Array,
  count: number,
  random: Random,
): Float64Array {
  for (let i = 0; i < count; i++) {
    const j = random.integer(columns.length);
    const column = columns[j] as Column;
    const isLocal = isWide(column) && random.uniform() < 0.5;
    point[j] = isLocal
      ? snapped(column, (point[j] as number) + 0.15 * random.normal())
      : valueForShare(column, random.uniform());
  }
  return point;
}

/** The nearest value that a numeric column has. */
export function snapped(column: Column, coordinate: number): number {
  const inside = Math.min(1, Math.max(0, coordinate));
  return column.kind === 'ordinal' ? column.coordinateOf(column.levelOf(inside)) : inside;
}
