import { sql, type Kysely } from 'kysely';

import { arg, compile, type Statement } from './statement.js';
import type { Tables } from './tables.js';

/** PostgreSQL: raises the counter behind a key to at least this number. It does so at once, also for others. */
export function raiseId(db: Kysely<Tables>, table: 'studies' | 'trials', key: 'study_id' | 'trial_id'): Statement {
  const sequence = sql.lit(`${table}_${key}_seq`);
  const last = sql.table(`${table}_${key}_seq`);
  const query = sql`select setval(${sequence}, greatest((select last_value from ${last}), cast(${arg(0)} as bigint)))`;
  return compile(db, () => ({ compile: () => query.compile(db) }));
}
