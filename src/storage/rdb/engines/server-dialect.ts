import type { Statement, Step, StepResult } from '../statement.js';
import type { Statements } from '../statements.js';

/** One connection to a database server. */
export interface ServerConnection {
  /** False once it was lost or closed. */
  readonly isUsable: boolean;
  /** Executes statements in order, in one round trip; stops at the first that fails. The driver's own errors. */
  run(batch: readonly Pick<Step, 'statement' | 'args'>[]): Promise<StepResult[]>;
  close(): Promise<void>;
  /** Cuts it off without a farewell. */
  destroy(): void;
}

/**
 * What a driver's error means: the connection is `lost` (also one that could not be made for now), the transaction may be tried
 * `again`, a unique key exists already (`duplicate`), or none of it.
 */
export type ErrorKind = 'lost' | 'again' | 'duplicate' | 'other';

/** What differs between database servers. */
export interface ServerDialect {
  /** Where, without any password. */
  readonly location: string;
  readonly statements: Statements;
  readonly control: {
    readonly beginRead: readonly Statement[];
    readonly beginWrite: readonly Statement[];
    /** Whether a batch alone is a transaction on one view, without begin and commit. */
    readonly readsInOneGo: boolean;
    readonly commit: Statement;
    readonly rollback: Statement;
  };
  /** Connects and sets the session up; the first time of all the tables too. */
  connect(isFirst: boolean): Promise<ServerConnection>;
  kindOf(error: unknown): ErrorKind;
  /** The error as people see it, without any password. */
  explain(error: unknown): unknown;
}
