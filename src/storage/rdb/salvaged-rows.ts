import type Database from 'better-sqlite3';

import { TRIAL_ATTRIBUTE } from '../../core/frozen-trial.js';
import { TRIAL_PART_TABLES } from './tables.js';

/** What is known of a study from elsewhere, for where its own rows are lost. */
export interface SalvageHints {
  readonly studyName?: string | undefined;
  /** `minimize` or `maximize`, in order. */
  readonly directions?: readonly string[] | undefined;
}

const STATES = "('RUNNING', 'WAITING', 'COMPLETE', 'PRUNED', 'FAIL')";
/** JSON as Python writes it has NaN and Infinity, which SQLite's check does not take. */
const isJson = (column: string): string =>
  `${column} IS NOT NULL AND json_valid(replace(replace(${column}, 'NaN', 'null'), 'Infinity', '1'))`;
const LOST = 'Parts of this trial were lost with a damaged database.';

/**
 * Makes rows that were read one by one a study again: what cannot belong to it goes, trials whose own row is lost are made from what
 * is left of them, and no number is left out.
 * @returns numbers of the trials that are not whole
 */
export function mendSalvagedRows(db: Database.Database, hints: SalvageHints): number[] {
  mendStudy(db, hints);
  const studyId = db.prepare('SELECT study_id FROM studies ORDER BY study_id LIMIT 1').pluck().get() as number;
  db.exec(`DELETE FROM trials WHERE state NOT IN ${STATES} OR number IS NULL`);
  for (const table of [
    'trial_user_attributes',
    'trial_system_attributes',
    'study_user_attributes',
    'study_system_attributes',
  ])
    db.exec(`DELETE FROM ${table} WHERE NOT (${isJson('value_json')})`);
  db.exec(`DELETE FROM trial_params WHERE param_value IS NULL OR NOT (${isJson('distribution_json')})`);
  const isOnly = (db.prepare('SELECT COUNT(*) FROM studies').pluck().get() as number) === 1;
  const incomplete = new Set<number>();
  if (isOnly) for (const number of remakeTrials(db, studyId)) incomplete.add(number);
  for (const table of TRIAL_PART_TABLES)
    db.exec(`DELETE FROM ${table} WHERE trial_id NOT IN (SELECT trial_id FROM trials)`);
  for (const number of failWithoutValues(db)) incomplete.add(number);
  return [...incomplete].sort((a, b) => a - b);
}

/** The study's own row and its directions, from the hints where they are lost. */
function mendStudy(db: Database.Database, { studyName, directions }: SalvageHints): void {
  const known = db.prepare('SELECT COUNT(*) FROM studies').pluck().get() as number;
  if (known === 0) {
    const id = db.prepare('SELECT study_id FROM trials WHERE study_id IS NOT NULL LIMIT 1').pluck().get() ?? 1;
    db.prepare('INSERT INTO studies (study_id, study_name) VALUES (?, ?)').run(id, studyName ?? 'salvaged');
  }
  const [studyId] = db.prepare('SELECT study_id FROM studies ORDER BY study_id').pluck().all() as number[];
  const insert = db.prepare('INSERT OR IGNORE INTO study_directions (direction, study_id, objective) VALUES (?, ?, ?)');
  directions?.forEach((direction, objective) => insert.run(direction.toUpperCase(), studyId, objective));
  if (directions === undefined) insert.run('MINIMIZE', studyId, 0);
}

/** Trials of which only parts are left, and numbers of which nothing is. */
function remakeTrials(db: Database.Database, studyId: number): number[] {
  const offset =
    (db.prepare('SELECT trial_id - number FROM trials GROUP BY 1 ORDER BY COUNT(*) DESC LIMIT 1').pluck().get() as
      number | undefined) ?? 1;
  const ids = new Set<number>();
  for (const table of ['trials', 'trial_params', 'trial_values'])
    for (const id of db.prepare(`SELECT DISTINCT trial_id FROM ${table}`).pluck().all() as number[]) ids.add(id);
  const known = new Set(db.prepare('SELECT number FROM trials').pluck().all() as number[]);
  const numbers = [...ids].map((id) => id - offset).filter((number) => number >= 0 && number < 10_000_000);
  const most = Math.max(-1, ...known, ...numbers);
  const when =
    (db.prepare('SELECT MAX(datetime_complete) FROM trials').pluck().get() as string | null) ??
    '1970-01-01 00:00:00.000000';
  const insert = db.prepare(
    'INSERT OR IGNORE INTO trials (trial_id, number, study_id, state, datetime_start, datetime_complete) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const remade: number[] = [];
  for (let number = 0; number <= most; number++) {
    if (known.has(number)) continue;
    const trialId = number + offset;
    const state = stateOf(db, trialId);
    if (insert.run(trialId, number, studyId, state, when, when).changes === 0) continue;
    note(db, trialId);
    remade.push(number);
  }
  return remade;
}

/** What the parts of a trial tell of its state; where a value may be that of a pruned trial, it is taken for one. */
function stateOf(db: Database.Database, trialId: number): string {
  const value = db.prepare('SELECT value FROM trial_values WHERE trial_id = ? AND objective = 0').pluck().get(trialId);
  if (value === undefined) return 'FAIL';
  const last = db
    .prepare('SELECT intermediate_value FROM trial_intermediate_values WHERE trial_id = ? ORDER BY step DESC LIMIT 1')
    .pluck()
    .get(trialId);
  return last !== undefined && last === value ? 'PRUNED' : 'COMPLETE';
}

/** A completed trial without every value cannot be used as one. */
function failWithoutValues(db: Database.Database): number[] {
  const rows = db
    .prepare(
      `SELECT trial_id, number FROM trials t WHERE state = 'COMPLETE' AND
       (SELECT COUNT(*) FROM trial_values v WHERE v.trial_id = t.trial_id) <
       (SELECT COUNT(*) FROM study_directions d WHERE d.study_id = t.study_id)`,
    )
    .all() as { trial_id: number; number: number }[];
  for (const { trial_id: trialId } of rows) {
    db.prepare("UPDATE trials SET state = 'FAIL' WHERE trial_id = ?").run(trialId);
    db.prepare('DELETE FROM trial_values WHERE trial_id = ?').run(trialId);
    note(db, trialId);
  }
  return rows.map(({ number }) => number);
}

function note(db: Database.Database, trialId: number): void {
  db.prepare('INSERT OR REPLACE INTO trial_system_attributes (trial_id, "key", value_json) VALUES (?, ?, ?)').run(
    trialId,
    TRIAL_ATTRIBUTE.failure,
    JSON.stringify({ message: LOST }),
  );
}
