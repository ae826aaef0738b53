import type { ParamValue } from '../../core/distributions.js';
import { choiceLabel, firstDistribution, isLogScale } from './param-axis.js';
import type { FigureTable } from './figure-table.js';
import { finiteTrials, openTarget, plottedParams, type PlottedStudy, type PlotTargetOptions } from './plot-target.js';

/** Values over one parameter. */
export interface SliceSubplot {
  readonly param: string;
  readonly isLog: boolean;
  readonly isCategorical: boolean;
  /** Texts of the choices in their order, where it is categorical. */
  readonly choices: readonly string[] | undefined;
  readonly trialNumbers: readonly number[];
  /** Numbers, or texts of choices. */
  readonly x: readonly (number | string)[];
  readonly y: readonly number[];
  readonly isFeasible: readonly boolean[];
}

export interface SliceFigure {
  readonly kind: 'slice';
  readonly targetName: string;
  readonly subplots: readonly SliceSubplot[];
}

export interface ParamPlotOptions extends PlotTargetOptions {
  /** Only these. @default all that a complete trial has */
  readonly params?: readonly string[] | undefined;
}

/**
 * Data of Optuna's `plot_slice`.
 * @throws UsageError for an unknown parameter, or with several objectives and neither `target` nor `objective`
 */
export async function plotSlice(study: PlottedStudy, options: ParamPlotOptions = {}): Promise<SliceFigure> {
  const target = await openTarget(study, options);
  const trials = finiteTrials(study, target);
  const subplots = plottedParams(trials, options.params).map((param): SliceSubplot => {
    const distribution = firstDistribution(trials, param);
    const choices = distribution?.kind === 'categorical' ? distribution.choices.map(choiceLabel) : undefined;
    const having = trials.filter((trial) => param in trial.internalParams);
    return {
      param,
      isLog: isLogScale(distribution),
      isCategorical: choices !== undefined,
      choices,
      trialNumbers: having.map(({ number }) => number),
      x: having.map((trial) => plain(trial.params[param] ?? null, choices !== undefined)),
      y: having.map((trial) => target.valueOf(trial)),
      isFeasible: having.map((trial) => trial.isFeasible),
    };
  });
  return { kind: 'slice', targetName: target.name, subplots };
}

function plain(value: ParamValue, isCategorical: boolean): number | string {
  return isCategorical ? choiceLabel(value) : Number(value);
}

export function sliceTable(figure: SliceFigure): FigureTable {
  return {
    columns: ['parameter', 'trial', 'x', figure.targetName, 'feasible'],
    rows: figure.subplots.flatMap(({ param, trialNumbers, x, y, isFeasible }) =>
      trialNumbers.map((number, i) => [param, number, x[i], y[i], isFeasible[i]]),
    ),
  };
}
