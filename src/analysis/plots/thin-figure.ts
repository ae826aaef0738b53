import type { ContourSubplot } from './contour.js';
import type { Figure } from './figure.js';
import type { HypervolumeHistoryFigure } from './hypervolume-history.js';
import type { HistorySeries, OptimizationHistoryFigure } from './optimization-history.js';
import type { ParallelCoordinateFigure, ParallelDimension } from './parallel-coordinate.js';
import type { RankSubplot } from './rank.js';
import type { SliceSubplot } from './slice.js';
import type { TimelineBar } from './timeline.js';

/** A figure with fewer trials, and how many of how many it shows. */
export interface ThinnedFigure<F extends Figure = Figure> {
  readonly figure: F;
  readonly shown: number;
  readonly of: number;
}

/**
 * A figure of at most about `most` trials, so that it can be drawn at once: those of `keep`, the newest, and the others evenly. Figures
 * that do not grow with the trials come back as they are.
 */
export function thinFigure(figure: Figure, most: number, keep: ReadonlySet<number> = new Set()): ThinnedFigure {
  const all = numbersOf(figure);
  if (all.length <= most) return { figure, shown: all.length, of: all.length };
  const chosen = chooseEvenly(all, most, keep);
  // A timeline joins bars: all its trials are on it.
  const shown = figure.kind === 'timeline' ? all.length : chosen.size;
  return { figure: onlyTrials(figure, chosen), shown, of: all.length };
}

/** Numbers of the trials that a figure shows one by one; empty for one that sums them up. */
function numbersOf(figure: Figure): readonly number[] {
  switch (figure.kind) {
    case 'optimizationHistory':
      return figure.series[0]?.trialNumbers ?? [];
    case 'hypervolumeHistory':
    case 'parallelCoordinate':
      return figure.trialNumbers;
    case 'intermediateValues':
      return figure.curves.map(({ number }) => number);
    case 'timeline':
      return figure.bars.map(({ number }) => number);
    case 'slice':
      return union(figure.subplots.map(({ trialNumbers }) => trialNumbers));
    case 'contour':
    case 'rank':
      return union(figure.subplots.flat().map(({ trialNumbers }) => trialNumbers));
    case 'paretoFront':
      return [...figure.dominated, ...figure.infeasible].map(({ number }) => number);
    default:
      return [];
  }
}

function union(lists: readonly (readonly number[])[]): number[] {
  return [...new Set(lists.flat())].sort((a, b) => a - b);
}

function chooseEvenly(all: readonly number[], most: number, keep: ReadonlySet<number>): Set<number> {
  const chosen = new Set(all.filter((number) => keep.has(number)).slice(-most));
  // Few, or the choice would look as if trials were denser there.
  for (const number of all.slice(-Math.ceil(most / 100))) chosen.add(number);
  const left = Math.max(1, most - chosen.size);
  for (let k = 0; k < left; k++) chosen.add(all[Math.floor((k * all.length) / left)] ?? 0);
  return chosen;
}

function onlyTrials(figure: Figure, chosen: ReadonlySet<number>): Figure {
  switch (figure.kind) {
    case 'optimizationHistory':
      return thinHistory(figure, chosen);
    case 'hypervolumeHistory':
      return thinVolume(figure, chosen);
    case 'parallelCoordinate':
      return thinParallel(figure, chosen);
    case 'intermediateValues':
      return { ...figure, curves: figure.curves.filter(({ number }) => chosen.has(number)) };
    case 'timeline':
      return { ...figure, bars: joinedBars(figure.bars, chosen.size) };
    case 'slice':
      return { ...figure, subplots: figure.subplots.map((one) => thinSlice(one, chosen)) };
    case 'contour':
      return { ...figure, subplots: figure.subplots.map((row) => row.map((one) => thinContour(one, chosen))) };
    case 'rank':
      return { ...figure, subplots: figure.subplots.map((row) => row.map((one) => thinRank(one, chosen))) };
    case 'paretoFront':
      return {
        ...figure,
        dominated: figure.dominated.filter(({ number }) => chosen.has(number)),
        infeasible: figure.infeasible.filter(({ number }) => chosen.has(number)),
      };
    default:
      return figure;
  }
}

/** Places whose trial was chosen, or that `also` wants. */
function placesOf(
  numbers: readonly number[],
  chosen: ReadonlySet<number>,
  also: (i: number) => boolean = () => false,
): number[] {
  return [...numbers.keys()].filter((i) => chosen.has(numbers[i] ?? -1) || also(i));
}

function pick<T>(items: readonly T[], places: readonly number[]): T[] {
  return places.map((i) => items[i] as T);
}

function thinHistory(figure: OptimizationHistoryFigure, chosen: ReadonlySet<number>): OptimizationHistoryFigure {
  const series = figure.series.map((one): HistorySeries => {
    const { best, deviations, bestDeviations } = one;
    // Every improvement stays, so that the line of the best is exact.
    const places = placesOf(one.trialNumbers, chosen, (i) => best !== undefined && i > 0 && best[i] !== best[i - 1]);
    return {
      ...one,
      trialNumbers: pick(one.trialNumbers, places),
      values: pick(one.values, places),
      states: pick(one.states, places),
      best: best === undefined ? undefined : pick(best, places),
      deviations: deviations === undefined ? undefined : pick(deviations, places),
      bestDeviations: bestDeviations === undefined ? undefined : pick(bestDeviations, places),
    };
  });
  return { ...figure, series };
}

function thinVolume(figure: HypervolumeHistoryFigure, chosen: ReadonlySet<number>): HypervolumeHistoryFigure {
  const { values, trialNumbers } = figure;
  const places = placesOf(trialNumbers, chosen, (i) => i > 0 && values[i] !== values[i - 1]);
  return { ...figure, trialNumbers: pick(trialNumbers, places), values: pick(values, places) };
}

function thinParallel(figure: ParallelCoordinateFigure, chosen: ReadonlySet<number>): ParallelCoordinateFigure {
  const places = placesOf(figure.trialNumbers, chosen);
  const dimension = (one: ParallelDimension): ParallelDimension => ({ ...one, values: pick(one.values, places) });
  return {
    ...figure,
    trialNumbers: pick(figure.trialNumbers, places),
    objectives: figure.objectives.map(dimension),
    params: figure.params.map(dimension),
    colorValues: pick(figure.colorValues, places),
    isFeasible: figure.isFeasible === undefined ? undefined : pick(figure.isFeasible, places),
  };
}

/**
 * About so many bars: short ones that follow each other in a lane, in one state, are joined, for left out they would look like idle
 * workers. A joined bar has the number of its first trial.
 */
function joinedBars(bars: readonly TimelineBar[], most: number): TimelineBar[] {
  const begin = bars.reduce((least, { start }) => Math.min(least, start), Infinity);
  const end = bars.reduce((latest, bar) => Math.max(latest, bar.end), -Infinity);
  const lanes = bars.reduce((count, { lane }) => Math.max(count, lane + 1), 1);
  // As long as a joined bar may become, so that all of them together are about `most`.
  const longest = ((end - begin) * lanes) / most;
  const open = new Map<number, TimelineBar>();
  const joined: TimelineBar[] = [];
  for (const bar of [...bars].sort((a, b) => a.start - b.start)) {
    const before = open.get(bar.lane);
    const isOne =
      before?.state === bar.state && bar.end - before.start <= longest && bar.start - before.end <= longest / 4;
    if (before !== undefined && !isOne) joined.push(before);
    open.set(
      bar.lane,
      isOne ? { ...before, end: Math.max(before.end, bar.end), trials: (before.trials ?? 1) + 1 } : bar,
    );
  }
  joined.push(...open.values());
  return joined.sort((a, b) => a.number - b.number);
}

function thinSlice(one: SliceSubplot, chosen: ReadonlySet<number>): SliceSubplot {
  const places = placesOf(one.trialNumbers, chosen);
  return {
    ...one,
    trialNumbers: pick(one.trialNumbers, places),
    x: pick(one.x, places),
    y: pick(one.y, places),
    isFeasible: pick(one.isFeasible, places),
  };
}

function thinContour(one: ContourSubplot, chosen: ReadonlySet<number>): ContourSubplot {
  const places = placesOf(one.trialNumbers, chosen);
  return {
    ...one,
    // The surface stands for the cells.
    cells: one.surface === undefined ? one.cells : [],
    x: { ...one.x, indices: one.x.isCategorical ? one.x.indices : [] },
    y: { ...one.y, indices: one.y.isCategorical ? one.y.indices : [] },
    trialNumbers: pick(one.trialNumbers, places),
    xs: pick(one.xs, places),
    ys: pick(one.ys, places),
    isFeasible: pick(one.isFeasible, places),
  };
}

function thinRank(one: RankSubplot, chosen: ReadonlySet<number>): RankSubplot {
  const places = placesOf(one.trialNumbers, chosen);
  return {
    ...one,
    trialNumbers: pick(one.trialNumbers, places),
    xs: pick(one.xs, places),
    ys: pick(one.ys, places),
    zs: pick(one.zs, places),
    positions: pick(one.positions, places),
    isFeasible: pick(one.isFeasible, places),
  };
}
