import { nonDominationRanks } from '../../algorithms/non-dominated-sort.js';
import { UsageError } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { StudyView } from '../../core/study-view.js';
import { completeTrials } from '../importance-evaluator.js';
import type { FigureTable } from './figure-table.js';
import { metricNamesOf, type PlottedStudy } from './plot-target.js';

/** A trial in the space of objectives. */
export interface ParetoPoint {
  readonly number: number;
  readonly values: readonly number[];
}

export interface ParetoFrontFigure {
  readonly kind: 'paretoFront';
  /** Two or three. */
  readonly targetNames: readonly string[];
  readonly directions: readonly StudyView['directions'][number][];
  /** Trials that no other dominates, by number; likewise the others. */
  readonly best: readonly ParetoPoint[];
  readonly dominated: readonly ParetoPoint[];
  readonly infeasible: readonly ParetoPoint[];
  readonly hasConstraints: boolean;
}

export interface ParetoFrontOptions {
  /** @default the metrics' names */
  readonly targetNames?: readonly string[] | undefined;
  /** @default true */
  readonly includeDominatedTrials?: boolean | undefined;
  /** Indices of two or three objectives to show of more. The front is that of all. */
  readonly objectives?: readonly number[] | undefined;
}

/** Data of Optuna's `plot_pareto_front`. @throws UsageError unless two or three objectives are shown */
export async function plotParetoFront(
  study: PlottedStudy,
  options: ParetoFrontOptions = {},
): Promise<ParetoFrontFigure> {
  await study.sync?.();
  const shown = options.objectives ?? [...study.directions.keys()];
  if (shown.length < 2 || shown.length > 3 || shown.some((index) => study.directions[index] === undefined)) {
    throw new UsageError(`A Pareto front is drawn over two or three objectives, but this would be ${shown.length}.`, {
      hint:
        study.directions.length > 3 ? 'Choose some: objectives: [0, 1].' : 'It needs a study of several objectives.',
    });
  }
  const complete = completeTrials(study);
  const feasible = complete.filter((trial) => trial.isFeasible);
  const ranks = nonDominationRanks(feasible.map((trial) => lossesOf(study, trial)));
  const point = (trial: FrozenTrial): ParetoPoint => ({
    number: trial.number,
    values: shown.map((index) => trial.values?.[index] ?? NaN),
  });
  const names = options.targetNames ?? metricNamesOf(study) ?? study.directions.map((_, i) => `Objective ${i}`);
  return {
    kind: 'paretoFront',
    targetNames: options.targetNames ?? shown.map((index) => names[index] ?? `Objective ${index}`),
    directions: shown.map((index) => study.directions[index] ?? 'minimize'),
    best: feasible.filter((_, i) => ranks[i] === 0).map(point),
    dominated: options.includeDominatedTrials === false ? [] : feasible.filter((_, i) => ranks[i] !== 0).map(point),
    infeasible: complete.filter((trial) => !trial.isFeasible).map(point),
    hasConstraints: complete.some((trial) => trial.constraints !== undefined),
  };
}

/** Values with all objectives minimised. */
export function lossesOf(study: StudyView, trial: FrozenTrial): number[] {
  return study.directions.map((direction, i) => (direction === 'maximize' ? -1 : 1) * (trial.values?.[i] ?? NaN));
}

export function paretoFrontTable(figure: ParetoFrontFigure): FigureTable {
  const rows = (group: string, points: readonly ParetoPoint[]): (string | number)[][] =>
    points.map(({ number, values }) => [number, group, ...values]);
  return {
    columns: ['trial', 'group', ...figure.targetNames],
    rows: [
      ...rows('best', figure.best),
      ...rows('dominated', figure.dominated),
      ...rows('infeasible', figure.infeasible),
    ],
  };
}
