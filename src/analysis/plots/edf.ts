import type { FigureTable } from './figure-table.js';
import { extentOf, finiteTrials, openTarget, type PlottedStudy, type PlotTargetOptions } from './plot-target.js';

export interface EdfLine {
  readonly name: string;
  /** Share of trials whose value is at most x. */
  readonly y: readonly number[];
}

/** Empirical distribution of the values, one line per study. */
export interface EdfFigure {
  readonly kind: 'edf';
  readonly targetName: string;
  readonly x: readonly number[];
  readonly lines: readonly EdfLine[];
}

/** As many as Optuna takes. */
const SAMPLES = 100;

/** Data of Optuna's `plot_edf`. @throws UsageError with several objectives and neither `target` nor `objective` */
export async function plotEdf(
  study: PlottedStudy | readonly PlottedStudy[],
  options: PlotTargetOptions = {},
): Promise<EdfFigure> {
  const studies: readonly PlottedStudy[] = 'history' in study ? [study] : study;
  let targetName = options.targetName;
  const all: { name: string; values: Float64Array }[] = [];
  for (const one of studies) {
    const target = await openTarget(one, options);
    targetName ??= target.name;
    const values = Float64Array.from(finiteTrials(one, target), (trial) => target.valueOf(trial)).sort();
    all.push({ name: one.studyName, values });
  }
  const filled = all.filter(({ values }) => values.length > 0);
  const figure = { kind: 'edf' as const, targetName: targetName ?? 'Objective Value' };
  if (filled.length === 0) return { ...figure, x: [], lines: [] };
  const [low, high] = extentOf(filled.flatMap(({ values }) => [values[0] as number, values.at(-1) as number]));
  const step = (high - low) / (SAMPLES - 1);
  const x = Array.from({ length: SAMPLES }, (_, i) => (i === SAMPLES - 1 ? high : low + i * step));
  return {
    ...figure,
    x,
    lines: filled.map(({ name, values }) => ({ name, y: x.map((at) => countUpTo(values, at) / values.length) })),
  };
}

/** How many of ascending values are at most `bound`. */
function countUpTo(ascending: Float64Array, bound: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function edfTable(figure: EdfFigure): FigureTable {
  return {
    columns: [figure.targetName, ...figure.lines.map(({ name }) => name)],
    rows: figure.x.map((x, i) => [x, ...figure.lines.map(({ y }) => y[i])]),
  };
}
