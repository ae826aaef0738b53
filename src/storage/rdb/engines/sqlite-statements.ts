import { arg, statement } from '../statement.js';
import type { Statements } from '../statements.js';

/* Made from ../statements.ts by `npx vitest run test/storage/sqlite-statements.test.ts -u`; not to be edited. */

/** Every statement of the storage, for SQLite. */
export const SQLITE_STATEMENTS: Statements = {
  studyByName: statement('select * from "studies" where "study_name" = ?', arg(0)),
  studyById: statement('select * from "studies" where "study_id" = ?', arg(0)),
  lockStudy: undefined,
  allStudies: statement('select * from "studies" order by "study_id"'),
  insertStudy: statement('insert into "studies" ("study_name") values (?)', arg(0)),
  insertStudyWithId: statement('insert into "studies" ("study_id", "study_name") values (?, ?)', arg(0), arg(1)),
  maxStudyId: statement('select max("study_id") as "id" from "studies"'),
  deleteStudy: statement('delete from "studies" where "study_id" = ?', arg(0)),
  insertDirection: statement(
    'insert into "study_directions" ("study_id", "direction", "objective") values (?, ?, ?)',
    arg(0),
    arg(1),
    arg(2),
  ),
  directionsOf: statement(
    'select "direction" from "study_directions" where "study_id" = ? order by "objective"',
    arg(0),
  ),
  deleteDirections: statement('delete from "study_directions" where "study_id" = ?', arg(0)),
  studyUserAttrs: statement('select "key", "value_json" from "study_user_attributes" where "study_id" = ?', arg(0)),
  studySystemAttrs: statement('select "key", "value_json" from "study_system_attributes" where "study_id" = ?', arg(0)),
  setStudyUserAttr: statement(
    'insert into "study_user_attributes" ("study_id", "key", "value_json") values (?, ?, ?) on conflict ("study_id", "key") do update set "value_json" = ?',
    arg(0),
    arg(1),
    arg(2),
    arg(2),
  ),
  setStudySystemAttr: statement(
    'insert into "study_system_attributes" ("study_id", "key", "value_json") values (?, ?, ?) on conflict ("study_id", "key") do update set "value_json" = ?',
    arg(0),
    arg(1),
    arg(2),
    arg(2),
  ),
  deleteStudyUserAttrs: statement('delete from "study_user_attributes" where "study_id" = ?', arg(0)),
  deleteStudySystemAttrs: statement('delete from "study_system_attributes" where "study_id" = ?', arg(0)),
  lastNumber: statement(
    'select "number" from "trials" where "study_id" = ? order by "trial_id" desc limit ?',
    arg(0),
    1,
  ),
  countSuperseded: statement(
    'select count(distinct "t"."trial_id") as "superseded" from "trial_system_attributes" as "a" inner join "trials" as "t" on "t"."trial_id" = "a"."trial_id" where "t"."study_id" = ? and ("a"."key" = ? or ("a"."key" = ? and "t"."state" = ?))',
    arg(0),
    'resweep:retried',
    'resweep:interrupted',
    'FAIL',
  ),
  insertTrial: statement(
    'insert into "trials" ("number", "study_id", "state", "datetime_start", "datetime_complete") values (?, ?, ?, ?, ?)',
    arg(0),
    arg(1),
    arg(2),
    arg(3),
    arg(4),
  ),
  firstWaiting: statement(
    'select "trial_id" from "trials" where "study_id" = ? and "state" = ? and "trial_id" > ? order by "trial_id" limit ?',
    arg(0),
    'WAITING',
    arg(1),
    1,
  ),
  claim: statement(
    'update "trials" set "state" = ?, "datetime_start" = ? where "trial_id" = ? and "state" = ?',
    'RUNNING',
    arg(1),
    arg(0),
    'WAITING',
  ),
  setState: statement(
    'update "trials" set "state" = ?, "datetime_complete" = ? where "trial_id" = ? and "state" in (?, ?)',
    arg(1),
    arg(2),
    arg(0),
    'RUNNING',
    'WAITING',
  ),
  stateOf: statement('select "state" from "trials" where "trial_id" = ?', arg(0)),
  trialById: statement(
    'select "trial_id", "number", "state", "datetime_start", "datetime_complete" from "trials" where "trial_id" = ?',
    arg(0),
  ),
  trialsAfter: statement(
    'select "trial_id", "number", "state", "datetime_start", "datetime_complete" from "trials" where "study_id" = ? and "trial_id" > ? order by "trial_id"',
    arg(0),
    arg(1),
  ),
  lastReport: statement(
    'select "intermediate_value", "intermediate_value_type" from "trial_intermediate_values" where "trial_id" = ? order by "step" desc limit ?',
    arg(0),
    1,
  ),
  insertParam: statement(
    'insert into "trial_params" ("trial_id", "param_name", "param_value", "distribution_json") values (?, ?, ?, ?) on conflict ("trial_id", "param_name") do nothing',
    arg(0),
    arg(1),
    arg(2),
    arg(3),
  ),
  setValue: statement(
    'insert into "trial_values" ("trial_id", "objective", "value", "value_type") values (?, ?, ?, ?) on conflict ("trial_id", "objective") do update set "value" = ?, "value_type" = ?',
    arg(0),
    arg(1),
    arg(2),
    arg(3),
    arg(2),
    arg(3),
  ),
  setReport: statement(
    'insert into "trial_intermediate_values" ("trial_id", "step", "intermediate_value", "intermediate_value_type") values (?, ?, ?, ?) on conflict ("trial_id", "step") do update set "intermediate_value" = ?, "intermediate_value_type" = ?',
    arg(0),
    arg(1),
    arg(2),
    arg(3),
    arg(2),
    arg(3),
  ),
  setTrialUserAttr: statement(
    'insert into "trial_user_attributes" ("trial_id", "key", "value_json") values (?, ?, ?) on conflict ("trial_id", "key") do update set "value_json" = ?',
    arg(0),
    arg(1),
    arg(2),
    arg(2),
  ),
  setTrialSystemAttr: statement(
    'insert into "trial_system_attributes" ("trial_id", "key", "value_json") values (?, ?, ?) on conflict ("trial_id", "key") do update set "value_json" = ?',
    arg(0),
    arg(1),
    arg(2),
    arg(2),
  ),
  params: {
    ofTrial: statement(
      'select "trial_params"."trial_id", "trial_params"."param_name", "trial_params"."param_value", "trial_params"."distribution_json" from "trial_params" where "trial_id" = ? order by "trial_params"."param_id"',
      arg(0),
    ),
    after: statement(
      'select "trial_params"."trial_id", "trial_params"."param_name", "trial_params"."param_value", "trial_params"."distribution_json" from "trial_params" inner join "trials" on "trials"."trial_id" = "trial_params"."trial_id" where "trials"."study_id" = ? and "trials"."trial_id" > ? order by "trials"."trial_id", "trial_params"."param_id"',
      arg(0),
      arg(1),
    ),
  },
  values: {
    ofTrial: statement(
      'select "trial_values"."trial_id", "trial_values"."objective", "trial_values"."value", "trial_values"."value_type" from "trial_values" where "trial_id" = ? order by "trial_values"."objective"',
      arg(0),
    ),
    after: statement(
      'select "trial_values"."trial_id", "trial_values"."objective", "trial_values"."value", "trial_values"."value_type" from "trial_values" inner join "trials" on "trials"."trial_id" = "trial_values"."trial_id" where "trials"."study_id" = ? and "trials"."trial_id" > ? order by "trials"."trial_id", "trial_values"."objective"',
      arg(0),
      arg(1),
    ),
  },
  reports: {
    ofTrial: statement(
      'select "trial_intermediate_values"."trial_id", "trial_intermediate_values"."step", "trial_intermediate_values"."intermediate_value", "trial_intermediate_values"."intermediate_value_type" from "trial_intermediate_values" where "trial_id" = ?',
      arg(0),
    ),
    after: statement(
      'select "trial_intermediate_values"."trial_id", "trial_intermediate_values"."step", "trial_intermediate_values"."intermediate_value", "trial_intermediate_values"."intermediate_value_type" from "trial_intermediate_values" inner join "trials" on "trials"."trial_id" = "trial_intermediate_values"."trial_id" where "trials"."study_id" = ? and "trials"."trial_id" > ? order by "trials"."trial_id"',
      arg(0),
      arg(1),
    ),
  },
  userAttrs: {
    ofTrial: statement(
      'select "trial_user_attributes"."trial_id", "trial_user_attributes"."key", "trial_user_attributes"."value_json" from "trial_user_attributes" where "trial_id" = ?',
      arg(0),
    ),
    after: statement(
      'select "trial_user_attributes"."trial_id", "trial_user_attributes"."key", "trial_user_attributes"."value_json" from "trial_user_attributes" inner join "trials" on "trials"."trial_id" = "trial_user_attributes"."trial_id" where "trials"."study_id" = ? and "trials"."trial_id" > ? order by "trials"."trial_id"',
      arg(0),
      arg(1),
    ),
  },
  systemAttrs: {
    ofTrial: statement(
      'select "trial_system_attributes"."trial_id", "trial_system_attributes"."key", "trial_system_attributes"."value_json" from "trial_system_attributes" where "trial_id" = ?',
      arg(0),
    ),
    after: statement(
      'select "trial_system_attributes"."trial_id", "trial_system_attributes"."key", "trial_system_attributes"."value_json" from "trial_system_attributes" inner join "trials" on "trials"."trial_id" = "trial_system_attributes"."trial_id" where "trials"."study_id" = ? and "trials"."trial_id" > ? order by "trials"."trial_id"',
      arg(0),
      arg(1),
    ),
  },
  deleteTrialParts: [
    statement(
      'delete from "trial_user_attributes" where "trial_id" in (select "trial_id" from "trials" where "study_id" = ?)',
      arg(0),
    ),
    statement(
      'delete from "trial_system_attributes" where "trial_id" in (select "trial_id" from "trials" where "study_id" = ?)',
      arg(0),
    ),
    statement(
      'delete from "trial_params" where "trial_id" in (select "trial_id" from "trials" where "study_id" = ?)',
      arg(0),
    ),
    statement(
      'delete from "trial_values" where "trial_id" in (select "trial_id" from "trials" where "study_id" = ?)',
      arg(0),
    ),
    statement(
      'delete from "trial_intermediate_values" where "trial_id" in (select "trial_id" from "trials" where "study_id" = ?)',
      arg(0),
    ),
    statement(
      'delete from "trial_heartbeats" where "trial_id" in (select "trial_id" from "trials" where "study_id" = ?)',
      arg(0),
    ),
    statement(
      'delete from "resweep_trial_owners" where "trial_id" in (select "trial_id" from "trials" where "study_id" = ?)',
      arg(0),
    ),
  ],
  deleteTrials: statement('delete from "trials" where "study_id" = ?', arg(0)),
  maxTrialId: statement('select max("trial_id") as "id" from "trials"'),
  tombstone: statement(
    'insert into "trials" ("trial_id", "number", "study_id", "state", "datetime_start", "datetime_complete") values (?, ?, ?, ?, ?, ?)',
    arg(0),
    null,
    null,
    'FAIL',
    null,
    null,
  ),
  registerProcess: statement(
    'insert into "resweep_processes" ("process_id", "host", "boot_id", "pid", "start_time", "registered_at", "heartbeat_at") values (?, ?, ?, ?, ?, ?, ?) on conflict ("process_id") do update set "heartbeat_at" = ?',
    arg(0),
    arg(1),
    arg(2),
    arg(3),
    arg(4),
    arg(5),
    arg(5),
    arg(5),
  ),
  beat: statement('update "resweep_processes" set "heartbeat_at" = ? where "process_id" = ?', arg(1), arg(0)),
  beatTrial: statement(
    'insert into "trial_heartbeats" ("trial_id", "heartbeat") values (?, ?) on conflict ("trial_id") do update set "heartbeat" = ?',
    arg(0),
    arg(1),
    arg(1),
  ),
  removeProcess: statement('delete from "resweep_processes" where "process_id" = ?', arg(0)),
  removeOwnedBy: statement('delete from "resweep_trial_owners" where "process_id" = ?', arg(0)),
  setOwner: statement(
    'insert into "resweep_trial_owners" ("trial_id", "process_id") values (?, ?) on conflict ("trial_id") do update set "process_id" = ?',
    arg(0),
    arg(1),
    arg(1),
  ),
  runningWithOwners: statement(
    'select "t"."trial_id", "p"."process_id", "p"."host", "p"."boot_id", "p"."pid", "p"."start_time", "p"."registered_at", "p"."heartbeat_at", "h"."heartbeat" from "trials" as "t" left join "resweep_trial_owners" as "o" on "o"."trial_id" = "t"."trial_id" left join "resweep_processes" as "p" on "p"."process_id" = "o"."process_id" left join "trial_heartbeats" as "h" on "h"."trial_id" = "t"."trial_id" where "t"."study_id" = ? and "t"."state" = ? order by "t"."trial_id"',
    arg(0),
    'RUNNING',
  ),
  processes: statement('select * from "resweep_processes" order by "process_id"'),
  countRunning: statement(
    'select count(*) as "running" from "trials" where "study_id" = ? and "state" = ?',
    arg(0),
    'RUNNING',
  ),
  distributionTexts: statement(
    'select distinct "p"."distribution_json" from "trial_params" as "p" inner join "trials" as "t" on "t"."trial_id" = "p"."trial_id" where "t"."study_id" = ? and "p"."param_name" = ?',
    arg(0),
    arg(1),
  ),
  replaceDistribution: statement(
    'update "trial_params" set "distribution_json" = ? where "param_name" = ? and "trial_id" in (select "trial_id" from "trials" where "study_id" = ?)',
    arg(2),
    arg(1),
    arg(0),
  ),
  counter: statement('select "value" from "resweep_counters" where "name" = ?', arg(0)),
  setCounter: statement(
    'insert into "resweep_counters" ("name", "value") values (?, ?) on conflict ("name") do update set "value" = ?',
    arg(0),
    arg(1),
    arg(1),
  ),
};
