import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import Database from 'better-sqlite3';
import { afterEach } from 'vitest';

/** A database of real Optuna 5.0.0, made by the script beside it: 14 studies, most samplers and pruners, every state. */
export const DEMO_DB = resolve(import.meta.dirname, '../fixtures/optuna-dbs/demo.db');

/** Gives a fresh folder per call; all are removed after the test. */
export function folders(): () => string {
  const made: string[] = [];
  afterEach(() => {
    for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'resweep-sqlite-'));
    made.push(folder);
    return folder;
  };
}

export function copyOfDemo(folder: string): string {
  const path = join(folder, 'demo.db');
  copyFileSync(DEMO_DB, path);
  return path;
}

/** Runs one query on a file, read-only. */
export function rows(path: string, sql: string, ...args: unknown[]): unknown[][] {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    return db
      .prepare(sql)
      .raw()
      .all(...args) as unknown[][];
  } finally {
    db.close();
  }
}

/** What a file's tables, indexes and triggers are made of. */
export function schemaOf(path: string): { own: unknown[][]; others: unknown[][] } {
  const all = rows(path, 'SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name');
  // An automatic index belongs to its table.
  const isOurs = ([, name, table]: unknown[]): boolean =>
    [name, table].some((text) => String(text).startsWith('resweep_'));
  return { own: all.filter(isOurs), others: all.filter((row) => !isOurs(row)) };
}

const PARTS = {
  trial_user_attributes: ['key', 'value_json'],
  trial_system_attributes: ['key', 'value_json'],
  trial_params: ['param_name', 'param_value', 'typeof(param_value)', 'distribution_json'],
  trial_values: ['objective', 'value', 'value_type'],
  trial_intermediate_values: ['step', 'intermediate_value', 'intermediate_value_type'],
} as const;

/** Every row of a study, with numbers in place of ids. */
export function studyRows(path: string, study: string): Record<string, unknown[][]> {
  const of = (sql: string): unknown[][] => rows(path, sql, study);
  const study_ = 'study_id = (SELECT study_id FROM studies WHERE study_name = ?)';
  const found: Record<string, unknown[][]> = {
    directions: of(`SELECT objective, direction FROM study_directions WHERE ${study_} ORDER BY 1`),
    user: of(`SELECT "key", value_json FROM study_user_attributes WHERE ${study_} ORDER BY 1`),
    system: of(`SELECT "key", value_json FROM study_system_attributes WHERE ${study_} ORDER BY 1`),
    trials: of(`SELECT number, state, datetime_start, datetime_complete FROM trials WHERE ${study_} ORDER BY trial_id`),
  };
  for (const [table, columns] of Object.entries(PARTS)) {
    const list = columns.map((column) => (column.includes('(') ? column : `p."${column}"`)).join(', ');
    found[table] = of(
      `SELECT t.number, ${list} FROM ${table} p JOIN trials t USING (trial_id) WHERE ${study_} ORDER BY 1, 2`,
    );
  }
  return found;
}
