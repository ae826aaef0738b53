import Database from 'better-sqlite3';

import { messageOf, StorageError } from '../../../core/errors.js';
import type { Engine } from '../engine.js';
import { bind, COMMIT, type SqlValue, type Step, type StepResult, type Transaction } from '../statement.js';
import type { Statements } from '../statements.js';
import { openSqliteFile, type SqliteOptions } from './sqlite-file.js';
import { SQLITE_STATEMENTS } from './sqlite-statements.js';

/** How long a transaction waits within SQLite (which stops this process), and in all, for other processes' locks. */
const BUSY_MS = 500;
const PATIENCE_MS = 60_000;

interface Prepared {
  readonly statement: Database.Statement<SqlValue[], Record<string, SqlValue>>;
  readonly isReader: boolean;
}

const NO_ROWS: readonly Record<string, SqlValue>[] = [];
const NOTHING: StepResult = { rows: NO_ROWS, changes: 0, lastId: 0 };

/** One SQLite file through better-sqlite3. A transaction runs synchronously from BEGIN to COMMIT, so none of this process overlap. */
export class SqliteEngine implements Engine {
  readonly location: string;
  readonly statements: Statements = SQLITE_STATEMENTS;
  readonly reusesIds = true;
  readonly writerId = undefined;
  readonly #db: Database.Database;
  /** By the statement's index. */
  readonly #prepared: (Prepared | undefined)[] = [];
  readonly #begin: Database.Statement;
  readonly #beginRead: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;
  readonly #dataVersion: Database.Statement;
  readonly #readOnly: boolean;
  /** The last of the calls that wait for a lock; those made meanwhile line up behind it. */
  #waiting: Promise<unknown> | undefined;
  readonly #onExit = (): void => {
    this.#shut();
  };

  /** @throws StorageError where the file cannot be opened or is no Optuna database */
  constructor(path: string, options: SqliteOptions = {}) {
    this.location = path;
    this.#readOnly = options.readOnly ?? false;
    this.#db = openSqliteFile(path, { ...options, busyMs: BUSY_MS });
    this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
    this.#beginRead = this.#db.prepare('BEGIN');
    this.#commit = this.#db.prepare('COMMIT');
    this.#rollback = this.#db.prepare('ROLLBACK');
    this.#dataVersion = this.#db.prepare('PRAGMA data_version').pluck();
    process.once('exit', this.#onExit);
  }

  async read<T>(transaction: () => Transaction<T>): Promise<T> {
    return this.#inTurn(() => this.#run(this.#beginRead, transaction));
  }

  async write<T>(transaction: () => Transaction<T>): Promise<T> {
    if (this.#readOnly) throw new StorageError(`${this.location} was opened for reading only.`, { code: 'READ_ONLY' });
    return this.#inTurn(() => this.#run(this.#begin, transaction));
  }

  #run<T>(begin: Database.Statement, transaction: () => Transaction<T>): T {
    begin.run();
    try {
      const generator = transaction();
      let step = generator.next();
      while (step.done !== true) step = generator.next(step.value === COMMIT ? NOTHING : this.#execute(step.value));
      this.#commit.run();
      return step.value;
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run();
      throw error;
    }
  }

  #execute(step: Step): StepResult {
    const { index, sql } = step.statement;
    let prepared = this.#prepared[index];
    if (prepared === undefined) {
      const statement = this.#db.prepare<SqlValue[], Record<string, SqlValue>>(sql);
      this.#prepared[index] = prepared = { statement, isReader: statement.reader };
    }
    const { statement, isReader } = prepared;
    if (isReader) return { rows: statement.all(...bind(step)), changes: 0, lastId: 0 };
    const { changes, lastInsertRowid } = statement.run(...bind(step));
    return { rows: NO_ROWS, changes, lastId: Number(lastInsertRowid) };
  }

  /** Works at once; where another process has the lock, waits for it without letting later calls pass. */
  #inTurn<T>(work: () => T): T | Promise<T> {
    if (this.#waiting === undefined) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error)) throw this.#explain(error);
      }
    }
    const before = this.#waiting;
    const result = (async () => {
      await (before === undefined ? pause() : before.catch(() => undefined));
      return this.#patiently(work);
    })();
    this.#waiting = result;
    const leave = (): void => {
      if (this.#waiting === result) this.#waiting = undefined;
    };
    result.then(leave, leave);
    return result;
  }

  /** Waits for other processes' locks, in pieces that leave this process's other work its turns. */
  async #patiently<T>(work: () => T): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error)) throw this.#explain(error);
        if (performance.now() > deadline) {
          throw new StorageError(`${this.location} has been locked by another process for more than a minute.`, {
            code: 'LOCKED',
            cause: error,
            permanent: false,
          });
        }
        await pause();
      }
    }
  }

  #explain(error: unknown): unknown {
    if (!this.#db.open) return new StorageError(`${this.location} is closed.`, { code: 'CLOSED', cause: error });
    if (!(error instanceof Database.SqliteError) || this.isDuplicateKey(error)) return error;
    const hints: Record<string, string> = {
      SQLITE_FULL: 'Free some space on the disk; what was stored before is safe.',
      SQLITE_CORRUPT: 'resweep restore brings back the newest good backup.',
      SQLITE_NOTADB: 'resweep restore brings back the newest good backup.',
      SQLITE_READONLY: 'Check the rights on the file and its folder.',
    };
    const hint = hints[error.code.split('_').slice(0, 2).join('_')];
    return new StorageError(`${this.location}: ${messageOf(error)} (${error.code}).`, {
      code: error.code,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  foreignChanges(): number | undefined {
    return this.#dataVersion.get() as number;
  }

  isDuplicateKey(error: unknown): boolean {
    return error instanceof Database.SqliteError && /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/.test(error.code);
  }

  async close(): Promise<void> {
    await this.#waiting?.catch(() => undefined);
    process.off('exit', this.#onExit);
    this.#shut();
  }

  #shut(): void {
    if (!this.#db.open) return;
    if (!this.#readOnly) leaveWal(this.#db);
    this.#db.close();
  }
}

/**
 * Goes back to one plain file, which browsers and notebooks can open too; not while another process works on it. Two that leave
 * in the same moment each see the other still there: the one that is more patient does it.
 */
function leaveWal(db: Database.Database): void {
  const deadline = performance.now() + 10 + Math.random() * 50;
  db.pragma('busy_timeout = 0');
  for (;;) {
    try {
      db.pragma('journal_mode = DELETE');
      return;
    } catch (error) {
      // Somebody else is at work: the last to leave does it.
      if (!isBusy(error) || performance.now() > deadline) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
    }
  }
}

/** A moment of random length, so that processes that wait for the same lock do not march in step. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 45));
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(error.code);
}
