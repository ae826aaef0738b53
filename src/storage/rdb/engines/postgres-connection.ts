import type { ClientConfig } from 'pg';

import { loadOptional } from '../../../core/optional-package.js';
import { bind, type SqlValue, type Statement, type Step, type StepResult } from '../statement.js';
import type { ServerConnection } from './server-dialect.js';

/** The parts of pg's connection that a batch speaks to: the messages of PostgreSQL's extended query protocol. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void; destroy(): void };
  parse(message: { text: string; name: string; types: undefined }): void;
  bind(message: {
    portal: string;
    statement: string;
    values: readonly SqlValue[];
    binary: boolean;
    valueMapper: (value: SqlValue) => string | null;
  }): void;
  describe(message: { type: 'P'; name: string }): void;
  execute(message: { portal: string; rows: number }): void;
  sync(): void;
}

interface PgClient {
  readonly connection: Wire;
  connect(): Promise<unknown>;
  end(): Promise<void>;
  query(batch: object): unknown;
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
}

type Plain = Pick<Step, 'statement' | 'args'>;
type Reader = (text: string) => SqlValue;

/** No sign of life from the server for so long, while an answer is due, counts as a lost connection. */
const SILENCE_MS = 60_000;
/** OIDs of the types whose texts are numbers, and of timestamps. */
const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700]);
const TIMESTAMP = 1114;

/** PostgreSQL leaves trailing zeros of a fraction out; here it always has six digits. */
function fullTimestamp(text: string): string {
  const [seconds = '', fraction = ''] = text.split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
}

function readerOf(type: number): Reader {
  if (NUMBERS.has(type)) return Number;
  return type === TIMESTAMP ? fullTimestamp : (text) => text;
}

/** Several statements sent in one go, prepared on their first use; PostgreSQL skips what comes after one that fails. */
class Batch {
  readonly done: Promise<StepResult[]>;
  readonly #steps: readonly Plain[];
  readonly #prepared: PreparedNames;
  readonly #results: StepResult[] = [];
  #names: readonly string[] = [];
  #readers: readonly Reader[] = [];
  #rows: Record<string, SqlValue>[] = [];
  #resolve!: (results: StepResult[]) => void;
  #reject!: (error: unknown) => void;
  readonly #heard: () => void;

  constructor(steps: readonly Plain[], prepared: PreparedNames, heard: () => void) {
    this.#steps = steps;
    this.#prepared = prepared;
    this.#heard = heard;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  // ---- what pg calls -------------------------------------------------------------------------------------------------

  submit(wire: Wire): null {
    wire.stream.cork();
    try {
      for (const step of this.#steps) {
        const { name, isNew } = this.#prepared.nameOf(step.statement);
        if (isNew) wire.parse({ text: step.statement.sql, name, types: undefined });
        wire.bind({
          portal: '',
          statement: name,
          values: bind(step),
          binary: false,
          valueMapper: (value) => (value === null ? null : String(value)),
        });
        wire.describe({ type: 'P', name: '' });
        wire.execute({ portal: '', rows: 0 });
      }
      wire.sync();
    } finally {
      wire.stream.uncork();
    }
    return null;
  }

  handleRowDescription(message: { fields: readonly { name: string; dataTypeID: number }[] }): void {
    this.#heard();
    this.#names = message.fields.map((field) => field.name);
    this.#readers = message.fields.map((field) => readerOf(field.dataTypeID));
  }

  handleDataRow(message: { fields: readonly (string | null)[] }): void {
    const row: Record<string, SqlValue> = {};
    for (const [index, text] of message.fields.entries()) {
      row[this.#names[index] ?? ''] = text === null ? null : (this.#readers[index]?.(text) ?? text);
    }
    this.#rows.push(row);
  }

  handleCommandComplete(message: { text: string }): void {
    this.#heard();
    const rows = this.#rows;
    this.#rows = [];
    const changes = Number(/ (\d+)$/.exec(message.text)?.[1] ?? 0);
    this.#results.push({ rows, changes, lastId: Number(rows[0]?.['id'] ?? 0) });
  }

  handleReadyForQuery(): void {
    this.#prepared.keep();
    this.#resolve(this.#results);
  }

  handleError(error: unknown): void {
    this.#prepared.forgetNew();
    this.#reject(error);
  }

  handlePortalSuspended(): void {
    // Never: every portal is read to its end.
  }

  handleEmptyQuery(): void {
    this.#results.push({ rows: [], changes: 0, lastId: 0 });
  }

  handleCopyInResponse(): void {
    // Never: nothing is copied in.
  }

  handleCopyData(): void {
    // Never.
  }
}

/** Names under which this connection's server knows statements. */
class PreparedNames {
  readonly #names = new Map<Statement, string>();
  readonly #new: Statement[] = [];
  #count = 0;

  nameOf(statement: Statement): { name: string; isNew: boolean } {
    const known = this.#names.get(statement);
    if (known !== undefined) return { name: known, isNew: false };
    const name = `resweep_${this.#count++}`;
    this.#names.set(statement, name);
    this.#new.push(statement);
    return { name, isNew: true };
  }

  keep(): void {
    this.#new.length = 0;
  }

  /** After an error it is not known which of the new ones the server has got to: they get other names. */
  forgetNew(): void {
    for (const statement of this.#new.splice(0)) this.#names.delete(statement);
  }
}

/** One connection to PostgreSQL through pg. */
export class PostgresConnection implements ServerConnection {
  readonly #client: PgClient;
  readonly #prepared = new PreparedNames();
  #isUsable = true;
  #timer: NodeJS.Timeout | undefined;

  private constructor(client: PgClient) {
    this.#client = client;
    client.on('error', () => {
      this.#isUsable = false;
    });
    client.on('end', () => {
      this.#isUsable = false;
    });
  }

  static async open(config: ClientConfig): Promise<PostgresConnection> {
    const { default: pg } = await loadOptional('pg', 'PostgreSQL', () => import('pg'));
    const client = new pg.Client(config) as unknown as PgClient;
    const connection = new PostgresConnection(client);
    await client.connect();
    return connection;
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  async run(batch: readonly Plain[]): Promise<StepResult[]> {
    const work = new Batch(batch, this.#prepared, () => this.#timer?.refresh());
    this.#timer = setTimeout(() => {
      this.destroy();
    }, SILENCE_MS);
    try {
      this.#client.query(work);
      return await work.done;
    } finally {
      clearTimeout(this.#timer);
    }
  }

  async close(): Promise<void> {
    this.#isUsable = false;
    await this.#client.end();
  }

  destroy(): void {
    this.#isUsable = false;
    this.#client.connection.stream.destroy();
  }
}
