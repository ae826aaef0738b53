import { UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import type { MetricDescription, TrainingMetric } from './trainer.js';

export interface MetricQuestion {
  readonly trainer: string;
  readonly metrics: readonly MetricDescription[];
  /** The study's. */
  readonly wanted: readonly TrainingMetric[];
  readonly monitor?: string | undefined;
  readonly hasValidation: boolean;
}

/**
 * What is reported after an epoch (the study's first metric) and what decides which epoch is best.
 * @throws UsageError for a metric that the trainer does not have.
 */
export function chooseMetrics(question: MetricQuestion): { reported: string; monitor: MetricDescription } {
  const { metrics, wanted, monitor } = question;
  for (const metric of wanted) findMetric(question, metric.name, 'metric');
  const [first] = wanted;
  const fallback = metrics[0]?.name ?? 'loss';
  const reported = judged(question, findMetric(question, first?.name ?? fallback, 'metric'), first);
  if (monitor === undefined || monitor === first?.name) return { reported: reported.name, monitor: reported };
  return { reported: reported.name, monitor: judged(question, findMetric(question, monitor, 'monitor')) };
}

function findMetric({ trainer, metrics }: MetricQuestion, name: string, key: string): MetricDescription {
  const metric = metrics.find((candidate) => candidate.name === name);
  if (metric !== undefined) return metric;
  const names = metrics.map((candidate) => candidate.name);
  const near = nearestName(name, names);
  throw new UsageError(`${key}: the trainer ${trainer} has no metric "${name}"; it has ${names.join(', ')}.`, {
    ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
  });
}

/**
 * The metric that can be had. Without a validation part everything is fitted on: what is said of the fit itself stands for what
 * cannot be said of the validation part, and the loss where the fit has no such value.
 */
function judged(
  { metrics, hasValidation }: MetricQuestion,
  metric: MetricDescription,
  wanted?: TrainingMetric,
): MetricDescription {
  const goal = wanted?.goal ?? metric.goal;
  if (hasValidation || !metric.name.startsWith('val_')) return { ...metric, goal };
  const ofTheFit = metrics.find(({ name }) => name === metric.name.slice('val_'.length));
  if (ofTheFit !== undefined) return { ...ofTheFit, goal };
  return metrics.find(({ name }) => name === 'loss') ?? { name: 'loss', goal: 'minimize', summary: '' };
}
