import type { JsonValue } from '../core/json.js';
import { nearestName } from '../core/nearest-name.js';
import type { TrialOutcome, TrialTask } from './objective.js';

/**
 * Reads what an objective gave back: a number, one number per objective, or an object with the metrics by name (or with `value` or
 * `values`). Whatever cannot be understood fails the trial, with what was found.
 */
export function outcomeOf(result: unknown, metrics: TrialTask['metrics']): TrialOutcome {
  if (typeof result === 'number' || typeof result === 'bigint') return withValues([result], metrics, {});
  if (Array.isArray(result)) return withValues(result as unknown[], metrics, {});
  if (result !== null && typeof result === 'object') return fromRecord(result as Record<string, unknown>, metrics);
  return failed(`The objective gave back ${shown(result)}, not a number.`);
}

function fromRecord(record: Record<string, unknown>, metrics: TrialTask['metrics']): TrialOutcome {
  const all = plain(record);
  if (metrics.every(({ name }) => name in record)) {
    return withValues(
      metrics.map(({ name }) => record[name]),
      metrics,
      all,
    );
  }
  if (Array.isArray(record['values'])) return withValues(record['values'] as unknown[], metrics, all);
  if (metrics.length === 1 && 'value' in record) return withValues([record['value']], metrics, all);
  const missing = metrics.filter(({ name }) => !(name in record)).map(({ name }) => name);
  const found = Object.keys(record);
  const nearest = nearestName(missing[0] ?? '', found);
  return failed(
    `The objective gave no ${missing.join(', ')}; it gave ${found.length === 0 ? 'nothing' : found.join(', ')}.${
      nearest === undefined ? '' : ` Is metric.name meant to be "${nearest}"?`
    }`,
  );
}

function withValues(
  values: readonly unknown[],
  metrics: TrialTask['metrics'],
  all: Record<string, JsonValue>,
): TrialOutcome {
  if (values.length !== metrics.length) {
    return failed(`The objective gave ${values.length} values, but the study has ${metrics.length} metrics.`);
  }
  // Whole numbers of any size are numbers too.
  const numbers = values.map((value) => (typeof value === 'bigint' ? Number(value) : value));
  for (const [i, value] of numbers.entries()) {
    if (typeof value !== 'number')
      return failed(`${metrics[i]?.name ?? 'The value'} is ${shown(value)}, not a number.`);
    if (Number.isNaN(value)) return failed(`${metrics[i]?.name ?? 'The value'} is NaN.`);
  }
  return { state: 'complete', values: numbers as number[], metrics: all };
}

/** A value in a message. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  return (JSON.stringify(value) as string | undefined)?.slice(0, 200) ?? typeof value;
}

function failed(message: string): TrialOutcome {
  return { state: 'failed', failure: { message, lastLines: [] } };
}

/** What of a record can be kept as data. */
function plain(record: Record<string, unknown>): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(record)
      .map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value] as const)
      .filter(
        (entry): entry is readonly [string, number | string | boolean | null] =>
          ['number', 'string', 'boolean'].includes(typeof entry[1]) || entry[1] === null,
      ),
  );
}
