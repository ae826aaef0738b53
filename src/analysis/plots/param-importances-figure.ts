import type { ImportanceEvaluator, ImportanceTarget } from '../importance-evaluator.js';
import { getParamImportances } from '../param-importances.js';
import type { FigureTable } from './figure-table.js';
import { finiteTrials, metricNamesOf, plotTargetOf, type PlottedStudy, type PlotTargetOptions } from './plot-target.js';

/** How much each parameter matters for one objective. */
export interface ImportanceSeries {
  readonly name: string;
  /** The least important first, as bars are drawn from below. */
  readonly params: readonly string[];
  /** 1 together. */
  readonly importances: readonly number[];
}

export interface ParamImportancesFigure {
  readonly kind: 'paramImportances';
  /** One per objective, or the one asked for. */
  readonly series: readonly ImportanceSeries[];
}

export interface ParamImportancesPlotOptions extends PlotTargetOptions {
  /** @default new PedAnovaImportanceEvaluator() */
  readonly evaluator?: ImportanceEvaluator | undefined;
  readonly params?: readonly string[] | undefined;
}

/**
 * Data of Optuna's `plot_param_importances`. Of several objectives each is explained by itself, as its values stand: what is
 * maximised is explained for its smallest values, as Optuna does.
 * @throws UsageError where the evaluator cannot tell it from these trials
 */
export async function plotParamImportances(
  study: PlottedStudy,
  options: ParamImportancesPlotOptions = {},
): Promise<ParamImportancesFigure> {
  await study.sync?.();
  const { target, objective } = options;
  const several = study.directions.length > 1 && target === undefined;
  const wanted = !several ? [undefined] : objective === undefined ? [...study.directions.keys()] : [objective];
  const series: ImportanceSeries[] = [];
  for (const index of wanted) series.push(await seriesOf(study, options, index));
  return { kind: 'paramImportances', series };
}

async function seriesOf(
  study: PlottedStudy,
  options: ParamImportancesPlotOptions,
  index: number | undefined,
): Promise<ImportanceSeries> {
  const { evaluator, params } = options;
  const plotted = plotTargetOf(study, index === undefined ? options : { ...options, objective: index });
  const name = index === undefined ? plotted.name : (metricNamesOf(study)?.[index] ?? plotted.name);
  if (finiteTrials(study, plotted).length === 0) return { name, params: [], importances: [] };
  const target: ImportanceTarget | undefined =
    options.target ?? (index === undefined ? undefined : (trial) => trial.values?.[index] ?? NaN);
  const found = Object.entries(await getParamImportances(study, { evaluator, params, target })).reverse();
  return { name, params: found.map(([param]) => param), importances: found.map(([, importance]) => importance) };
}

export function paramImportancesTable(figure: ParamImportancesFigure): FigureTable {
  return {
    columns: ['objective', 'parameter', 'importance'],
    rows: figure.series.flatMap(({ name, params, importances }) =>
      params.map((param, i) => [name, param, importances[i]]).reverse(),
    ),
  };
}
