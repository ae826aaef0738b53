import type { StudyView } from '../core/study-view.js';
import type { EvaluateOptions, ImportanceEvaluator } from './importance-evaluator.js';
import { PedAnovaImportanceEvaluator } from './ped-anova.js';

export interface ParamImportancesOptions extends EvaluateOptions {
  /** @default new PedAnovaImportanceEvaluator() */
  readonly evaluator?: ImportanceEvaluator | undefined;
  /** Scale the importances to a sum of 1. @default true */
  readonly normalize?: boolean | undefined;
}

/**
 * How much each parameter matters, the most important first.
 * @throws UsageError where the evaluator cannot tell it from these trials
 */
export async function getParamImportances(
  study: StudyView & { sync?: () => Promise<void> },
  options: ParamImportancesOptions = {},
): Promise<Readonly<Record<string, number>>> {
  await study.sync?.();
  const { evaluator = new PedAnovaImportanceEvaluator(), normalize = true } = options;
  const found = evaluator.evaluate(study, options);
  if (!normalize) return found;
  const entries = Object.entries(found);
  const sum = entries.reduce((total, [, value]) => total + value, 0);
  return Object.fromEntries(entries.map(([name, value]) => [name, sum === 0 ? 1 / entries.length : value / sum]));
}
