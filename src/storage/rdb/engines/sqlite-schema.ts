/*
 * Optuna's schema (revision v3.2.0.a) exactly as Optuna 5.0.0 writes it, spaces and tabs included, so that a database made here is
 * the same to whatever compares it. The tables of resweep's own stand apart.
 */

/** Statements that make an empty Optuna database, in Optuna's order. */
export const OPTUNA_SCHEMA: readonly string[] = [
  'CREATE TABLE studies (\n\tstudy_id INTEGER NOT NULL, \n\tstudy_name VARCHAR(512) NOT NULL, \n\tPRIMARY KEY (study_id)\n)',
  'CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name)',
  'CREATE TABLE version_info (\n\tversion_info_id INTEGER NOT NULL, \n\tschema_version INTEGER, \n\tlibrary_version VARCHAR(256), \n\tPRIMARY KEY (version_info_id), \n\tCHECK (version_info_id=1)\n)',
  'CREATE TABLE study_directions (\n\tstudy_direction_id INTEGER NOT NULL, \n\tdirection VARCHAR(8) NOT NULL, \n\tstudy_id INTEGER NOT NULL, \n\tobjective INTEGER NOT NULL, \n\tPRIMARY KEY (study_direction_id), \n\tUNIQUE (study_id, objective), \n\tFOREIGN KEY(study_id) REFERENCES studies (study_id)\n)',
  'CREATE TABLE study_user_attributes (\n\tstudy_user_attribute_id INTEGER NOT NULL, \n\tstudy_id INTEGER, \n\t"key" VARCHAR(512), \n\tvalue_json TEXT, \n\tPRIMARY KEY (study_user_attribute_id), \n\tUNIQUE (study_id, "key"), \n\tFOREIGN KEY(study_id) REFERENCES studies (study_id)\n)',
  'CREATE TABLE study_system_attributes (\n\tstudy_system_attribute_id INTEGER NOT NULL, \n\tstudy_id INTEGER, \n\t"key" VARCHAR(512), \n\tvalue_json TEXT, \n\tPRIMARY KEY (study_system_attribute_id), \n\tUNIQUE (study_id, "key"), \n\tFOREIGN KEY(study_id) REFERENCES studies (study_id)\n)',
  'CREATE TABLE trials (\n\ttrial_id INTEGER NOT NULL, \n\tnumber INTEGER, \n\tstudy_id INTEGER, \n\tstate VARCHAR(8) NOT NULL, \n\tdatetime_start DATETIME, \n\tdatetime_complete DATETIME, \n\tPRIMARY KEY (trial_id), \n\tFOREIGN KEY(study_id) REFERENCES studies (study_id)\n)',
  'CREATE INDEX ix_trials_study_id ON trials (study_id)',
  'CREATE TABLE trial_user_attributes (\n\ttrial_user_attribute_id INTEGER NOT NULL, \n\ttrial_id INTEGER, \n\t"key" VARCHAR(512), \n\tvalue_json TEXT, \n\tPRIMARY KEY (trial_user_attribute_id), \n\tUNIQUE (trial_id, "key"), \n\tFOREIGN KEY(trial_id) REFERENCES trials (trial_id)\n)',
  'CREATE TABLE trial_system_attributes (\n\ttrial_system_attribute_id INTEGER NOT NULL, \n\ttrial_id INTEGER, \n\t"key" VARCHAR(512), \n\tvalue_json TEXT, \n\tPRIMARY KEY (trial_system_attribute_id), \n\tUNIQUE (trial_id, "key"), \n\tFOREIGN KEY(trial_id) REFERENCES trials (trial_id)\n)',
  'CREATE TABLE trial_params (\n\tparam_id INTEGER NOT NULL, \n\ttrial_id INTEGER, \n\tparam_name VARCHAR(512), \n\tparam_value FLOAT, \n\tdistribution_json TEXT, \n\tPRIMARY KEY (param_id), \n\tUNIQUE (trial_id, param_name), \n\tFOREIGN KEY(trial_id) REFERENCES trials (trial_id)\n)',
  'CREATE TABLE trial_values (\n\ttrial_value_id INTEGER NOT NULL, \n\ttrial_id INTEGER NOT NULL, \n\tobjective INTEGER NOT NULL, \n\tvalue FLOAT, \n\tvalue_type VARCHAR(7) NOT NULL, \n\tPRIMARY KEY (trial_value_id), \n\tUNIQUE (trial_id, objective), \n\tFOREIGN KEY(trial_id) REFERENCES trials (trial_id)\n)',
  'CREATE TABLE trial_intermediate_values (\n\ttrial_intermediate_value_id INTEGER NOT NULL, \n\ttrial_id INTEGER NOT NULL, \n\tstep INTEGER NOT NULL, \n\tintermediate_value FLOAT, \n\tintermediate_value_type VARCHAR(7) NOT NULL, \n\tPRIMARY KEY (trial_intermediate_value_id), \n\tUNIQUE (trial_id, step), \n\tFOREIGN KEY(trial_id) REFERENCES trials (trial_id)\n)',
  'CREATE TABLE trial_heartbeats (\n\ttrial_heartbeat_id INTEGER NOT NULL, \n\ttrial_id INTEGER NOT NULL, \n\theartbeat DATETIME NOT NULL, \n\tPRIMARY KEY (trial_heartbeat_id), \n\tUNIQUE (trial_id), \n\tFOREIGN KEY(trial_id) REFERENCES trials (trial_id)\n)',
  'CREATE TABLE alembic_version (\n\tversion_num VARCHAR(32) NOT NULL, \n\tCONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n)',
];

/** The one row of version_info and of alembic_version. */
export const OPTUNA_VERSION_ROWS: readonly string[] = [
  "INSERT INTO version_info (version_info_id, schema_version, library_version) VALUES (1, 12, '5.0.0')",
  "INSERT INTO alembic_version (version_num) VALUES ('v3.2.0.a')",
];

/** Revisions of Optuna's schema, oldest first. */
export const OPTUNA_REVISIONS = [
  'v0.9.0.a',
  'v1.2.0.a',
  'v1.3.0.a',
  'v2.4.0.a',
  'v2.6.0.a',
  'v3.0.0.a',
  'v3.0.0.b',
  'v3.0.0.c',
  'v3.0.0.d',
  'v3.2.0.a',
] as const;

export const CURRENT_REVISION = 'v3.2.0.a';

/**
 * What resweep adds. The trigger keeps Python workers, whose claim of a waiting trial is not atomic on SQLite, from running one
 * twice, also one that another has finished between the look and the claim: Optuna takes the raised error for "somebody else has
 * it".
 */
export const RESWEEP_SCHEMA: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS resweep_processes (process_id TEXT NOT NULL PRIMARY KEY, host TEXT NOT NULL, boot_id TEXT NOT NULL, pid INTEGER NOT NULL, start_time TEXT NOT NULL, registered_at TEXT NOT NULL, heartbeat_at TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS resweep_trial_owners (trial_id INTEGER NOT NULL PRIMARY KEY, process_id TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS resweep_counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS resweep_leases (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, beat INTEGER NOT NULL)`,
  `CREATE TRIGGER IF NOT EXISTS resweep_claim_once BEFORE UPDATE OF state ON trials WHEN NEW.state = 'RUNNING' AND OLD.state <> 'WAITING' BEGIN SELECT RAISE(ABORT, 'the trial is not waiting any more'); END`,
];
