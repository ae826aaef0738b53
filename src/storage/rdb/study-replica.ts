import { existsSync, renameSync, rmSync } from 'node:fs';

import type Database from 'better-sqlite3';

import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { Storage, StudyRecord, SyncCursor } from '../storage.js';
import { openSqliteFile } from './engines/sqlite-file.js';
import { toColumns } from './number-columns.js';
import { TRIAL_PART_TABLES } from './tables.js';

/** Tables of a trial's parts that a copy has; who runs a trial is not a copy's business. */
const PARTS = TRIAL_PART_TABLES.filter((table) => !table.startsWith('resweep_'));

/**
 * A study of a server as a file in Optuna's schema, ids kept: made whole first, then brought up to date with what changed. Each
 * state of the file is one that the study had at one moment.
 */
export class StudyReplica {
  readonly path: string;
  readonly #storage: Storage;
  readonly #studyId: number;
  #db: Database.Database | undefined;
  #cursor: SyncCursor | undefined;
  #updating: Promise<void> = Promise.resolve();

  constructor(storage: Storage, studyId: number, path: string) {
    this.#storage = storage;
    this.#studyId = studyId;
    this.path = path;
  }

  /** Makes the file as the study is now. Calls take turns. @throws StorageError */
  update(): Promise<void> {
    const update = this.#updating.then(() => this.#update());
    this.#updating = update.catch(() => undefined);
    return update;
  }

  async close(): Promise<void> {
    await this.#updating;
    this.#db?.close();
    this.#db = undefined;
  }

  async #update(): Promise<void> {
    const from = this.#db === undefined ? undefined : this.#cursor;
    const { study, trials, cursor } = await this.#storage.export(this.#studyId, from);
    try {
      if (this.#db === undefined) this.#make(study, trials);
      else write(this.#db, study, trials);
      this.#cursor = cursor;
    } catch (error) {
      // What was read is not in the file: the next one is made anew.
      this.#db?.close();
      this.#db = undefined;
      throw error;
    }
  }

  /** Aside first, so that what is there is replaced by a whole file. */
  #make(study: StudyRecord, trials: readonly FrozenTrial[]): void {
    const aside = `${this.path}.new`;
    removeDatabase(aside);
    const db = openPlain(aside);
    write(db, study, trials);
    db.close();
    for (const suffix of ['-wal', '-shm', '-journal']) rmSync(this.path + suffix, { force: true });
    renameSync(aside, this.path);
    this.#db = openPlain(this.path);
  }
}

/** Identity of the line of history in a file: undefined where there is no file, or none in it. */
export function lineageOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const db = openSqliteFile(path, { readOnly: true, busyMs: 5_000 });
  try {
    return db.prepare("SELECT value_json FROM study_system_attributes WHERE key = 'resweep:lineage'").pluck().get() as
      string | undefined;
  } finally {
    db.close();
  }
}

function openPlain(path: string): Database.Database {
  const db = openSqliteFile(path, { durability: 'full', busyMs: 10_000 });
  db.pragma('journal_mode = DELETE');
  return db;
}

function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

/** Writes a study's row and attributes, and the trials whole, in one transaction. */
function write(db: Database.Database, study: StudyRecord, trials: readonly FrozenTrial[]): void {
  const run = (sql: string, ...values: readonly (string | number | null)[]): void => {
    statementOf(db, sql).run(...values);
  };
  db.transaction(() => {
    const { studyId } = study;
    run('INSERT OR REPLACE INTO studies (study_id, study_name) VALUES (?, ?)', studyId, study.studyName);
    for (const table of ['study_directions', 'study_user_attributes', 'study_system_attributes'])
      run(`DELETE FROM ${table} WHERE study_id = ?`, studyId);
    for (const [objective, direction] of study.directions.entries())
      run(
        'INSERT INTO study_directions (direction, study_id, objective) VALUES (?, ?, ?)',
        direction.toUpperCase(),
        studyId,
        objective,
      );
    for (const [table, texts] of [
      ['study_user_attributes', study.userAttrTexts],
      ['study_system_attributes', study.systemAttrTexts],
    ] as const) {
      for (const [key, text] of Object.entries(texts))
        run(`INSERT INTO ${table} (study_id, key, value_json) VALUES (?, ?, ?)`, studyId, key, text);
    }
    for (const trial of trials) writeTrial(run, studyId, trial);
  })();
}

function writeTrial(
  run: (sql: string, ...values: readonly (string | number | null)[]) => void,
  studyId: number,
  trial: FrozenTrial,
): void {
  const { trialId } = trial;
  for (const table of PARTS) run(`DELETE FROM ${table} WHERE trial_id = ?`, trialId);
  run(
    'INSERT OR REPLACE INTO trials (trial_id, number, study_id, state, datetime_start, datetime_complete) VALUES (?, ?, ?, ?, ?, ?)',
    trialId,
    trial.number,
    studyId,
    trial.state,
    trial.startedAt ?? null,
    trial.completedAt ?? null,
  );
  for (const [name, internal] of Object.entries(trial.internalParams))
    run(
      'INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?, ?, ?, ?)',
      trialId,
      name,
      internal,
      trial.distributions[name]?.json ?? null,
    );
  for (const [objective, number] of (trial.values ?? []).entries()) {
    const { value, type } = toColumns(number);
    run(
      'INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?, ?, ?, ?)',
      trialId,
      objective,
      value,
      type,
    );
  }
  for (const [step, number] of Object.entries(trial.intermediateValues)) {
    const { value, type } = toColumns(number);
    run(
      'INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type) VALUES (?, ?, ?, ?)',
      trialId,
      Number(step),
      value,
      type,
    );
  }
  for (const [table, texts] of [
    ['trial_user_attributes', trial.userAttrTexts],
    ['trial_system_attributes', trial.systemAttrTexts],
  ] as const) {
    for (const [key, text] of Object.entries(texts))
      run(`INSERT INTO ${table} (trial_id, key, value_json) VALUES (?, ?, ?)`, trialId, key, text);
  }
}

const prepared = new WeakMap<Database.Database, Map<string, Database.Statement>>();

function statementOf(db: Database.Database, sql: string): Database.Statement {
  let known = prepared.get(db);
  if (known === undefined) prepared.set(db, (known = new Map<string, Database.Statement>()));
  let statement = known.get(sql);
  if (statement === undefined) known.set(sql, (statement = db.prepare(sql)));
  return statement;
}
