import { UsageError } from '../../../core/errors.js';
import { CURRENT_REVISION, OPTUNA_REVISIONS } from './sqlite-schema.js';

/** What resweep adds to a database on a server, by table: short texts and whole numbers only, so one form does for all engines. */
export const SERVER_TABLES: Readonly<Record<string, string>> = {
  resweep_processes: `(process_id VARCHAR(64) NOT NULL PRIMARY KEY, host VARCHAR(255) NOT NULL, boot_id VARCHAR(64) NOT NULL,
  pid BIGINT NOT NULL, start_time VARCHAR(32) NOT NULL, registered_at VARCHAR(32) NOT NULL, heartbeat_at VARCHAR(32) NOT NULL)`,
  resweep_trial_owners: '(trial_id INTEGER NOT NULL PRIMARY KEY, process_id VARCHAR(64) NOT NULL)',
  resweep_counters: '(name VARCHAR(64) NOT NULL PRIMARY KEY, value BIGINT NOT NULL)',
  resweep_leases: '(name VARCHAR(255) NOT NULL PRIMARY KEY, holder VARCHAR(64) NOT NULL, beat BIGINT NOT NULL)',
  resweep_writers: `(writer_id VARCHAR(64) NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL, sequence BIGINT NOT NULL,
  trial_id INTEGER, trial_sequence BIGINT)`,
};

/** What stands in a database, as far as it matters here. */
export interface FoundTables {
  readonly tables: ReadonlySet<string>;
  /** From `alembic_version`. */
  readonly revision: string | undefined;
}

/** @throws UsageError where these are not the tables of an Optuna that we can work with; an empty database may be filled */
export function checkTables(found: FoundTables, location: string, readOnly: boolean): void {
  const { tables, revision } = found;
  const hasStudies = tables.has('studies') && tables.has('trials');
  if (!hasStudies && (readOnly || tables.has('studies') || tables.has('trials'))) {
    throw new UsageError(`${location} holds no studies: it has no tables "studies" and "trials".`, {
      code: 'FOREIGN_DATABASE',
      hint: tables.size === 0 ? 'The database is empty.' : `Its tables: ${[...tables].slice(0, 10).join(', ')}.`,
    });
  }
  if (revision === undefined || revision === CURRENT_REVISION) return;
  const isOlder = (OPTUNA_REVISIONS as readonly string[]).includes(revision);
  throw new UsageError(
    isOlder
      ? `${location} has the schema of an earlier Optuna (${revision}; needed: ${CURRENT_REVISION}).`
      : `${location} has a schema that this version does not know (${revision}; known up to ${CURRENT_REVISION}): it is newer.`,
    {
      code: isOlder ? 'OLD_SCHEMA' : 'NEW_SCHEMA',
      hint: isOlder
        ? `optuna storage upgrade --storage ${location}   (make a copy first)`
        : 'Update resweep, or copy the study with the Optuna that wrote it.',
    },
  );
}

/** Tables that a database lacks. */
export function missingTables(found: FoundTables): string[] {
  return Object.keys(SERVER_TABLES).filter((table) => !found.tables.has(table));
}
