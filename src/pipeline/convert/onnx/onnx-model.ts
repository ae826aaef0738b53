import protobuf from 'protobufjs';

/*
 * ONNX models as messages. Field numbers are those of `onnx.proto3` of the ONNX project (IR version 8, operator set 17); fields
 * that are never written here are left out.
 */
const SCHEMA = `
syntax = "proto3";
package onnx;
message AttributeProto {
  string name = 1; float f = 2; int64 i = 3; bytes s = 4; repeated float floats = 7; repeated int64 ints = 8;
  repeated bytes strings = 9; int32 type = 20;
}
message ValueInfoProto { string name = 1; TypeProto type = 2; }
message NodeProto {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; repeated AttributeProto attribute = 5;
}
message ModelProto {
  int64 ir_version = 1; string producer_name = 2; string producer_version = 3; GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8; repeated StringStringEntryProto metadata_props = 14;
}
message StringStringEntryProto { string key = 1; string value = 2; }
message GraphProto {
  repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5; repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
}
message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message TensorShapeProto {
  message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
  repeated Dimension dim = 1;
}
message TypeProto {
  message Tensor { int32 elem_type = 1; TensorShapeProto shape = 2; }
  oneof value { Tensor tensor_type = 1; }
}
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
`;

const IR_VERSION = 8;
const OPERATOR_SET = 17;

/** Codes of `TensorProto.DataType`. */
export const ONNX_TYPE = { float: 1, int32: 6, int64: 7 } as const;
export type OnnxType = keyof typeof ONNX_TYPE;

/** Codes of `AttributeProto.AttributeType`. */
const ATTRIBUTE = { float: 1, int: 2, string: 3, floats: 6, ints: 7, strings: 8 } as const;

/** Value of an attribute: a whole number is an int; a float is given as such. */
export type AttributeValue = number | string | readonly number[] | readonly string[] | { readonly float: number };

export interface OnnxNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>> | undefined;
}

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** An input or output; a size given as text is free. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** The bytes of a model file. */
export function encodeOnnx(
  graph: OnnxGraph,
  producer: { readonly name: string; readonly version: string },
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const model = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('onnx.ModelProto');
  const message = model.fromObject({
    ir_version: IR_VERSION,
    producer_name: producer.name,
    producer_version: producer.version,
    opset_import: [{ domain: '', version: OPERATOR_SET }],
    metadata_props: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: graph.name,
      node: graph.nodes.map(({ op, name, inputs, outputs, attributes = {} }) => ({
        op_type: op,
        name,
        input: inputs,
        output: outputs,
        attribute: Object.entries(attributes).map(([key, value]) => attributeOf(key, value)),
      })),
      initializer: graph.initializers.map(({ name, shape, data }) => ({
        name,
        dims: shape,
        data_type: data instanceof Float32Array ? ONNX_TYPE.float : ONNX_TYPE.int64,
        raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      })),
      input: graph.inputs.map(valueOf),
      output: graph.outputs.map(valueOf),
    },
  });
  return model.encode(message).finish();
}

function attributeOf(name: string, value: AttributeValue): object {
  const bytes = (text: string): Uint8Array => Buffer.from(text);
  if (typeof value === 'number') return { name, i: value, type: ATTRIBUTE.int };
  if (typeof value === 'string') return { name, s: bytes(value), type: ATTRIBUTE.string };
  if ('float' in value) return { name, f: value.float, type: ATTRIBUTE.float };
  return value.every((item) => typeof item === 'string')
    ? { name, strings: value.map(bytes), type: ATTRIBUTE.strings }
    : { name, ints: value, type: ATTRIBUTE.ints };
}

function valueOf({ name, type, shape }: OnnxValue): object {
  const dim = shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: ONNX_TYPE[type], shape: { dim } } } };
}
