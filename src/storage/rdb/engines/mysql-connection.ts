import type { Connection, ConnectionOptions, FieldPacket, ResultSetHeader, TypeCastField } from 'mysql2';

import { loadOptional } from '../../../core/optional-package.js';
import { bind, type SqlValue, type Step, type StepResult } from '../statement.js';
import type { ServerConnection } from './server-dialect.js';

type Plain = Pick<Step, 'statement' | 'args'>;
type Row = Record<string, SqlValue>;
type Answer = ResultSetHeader | Row[];

/** No answer from the server for so long counts as a lost connection. */
const SILENCE_MS = 60_000;
/** Types of columns in the protocol: DATETIME, and decimals, which sums give. */
const DATETIME = 12;
const DECIMALS = new Set([0, 246]);

/** One connection to MySQL or MariaDB through mysql2; a batch is one text of several statements, of which the server stops at the first that fails. */
export class MysqlConnection implements ServerConnection {
  readonly #connection: Connection;
  readonly #escape: (value: SqlValue) => string;
  #isUsable = true;

  private constructor(connection: Connection, escape: (value: SqlValue) => string) {
    this.#connection = connection;
    this.#escape = escape;
    const lose = (): void => {
      this.#isUsable = false;
    };
    connection.on('error', lose);
    connection.on('end', lose);
  }

  static async open(options: ConnectionOptions): Promise<MysqlConnection> {
    const { default: mysql } = await loadOptional('mysql2', 'MySQL and MariaDB', () => import('mysql2'));
    const connection = mysql.createConnection({
      ...options,
      multipleStatements: true,
      dateStrings: true,
      typeCast: exactDoubles,
    });
    const opened = new MysqlConnection(connection, (value) => mysql.escape(value));
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    return opened;
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  async run(batch: readonly Plain[]): Promise<StepResult[]> {
    const sql = batch.map((step) => this.#text(step)).join(';\n');
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.destroy();
        reject(Object.assign(new Error('The server did not answer.'), { code: 'ETIMEDOUT' }));
      }, SILENCE_MS);
      this.#connection.query<never>(sql, (error, answers: unknown, fields: unknown) => {
        clearTimeout(timer);
        if (error !== null) {
          // Errors of the driver itself end the connection; mysql2 marks them so.
          if ((error as { fatal?: boolean }).fatal === true) this.#isUsable = false;
          reject(error);
          return;
        }
        const isOne = batch.length === 1;
        const all = (isOne ? [answers] : answers) as Answer[];
        const columns = (isOne ? [fields] : fields) as (FieldPacket[] | undefined)[];
        resolve(all.map((answer, index) => toResult(answer, columns[index])));
      });
    });
  }

  /** The statement with its values put in. */
  #text(step: Plain): string {
    const values = bind(step);
    if (values.length === 0) return step.statement.sql;
    let index = 0;
    // Identifiers stand in back-ticks and our statements hold no texts: every question mark is a placeholder.
    return step.statement.sql.replace(/\?/g, () => this.#escape(values[index++] ?? null));
  }

  async close(): Promise<void> {
    this.#isUsable = false;
    await new Promise<void>((resolve) => {
      this.#connection.end(() => {
        resolve();
      });
    });
  }

  destroy(): void {
    this.#isUsable = false;
    this.#connection.destroy();
  }
}

/** Doubles to the last bit: mysql2 reads two of a hundred with 16 or 17 digits as their neighbour. */
function exactDoubles(field: TypeCastField, next: () => unknown): unknown {
  if (field.type !== 'DOUBLE') return next();
  const text = field.string();
  return text === null ? null : Number(text);
}

function toResult(answer: Answer, columns: readonly FieldPacket[] | undefined): StepResult {
  if (!Array.isArray(answer)) return { rows: [], changes: answer.affectedRows, lastId: answer.insertId };
  for (const { name, columnType } of columns ?? []) {
    if (columnType === DATETIME) for (const row of answer) row[name] = fullTimestamp(row[name] ?? null);
    else if (DECIMALS.has(columnType ?? -1)) for (const row of answer) row[name] = Number(row[name]);
  }
  return { rows: answer, changes: 0, lastId: 0 };
}

/** With a fraction of six digits, whatever the column keeps. */
function fullTimestamp(value: SqlValue): SqlValue {
  if (typeof value !== 'string') return value;
  const [seconds = '', fraction = ''] = value.split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
}
