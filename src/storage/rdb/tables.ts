import type { Generated } from 'kysely';

/** Rows of Optuna's tables, and of resweep's own, as Kysely sees them. */
export interface Tables {
  studies: { study_id: Generated<number>; study_name: string };
  study_directions: { study_id: number; direction: string; objective: number };
  study_user_attributes: { study_id: number; key: string; value_json: string };
  study_system_attributes: { study_id: number; key: string; value_json: string };
  trials: {
    trial_id: Generated<number>;
    number: number | null;
    study_id: number | null;
    state: string;
    datetime_start: string | null;
    datetime_complete: string | null;
  };
  trial_user_attributes: { trial_id: number; key: string; value_json: string };
  trial_system_attributes: { trial_id: number; key: string; value_json: string };
  trial_params: {
    param_id: Generated<number>;
    trial_id: number;
    param_name: string;
    param_value: number;
    distribution_json: string;
  };
  trial_values: { trial_id: number; objective: number; value: number | null; value_type: string };
  trial_intermediate_values: {
    trial_id: number;
    step: number;
    intermediate_value: number | null;
    intermediate_value_type: string;
  };
  trial_heartbeats: { trial_heartbeat_id: Generated<number>; trial_id: number; heartbeat: string };
  resweep_processes: {
    process_id: string;
    host: string;
    boot_id: string;
    pid: number;
    start_time: string;
    registered_at: string;
    heartbeat_at: string;
  };
  resweep_trial_owners: { trial_id: number; process_id: string };
  resweep_writers: {
    writer_id: string;
    epoch: number;
    sequence: number;
    trial_id: number | null;
    trial_sequence: number | null;
  };
  resweep_leases: { name: string; holder: string; beat: number };
  resweep_counters: { name: string; value: number };
}

/** Tables of trials' parts, each keyed by trial_id. */
export const TRIAL_PART_TABLES = [
  'trial_user_attributes',
  'trial_system_attributes',
  'trial_params',
  'trial_values',
  'trial_intermediate_values',
  'trial_heartbeats',
  'resweep_trial_owners',
] as const satisfies readonly (keyof Tables)[];
