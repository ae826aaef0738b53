import type { ConnectionOptions } from 'mysql2';

import { messageOf, ResweepError, StorageError } from '../../../core/errors.js';
import { redactPassword, type ServerUrl } from '../../../core/storage-url.js';
import { statement, type Statement } from '../statement.js';
import type { Statements } from '../statements.js';
import { MysqlConnection } from './mysql-connection.js';
import { MYSQL_OPTUNA_TABLES } from './mysql-schema.js';
import { MYSQL_STATEMENTS } from './mysql-statements.js';
import type { ErrorKind, ServerConnection, ServerDialect } from './server-dialect.js';
import { checkTables, missingTables, SERVER_TABLES, type FoundTables } from './server-schema.js';
import { OPTUNA_VERSION_ROWS } from './sqlite-schema.js';

const LOST = new Set([
  ...[
    'ECONNRESET',
    'ECONNREFUSED',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENETDOWN',
    'EAI_AGAIN',
    'ENOENT',
  ],
  ...['PROTOCOL_CONNECTION_LOST', 'PROTOCOL_SEQUENCE_TIMEOUT', 'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR'],
]);
/** Too many connections (of all, of the user), shutting down, aborting, killed, unknown reply to a ping. */
const LOST_NUMBERS = new Set([1040, 1203, 1053, 1152, 1184, 1927, 2006, 2013, 4031]);
/** Deadlock, lock not to be had in time, row changed since read (MariaDB), statement cut off. */
const AGAIN_NUMBERS = new Set([1213, 1205, 1020, 1317, 3572]);
const DUPLICATE_NUMBERS = new Set([1062, 1586]);

const SETTINGS = [
  // Known whatever the server's own: errors instead of silent cuts, backslashes escape.
  "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'",
  "SET SESSION time_zone = '+00:00'",
  'SET SESSION innodb_lock_wait_timeout = 20',
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
].map((sql) => statement(sql));

const SQL = {
  // MariaDB only: a worker that vanishes in the middle of a transaction must not keep the others waiting for long.
  idle: statement('SET SESSION idle_transaction_timeout = 30'),
  lockSchema: statement("SELECT GET_LOCK('resweep_schema', 60)"),
  unlockSchema: statement("SELECT RELEASE_LOCK('resweep_schema')"),
  tables: statement('SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()'),
  revision: statement('SELECT version_num AS revision FROM alembic_version'),
  version: statement('SELECT count(*) AS version_rows FROM version_info'),
  readOnly: statement('SET SESSION TRANSACTION READ ONLY'),
};

/** MySQL (from 8.0) and MariaDB (from 10.6) through mysql2. */
export class MysqlDialect implements ServerDialect {
  readonly location: string;
  readonly statements: Statements = MYSQL_STATEMENTS;
  readonly control = {
    beginRead: [
      statement('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ'),
      statement('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY'),
    ],
    beginWrite: [statement('START TRANSACTION')],
    readsInOneGo: false,
    commit: statement('COMMIT'),
    rollback: statement('ROLLBACK'),
  };
  readonly #url: ServerUrl;
  readonly #readOnly: boolean;

  constructor(url: ServerUrl, options: { readOnly?: boolean | undefined } = {}) {
    this.#url = url;
    this.location = url.location;
    this.#readOnly = options.readOnly ?? false;
  }

  async connect(isFirst: boolean): Promise<ServerConnection> {
    const connection = await MysqlConnection.open(connectionOptions(this.#url));
    try {
      await connection.run(SETTINGS.map(plain));
      await connection.run([plain(SQL.idle)]).catch((error: unknown) => {
        if (this.kindOf(error) === 'lost') throw error;
      });
      if (isFirst || this.#readOnly) await this.#prepareSchema(connection);
      if (this.#readOnly) await connection.run([plain(SQL.readOnly)]);
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  /** Makes the tables that are missing: all of them in an empty database. */
  async #prepareSchema(connection: ServerConnection): Promise<void> {
    const found = await findTables(connection);
    // Tables that a process which ended in the middle of making them left undone are made now.
    const isBegun = found.tables.has('studies') && MYSQL_OPTUNA_TABLES.some(([table]) => !found.tables.has(table));
    if (!isBegun || this.#readOnly) checkTables(found, this.location, this.#readOnly);
    if (this.#readOnly) {
      for (const table of missingTables(found))
        await connection.run([plain(statement(`CREATE TEMPORARY TABLE ${table} ${SERVER_TABLES[table] ?? ''}`))]);
      return;
    }
    if (!isBegun && found.tables.has('studies') && missingTables(found).length === 0) return;
    await connection.run([plain(SQL.lockSchema)]);
    const now = await findTables(connection);
    for (const [table, sql] of MYSQL_OPTUNA_TABLES)
      if (!now.tables.has(table)) await connection.run([plain(statement(sql))]);
    for (const table of missingTables(now))
      await connection.run([plain(statement(`CREATE TABLE ${table} ${SERVER_TABLES[table] ?? ''}`))]);
    const [version] = await connection.run([plain(SQL.version)]);
    if (Number(version?.rows[0]?.['version_rows']) === 0)
      await connection.run([...OPTUNA_VERSION_ROWS.map((sql) => plain(statement(sql)))]);
    await connection.run([plain(SQL.unlockSchema)]);
  }

  kindOf(error: unknown): ErrorKind {
    if (!(error instanceof Error)) return 'other';
    const { code, errno } = error as { code?: unknown; errno?: unknown };
    if (typeof errno === 'number') {
      if (DUPLICATE_NUMBERS.has(errno)) return 'duplicate';
      if (AGAIN_NUMBERS.has(errno)) return 'again';
      if (LOST_NUMBERS.has(errno)) return 'lost';
    }
    if (typeof code === 'string' && LOST.has(code)) return 'lost';
    return /(closed state|Connection lost)/.test(error.message) ? 'lost' : 'other';
  }

  explain(error: unknown): unknown {
    if (!(error instanceof Error) || error instanceof ResweepError) return error;
    const { code } = error as { code?: unknown };
    if (typeof code !== 'string' && this.kindOf(error) !== 'lost') return error;
    const name = typeof code === 'string' ? code : 'CONNECTION';
    const hint = HINTS[name];
    return new StorageError(`${this.location}: ${redactPassword(messageOf(error), this.#url.password)} (${name}).`, {
      code: name,
      ...(hint === undefined ? {} : { hint }),
      permanent: this.kindOf(error) === 'other',
    });
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ER_ACCESS_DENIED_ERROR: 'Check user and password in the URL (write @ : / % in a password as %40 %3A %2F %25).',
  ER_DBACCESS_DENIED_ERROR: 'The user needs rights on the database: GRANT ALL ON NAME.* TO …',
  ER_BAD_DB_ERROR: 'Make the database first: CREATE DATABASE NAME CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  ER_CON_COUNT_ERROR: 'The server takes no more connections: raise max_connections.',
  ER_DATA_TOO_LONG: 'MySQL keeps texts of up to 64 KiB in these columns.',
  ER_TRUNCATED_WRONG_VALUE_FOR_FIELD: 'The database cannot keep these characters: make it with CHARACTER SET utf8mb4.',
  ENOTFOUND: 'Check the host in the URL.',
  ECONNREFUSED: 'Check that the server runs, and host and port in the URL.',
};

const plain = (of: Statement): { statement: Statement; args: readonly [] } => ({ statement: of, args: [] });

async function findTables(connection: ServerConnection): Promise<FoundTables> {
  const [found] = await connection.run([plain(SQL.tables)]);
  const tables = new Set((found?.rows ?? []).map((row) => String(row['name'])));
  if (!tables.has('alembic_version')) return { tables, revision: undefined };
  const [version] = await connection.run([plain(SQL.revision)]);
  const revision = version?.rows[0]?.['revision'];
  return { tables, revision: typeof revision === 'string' ? revision : undefined };
}

function connectionOptions(url: ServerUrl): ConnectionOptions {
  const { user, password, host, port, database, query } = url;
  const socket = query['unix_socket'];
  const wantsTls = query['ssl'] === 'true' || query['ssl_mode'] === 'REQUIRED' || query['ssl_ca'] !== undefined;
  return {
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(socket === undefined ? { host: host ?? '127.0.0.1', port: port ?? 3306 } : { socketPath: socket }),
    database,
    charset: 'utf8mb4',
    connectTimeout: Number(query['connect_timeout'] ?? 10) * 1000,
    enableKeepAlive: true,
    keepAliveInitialDelay: 10_000,
    ...(wantsTls ? { ssl: { rejectUnauthorized: query['ssl_verify_cert'] === 'true' } } : {}),
  };
}
