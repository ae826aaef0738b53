import type { Kysely } from 'kysely';

import { createNext, hasNews } from './create-next.js';
import { endTrial } from './end-trial.js';
import { arg, compile } from './statement.js';
import type { Tables } from './tables.js';

/** Begin and end of a trial; some only where an insert may stand within another statement. */
export function trialLifeStatements(db: Kysely<Tables>, withinStatements: boolean) {
  return {
    /** Numbers and adds a trial of an owner, within a limit, and notes it as the last of its writer; the study is locked. */
    createNext: withinStatements ? createNext(db) : undefined,
    hasNews: hasNews(db),
    /** Ends a trial and adds its last parts, where it is not finished; tells its id then. */
    endTrial: withinStatements ? endTrial(db) : undefined,
    /** Whether a trial ended in this way, where the answer of `endTrial` was lost. */
    endedAs: compile(db, (k) =>
      k
        .selectFrom('trials')
        .select('trial_id')
        .where('trial_id', '=', arg<number>(0))
        .where('state', '=', arg<string>(1))
        .where('datetime_complete', '=', arg<string>(2)),
    ),
    /** What `createNext` gave, where its answer was lost. */
    createdNext: compile(db, (k) =>
      k
        .selectFrom('resweep_writers as w')
        .innerJoin('trials as t', 't.trial_id', 'w.trial_id')
        .select(['t.trial_id', 't.number'])
        .where('w.writer_id', '=', arg<string>(0))
        .whereRef('w.trial_sequence', '=', 'w.sequence'),
    ),
  };
}
