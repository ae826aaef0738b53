import { floatToJson, type JsonValue } from '../../core/json.js';
import { openTarget } from '../../app/studies/open-target.js';
import { trialRows, type TrialRow } from '../../app/views/study-report.js';
import type { TrialsArguments } from '../arguments.js';
import { outputOf } from '../common-options.js';
import { formatDuration, formatNumber, formatParams, type Output } from '../output.js';

/** `resweep trials`. */
export async function trials(args: TrialsArguments): Promise<void> {
  const output = outputOf({ ...args, json: args.json || args.format === 'json' });
  const target = await openTarget(args.target, { studyName: args.study });
  try {
    const rows = await trialRows(target.study, args.state);
    if (output.json) output.document(rows as unknown as JsonValue);
    else if (args.format === 'csv') for (const line of csvOf(rows, target.study.directions.length)) output.print(line);
    else showTable(rows, output);
  } finally {
    await target.close();
  }
}

function showTable(rows: readonly TrialRow[], output: Output): void {
  if (rows.length === 0) {
    output.print('No trial yet.');
    return;
  }
  output.table(
    ['number', 'state', 'value', 'time', 'parameters'],
    rows.map((row) => [
      String(row.number),
      row.state.toLowerCase(),
      row.values?.map(formatNumber).join(', ') ?? '',
      row.durationSeconds === null ? '' : formatDuration(row.durationSeconds * 1000),
      row.reason ?? formatParams(row.params, output.width - 45),
    ]),
    [0, 2, 3],
  );
}

/** One line per trial, parameters and user attributes as columns; RFC 4180. */
function csvOf(rows: readonly TrialRow[], objectives: number): string[] {
  const params = [...new Set(rows.flatMap((row) => Object.keys(row.params)))];
  const attributes = [...new Set(rows.flatMap((row) => Object.keys(row.userAttrs)))];
  const values = objectives === 1 ? ['value'] : Array.from({ length: objectives }, (_, i) => `values_${i}`);
  const header = [
    'number',
    ...values,
    'state',
    'datetime_start',
    'datetime_complete',
    'duration_seconds',
    ...params.map((name) => `params_${name}`),
    ...attributes.map((name) => `user_attrs_${name}`),
  ];
  return [
    header,
    ...rows.map((row) => [
      row.number,
      ...values.map((_, i) => row.values?.[i] ?? null),
      row.state,
      row.datetimeStart,
      row.datetimeComplete,
      row.durationSeconds,
      ...params.map((name) => row.params[name] ?? null),
      ...attributes.map((name) => row.userAttrs[name] ?? null),
    ]),
  ].map((cells) => cells.map(csvCell).join(','));
}

function csvCell(value: JsonValue): string {
  if (value === null) return '';
  const text =
    typeof value === 'number' && !Number.isInteger(value)
      ? floatToJson(value)
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
