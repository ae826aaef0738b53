import { isBetter } from '../../core/study-direction.js';
import type { FigureTable } from './figure-table.js';
import { openTarget, type PlottedStudy, type PlotTargetOptions } from './plot-target.js';

/** Of a trial in a history: only feasible ones count for the best. */
export type HistoryState = 'feasible' | 'infeasible' | 'incomplete';

export interface HistorySeries {
  readonly name: string;
  /** Numbers of all trials, or of those that several studies have in common with error bars. */
  readonly trialNumbers: readonly number[];
  /** NaN where the trial is not complete. */
  readonly values: readonly number[];
  readonly states: readonly HistoryState[];
  /** Best value so far; infinite before the first feasible one. Undefined for a target of which nobody knows what is better. */
  readonly best: readonly number[] | undefined;
  /** With error bars: standard deviations over the studies. */
  readonly deviations?: readonly number[] | undefined;
  readonly bestDeviations?: readonly number[] | undefined;
}

/** Values over trial numbers, with the best so far. */
export interface OptimizationHistoryFigure {
  readonly kind: 'optimizationHistory';
  readonly targetName: string;
  /** One per study. Empty where none has a complete trial. */
  readonly series: readonly HistorySeries[];
}

export interface OptimizationHistoryOptions extends PlotTargetOptions {
  /** Mean and deviation over several studies in place of one line each. @default false */
  readonly errorBar?: boolean | undefined;
}

/** Data of Optuna's `plot_optimization_history`. @throws UsageError with several objectives and neither `target` nor `objective` */
export async function plotOptimizationHistory(
  study: PlottedStudy | readonly PlottedStudy[],
  options: OptimizationHistoryOptions = {},
): Promise<OptimizationHistoryFigure> {
  const studies: readonly PlottedStudy[] = 'history' in study ? [study] : study;
  const series: HistorySeries[] = [];
  let targetName = options.targetName;
  for (const one of studies) series.push(await seriesOf(one, options, (name) => (targetName ??= name)));
  const complete = series.some(({ states }) => states.some((state) => state !== 'incomplete'));
  const feasible = series.some(({ states }) => states.includes('feasible'));
  const shown = options.errorBar === true ? (feasible ? [aggregated(series)] : []) : complete ? series : [];
  return { kind: 'optimizationHistory', targetName: targetName ?? 'Objective Value', series: shown };
}

async function seriesOf(
  study: PlottedStudy,
  options: PlotTargetOptions,
  named: (name: string) => void,
): Promise<HistorySeries> {
  const target = await openTarget(study, options);
  named(target.name);
  const { direction } = target;
  const trialNumbers: number[] = [];
  const values: number[] = [];
  const states: HistoryState[] = [];
  const best: number[] = [];
  let soFar = direction === 'maximize' ? -Infinity : Infinity;
  for (const trial of study.history.all) {
    if ((trial as typeof trial | undefined) === undefined) continue;
    const state = trial.state !== 'COMPLETE' ? 'incomplete' : trial.isFeasible ? 'feasible' : 'infeasible';
    const value = state === 'incomplete' ? NaN : target.valueOf(trial);
    trialNumbers.push(trial.number);
    values.push(value);
    states.push(state);
    if (direction !== undefined && state === 'feasible' && isBetter(direction, value, soFar)) soFar = value;
    best.push(soFar);
  }
  return { name: study.studyName, trialNumbers, values, states, best: direction === undefined ? undefined : best };
}

/** Mean and standard deviation over the studies, for every number that has a feasible trial. */
function aggregated(series: readonly HistorySeries[]): HistorySeries {
  const last = Math.max(...series.flatMap(({ trialNumbers }) => trialNumbers.at(-1) ?? -1));
  const hasBest = series.every(({ best }) => best !== undefined);
  const numbers: number[] = [];
  const means: number[] = [];
  const deviations: number[] = [];
  const best: number[] = [];
  const bestDeviations: number[] = [];
  const index = series.map(({ trialNumbers }) => new Map(trialNumbers.map((number, i) => [number, i])));
  for (let number = 0; number <= last; number++) {
    const values: number[] = [];
    const bests: number[] = [];
    let isFeasible = false;
    for (const [s, one] of series.entries()) {
      const i = index[s]?.get(number);
      if (i === undefined) continue;
      const value = one.values[i] ?? NaN;
      const bestValue = one.best?.[i] ?? NaN;
      if (one.states[i] === 'feasible') {
        isFeasible = true;
        if (!isInfinite(value)) values.push(value);
      }
      if (!isInfinite(bestValue)) bests.push(bestValue);
    }
    if (!isFeasible) continue;
    numbers.push(number);
    const spread = meanAndDeviation(values);
    means.push(spread.mean);
    deviations.push(spread.deviation);
    const bestSpread = meanAndDeviation(bests);
    best.push(bestSpread.mean);
    bestDeviations.push(bestSpread.deviation);
  }
  return {
    name: 'mean',
    trialNumbers: numbers,
    values: means,
    states: numbers.map(() => 'feasible' as const),
    deviations,
    best: hasBest ? best : undefined,
    bestDeviations: hasBest ? bestDeviations : undefined,
  };
}

function isInfinite(value: number): boolean {
  return value === Infinity || value === -Infinity;
}

function meanAndDeviation(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

export function optimizationHistoryTable(figure: OptimizationHistoryFigure): FigureTable {
  return {
    columns: ['study', 'trial', 'state', figure.targetName, 'best so far', 'deviation', 'deviation of best'],
    rows: figure.series.flatMap((one) =>
      one.trialNumbers.map((number, i) => [
        one.name,
        number,
        one.states[i],
        one.values[i],
        one.best?.[i],
        one.deviations?.[i],
        one.bestDeviations?.[i],
      ]),
    ),
  };
}
