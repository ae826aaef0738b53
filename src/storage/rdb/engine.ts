import type { Statements } from './statements.js';
import type { Transaction } from './statement.js';

/** One database connection, or a pool of them: what differs between SQLite, PostgreSQL and MySQL. */
export interface Engine {
  /** Where, without any password. */
  readonly location: string;
  readonly statements: Statements;
  /** Key under which the database keeps what this engine committed last, where an answer can be lost on its way. */
  readonly writerId: string | undefined;
  /** Whether a deleted row's key may be given out again, so that the highest must be kept taken. */
  readonly reusesIds: boolean;
  /** Runs reading statements on one consistent view. */
  read<T>(transaction: () => Transaction<T>): Promise<T>;
  /** Runs statements in one write transaction, again from the start where another writer came in between. @throws StorageError */
  write<T>(transaction: () => Transaction<T>): Promise<T>;
  /** Changes whenever anybody but this process has committed; undefined where the engine cannot tell. */
  foreignChanges(): number | undefined;
  /** Whether an error says that a unique key exists already. */
  isDuplicateKey(error: unknown): boolean;
  close(): Promise<void>;
}
