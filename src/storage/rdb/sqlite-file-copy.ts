import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';

import type Database from 'better-sqlite3';

import { messageOf } from '../../core/errors.js';
import { parseJson } from '../../core/json.js';
import type { InspectOptions, StudyFileReport } from '../../core/snapshot-source.js';
import { openDatabase } from './engines/sqlite-database.js';

/** Pages copied between two looks at the clock; with the view pinned, other writers neither wait for the copy nor restart it. */
const PAGES_PER_STEP = 500;

/**
 * Copies a live database as it is at one moment, through SQLite's online backup on a connection of its own that first pins a read
 * snapshot. The copy is one closed file in DELETE mode, synced. A half-made copy is removed.
 */
export async function takeSnapshot(path: string, target: string): Promise<void> {
  const source = openDatabase(path, { readonly: true, fileMustExist: true, timeout: 10_000 });
  try {
    // A backup that is not pinned starts again with every commit of another process, for ever.
    source.exec('BEGIN');
    source.prepare('SELECT COUNT(*) FROM sqlite_master').get();
    await source.backup(target, { progress: () => PAGES_PER_STEP });
    source.exec('COMMIT');
  } catch (error) {
    removeDatabase(target);
    throw error;
  } finally {
    source.close();
  }
  leaveWalMode(target);
  const file = openSync(target, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function leaveWalMode(path: string): void {
  const copy = openDatabase(path);
  try {
    copy.pragma('journal_mode = DELETE');
  } finally {
    copy.close();
  }
}

function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

/** Checks a file that nobody writes: whole, a study's, and what it holds. Never throws. */
export function inspectStudyFile(path: string, options: InspectOptions = {}): StudyFileReport {
  let db: Database.Database | undefined;
  try {
    db = openDatabase(path, { readonly: true, fileMustExist: true });
    if (options.checkIntegrity !== false) {
      const [first] = db.pragma('integrity_check(1)') as { integrity_check: string }[];
      if (first?.integrity_check !== 'ok') return damaged(`integrity_check: ${first?.integrity_check ?? 'no answer'}`);
    }
    return inspectStudy(db, options.knownTrials ?? new Map<number, string>());
  } catch (error) {
    return damaged(messageOf(error));
  } finally {
    try {
      db?.close();
    } catch {
      // A file damaged in this way is reported as damaged already.
    }
  }
}

function damaged(problem: string): StudyFileReport {
  return { intact: false, problem, finished: 0, trialDigests: new Map() };
}

interface TrialRow {
  readonly trial_id: number;
  readonly number: number;
  readonly state: string;
}

function inspectStudy(db: Database.Database, known: ReadonlyMap<number, string>): StudyFileReport {
  const tables = new Set(db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all());
  if (tables.size === 0) return damaged('it holds no tables');
  if (!tables.has('studies') || !tables.has('trials')) {
    return { ...damaged('it holds no study: the tables are missing'), sound: true };
  }
  const study = db.prepare('SELECT study_id, study_name FROM studies ORDER BY study_id LIMIT 1').get() as
    { study_id: number; study_name: string } | undefined;
  if (study === undefined) return { ...damaged('it holds no study'), sound: true };
  const id = study.study_id;
  const attribute = db
    .prepare("SELECT value_json FROM study_system_attributes WHERE study_id = ? AND key = 'resweep:lineage'")
    .pluck()
    .get(id) as string | undefined;
  const lineage = attribute === undefined ? undefined : parseJson(attribute);
  const finished = db
    .prepare(
      "SELECT trial_id, number, state FROM trials WHERE study_id = ? AND state IN ('COMPLETE', 'PRUNED', 'FAIL') ORDER BY trial_id",
    )
    .all(id) as TrialRow[];
  const trialDigests = digestsOf(db, id, finished, known);
  const best = bestOf(db, id);
  return {
    intact: true,
    sound: true,
    studyName: study.study_name,
    ...(typeof lineage === 'string' ? { lineage } : {}),
    finished: finished.length,
    trialDigests,
    ...(best === undefined ? {} : { best }),
  };
}

/**
 * One digest per finished trial over its state, values and parameters: what makes it the same trial in two copies. Distributions are
 * left out: choices may be appended to them later.
 */
function digestsOf(
  db: Database.Database,
  studyId: number,
  finished: readonly TrialRow[],
  known: ReadonlyMap<number, string>,
): Map<number, string> {
  const parts = new Map<number, string[]>();
  const from = finished.find((trial) => !known.has(trial.number))?.trial_id ?? Infinity;
  const collect = (sql: string): void => {
    for (const row of db.prepare(sql).raw().iterate(studyId, from) as Iterable<
      [number, ...(string | number | null)[]]
    >) {
      const [trialId, ...fields] = row;
      let list = parts.get(trialId);
      if (list === undefined) parts.set(trialId, (list = []));
      list.push(JSON.stringify(fields));
    }
  };
  if (from !== Infinity) {
    collect(
      'SELECT p.trial_id, param_name, param_value FROM trials t JOIN trial_params p USING (trial_id) WHERE t.study_id = ? AND t.trial_id >= ? ORDER BY p.trial_id, param_name',
    );
    collect(
      'SELECT v.trial_id, objective, value, value_type FROM trials t JOIN trial_values v USING (trial_id) WHERE t.study_id = ? AND t.trial_id >= ? ORDER BY v.trial_id, objective',
    );
  }
  return new Map(
    finished.map(({ trial_id: trialId, number, state }) => [
      number,
      known.get(number) ??
        createHash('sha256')
          .update([state, ...(parts.get(trialId) ?? [])].join('\n'))
          .digest('hex')
          .slice(0, 16),
    ]),
  );
}

/** Best value of a single-objective study, in Optuna's order of infinities. */
function bestOf(db: Database.Database, studyId: number): number | undefined {
  const directions = db
    .prepare('SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective')
    .pluck()
    .all(studyId);
  if (directions.length !== 1) return undefined;
  const order = directions[0] === 'MAXIMIZE' ? 'DESC' : 'ASC';
  const row = db
    .prepare(
      `SELECT v.value, v.value_type FROM trial_values v JOIN trials t USING (trial_id)
       WHERE t.study_id = ? AND t.state = 'COMPLETE' AND v.objective = 0
       ORDER BY CASE v.value_type WHEN 'INF_NEG' THEN -1 WHEN 'FINITE' THEN 0 ELSE 1 END ${order}, v.value ${order}, t.trial_id LIMIT 1`,
    )
    .get(studyId) as { value: number | null; value_type: string } | undefined;
  if (row === undefined) return undefined;
  return row.value ?? (row.value_type === 'INF_POS' ? Infinity : -Infinity);
}
