import type * as Core from '@tensorflow/tfjs-core';

/** What the wasm backend offers to kernels beyond the interface in the types of tfjs-core. */
export interface WasmBackend {
  makeOutput(shape: number[], dtype: Core.DataType): Core.TensorInfo;
  typedArrayFromHeap(tensor: Core.TensorInfo): Float32Array;
  disposeData(dataId: object): boolean;
}

/** What a kernel is called with. */
export interface KernelCall {
  readonly inputs: Core.NamedTensorInfoMap;
  readonly backend: WasmBackend;
  readonly attrs: Core.NamedAttrMap;
}

/** Runs a kernel that the wasm backend has, on tensors of kernels: the caller disposes the result. */
export function runKernel(
  tf: typeof Core,
  name: string,
  backend: WasmBackend,
  inputs: Core.NamedTensorInfoMap,
  attrs: Core.NamedAttrMap,
): Core.TensorInfo {
  const result = tf.getKernel(name, 'wasm').kernelFunc({ inputs, attrs, backend });
  const [first] = Array.isArray(result) ? result : [result];
  if (first === undefined) throw new Error(`The kernel ${name} gave nothing.`);
  return first;
}

/** An input that a kernel needs. */
export function inputOf({ inputs }: KernelCall, name: string): Core.TensorInfo {
  const input = inputs[name];
  if (input === undefined) throw new Error(`A kernel was called without ${name}.`);
  return input;
}

/** Registers a kernel for the wasm backend, in place of one that is there. */
export function register(tf: typeof Core, kernelName: string, kernel: (call: KernelCall) => Core.TensorInfo): void {
  if (tf.getKernelsForBackend('wasm').some((config) => config.kernelName === kernelName))
    tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: (call) => kernel(call as unknown as KernelCall) });
}
