import { sql, type Kysely, type RawBuilder } from 'kysely';

import { GROWING_PARTS } from './known-parts.js';
import type { SqlFacts } from './sql-facts.js';
import { arg, compile, type Statement } from './statement.js';
import type { Tables } from './tables.js';

/** Tables of parts: their columns as `trial-rows.ts` reads them, and the key that grows with each row. */
const PARTS = {
  params: ['trial_params', 'param_id', ['param_name', 'param_value', 'distribution_json']],
  values: ['trial_values', 'trial_value_id', ['objective', 'value', 'value_type']],
  reports: [
    'trial_intermediate_values',
    'trial_intermediate_value_id',
    ['step', 'intermediate_value', 'intermediate_value_type'],
  ],
  userAttrs: ['trial_user_attributes', 'trial_user_attribute_id', ['key', 'value_json']],
  systemAttrs: ['trial_system_attributes', 'trial_system_attribute_id', ['key', 'value_json']],
} as const;

/**
 * Statements that find what changed among many running trials, for servers: trials by a list of ids ("1,2,3"), and the rows of parts
 * above a key. Each is written so that its plan goes by primary keys alone.
 */
export function changeStatements(db: Kysely<Tables>, facts: SqlFacts) {
  const make = (query: RawBuilder<unknown>): Statement => compile(db, () => ({ compile: () => query.compile(db) }));
  const columns = (names: readonly string[]) => sql.join(names.map((name) => sql.ref(`p.${name}`)));
  /** The listed ids joined with a table's rows, in this order. */
  const listed = (ids: RawBuilder<unknown>, table: string) =>
    facts.returning
      ? sql`unnest(cast(string_to_array(${ids}, ',') as integer[])) as listed (id) join ${sql.table(table)} as p on p.trial_id = listed.id`
      : sql`json_table(concat('[', ${ids}, ']'), '$[*]' columns (id int path '$')) as listed straight_join ${sql.table(table)} as p on p.trial_id = listed.id`;
  const state = facts.returning ? sql`cast(${arg(1)} as trialstate)` : sql`${arg(1)}`;

  const listedParts = (part: keyof typeof PARTS): Statement => {
    const [table, key, names] = PARTS[part];
    return make(
      sql`select ${columns(['trial_id', ...names])} from ${listed(sql`${arg(0)}`, table)} order by p.trial_id, ${sql.ref(`p.${key}`)}`,
    );
  };
  const newParts = (part: keyof typeof PARTS): Statement => {
    const [table, key, names] = PARTS[part];
    // Whose row it is, is looked up for each: a join might begin with all trials.
    return make(
      sql`select ${columns(['trial_id', ...names])} from ${sql.table(table)} as p where ${sql.ref(`p.${key}`)} > ${arg(0)}
        and (select t.study_id from trials t where t.trial_id = p.trial_id and t.state in ('RUNNING', 'WAITING')) = ${arg(1)}
        order by ${sql.ref(`p.${key}`)}`,
    );
  };
  const highest = GROWING_PARTS.map((part) => {
    const [table, key] = PARTS[part];
    return sql`(select coalesce(max(${sql.ref(key)}), 0) from ${sql.table(table)}) as ${sql.ref(part)}`;
  });

  return {
    /** Those of the listed trials that are no longer in a state. */
    leftState: make(
      sql`select ${columns(['trial_id', 'number', 'state', 'datetime_start', 'datetime_complete'])} from ${listed(sql`${arg(0)}`, 'trials')} where p.state <> ${state}`,
    ),
    listed: {
      params: listedParts('params'),
      values: listedParts('values'),
      reports: listedParts('reports'),
      userAttrs: listedParts('userAttrs'),
      systemAttrs: listedParts('systemAttrs'),
    },
    /** Rows above a key that belong to unfinished trials of a study, in the order of keys. */
    grown: {
      params: newParts('params'),
      reports: newParts('reports'),
      userAttrs: newParts('userAttrs'),
      systemAttrs: newParts('systemAttrs'),
    },
    /** Highest key of each. */
    highest: make(sql`select ${sql.join(highest)}`),
  };
}
