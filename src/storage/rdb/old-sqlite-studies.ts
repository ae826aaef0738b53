import Database from 'better-sqlite3';

import { currentForm, parseDistribution, type Distribution } from '../../core/distributions.js';
import { messageOf, StorageError, UsageError } from '../../core/errors.js';
import { FrozenTrial, type AttributeTexts } from '../../core/frozen-trial.js';
import { parseJson } from '../../core/json.js';
import type { StudyDirection } from '../../core/study-direction.js';
import { TRIAL_STATES, type TrialState } from '../../core/trial-state.js';
import type { ForeignStudies, ForeignStudy } from '../foreign/foreign-studies.js';
import { CURRENT_REVISION, OPTUNA_REVISIONS } from './engines/sqlite-schema.js';
import { openDatabase } from './engines/sqlite-database.js';

type Row = Readonly<Record<string, unknown>>;

/** Largest 32-bit float: what stood for infinity before revision v3.0.0.c. */
const FLOAT32_MAX = 3.4028234663852886e38;
/** System attribute that held a trial's number before revision v1.3.0.a. */
const NUMBER_ATTRIBUTE = '_number';

/** Revision of the schema of an SQLite file that holds Optuna's tables; undefined where it names none (before 0.9, or not by Optuna). */
export function revisionOf(path: string): string | undefined {
  return reading(path, (db) =>
    columnsOf(db, 'alembic_version').size === 0
      ? undefined
      : (db.prepare('SELECT version_num FROM alembic_version').pluck().get() as string | undefined),
  );
}

/** Whether a file has the schema of an Optuna before 3.2, which has to be read by that version's rules. */
export function isOldRevision(revision: string | undefined): boolean {
  return revision !== CURRENT_REVISION && (OPTUNA_REVISIONS as readonly (string | undefined)[]).includes(revision);
}

/**
 * The studies of a database of any earlier Optuna (schema v0.9.0.a to v3.0.0.d), as `optuna storage upgrade` would make them: objective
 * values and directions from their old columns, numbers from attributes, infinities from the numbers that stood for them, today's
 * classes of distributions. The file is only read.
 * @throws StorageError for what Optuna's own upgrade refuses
 */
export function readOldStudies(path: string): ForeignStudies {
  return reading(path, (db) => {
    const reader = new OldReader(db, path);
    return { studies: reader.studies(), warnings: [] };
  });
}

function reading<T>(path: string, read: (db: Database.Database) => T): T {
  const db = openDatabase(path, { readonly: true, fileMustExist: true, timeout: 10_000 });
  try {
    return read(db);
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    throw new UsageError(`${path} cannot be read: ${messageOf(error)} (${error.code}).`, { cause: error });
  } finally {
    db.close();
  }
}

function columnsOf(db: Database.Database, table: string): Set<string> {
  return new Set((db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name));
}

class OldReader {
  readonly #db: Database.Database;
  readonly #path: string;

  constructor(db: Database.Database, path: string) {
    this.#db = db;
    this.#path = path;
  }

  studies(): ForeignStudy[] {
    return this.#db.transaction(() =>
      this.#all('SELECT * FROM studies ORDER BY study_id').map((row) => {
        const studyId = Number(row['study_id']);
        const texts = (table: string): AttributeTexts =>
          textsOf(this.#all(`SELECT key, value_json FROM ${table} WHERE study_id = ?`, studyId));
        return {
          study: {
            studyId,
            studyName: String(row['study_name']),
            directions: this.#directionsOf(row),
            userAttrTexts: texts('study_user_attributes'),
            systemAttrTexts: texts('study_system_attributes'),
          },
          trials: this.#trialsOf(studyId),
        };
      }),
    )();
  }

  #all(sql: string, ...args: readonly unknown[]): Row[] {
    return this.#db.prepare(sql).all(...args) as Row[];
  }

  #directionsOf(study: Row): StudyDirection[] {
    const names =
      'direction' in study
        ? [study['direction']]
        : this.#all(
            'SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective',
            study['study_id'],
          ).map(({ direction }) => direction);
    return names.map((name) => (name === 'MAXIMIZE' ? 'maximize' : 'minimize'));
  }

  #trialsOf(studyId: number): FrozenTrial[] {
    const rows = this.#all('SELECT * FROM trials WHERE study_id = ? ORDER BY trial_id', studyId);
    const parts = (table: string, order: string): Map<unknown, Row[]> =>
      byTrial(
        this.#all(
          `SELECT p.* FROM ${table} p JOIN trials t USING (trial_id) WHERE t.study_id = ? ORDER BY p.trial_id, p.${order}`,
          studyId,
        ),
      );
    const isSplit = columnsOf(this.#db, 'trial_intermediate_values').size > 0;
    const values = isSplit ? parts('trial_values', 'objective') : undefined;
    const reports = isSplit ? parts('trial_intermediate_values', 'step') : parts('trial_values', 'step');
    const params = parts('trial_params', 'param_id');
    const user = parts('trial_user_attributes', 'trial_user_attribute_id');
    const system = parts('trial_system_attributes', 'trial_system_attribute_id');
    return rows.map((row, index) => {
      const id = row['trial_id'];
      const { [NUMBER_ATTRIBUTE]: numberText, ...systemAttrTexts } = textsOf(system.get(id) ?? []);
      const number = Number(row['number'] ?? (numberText === undefined ? index : parseJson(numberText)));
      const state = row['state'] as TrialState;
      if (!TRIAL_STATES.includes(state)) throw this.#broken(number, `its state is ${JSON.stringify(state)}`);
      const internalParams: Record<string, number> = {};
      const distributions: Record<string, Distribution> = {};
      for (const param of params.get(id) ?? []) {
        const name = String(param['param_name']);
        internalParams[name] = Number(param['param_value']);
        distributions[name] = this.#distribution(number, name, String(param['distribution_json']));
      }
      return new FrozenTrial(Number(id), number, {
        state,
        values: this.#valuesOf(row, values?.get(id) ?? [], isSplit, number),
        startedAt: textOf(row['datetime_start']),
        completedAt: textOf(row['datetime_complete']),
        internalParams,
        distributions,
        intermediateValues: Object.fromEntries(
          (reports.get(id) ?? []).map((report) => [
            Number(report['step']),
            numberOf(report[isSplit ? 'intermediate_value' : 'value'], report['intermediate_value_type']),
          ]),
        ),
        userAttrTexts: textsOf(user.get(id) ?? []),
        systemAttrTexts,
      });
    });
  }

  #valuesOf(trial: Row, rows: readonly Row[], isSplit: boolean, number: number): number[] | undefined {
    const found = isSplit ? rows : [trial];
    const values = found
      .filter((row) => row['value'] !== null || row['value_type'] === 'INF_POS' || row['value_type'] === 'INF_NEG')
      .map((row) => numberOf(row['value'], row['value_type']));
    if (values.length > 0) return values;
    if (trial['state'] === 'COMPLETE') throw this.#broken(number, 'it is COMPLETE, but has no value');
    return undefined;
  }

  #distribution(number: number, name: string, json: string): Distribution {
    try {
      return currentForm(parseDistribution(json));
    } catch (error) {
      throw this.#broken(number, `parameter "${name}": ${messageOf(error)}`, error);
    }
  }

  #broken(number: number, what: string, cause?: unknown): StorageError {
    return new StorageError(`${this.#path}: trial ${number} cannot be read: ${what}.`, { code: 'BROKEN_TRIAL', cause });
  }
}

function byTrial(rows: readonly Row[]): Map<unknown, Row[]> {
  const found = new Map<unknown, Row[]>();
  for (const row of rows) {
    const list = found.get(row['trial_id']);
    if (list === undefined) found.set(row['trial_id'], [row]);
    else list.push(row);
  }
  return found;
}

/** What a column holds: null is NaN, and the largest 32-bit float stood for infinity until there was a column for that. */
function numberOf(value: unknown, type: unknown): number {
  if (type === 'INF_POS') return Infinity;
  if (type === 'INF_NEG') return -Infinity;
  if (value === null || value === undefined || type === 'NAN') return NaN;
  const number = Number(value);
  const isLimit = Math.abs(Math.abs(number) - FLOAT32_MAX) <= 1e-8 + 1e-5 * FLOAT32_MAX;
  return type === undefined && isLimit ? Math.sign(number) * Infinity : number;
}

function textsOf(rows: readonly Row[]): Record<string, string> {
  return Object.fromEntries(rows.map((row) => [String(row['key']), String(row['value_json'])]));
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
