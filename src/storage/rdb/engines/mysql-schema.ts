/*
 * Optuna's schema (revision v3.2.0.a) on MySQL and MariaDB exactly as Optuna 5.0.0 makes it. Each statement is given with what it
 * makes: these servers commit after each, so a process that ends in the middle leaves some undone for the next.
 */

const key = (name: string): string => `${name} INTEGER NOT NULL AUTO_INCREMENT`;

function attributes(table: string, owner: 'study' | 'trial', parent: string): readonly [string, string] {
  return [
    `${table}s`,
    `CREATE TABLE ${table}s (
  ${key(`${table}_id`)},
  ${owner}_id INTEGER,
  \`key\` VARCHAR(512),
  value_json TEXT,
  PRIMARY KEY (${table}_id),
  UNIQUE (${owner}_id, \`key\`),
  FOREIGN KEY(${owner}_id) REFERENCES ${parent} (${owner}_id)
)`,
  ];
}

/** Tables of an empty Optuna database by name, in Optuna's order. */
export const MYSQL_OPTUNA_TABLES: readonly (readonly [table: string, sql: string])[] = [
  [
    'studies',
    `CREATE TABLE studies (
  ${key('study_id')},
  study_name VARCHAR(512) NOT NULL,
  PRIMARY KEY (study_id),
  UNIQUE INDEX ix_studies_study_name (study_name)
)`,
  ],
  [
    'version_info',
    `CREATE TABLE version_info (
  version_info_id INTEGER NOT NULL,
  schema_version INTEGER,
  library_version VARCHAR(256),
  PRIMARY KEY (version_info_id),
  CHECK (version_info_id=1)
)`,
  ],
  [
    'study_directions',
    `CREATE TABLE study_directions (
  ${key('study_direction_id')},
  direction ENUM('NOT_SET','MINIMIZE','MAXIMIZE') NOT NULL,
  study_id INTEGER NOT NULL,
  objective INTEGER NOT NULL,
  PRIMARY KEY (study_direction_id),
  UNIQUE (study_id, objective),
  FOREIGN KEY(study_id) REFERENCES studies (study_id)
)`,
  ],
  attributes('study_user_attribute', 'study', 'studies'),
  attributes('study_system_attribute', 'study', 'studies'),
  [
    'trials',
    `CREATE TABLE trials (
  ${key('trial_id')},
  number INTEGER,
  study_id INTEGER,
  state ENUM('RUNNING','COMPLETE','PRUNED','FAIL','WAITING') NOT NULL,
  datetime_start DATETIME,
  datetime_complete DATETIME,
  PRIMARY KEY (trial_id),
  INDEX ix_trials_study_id (study_id),
  FOREIGN KEY(study_id) REFERENCES studies (study_id)
)`,
  ],
  attributes('trial_user_attribute', 'trial', 'trials'),
  attributes('trial_system_attribute', 'trial', 'trials'),
  [
    'trial_params',
    `CREATE TABLE trial_params (
  ${key('param_id')},
  trial_id INTEGER,
  param_name VARCHAR(512),
  param_value FLOAT(53),
  distribution_json TEXT,
  PRIMARY KEY (param_id),
  UNIQUE (trial_id, param_name),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
)`,
  ],
  [
    'trial_values',
    `CREATE TABLE trial_values (
  ${key('trial_value_id')},
  trial_id INTEGER NOT NULL,
  objective INTEGER NOT NULL,
  value FLOAT(53),
  value_type ENUM('FINITE','INF_POS','INF_NEG') NOT NULL,
  PRIMARY KEY (trial_value_id),
  UNIQUE (trial_id, objective),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
)`,
  ],
  [
    'trial_intermediate_values',
    `CREATE TABLE trial_intermediate_values (
  ${key('trial_intermediate_value_id')},
  trial_id INTEGER NOT NULL,
  step INTEGER NOT NULL,
  intermediate_value FLOAT(53),
  intermediate_value_type ENUM('FINITE','INF_POS','INF_NEG','NAN') NOT NULL,
  PRIMARY KEY (trial_intermediate_value_id),
  UNIQUE (trial_id, step),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
)`,
  ],
  [
    'trial_heartbeats',
    `CREATE TABLE trial_heartbeats (
  ${key('trial_heartbeat_id')},
  trial_id INTEGER NOT NULL,
  heartbeat DATETIME NOT NULL,
  PRIMARY KEY (trial_heartbeat_id),
  UNIQUE (trial_id),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
)`,
  ],
  [
    'alembic_version',
    `CREATE TABLE alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)`,
  ],
];
