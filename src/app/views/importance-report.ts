import { FanovaImportanceEvaluator } from '../../analysis/fanova.js';
import type { ImportanceEvaluator, ImportanceTarget } from '../../analysis/importance-evaluator.js';
import { MeanDecreaseImpurityImportanceEvaluator } from '../../analysis/mean-decrease-impurity.js';
import { getParamImportances } from '../../analysis/param-importances.js';
import { PedAnovaImportanceEvaluator } from '../../analysis/ped-anova.js';
import { UsageError } from '../../core/errors.js';
import { nearestName } from '../../core/nearest-name.js';
import type { Study } from '../../study/study.js';

/** Names of the evaluators on the command line. */
export const IMPORTANCE_EVALUATORS = ['ped-anova', 'fanova', 'mdi'] as const;

export interface ImportanceReport {
  readonly study: string;
  readonly evaluator: (typeof IMPORTANCE_EVALUATORS)[number];
  /** Name of the objective explained; null for all of several together. */
  readonly metric: string | null;
  /** How many trials are complete. */
  readonly complete: number;
  /** By name, the largest first, 1 together. */
  readonly importances: Readonly<Record<string, number>>;
}

/**
 * How much each parameter of a study matters.
 * @param options.metric name or index of one of several objectives
 * @throws UsageError where no trial is complete, or the metric or a parameter is unknown
 */
export async function importanceReport(
  study: Study,
  options: {
    evaluator: (typeof IMPORTANCE_EVALUATORS)[number];
    params?: readonly string[] | undefined;
    metric?: string | undefined;
  },
): Promise<ImportanceReport> {
  const { evaluator, params } = options;
  const complete = (await study.trials({ states: ['COMPLETE'] })).length;
  if (complete === 0) throw new UsageError('No trial is complete yet.', { code: 'NO_COMPLETE_TRIAL' });
  const names = study.directions.map((_, i) => study.metricNames?.[i] ?? String(i));
  const index = options.metric === undefined ? undefined : indexOfMetric(options.metric, names);
  const importances = await getParamImportances(study, {
    evaluator: evaluatorOf(evaluator, study.seed),
    params,
    target: study.directions.length === 1 || index === undefined ? undefined : targetOf(study, index),
  });
  const [only] = names;
  const metric =
    index === undefined ? (names.length === 1 ? (study.metricNames?.[0] ?? only) : undefined) : names[index];
  return { study: study.studyName, evaluator, metric: metric ?? null, complete, importances };
}

function indexOfMetric(metric: string, names: readonly string[]): number {
  const index = names.indexOf(metric);
  if (index >= 0) return index;
  if (/^\d+$/.test(metric) && Number(metric) < names.length) return Number(metric);
  const nearest = nearestName(metric, names);
  throw new UsageError(`There is no metric "${metric}" in this study.`, {
    hint: nearest === undefined ? `Its metrics are ${names.join(', ')}.` : `Did you mean "${nearest}"?`,
  });
}

/** One of several objectives, lower being better. */
function targetOf(study: Study, index: number): ImportanceTarget {
  const sign = study.directions[index] === 'maximize' ? -1 : 1;
  return (trial) => sign * (trial.values?.[index] ?? NaN);
}

function evaluatorOf(name: (typeof IMPORTANCE_EVALUATORS)[number], seed: number): ImportanceEvaluator {
  switch (name) {
    case 'ped-anova':
      return new PedAnovaImportanceEvaluator();
    case 'fanova':
      return new FanovaImportanceEvaluator({ seed });
    case 'mdi':
      return new MeanDecreaseImpurityImportanceEvaluator({ seed });
  }
}
