import { sql, type Kysely } from 'kysely';

import type { TrialWrite } from '../storage.js';
import { isFinished } from '../../core/trial-state.js';
import { toColumns } from './number-columns.js';
import { arg, compile, type SqlValue, type Statement } from './statement.js';
import type { Tables } from './tables.js';

type Write<Kind extends TrialWrite['kind']> = Extract<TrialWrite, { kind: Kind }>;

/** The last batch of a trial: what was not stored yet, and its end. */
export interface LastWrites {
  readonly trialId: number;
  readonly end: Write<'state'>;
  readonly params: readonly Write<'param'>[];
  readonly userAttrs: readonly Write<'userAttr'>[];
  readonly systemAttrs: readonly Write<'systemAttr'>[];
}

/** A batch in these terms, where it ends its one trial with nothing but parameters, attributes and values. */
export function lastWritesOf(writes: readonly TrialWrite[]): LastWrites | undefined {
  const end = writes.at(-1);
  if (end?.kind !== 'state' || !isFinished(end.state)) return undefined;
  if (end.state === 'PRUNED' && end.values === undefined) return undefined;
  const { trialId } = end;
  const others = writes.slice(0, -1);
  const isPlain = others.every(
    (write) =>
      (write.kind === 'param' || write.kind === 'userAttr' || write.kind === 'systemAttr') && write.trialId === trialId,
  );
  if (!isPlain) return undefined;
  return {
    trialId,
    end,
    params: others.filter((write): write is Write<'param'> => write.kind === 'param'),
    // One statement may write a row once: the last text of a key stands.
    userAttrs: lastOfEach(others.filter((write): write is Write<'userAttr'> => write.kind === 'userAttr')),
    systemAttrs: lastOfEach(others.filter((write): write is Write<'systemAttr'> => write.kind === 'systemAttr')),
  };
}

function lastOfEach<T extends { readonly key: string }>(writes: readonly T[]): T[] {
  return [...new Map(writes.map((write) => [write.key, write])).values()];
}

/** The arguments of `endTrial`. */
export function endTrialArgs({ trialId, end, params, userAttrs, systemAttrs }: LastWrites): SqlValue[] {
  const values = (end.values ?? []).map((value) => toColumns(value));
  return [
    trialId,
    end.state,
    end.at,
    arrayText(params.map(({ name }) => name)),
    arrayText(params.map(({ internal }) => internal)),
    arrayText(params.map(({ distribution }) => distribution.json)),
    arrayText(values.map(({ value }) => value)),
    arrayText(values.map(({ type }) => type)),
    arrayText(userAttrs.map(({ key }) => key)),
    arrayText(userAttrs.map(({ text }) => text)),
    arrayText(systemAttrs.map(({ key }) => key)),
    arrayText(systemAttrs.map(({ text }) => text)),
  ];
}

/** An array as PostgreSQL reads it. */
function arrayText(values: readonly (string | number | null)[]): string {
  const items = values.map((value) => {
    if (value === null) return 'NULL';
    return typeof value === 'number' ? String(value) : `"${value.replace(/[\\"]/g, '\\$&')}"`;
  });
  return `{${items.join(',')}}`;
}

/**
 * One statement that ends a trial which is not finished and adds its parts, for engines where an insert may stand within another
 * statement. Gives the trial's id, or no row where it was finished (or there is none): then nothing was written.
 */
export function endTrial(db: Kysely<Tables>): Statement {
  const attributes = (table: string, keys: number, texts: number) => sql`
      insert into ${sql.table(table)} (trial_id, key, value_json)
      select e.trial_id, a.key, a.value_json from ended e, unnest(cast(${arg(keys)} as text[]), cast(${arg(texts)} as text[])) as a (key, value_json)
      on conflict (trial_id, key) do update set value_json = excluded.value_json`;
  const query = sql`
    with ended as (
      update trials set state = cast(${arg(1)} as trialstate), datetime_complete = cast(${arg(2)} as timestamp)
      where trial_id = ${arg(0)} and state in ('RUNNING', 'WAITING') returning trial_id
    ), added_params as (
      insert into trial_params (trial_id, param_name, param_value, distribution_json)
      select e.trial_id, p.name, p.value, p.json
      from ended e, unnest(cast(${arg(3)} as text[]), cast(${arg(4)} as double precision[]), cast(${arg(5)} as text[])) as p (name, value, json)
      on conflict (trial_id, param_name) do nothing
    ), added_values as (
      insert into trial_values (trial_id, objective, value, value_type)
      select e.trial_id, v.place - 1, v.value, v.type
      from ended e, unnest(cast(${arg(6)} as double precision[]), cast(${arg(7)} as trialvaluetype[])) with ordinality as v (value, type, place)
      on conflict (trial_id, objective) do update set value = excluded.value, value_type = excluded.value_type
    ), added_user as (${attributes('trial_user_attributes', 8, 9)}
    ), added_system as (${attributes('trial_system_attributes', 10, 11)}
    )
    select trial_id from ended`;
  return compile(db, () => ({ compile: () => query.compile(db) }));
}
