/** What differs between engines in the text of statements. */
export interface SqlFacts {
  /** How an existing row is replaced on insert: SQLite and PostgreSQL, or MySQL. */
  readonly upsert: 'on-conflict' | 'on-duplicate-key';
  /** Whether `SELECT … FOR UPDATE` locks rows. */
  readonly locksRows: boolean;
  /** Whether the planner has to be kept from an index on the study alone, where the range of ids is what narrows. */
  readonly rangesById: boolean;
  /** Whether `INSERT … RETURNING` gives the new key, and may stand within another statement. */
  readonly returning: boolean;
}
