import type { TrialState } from '../../core/trial-state.js';
import type { FigureTable } from './figure-table.js';
import type { PlottedStudy } from './plot-target.js';

/** One learning curve. */
export interface IntermediateCurve {
  readonly number: number;
  readonly state: TrialState;
  readonly isFeasible: boolean;
  /** Ascending. */
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/** What trials reported on the way: complete, pruned and running ones. */
export interface IntermediateValuesFigure {
  readonly kind: 'intermediateValues';
  readonly curves: readonly IntermediateCurve[];
}

/** Data of Optuna's `plot_intermediate_values`. */
export async function plotIntermediateValues(study: PlottedStudy): Promise<IntermediateValuesFigure> {
  await study.sync?.();
  const curves: IntermediateCurve[] = [];
  for (const trial of study.history.all.filter(Boolean)) {
    const { state, number, isFeasible } = trial;
    if (state !== 'COMPLETE' && state !== 'PRUNED' && state !== 'RUNNING') continue;
    const points = Object.entries(trial.intermediateValues).map(([step, value]) => [Number(step), value] as const);
    if (points.length === 0) continue;
    points.sort(([a], [b]) => a - b);
    curves.push({
      number,
      state,
      isFeasible,
      steps: points.map(([step]) => step),
      values: points.map(([, value]) => value),
    });
  }
  return { kind: 'intermediateValues', curves };
}

export function intermediateValuesTable(figure: IntermediateValuesFigure): FigureTable {
  return {
    columns: ['trial', 'state', 'step', 'value'],
    rows: figure.curves.flatMap(({ number, state, steps, values }) =>
      steps.map((step, i) => [number, state, step, values[i]]),
    ),
  };
}
