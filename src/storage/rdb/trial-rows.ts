import { messageOf, StorageError } from '../../core/errors.js';
import { parseDistribution, type Distribution } from '../../core/distributions.js';
import { FrozenTrial } from '../../core/frozen-trial.js';
import { TRIAL_STATES, type TrialState } from '../../core/trial-state.js';
import { fromColumns } from './number-columns.js';
import { queueRead, type SqlValue, type Transaction } from './statement.js';
import type { Statements } from './statements.js';

type Row = Readonly<Record<string, SqlValue>>;

/** The tables that hold parts of trials, as rows. */
interface PartRows {
  readonly params: readonly Row[];
  readonly values: readonly Row[];
  readonly reports: readonly Row[];
  readonly userAttrs: readonly Row[];
  readonly systemAttrs: readonly Row[];
}

/** Results of the statements that read parts. */
export type PartResults = Record<keyof PartRows, { readonly rows: readonly Row[] }>;

const PARTS = ['params', 'values', 'reports', 'userAttrs', 'systemAttrs'] as const;

/**
 * Queues the reading of a study's trials whose ids are higher, by id: one statement per table. What comes back puts them together
 * once the statements are executed.
 */
export function* queueTrialsAfter(
  statements: Statements,
  studyId: number,
  after: number,
): Transaction<() => FrozenTrial[]> {
  const trials = yield queueRead(statements.trialsAfter, studyId, after);
  const parts = {} as PartResults;
  for (const part of PARTS) parts[part] = yield queueRead(statements[part].after, studyId, after);
  return () => assembleTrials(trials.rows, parts);
}

/** The same for one trial; none where there is no such id. */
export function* queueTrial(statements: Statements, trialId: number): Transaction<() => FrozenTrial[]> {
  const trials = yield queueRead(statements.trialById, trialId);
  const parts = {} as PartResults;
  for (const part of PARTS) parts[part] = yield queueRead(statements[part].ofTrial, trialId);
  return () => assembleTrials(trials.rows, parts);
}

/** Puts trials together from rows that all are in the order of trial ids. */
export function assembleTrials(rows: readonly Row[], parts: PartResults): FrozenTrial[] {
  const cursors = { params: 0, values: 0, reports: 0, userAttrs: 0, systemAttrs: 0 };
  const take = (part: keyof PartRows, trialId: number): Row[] => {
    const all = parts[part].rows;
    const taken: Row[] = [];
    let at = cursors[part];
    // Rows of trials that appeared between two statements are stepped over.
    while (at < all.length && Number(all[at]?.['trial_id']) < trialId) at++;
    for (let row = all[at]; row !== undefined && Number(row['trial_id']) === trialId; row = all[++at]) taken.push(row);
    cursors[part] = at;
    return taken;
  };
  return rows.map((row) => {
    const trialId = Number(row['trial_id']);
    return toTrial(row, {
      params: take('params', trialId),
      values: take('values', trialId),
      reports: take('reports', trialId),
      userAttrs: take('userAttrs', trialId),
      systemAttrs: take('systemAttrs', trialId),
    });
  });
}

function toTrial(row: Row, parts: PartRows): FrozenTrial {
  const trialId = Number(row['trial_id']);
  const number = Number(row['number']);
  const broken = (what: string, cause?: unknown): StorageError =>
    new StorageError(`Trial ${number} (id ${trialId}) cannot be read: ${what}.`, {
      code: 'BROKEN_TRIAL',
      cause,
      hint: 'resweep restore brings back a backup.',
    });
  if (!(TRIAL_STATES as readonly (SqlValue | undefined)[]).includes(row['state'])) {
    throw broken(`its state is ${JSON.stringify(row['state'])}`);
  }
  const internalParams: Record<string, number> = {};
  const distributions: Record<string, Distribution> = {};
  for (const param of parts.params) {
    const name = String(param['param_name']);
    const internal = Number(param['param_value']);
    internalParams[name] = internal;
    try {
      const distribution = parseDistribution(String(param['distribution_json']));
      if (distribution.kind === 'categorical') distribution.toExternal(internal);
      distributions[name] = distribution;
    } catch (error) {
      throw broken(`parameter "${name}": ${messageOf(error).replace(/\.$/, '')}`, error);
    }
  }
  const values = parts.values.map((value) => {
    const found = fromColumns(value['value'] as number | null, String(value['value_type']));
    if (found === undefined) throw broken(`objective ${String(value['objective'])} has no usable value`);
    return found;
  });
  const intermediateValues: Record<number, number> = {};
  for (const report of parts.reports) {
    const found = fromColumns(report['intermediate_value'] as number | null, String(report['intermediate_value_type']));
    if (found === undefined) throw broken(`step ${String(report['step'])} has no usable value`);
    intermediateValues[Number(report['step'])] = found;
  }
  return new FrozenTrial(trialId, number, {
    state: row['state'] as TrialState,
    values: values.length > 0 ? values : undefined,
    startedAt: text(row['datetime_start']),
    completedAt: text(row['datetime_complete']),
    internalParams,
    distributions,
    intermediateValues,
    userAttrTexts: texts(parts.userAttrs),
    systemAttrTexts: texts(parts.systemAttrs),
  });
}

function text(value: SqlValue | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

/** Key → JSON text of attribute rows. */
export function texts(rows: readonly Row[]): Record<string, string> {
  return Object.fromEntries(rows.map((row) => [String(row['key']), String(row['value_json'])]));
}
