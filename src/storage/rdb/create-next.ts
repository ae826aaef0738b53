import { sql, type Kysely, type RawBuilder } from 'kysely';

import { TRIAL_ATTRIBUTE } from '../../core/frozen-trial.js';
import { arg, compile, type Statement } from './statement.js';
import type { Tables } from './tables.js';

/** Whether a trial after the first id waits, or one after the second is a retry. */
function news(studyId: RawBuilder<unknown>, waitingAfter: RawBuilder<unknown>, retriesAfter: RawBuilder<unknown>) {
  return sql`(exists (select 1 from trials where ${studyId} = ${arg(0)} and state = 'WAITING' and trial_id > ${waitingAfter})
    or exists (select 1 from trial_system_attributes where trial_id > ${retriesAfter} and ${sql.ref('key')} = ${sql.lit(TRIAL_ATTRIBUTE.retryHistory)}))`;
}

/** The same as a statement of its own: study, and the two ids. */
export function hasNews(db: Kysely<Tables>): Statement {
  const query = sql`select case when ${news(sql`study_id`, sql`${arg(1)}`, sql`${arg(2)}`)} then 1 else 0 end as news`;
  return compile(db, () => ({ compile: () => query.compile(db) }));
}

/**
 * One statement that numbers a trial, adds it, and enters its owner and its writer: study, state, start, owner, limit, writer, and
 * ids after which no trial may wait and none may be a retry, or null.
 * For engines where an insert may stand within another statement.
 */
export function createNext(db: Kysely<Tables>): Statement {
  const superseded = sql`(select count(distinct t.trial_id) from trial_system_attributes a
    join trials t on t.trial_id = a.trial_id
    where t.study_id = ${arg(0)} and (a.key = ${sql.lit(TRIAL_ATTRIBUTE.retried)}
      or (a.key = ${sql.lit(TRIAL_ATTRIBUTE.interrupted)} and t.state = 'FAIL')))`;
  const query = sql`
    with next as (
      select s.study_id, coalesce((select number from trials where study_id + 0 = ${arg(0)} order by trial_id desc limit 1) + 1, 0) as number
      from studies s where s.study_id = ${arg(0)}
    ), added as (
      insert into trials (number, study_id, state, datetime_start)
      select number, study_id, cast(${arg(1)} as trialstate), cast(${arg(2)} as timestamp) from next
      where (cast(${arg(4)} as integer) is null or number < cast(${arg(4)} as integer)
        or number - ${superseded} < cast(${arg(4)} as integer))
        and (cast(${arg(6)} as integer) is null or not ${news(sql`study_id + 0`, sql`cast(${arg(6)} as integer)`, sql`cast(${arg(7)} as integer)`)})
      returning trial_id, number
    ), owned as (
      insert into resweep_trial_owners (trial_id, process_id)
      select trial_id, cast(${arg(3)} as varchar) from added where cast(${arg(3)} as varchar) is not null
    ), noted as (
      update resweep_writers w set trial_id = added.trial_id, trial_sequence = w.sequence
      from added where w.writer_id = ${arg(5)}
    )
    select trial_id, number from added`;
  return compile(db, () => ({ compile: () => query.compile(db) }));
}
