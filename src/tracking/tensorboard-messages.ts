import protobuf from 'protobufjs';

import type { Distribution, ParamValue } from '../core/distributions.js';
import type { TrackedState, TrackedStudy, TrackedTrial } from './tracker.js';

/** The parts of TensorFlow's event.proto and of the HParams plugin's messages that are written here. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Event {
    double wall_time = 1;
    int64 step = 2;
    oneof what { string file_version = 3; Summary summary = 5; }
  }
  message Summary { repeated SummaryValue value = 1; }
  message SummaryValue {
    string tag = 1;
    oneof value { float simple_value = 2; Tensor tensor = 8; }
    Metadata metadata = 9;
  }
  message Metadata { PluginData plugin_data = 1; string display_name = 2; string summary_description = 3; int32 data_class = 4; }
  message PluginData { string plugin_name = 1; bytes content = 2; }
  message Tensor { int32 dtype = 1; Shape tensor_shape = 2; }
  message Shape { repeated Dim dim = 2; }
  message Dim { int64 size = 1; }

  message HParams {
    int32 version = 1;
    oneof data { Experiment experiment = 2; SessionStart session_start_info = 3; SessionEnd session_end_info = 4; }
  }
  message Experiment {
    string description = 1;
    double time_created_secs = 3;
    repeated HParamInfo hparam_infos = 4;
    repeated MetricInfo metric_infos = 5;
    string name = 6;
  }
  message HParamInfo {
    string name = 1;
    int32 type = 4;
    oneof domain { ListValue domain_discrete = 5; Interval domain_interval = 6; }
  }
  message Interval { double min_value = 1; double max_value = 2; }
  message MetricName { string group = 1; string tag = 2; }
  message MetricInfo { MetricName name = 1; string display_name = 3; string description = 4; }
  message SessionStart { map<string, Value> hparams = 1; string group_name = 4; double start_time_secs = 5; }
  message SessionEnd { int32 status = 1; double end_time_secs = 2; }
  message Value { oneof kind { int32 null_value = 1; double number_value = 2; string string_value = 3; bool bool_value = 4; } }
  message ListValue { repeated Value values = 1; }
`);
const eventType = root.lookupType('Event');
const hparamsType = root.lookupType('HParams');

const EXPERIMENT_TAG = '_hparams_/experiment';
const START_TAG = '_hparams_/session_start_info';
/** Stands in the file of every trial that is there whole. */
export const END_TAG = '_hparams_/session_end_info';

const DATA_TYPE = { string: 1, boolean: 2, number: 3 } as const;
const STATUS: Readonly<Record<TrackedState, number>> = {
  complete: 1,
  pruned: 1,
  failed: 2,
  interrupted: 2,
  running: 3,
};
/** An empty tensor of floats: what the plugin itself writes beside its metadata. */
const EMPTY_TENSOR = { dtype: 1, tensorShape: { dim: [{ size: 0 }] } };

function encode(event: object): Uint8Array {
  return eventType.encode(eventType.create(event)).finish();
}

/** First event of every file. */
export function fileVersionEvent(at: number): Uint8Array {
  return encode({ wallTime: at / 1000, fileVersion: 'brain.Event:2' });
}

/** A number at a step. */
export function scalarEvent(tag: string, value: number, step: number, at: number): Uint8Array {
  const pluginData = { pluginName: 'scalars' };
  return encode({
    wallTime: at / 1000,
    step,
    summary: { value: [{ tag, simpleValue: value, metadata: { pluginData, dataClass: 1 } }] },
  });
}

function hparamsEvent(tag: string, data: object, at: number): Uint8Array {
  const content = hparamsType.encode(hparamsType.create({ version: 0, ...data })).finish();
  const metadata = { pluginData: { pluginName: 'hparams', content } };
  return encode({ wallTime: at / 1000, summary: { value: [{ tag, tensor: EMPTY_TENSOR, metadata }] } });
}

/** The sweep: its parameters with their ranges, and its metrics. */
export function experimentEvent(study: TrackedStudy): Uint8Array {
  const experiment = {
    name: study.name,
    description: `study-${study.study8}`,
    timeCreatedSecs: study.startedAt / 1000,
    hparamInfos: Object.entries(study.space).map(([name, distribution]) => ({ name, ...domainOf(distribution) })),
    metricInfos: study.metrics.map(({ name, direction }) => ({
      name: { group: '', tag: name },
      displayName: name,
      description: direction,
    })),
  };
  return hparamsEvent(EXPERIMENT_TAG, { experiment }, study.startedAt);
}

function domainOf(distribution: Distribution): object {
  if (distribution.kind !== 'categorical') {
    const { low, high } = distribution;
    return { type: DATA_TYPE.number, domainInterval: { minValue: low, maxValue: high } };
  }
  const { choices } = distribution;
  const kinds = new Set(choices.map((choice) => typeof choice));
  const [kind] = kinds;
  if (kinds.size === 1 && (kind === 'number' || kind === 'boolean' || kind === 'string')) {
    return { type: DATA_TYPE[kind], domainDiscrete: { values: choices.map(valueOf) } };
  }
  return { type: DATA_TYPE.string, domainDiscrete: { values: choices.map((c) => ({ stringValue: String(c) })) } };
}

function valueOf(value: ParamValue): object {
  if (typeof value === 'number') return { numberValue: value };
  return typeof value === 'boolean' ? { boolValue: value } : { stringValue: String(value) };
}

/** A trial begins, with its parameters. */
export function sessionStartEvent(trial: TrackedTrial, study: TrackedStudy): Uint8Array {
  const isMixed = (name: string): boolean => {
    const distribution = study.space[name];
    return distribution?.kind === 'categorical' && new Set(distribution.choices.map((c) => typeof c)).size > 1;
  };
  const hparams = Object.fromEntries(
    Object.entries(trial.params).map(([name, value]) => [name, valueOf(isMixed(name) ? String(value) : value)]),
  );
  const sessionStartInfo = {
    hparams,
    groupName: `trial-${String(trial.number).padStart(4, '0')}`,
    startTimeSecs: trial.startedAt / 1000,
  };
  return hparamsEvent(START_TAG, { sessionStartInfo }, trial.startedAt);
}

/** A trial has ended. */
export function sessionEndEvent(trial: TrackedTrial): Uint8Array {
  const at = trial.completedAt ?? trial.startedAt;
  return hparamsEvent(END_TAG, { sessionEndInfo: { status: STATUS[trial.state], endTimeSecs: at / 1000 } }, at);
}
