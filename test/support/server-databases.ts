import { randomBytes } from 'node:crypto';

import mysql from 'mysql2/promise';
import pg from 'pg';

/** A database of its own on a server, for one test. */
export interface ServerDatabase {
  readonly url: string;
  /** Runs one statement by the driver itself. */
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  drop(): Promise<void>;
}

/** Servers as the lane found them; a lane that lacks one fails in this very place. */
export const SERVERS = ['PostgreSQL', 'MySQL'] as const;
export type ServerName = (typeof SERVERS)[number];

/** The URL of a server's database of that name. */
export function serverUrl(server: ServerName, database?: string): string {
  const variable = server === 'PostgreSQL' ? 'RESWEEP_TEST_POSTGRES_URL' : 'RESWEEP_TEST_MYSQL_URL';
  const text = process.env[variable];
  if (text === undefined) throw new Error(`No ${server} to test with: set ${variable}.`);
  const url = new URL(text);
  if (database !== undefined) url.pathname = `/${database}`;
  return url.href;
}

/** Makes an empty database. */
export async function newDatabase(server: ServerName, base = serverUrl(server)): Promise<ServerDatabase> {
  const name = `resweep_test_${randomBytes(6).toString('hex')}`;
  const url = new URL(base);
  url.pathname = `/${name}`;
  const open = server === 'PostgreSQL' ? postgresQueries : mysqlQueries;
  const admin = await open(base);
  await admin.query(
    server === 'PostgreSQL'
      ? `CREATE DATABASE ${name}`
      : `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  );
  await admin.end();
  return {
    url: url.href,
    query: async (sql, values = []) => {
      const connection = await open(url.href);
      try {
        return await connection.query(sql, values);
      } finally {
        await connection.end();
      }
    },
    drop: async () => {
      const again = await open(base);
      await again.query(`DROP DATABASE ${name}${server === 'PostgreSQL' ? ' WITH (FORCE)' : ''}`);
      await again.end();
    },
  };
}

interface Queries {
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  end(): Promise<void>;
}

async function postgresQueries(url: string): Promise<Queries> {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  await client.connect();
  return {
    query: async (sql, values = []) => (await client.query<Record<string, unknown>>(sql, [...values])).rows,
    end: () => client.end(),
  };
}

async function mysqlQueries(url: string): Promise<Queries> {
  const connection = await mysql.createConnection(url);
  return {
    query: async (sql, values = []) => {
      const [rows] = await connection.query(sql, [...values]);
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    },
    end: () => connection.end(),
  };
}
