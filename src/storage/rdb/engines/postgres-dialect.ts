import type { ClientConfig } from 'pg';

import { messageOf, ResweepError, StorageError, UsageError } from '../../../core/errors.js';
import { redactPassword, type ServerUrl } from '../../../core/storage-url.js';
import { statement, type Statement } from '../statement.js';
import type { Statements } from '../statements.js';
import { PostgresConnection } from './postgres-connection.js';
import { POSTGRES_OPTUNA_SCHEMA } from './postgres-schema.js';
import { POSTGRES_STATEMENTS } from './postgres-statements.js';
import type { ErrorKind, ServerConnection, ServerDialect } from './server-dialect.js';
import { checkTables, missingTables, SERVER_TABLES, type FoundTables } from './server-schema.js';
import { OPTUNA_VERSION_ROWS } from './sqlite-schema.js';

/** What the node and pg call a connection that is gone, or cannot be had now. */
const LOST = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ENOENT',
]);
/** SQLSTATEs: shutting down, starting, too many connections, idle for too long; class 08 is about connections. */
const LOST_STATES = new Set(['57P01', '57P02', '57P03', '53300', '25P03', '57P05']);
/** Serialization failure, deadlock, lock not to be had in time. */
const AGAIN_STATES = new Set(['40001', '40P01', '55P03']);
const UNIQUE_VIOLATION = '23505';
/** A key for the lock under which tables are made. */
const SCHEMA_LOCK = 7_346_021_117;

const SETTINGS = [
  // A worker that vanishes in the middle of a transaction must not keep the others waiting for long.
  "SET idle_in_transaction_session_timeout = '30s'",
  "SET lock_timeout = '20s'",
  "SET client_min_messages = 'warning'",
  // What is sent in one go is one transaction: reading then needs no BEGIN.
  "SET default_transaction_isolation = 'repeatable read'",
  // Each statement has one good plan, by index, whatever the sizes: it is made once, not at every call.
  "SET plan_cache_mode = 'force_generic_plan'",
  'SET enable_seqscan = off',
  'SET enable_hashjoin = off',
  'SET enable_mergejoin = off',
  'SET enable_bitmapscan = off',
  // A small table that is read whole counts as dear by these settings, and would be compiled at each call, for half a second.
  'SET jit = off',
].map((sql) => statement(sql));

const SQL = {
  lockSchema: statement(`SELECT pg_advisory_xact_lock(${SCHEMA_LOCK})`),
  tables: statement(
    'SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = ANY (current_schemas(false))',
  ),
  revision: statement('SELECT version_num::text AS revision FROM alembic_version'),
  readOnly: statement('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY'),
};

/** PostgreSQL through pg. */
export class PostgresDialect implements ServerDialect {
  readonly location: string;
  readonly statements: Statements = POSTGRES_STATEMENTS;
  readonly control = {
    beginRead: [statement('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')],
    beginWrite: [statement('BEGIN ISOLATION LEVEL READ COMMITTED')],
    readsInOneGo: true,
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
    const connection = await PostgresConnection.open(clientConfig(this.#url));
    try {
      await connection.run(SETTINGS.map(plain));
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
    checkTables(found, this.location, this.#readOnly);
    if (this.#readOnly) {
      // A database that resweep never wrote has none of our tables: reading then finds them empty.
      const shadows = missingTables(found).map(
        (table) => `CREATE TEMPORARY TABLE ${table} ${SERVER_TABLES[table] ?? ''}`,
      );
      if (shadows.length > 0) await connection.run(shadows.map((sql) => plain(statement(sql))));
      return;
    }
    if (found.tables.has('studies') && missingTables(found).length === 0) return;
    await connection.run([plain(this.control.beginWrite[0] ?? this.control.commit), plain(SQL.lockSchema)]);
    // Another process may have made them while this one waited.
    const now = await findTables(connection);
    const wanted = [
      ...(now.tables.has('studies') ? [] : [...POSTGRES_OPTUNA_SCHEMA, ...OPTUNA_VERSION_ROWS]),
      ...missingTables(now).map((table) => `CREATE TABLE ${table} ${SERVER_TABLES[table] ?? ''}`),
    ];
    await connection.run([...wanted.map((sql) => plain(statement(sql))), plain(this.control.commit)]);
  }

  kindOf(error: unknown): ErrorKind {
    if (!(error instanceof Error)) return 'other';
    const code = (error as { code?: unknown }).code;
    if (typeof code === 'string') {
      if (code === UNIQUE_VIOLATION) return 'duplicate';
      if (AGAIN_STATES.has(code)) return 'again';
      if (LOST.has(code) || LOST_STATES.has(code) || /^08...$/.test(code)) return 'lost';
    }
    return /^(Connection terminated|timeout expired|Client (was|has been) closed|Client has encountered a connection error)/.test(
      error.message,
    )
      ? 'lost'
      : 'other';
  }

  explain(error: unknown): unknown {
    if (!(error instanceof Error) || error instanceof ResweepError) return error;
    const code = (error as { code?: unknown }).code;
    if (typeof code !== 'string' && this.kindOf(error) !== 'lost') return error;
    const state = typeof code === 'string' ? code : 'CONNECTION';
    const message = redactPassword(messageOf(error), this.#url.password);
    const hint = HINTS[state] ?? HINTS[state.slice(0, 2)];
    return new StorageError(`${this.location}: ${message} (${state}).`, {
      code: state,
      ...(hint === undefined ? {} : { hint }),
      permanent: this.kindOf(error) === 'other',
    });
  }
}

const HINTS: Readonly<Record<string, string>> = {
  '28': 'Check user and password in the URL (write @ : / % in a password as %40 %3A %2F %25), and pg_hba.conf.',
  '3D': 'Make the database first: createdb NAME.',
  '42501': 'The user needs rights to create and write tables: GRANT ALL ON SCHEMA public TO …',
  '53100': 'Free some space on the server’s disk; what was stored before is safe.',
  '53300': 'The server takes no more connections: raise max_connections, or put a pooler before it.',
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

function clientConfig(url: ServerUrl): ClientConfig {
  const { user, password, host, port, database, query } = url;
  return {
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    database,
    application_name: query['application_name'] ?? 'resweep',
    connectionTimeoutMillis: Number(query['connect_timeout'] ?? 10) * 1000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...tls(query['sslmode']),
  };
}

/** libpq's words for how a connection is encrypted. */
function tls(mode: string | undefined): Pick<ClientConfig, 'ssl'> {
  switch (mode) {
    case undefined:
    case 'disable':
    case 'allow':
    case 'prefer':
      return {};
    case 'require':
      return { ssl: { rejectUnauthorized: false } };
    case 'verify-ca':
    case 'verify-full':
      return { ssl: { rejectUnauthorized: true } };
    default:
      throw new UsageError(`sslmode in the storage URL is disable, require, verify-ca or verify-full, not "${mode}".`);
  }
}
