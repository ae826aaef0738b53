import { randomUUID } from 'node:crypto';

import { ResweepError, StorageError, messageOf } from '../../../core/errors.js';
import type { Engine } from '../engine.js';
import { COMMIT, type SqlValue, type Statement, type Step, type StepResult, type Transaction } from '../statement.js';
import type { Statements } from '../statements.js';
import type { ServerConnection, ServerDialect } from './server-dialect.js';

/** How long calls wait for a server that was there before, and for one that never answered. */
const PATIENCE_MS = 300_000;
const FIRST_PATIENCE_MS = 15_000;
/** Longest pause between two tries. */
const LONGEST_PAUSE_MS = 2_000;

export interface ServerOptions {
  readonly readOnly?: boolean | undefined;
  /** How long a call waits while the server is gone. @default 300_000 (15_000 for the first) */
  readonly patienceMs?: number | undefined;
}

type Plain = Pick<Step, 'statement' | 'args'>;

/** A result that is filled in once its statement is executed. */
interface Filled {
  rows: readonly Record<string, SqlValue>[];
  changes: number;
  lastId: number;
}

interface Asked {
  readonly step: Plain & Pick<Step, 'recover'>;
  readonly result: Filled;
}

/** What is known of a transaction's commit. */
interface Commit<T> {
  /** It was sent, and no answer came. */
  isUncertain: boolean;
  /** Finds the results of its last statements again, and goes on from there. */
  resume: ((connection: ServerConnection) => Promise<T>) | undefined;
}

const NOTHING: StepResult = { rows: [], changes: 0, lastId: 0 };
const plain = (statement: Statement, ...args: readonly SqlValue[]): Plain => ({ statement, args });

/**
 * A database server over one connection, which is made again where it was lost. Calls take turns. A transaction sends what it has
 * queued together with the next statement whose result it needs, and its commit with the last.
 *
 * Every write transaction first takes a number in the writer's own row. Where the answer to a commit is lost, the next connection
 * looks there whether it took effect; raising the row's epoch at the same time makes sure that it cannot take effect later.
 */
export class ServerEngine implements Engine {
  readonly location: string;
  readonly statements: Statements;
  readonly reusesIds = false;
  readonly writerId: string = randomUUID();
  readonly #dialect: ServerDialect;
  readonly #readOnly: boolean;
  readonly #patienceMs: number | undefined;
  #connection: ServerConnection | undefined;
  #wasConnected = false;
  #isClosed = false;
  #epoch = 0;
  #sequence = 0;
  /** The number that the database holds, as read when the connection was made. */
  #committed = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(dialect: ServerDialect, options: ServerOptions = {}) {
    this.#dialect = dialect;
    this.location = dialect.location;
    this.statements = dialect.statements;
    this.#readOnly = options.readOnly ?? false;
    this.#patienceMs = options.patienceMs;
  }

  /** Connects, so that a wrong address is told at once. @throws StorageError @throws UsageError */
  async open(): Promise<void> {
    await this.read(function* (): Transaction<void> {
      yield COMMIT;
    });
  }

  async read<T>(transaction: () => Transaction<T>): Promise<T> {
    return this.#inTurn(() => this.#patiently(transaction, undefined));
  }

  async write<T>(transaction: () => Transaction<T>): Promise<T> {
    if (this.#readOnly) throw new StorageError(`${this.location} was opened for reading only.`, { code: 'READ_ONLY' });
    return this.#inTurn(() => this.#patiently(transaction, ++this.#sequence));
  }

  /** A server does not tell. */
  foreignChanges(): undefined {
    return undefined;
  }

  isDuplicateKey(error: unknown): boolean {
    return this.#dialect.kindOf(error) === 'duplicate';
  }

  async close(): Promise<void> {
    await this.#tail.catch(() => undefined);
    if (this.#isClosed) return;
    this.#isClosed = true;
    const connection = this.#connection;
    if (connection?.isUsable !== true) return;
    try {
      if (!this.#readOnly) await connection.run([plain(this.statements.removeWriter, this.writerId)]);
      await connection.close();
    } catch {
      // Nothing of ours is open in the database any more.
      connection.destroy();
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work, work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Runs a transaction; again where the server or another writer came in between, until patience ends. */
  async #patiently<T>(transaction: () => Transaction<T>, sequence: number | undefined): Promise<T> {
    const patienceMs = this.#patienceMs ?? (this.#wasConnected ? PATIENCE_MS : FIRST_PATIENCE_MS);
    const deadline = performance.now() + patienceMs;
    const commit: Commit<T> = { isUncertain: false, resume: undefined };
    for (let attempt = 0; ; attempt++) {
      if (this.#isClosed) throw new StorageError(`${this.location} is closed.`, { code: 'CLOSED' });
      try {
        const connection = await this.#connected();
        if (commit.isUncertain) {
          if (this.#committed === sequence && commit.resume !== undefined) return await commit.resume(connection);
          commit.isUncertain = false;
        }
        return await this.#run(connection, transaction, sequence, commit);
      } catch (error) {
        const kind = error instanceof ResweepError ? 'other' : this.#dialect.kindOf(error);
        if (kind === 'duplicate') throw error;
        if (kind === 'other') throw this.#dialect.explain(error);
        if (kind === 'lost') this.#drop();
        if (performance.now() > deadline) throw this.#gaveUp(error, patienceMs, commit.isUncertain);
        await pause(kind === 'again' ? Math.min(attempt, 5) : attempt);
      }
    }
  }

  /** A connection that works, with this writer entered. */
  async #connected(): Promise<ServerConnection> {
    if (this.#connection?.isUsable === true) return this.#connection;
    this.#drop();
    const connection = await this.#dialect.connect(!this.#wasConnected);
    this.#connection = connection;
    if (!this.#readOnly) {
      const s = this.statements;
      const [, found] = await connection.run([plain(s.enterWriter, this.writerId), plain(s.writer, this.writerId)]);
      const [row] = found?.rows ?? [];
      this.#epoch = Number(row?.['epoch']);
      this.#committed = Number(row?.['sequence']);
    }
    this.#wasConnected = true;
    return connection;
  }

  #drop(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  async #run<T>(
    connection: ServerConnection,
    transaction: () => Transaction<T>,
    sequence: number | undefined,
    commit: Commit<T>,
  ): Promise<T> {
    const { beginRead, beginWrite, commit: end, rollback, readsInOneGo } = this.#dialect.control;
    const state = { isOpen: true, isBegun: false };
    let batch: Asked[] = [];
    const add = (step: Plain & Pick<Step, 'recover'>): Filled => {
      const result: Filled = { ...NOTHING };
      batch.push({ step, result });
      return result;
    };
    const send = async (): Promise<void> => {
      const sent = batch;
      batch = [];
      state.isBegun = true;
      await ask(connection, sent);
    };
    for (const statement of sequence === undefined ? beginRead : beginWrite) add(plain(statement));
    if (sequence !== undefined) add(plain(this.statements.takeSequence, this.writerId, this.#epoch, sequence));
    const finish = async (): Promise<void> => {
      const isOneGo = readsInOneGo && sequence === undefined && !state.isBegun;
      if (isOneGo) batch.splice(0, beginRead.length);
      else add(plain(end));
      const last = batch;
      commit.isUncertain = sequence !== undefined;
      commit.resume = async (again) => {
        const lost = last.flatMap(({ step, result }) => (step.recover ? [{ step: step.recover, result }] : []));
        await ask(again, lost);
        return (next.done === true ? next : generator.next(NOTHING)).value as T;
      };
      await send();
      commit.isUncertain = false;
      state.isOpen = false;
    };
    const generator = transaction();
    let next: ReturnType<typeof generator.next> = { done: false, value: COMMIT };
    try {
      next = generator.next();
      while (next.done !== true) {
        if (next.value === COMMIT) {
          await finish();
          next = generator.next(NOTHING);
        } else {
          const result = add(next.value);
          if (next.value.mode === 'now') await send();
          next = generator.next(result);
        }
      }
      if (state.isOpen) await finish();
      return next.value;
    } catch (error) {
      // An answer that says no is no doubt.
      if (this.#dialect.kindOf(error) !== 'lost') commit.isUncertain = false;
      if (state.isOpen && state.isBegun && connection.isUsable)
        await connection.run([plain(rollback)]).catch(() => this.#drop());
      throw error;
    }
  }

  #gaveUp(error: unknown, patienceMs: number, isUncertain: boolean): unknown {
    const seconds = Math.round(patienceMs / 1000);
    const shown = this.#dialect.explain(error);
    return new StorageError(
      `${this.location} did not answer for ${seconds} s: ${messageOf(shown)}${isUncertain ? ' Whether the last change was stored is not known.' : ''}`,
      {
        code: 'UNREACHABLE',
        cause: shown,
        permanent: false,
        hint: 'Check that the server runs, and host, port and database in the URL.',
      },
    );
  }
}

async function ask(connection: ServerConnection, asked: readonly Asked[]): Promise<void> {
  if (asked.length === 0) return;
  const answers = await connection.run(asked.map(({ step }) => step));
  for (const [index, { result }] of asked.entries()) Object.assign(result, answers[index]);
}

/** Longer each time, of random length, so that workers that wait for the same thing do not march in step. */
function pause(attempt: number): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MS, 10 * 2 ** attempt);
  return new Promise((resolve) => setTimeout(resolve, longest / 2 + (Math.random() * longest) / 2));
}
