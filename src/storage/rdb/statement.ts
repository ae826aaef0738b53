import type { CompiledQuery, Kysely } from 'kysely';

import type { Tables } from './tables.js';

/** What a database column can take. */
export type SqlValue = string | number | null;

/** A statement compiled once; `order` maps its placeholders to the arguments of a call. */
export interface Statement {
  /** Counts the statements of this process: a place in an engine's list of prepared ones. */
  readonly index: number;
  readonly sql: string;
  readonly order: readonly (Argument | SqlValue)[];
  /** The placeholders are the arguments, each once. */
  readonly inOrder: boolean;
}

/** Stands for the n-th argument while a statement is compiled. */
export class Argument {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/**
 * One statement to be executed, yielded by a transaction; its result comes back. That of a `queued` one may be looked at only after
 * the next step that is not: so an engine behind a network sends many in one go.
 */
export interface Step {
  readonly statement: Statement;
  readonly args: readonly SqlValue[];
  readonly mode: 'now' | 'queued';
  /** What finds the result again where the transaction was committed but the answer was lost on its way. */
  readonly recover?: { readonly statement: Statement; readonly args: readonly SqlValue[] } | undefined;
}

/** Yielded where every statement of the transaction is queued: they are executed and committed, then the results are there. */
export const COMMIT = Symbol('commit');

/** Rows of a result. `changes` counts changed rows, `lastId` is the key given to an inserted one. */
export interface StepResult {
  readonly rows: readonly Record<string, SqlValue>[];
  readonly changes: number;
  readonly lastId: number;
}

/**
 * A transaction as a generator that yields statements and receives their results. SQLite drives it in one synchronous go, a server
 * engine awaits each step: one text of the logic for all.
 */
export type Transaction<T> = Generator<Step | typeof COMMIT, T, StepResult>;

/** Placeholder for the n-th argument in a Kysely query; the caller says what type the column wants. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- it is the type that Kysely checks
export function arg<T>(index: number): T {
  return new Argument(index) as unknown as T;
}

let statements = 0;

/** A statement from its text and what stands for its placeholders. */
export function statement(sql: string, ...order: readonly (Argument | SqlValue)[]): Statement {
  const inOrder = order.every((slot, index) => slot instanceof Argument && slot.index === index);
  return { index: statements++, sql, order, inOrder };
}

/** Compiles a query of placeholders. */
export function compile(db: Kysely<Tables>, build: (db: Kysely<Tables>) => { compile(): CompiledQuery }): Statement {
  const { sql, parameters } = build(db).compile();
  return statement(sql, ...(parameters as readonly (Argument | SqlValue)[]));
}

/** The values of a call in the order of the statement's placeholders. */
export function bind(step: Pick<Step, 'statement' | 'args'>): readonly SqlValue[] {
  if (step.statement.inOrder) return step.args;
  return step.statement.order.map((slot) => (slot instanceof Argument ? (step.args[slot.index] ?? null) : slot));
}

/** What a transaction yields: `yield execute(statement, …)` gives the result. */
export function execute(statement: Statement, ...args: readonly SqlValue[]): Step {
  return { statement, args, mode: 'now' };
}

/** The same for a statement whose result nobody needs before the next `execute` or `COMMIT`. */
export function queue(statement: Statement, ...args: readonly SqlValue[]): Step {
  return { statement, args, mode: 'queued' };
}

/** A queued statement that only reads: after a lost answer it is simply asked again. */
export function queueRead(statement: Statement, ...args: readonly SqlValue[]): Step {
  return { statement, args, mode: 'queued', recover: { statement, args } };
}

/** A queued statement that writes, with the one that finds its result again after a lost answer. */
export function queueRecoverable(
  written: Pick<Step, 'statement' | 'args'>,
  recover: NonNullable<Step['recover']>,
): Step {
  return { ...written, mode: 'queued', recover };
}
