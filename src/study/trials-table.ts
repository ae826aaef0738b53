import type { ParamValue } from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { JsonValue } from '../core/json.js';

/** What a table of trials may show, in this order by default. */
export const TABLE_ATTRIBUTES = [
  'number',
  'value',
  'datetimeStart',
  'datetimeComplete',
  'duration',
  'params',
  'userAttrs',
  'systemAttrs',
  'constraints',
  'intermediateValues',
  'state',
] as const;

export type TableAttribute = (typeof TABLE_ATTRIBUTES)[number];

export type TableCell = ParamValue | JsonValue | Date | undefined;

/** One object per trial, all with the same keys in the same order, as Optuna's `trials_dataframe` names its columns. */
export type TrialRow = Readonly<Record<string, TableCell>>;

const DEFAULT: readonly TableAttribute[] = [
  'number',
  'value',
  'datetimeStart',
  'datetimeComplete',
  'duration',
  'params',
  'userAttrs',
  'systemAttrs',
  'state',
];

const PREFIX: Partial<Record<TableAttribute, string>> = {
  params: 'params',
  userAttrs: 'user_attrs',
  systemAttrs: 'system_attrs',
  constraints: 'constraints',
  intermediateValues: 'intermediate_values',
  datetimeStart: 'datetime_start',
  datetimeComplete: 'datetime_complete',
};

/**
 * The trials as a table: a column for each parameter (`params_x`), attribute (`user_attrs_k`, `system_attrs_k`) and objective (`value`;
 * with several `values_0`, …, or by metric name). What a trial lacks is undefined; durations are milliseconds.
 * @param objectives how many the study has; @param metricNames their names
 */
export function trialsTable(
  trials: readonly FrozenTrial[],
  objectives: number,
  options: { attrs?: readonly TableAttribute[] | undefined; metricNames?: readonly string[] | undefined } = {},
): TrialRow[] {
  const cells = trials.map((trial) => cellsOf(trial, options.attrs ?? DEFAULT, objectives, options.metricNames));
  const columns: string[] = [];
  for (const attribute of options.attrs ?? DEFAULT) {
    const names = new Set(cells.flatMap((row) => Object.keys(row[attribute] ?? {})));
    const isOrdered = attribute === 'value' || attribute === 'intermediateValues';
    columns.push(...(isOrdered ? [...names] : [...names].sort()));
  }
  return cells.map((row) => {
    const flat: Record<string, TableCell> = Object.assign({}, ...Object.values(row)) as Record<string, TableCell>;
    return Object.fromEntries(columns.map((column) => [column, flat[column]]));
  });
}

type Cells = Partial<Record<TableAttribute, Record<string, TableCell>>>;

function cellsOf(
  trial: FrozenTrial,
  attrs: readonly TableAttribute[],
  objectives: number,
  metricNames: readonly string[] | undefined,
): Cells {
  const cells: Cells = {};
  for (const attribute of attrs) {
    const prefix = PREFIX[attribute] ?? attribute;
    if (attribute === 'value') {
      cells.value = Object.fromEntries(
        Array.from({ length: objectives }, (_, m) => {
          const name = metricNames?.[m] ?? (objectives === 1 ? undefined : String(m));
          const stem = objectives === 1 ? 'value' : 'values';
          return [name === undefined ? stem : `${stem}_${name}`, trial.values?.[m]];
        }),
      );
    } else if (attribute === 'number' || attribute === 'state' || attribute === 'duration') {
      cells[attribute] = { [prefix]: trial[attribute] };
    } else if (attribute === 'datetimeStart' || attribute === 'datetimeComplete') {
      cells[attribute] = { [prefix]: trial[attribute] };
    } else {
      const record: Readonly<Record<string, TableCell>> = trial[attribute] ?? {};
      cells[attribute] = Object.fromEntries(Object.entries(record).map(([key, value]) => [`${prefix}_${key}`, value]));
    }
  }
  return cells;
}
