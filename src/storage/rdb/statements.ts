import { sql, type Kysely } from 'kysely';

import { TRIAL_ATTRIBUTE } from '../../core/frozen-trial.js';

import { changeStatements } from './change-statements.js';
import { raiseId } from './raise-id.js';
import type { SqlFacts } from './sql-facts.js';
import { arg, compile, type Statement } from './statement.js';
import { TRIAL_PART_TABLES, type Tables } from './tables.js';
import { trialLifeStatements } from './trial-life-statements.js';

/** Every statement of the storage, compiled for one engine. */
export type Statements = ReturnType<typeof compileStatements>;

export function compileStatements(db: Kysely<Tables>, facts: SqlFacts) {
  const make = (build: Parameters<typeof compile>[1]): Statement => compile(db, build);
  /** A trial's study, in statements that read a range of ids. */
  const studyOf = (column: string) =>
    facts.rangesById ? sql<number>`${sql.ref(column)} + 0` : sql<number>`${sql.ref(column)}`;

  const upsertAttribute = (table: 'trial_user_attributes' | 'trial_system_attributes'): Statement =>
    make((k) => {
      const insert = k.insertInto(table).values({ trial_id: arg(0), key: arg(1), value_json: arg(2) });
      return facts.upsert === 'on-conflict'
        ? insert.onConflict((on) => on.columns(['trial_id', 'key']).doUpdateSet({ value_json: arg(2) }))
        : insert.onDuplicateKeyUpdate({ value_json: arg(2) });
    });
  const upsertStudyAttribute = (table: 'study_user_attributes' | 'study_system_attributes'): Statement =>
    make((k) => {
      const insert = k.insertInto(table).values({ study_id: arg(0), key: arg(1), value_json: arg(2) });
      return facts.upsert === 'on-conflict'
        ? insert.onConflict((on) => on.columns(['study_id', 'key']).doUpdateSet({ value_json: arg(2) }))
        : insert.onDuplicateKeyUpdate({ value_json: arg(2) });
    });

  /** A part of trials: of one trial, and of all trials of a study after an id, in the order of their ids. */
  const partOf = (
    table: (typeof TRIAL_PART_TABLES)[number],
    columns: readonly string[],
    order: string | undefined,
  ): { ofTrial: Statement; after: Statement } => {
    const names = columns.map((column) => `${table}.${column}`) as never[];
    const ordered = (query: { orderBy(column: never): unknown }): never =>
      (order === undefined ? query : query.orderBy(`${table}.${order}` as never)) as never;
    return {
      ofTrial: make((k) =>
        ordered(
          k
            .selectFrom(table as 'trial_params')
            .select(names)
            .where('trial_id', '=', arg<number>(0)),
        ),
      ),
      after: make((k) =>
        ordered(
          k
            .selectFrom(table as 'trial_params')
            .innerJoin('trials', 'trials.trial_id', `${table}.trial_id` as 'trial_params.trial_id')
            .select(names)
            .where(studyOf('trials.study_id'), '=', arg<number>(0))
            .where('trials.trial_id', '>', arg<number>(1))
            // Lets a planner that knows no sizes use the index of this table too.
            .$if(facts.locksRows, (q) => q.where(`${table}.trial_id` as 'trial_params.trial_id', '>', arg<number>(1)))
            .orderBy('trials.trial_id'),
        ),
      ),
    };
  };

  const trialColumns = ['trial_id', 'number', 'state', 'datetime_start', 'datetime_complete'] as const;

  return {
    // studies
    studyByName: make((k) => k.selectFrom('studies').selectAll().where('study_name', '=', arg<string>(0))),
    studyById: make((k) => k.selectFrom('studies').selectAll().where('study_id', '=', arg<number>(0))),
    /** Keeps other workers from numbering trials at the same time; SQLite has one writer at a time anyway. */
    lockStudy: facts.locksRows
      ? make((k) => k.selectFrom('studies').select('study_id').where('study_id', '=', arg<number>(0)).forUpdate())
      : undefined,
    allStudies: make((k) => k.selectFrom('studies').selectAll().orderBy('study_id')),
    insertStudy: make((k) => {
      const insert = k.insertInto('studies').values({ study_name: arg(0) });
      return facts.returning ? insert.returning('study_id as id') : insert;
    }),
    insertStudyWithId: make((k) => k.insertInto('studies').values({ study_id: arg(0), study_name: arg(1) })),
    maxStudyId: make((k) => k.selectFrom('studies').select((e) => e.fn.max('study_id').as('id'))),
    deleteStudy: make((k) => k.deleteFrom('studies').where('study_id', '=', arg<number>(0))),
    insertDirection: make((k) =>
      k.insertInto('study_directions').values({ study_id: arg(0), direction: arg(1), objective: arg(2) }),
    ),
    directionsOf: make((k) =>
      k.selectFrom('study_directions').select('direction').where('study_id', '=', arg<number>(0)).orderBy('objective'),
    ),
    deleteDirections: make((k) => k.deleteFrom('study_directions').where('study_id', '=', arg<number>(0))),
    studyUserAttrs: make((k) =>
      k.selectFrom('study_user_attributes').select(['key', 'value_json']).where('study_id', '=', arg<number>(0)),
    ),
    studySystemAttrs: make((k) =>
      k.selectFrom('study_system_attributes').select(['key', 'value_json']).where('study_id', '=', arg<number>(0)),
    ),
    setStudyUserAttr: upsertStudyAttribute('study_user_attributes'),
    setStudySystemAttr: upsertStudyAttribute('study_system_attributes'),
    deleteStudyUserAttrs: make((k) => k.deleteFrom('study_user_attributes').where('study_id', '=', arg<number>(0))),
    deleteStudySystemAttrs: make((k) => k.deleteFrom('study_system_attributes').where('study_id', '=', arg<number>(0))),

    // trials
    lastNumber: make((k) =>
      k
        .selectFrom('trials')
        .select('number')
        .where(studyOf('study_id'), '=', arg<number>(0))
        .orderBy('trial_id', 'desc')
        .limit(1),
    ),
    countSuperseded: make((k) =>
      k
        .selectFrom('trial_system_attributes as a')
        .innerJoin('trials as t', 't.trial_id', 'a.trial_id')
        .select((e) => e.fn.count<number>('t.trial_id').distinct().as('superseded'))
        .where('t.study_id', '=', arg<number>(0))
        .where((e) =>
          e.or([
            e('a.key', '=', TRIAL_ATTRIBUTE.retried),
            e.and([e('a.key', '=', TRIAL_ATTRIBUTE.interrupted), e('t.state', '=', 'FAIL')]),
          ]),
        ),
    ),
    insertTrial: make((k) => {
      const insert = k.insertInto('trials').values({
        number: arg(0),
        study_id: arg(1),
        state: arg(2),
        datetime_start: arg(3),
        datetime_complete: arg(4),
      });
      return facts.returning ? insert.returning('trial_id as id') : insert;
    }),
    insertTrialWithId: make((k) =>
      k.insertInto('trials').values({
        trial_id: arg(0),
        number: arg(1),
        study_id: arg(2),
        state: arg(3),
        datetime_start: arg(4),
        datetime_complete: arg(5),
      }),
    ),
    /** Keeps the engine from giving out ids up to this one, where rows with ids of our own do not tell it so. */
    raiseStudyId: facts.returning ? raiseId(db, 'studies', 'study_id') : undefined,
    raiseTrialId: facts.returning ? raiseId(db, 'trials', 'trial_id') : undefined,
    ...trialLifeStatements(db, facts.returning),
    /** For servers, where a fleet's running trials are many. */
    changes: facts.locksRows ? changeStatements(db, facts) : undefined,
    firstWaiting: make((k) => {
      const query = k
        .selectFrom('trials')
        .select('trial_id')
        .where(studyOf('study_id'), '=', arg<number>(0))
        .where('state', '=', 'WAITING')
        .where('trial_id', '>', arg<number>(1))
        .orderBy('trial_id')
        .limit(1);
      return facts.locksRows ? query.forUpdate().skipLocked() : query;
    }),
    claim: make((k) =>
      k
        .updateTable('trials')
        .set({ state: 'RUNNING', datetime_start: arg(1) })
        .where('trial_id', '=', arg<number>(0))
        .where('state', '=', 'WAITING'),
    ),
    setState: make((k) =>
      k
        .updateTable('trials')
        .set({ state: arg(1), datetime_complete: arg(2) })
        .where('trial_id', '=', arg<number>(0))
        .where('state', 'in', ['RUNNING', 'WAITING']),
    ),
    stateOf: make((k) => k.selectFrom('trials').select('state').where('trial_id', '=', arg<number>(0))),
    trialById: make((k) => k.selectFrom('trials').select(trialColumns).where('trial_id', '=', arg<number>(0))),
    trialsAfter: make((k) =>
      k
        .selectFrom('trials')
        .select(trialColumns)
        .where(studyOf('study_id'), '=', arg<number>(0))
        .where('trial_id', '>', arg<number>(1))
        .orderBy('trial_id'),
    ),
    lastReport: make((k) =>
      k
        .selectFrom('trial_intermediate_values')
        .select(['intermediate_value', 'intermediate_value_type'])
        .where('trial_id', '=', arg<number>(0))
        .orderBy('step', 'desc')
        .limit(1),
    ),
    insertParam: make((k) => {
      const insert = k
        .insertInto('trial_params')
        .values({ trial_id: arg(0), param_name: arg(1), param_value: arg(2), distribution_json: arg(3) });
      return facts.upsert === 'on-conflict'
        ? insert.onConflict((on) => on.columns(['trial_id', 'param_name']).doNothing())
        : insert.ignore();
    }),
    setValue: make((k) => {
      const insert = k
        .insertInto('trial_values')
        .values({ trial_id: arg(0), objective: arg(1), value: arg(2), value_type: arg(3) });
      const changed = { value: arg<number>(2), value_type: arg<string>(3) };
      return facts.upsert === 'on-conflict'
        ? insert.onConflict((on) => on.columns(['trial_id', 'objective']).doUpdateSet(changed))
        : insert.onDuplicateKeyUpdate(changed);
    }),
    setReport: make((k) => {
      const insert = k
        .insertInto('trial_intermediate_values')
        .values({ trial_id: arg(0), step: arg(1), intermediate_value: arg(2), intermediate_value_type: arg(3) });
      const changed = { intermediate_value: arg<number>(2), intermediate_value_type: arg<string>(3) };
      return facts.upsert === 'on-conflict'
        ? insert.onConflict((on) => on.columns(['trial_id', 'step']).doUpdateSet(changed))
        : insert.onDuplicateKeyUpdate(changed);
    }),
    setTrialUserAttr: upsertAttribute('trial_user_attributes'),
    setTrialSystemAttr: upsertAttribute('trial_system_attributes'),
    params: partOf('trial_params', ['trial_id', 'param_name', 'param_value', 'distribution_json'], 'param_id'),
    values: partOf('trial_values', ['trial_id', 'objective', 'value', 'value_type'], 'objective'),
    reports: partOf(
      'trial_intermediate_values',
      ['trial_id', 'step', 'intermediate_value', 'intermediate_value_type'],
      undefined,
    ),
    userAttrs: partOf('trial_user_attributes', ['trial_id', 'key', 'value_json'], undefined),
    systemAttrs: partOf('trial_system_attributes', ['trial_id', 'key', 'value_json'], undefined),
    deleteTrialParts: TRIAL_PART_TABLES.map((table) =>
      make((k) =>
        k
          .deleteFrom(table as 'trial_params')
          .where('trial_id', 'in', (e) =>
            e.selectFrom('trials').select('trial_id').where('study_id', '=', arg<number>(0)),
          ),
      ),
    ),
    deleteTrials: make((k) => k.deleteFrom('trials').where('study_id', '=', arg<number>(0))),
    maxTrialId: make((k) => k.selectFrom('trials').select((e) => e.fn.max('trial_id').as('id'))),
    tombstone: make((k) =>
      k.insertInto('trials').values({
        trial_id: arg(0),
        number: null,
        study_id: null,
        state: 'FAIL',
        datetime_start: null,
        datetime_complete: null,
      }),
    ),

    // processes
    registerProcess: make((k) => {
      const insert = k.insertInto('resweep_processes').values({
        process_id: arg(0),
        host: arg(1),
        boot_id: arg(2),
        pid: arg(3),
        start_time: arg(4),
        registered_at: arg(5),
        heartbeat_at: arg(5),
      });
      return facts.upsert === 'on-conflict'
        ? insert.onConflict((on) => on.column('process_id').doUpdateSet({ heartbeat_at: arg(5) }))
        : insert.onDuplicateKeyUpdate({ heartbeat_at: arg(5) });
    }),
    beat: make((k) =>
      k
        .updateTable('resweep_processes')
        .set({ heartbeat_at: arg(1) })
        .where('process_id', '=', arg<string>(0)),
    ),
    beatTrial: make((k) => {
      const insert = k.insertInto('trial_heartbeats').values({ trial_id: arg(0), heartbeat: arg(1) });
      return facts.upsert === 'on-conflict'
        ? insert.onConflict((on) => on.column('trial_id').doUpdateSet({ heartbeat: arg(1) }))
        : insert.onDuplicateKeyUpdate({ heartbeat: arg(1) });
    }),
    removeProcess: make((k) => k.deleteFrom('resweep_processes').where('process_id', '=', arg<string>(0))),
    removeOwnedBy: make((k) => k.deleteFrom('resweep_trial_owners').where('process_id', '=', arg<string>(0))),
    setOwner: make((k) => {
      const insert = k.insertInto('resweep_trial_owners').values({ trial_id: arg(0), process_id: arg(1) });
      return facts.upsert === 'on-conflict'
        ? insert.onConflict((on) => on.column('trial_id').doUpdateSet({ process_id: arg(1) }))
        : insert.onDuplicateKeyUpdate({ process_id: arg(1) });
    }),
    /** Trials that may run, with their owners, from after an id. */
    unfinishedWithOwners: make((k) =>
      k
        .selectFrom('trials as t')
        .leftJoin('resweep_trial_owners as o', 'o.trial_id', 't.trial_id')
        .leftJoin('resweep_processes as p', 'p.process_id', 'o.process_id')
        .leftJoin('trial_heartbeats as h', 'h.trial_id', 't.trial_id')
        .select([
          't.trial_id',
          't.state',
          'p.process_id',
          'p.host',
          'p.boot_id',
          'p.pid',
          'p.start_time',
          'p.registered_at',
          'p.heartbeat_at',
          'h.heartbeat',
        ])
        .where(studyOf('t.study_id'), '=', arg<number>(0))
        .where('t.trial_id', '>', arg<number>(1))
        .where('t.state', 'in', ['RUNNING', 'WAITING'])
        .orderBy('t.trial_id'),
    ),
    processes: make((k) => k.selectFrom('resweep_processes').selectAll().orderBy('process_id')),
    countRunning: make((k) =>
      k
        .selectFrom('trials')
        .select((e) => e.fn.countAll<number>().as('running'))
        .where('study_id', '=', arg<number>(0))
        .where('state', '=', 'RUNNING'),
    ),
    distributionTexts: make((k) =>
      k
        .selectFrom('trial_params as p')
        .innerJoin('trials as t', 't.trial_id', 'p.trial_id')
        .select('p.distribution_json')
        .distinct()
        .where('t.study_id', '=', arg<number>(0))
        .where('p.param_name', '=', arg<string>(1)),
    ),
    replaceDistribution: make((k) =>
      k
        .updateTable('trial_params')
        .set({ distribution_json: arg(2) })
        .where('param_name', '=', arg<string>(1))
        .where('trial_id', 'in', (e) =>
          e.selectFrom('trials').select('trial_id').where('study_id', '=', arg<number>(0)),
        ),
    ),
    // writers: which transaction of theirs was the last to be committed
    /** Enters a writer, or shuts out what its connection before this one may still be doing. */
    enterWriter: make((k) => {
      const insert = k
        .insertInto('resweep_writers')
        .values({ writer_id: arg(0), epoch: 1, sequence: 0, trial_id: null, trial_sequence: null });
      return facts.upsert === 'on-conflict'
        ? insert.onConflict((on) =>
            on.column('writer_id').doUpdateSet((e) => ({ epoch: e('resweep_writers.epoch', '+', 1) })),
          )
        : insert.onDuplicateKeyUpdate((e) => ({ epoch: e('epoch', '+', 1) }));
    }),
    writer: make((k) =>
      k.selectFrom('resweep_writers').select(['epoch', 'sequence']).where('writer_id', '=', arg<string>(0)),
    ),
    /** Takes the next number; fails (no number is NULL) on a connection that was shut out. */
    takeSequence: make((k) =>
      k
        .updateTable('resweep_writers')
        .set((e) => ({
          sequence: e
            .case()
            .when('epoch', '=', arg<number>(1))
            // The column tells the type of what is added to it.
            .then(sql<number>`0 * sequence + ${arg(2)}`)
            .end() as never,
        }))
        .where('writer_id', '=', arg<string>(0)),
    ),
    removeWriter: make((k) => k.deleteFrom('resweep_writers').where('writer_id', '=', arg<string>(0))),
    // leases
    lease: make((k) => {
      const query = k.selectFrom('resweep_leases').select(['holder', 'beat']).where('name', '=', arg<string>(0));
      return facts.locksRows ? query.forUpdate() : query;
    }),
    insertLease: make((k) => k.insertInto('resweep_leases').values({ name: arg(0), holder: arg(1), beat: 1 })),
    setLease: make((k) =>
      k
        .updateTable('resweep_leases')
        .set((e) => ({ holder: arg<string>(1), beat: e('beat', '+', 1) }))
        .where('name', '=', arg<string>(0)),
    ),
    removeLease: make((k) =>
      k.deleteFrom('resweep_leases').where('name', '=', arg<string>(0)).where('holder', '=', arg<string>(1)),
    ),
    counter: make((k) => k.selectFrom('resweep_counters').select('value').where('name', '=', arg<string>(0))),
    setCounter: make((k) => {
      const insert = k.insertInto('resweep_counters').values({ name: arg(0), value: arg(1) });
      return facts.upsert === 'on-conflict'
        ? insert.onConflict((on) => on.column('name').doUpdateSet({ value: arg(1) }))
        : insert.onDuplicateKeyUpdate({ value: arg(1) });
    }),
  };
}
