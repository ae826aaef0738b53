import type * as Core from '@tensorflow/tfjs-core';

import type { WasmBackend } from './wasm-backend.js';

/**
 * Matrix products with a transposed operand, of which every gradient of a dense layer has two, take a plain loop on wasm, several
 * times slower than the vectorised product of untransposed operands: so the operand is transposed first.
 */
export function registerMatrixProduct(tf: typeof Core): void {
  const original = tf.getKernel('BatchMatMul', 'wasm');
  tf.unregisterKernel('BatchMatMul', 'wasm');
  tf.registerKernel({
    ...original,
    kernelFunc: (call) => {
      const { a, b } = call.inputs;
      const { transposeA, transposeB } = call.attrs as { transposeA?: boolean; transposeB?: boolean };
      const isPlain = transposeA !== true && transposeB !== true;
      if (isPlain || a === undefined || b === undefined || !isSingleMatrix(a) || !isSingleMatrix(b))
        return original.kernelFunc(call);
      const backend = call.backend as unknown as WasmBackend;
      const multiply = (x: Core.TensorInfo, y: Core.TensorInfo): Core.TensorInfo => {
        const product = original.kernelFunc({
          ...call,
          inputs: { a: x, b: y },
          attrs: { transposeA: false, transposeB: false },
        });
        return Array.isArray(product) ? (product[0] ?? x) : product;
      };
      if (transposeA !== true && isCheaperTurned(a, b)) {
        // A·Bᵀ = (B·Aᵀ)ᵀ: with few rows in A (a batch) this spares transposing a large B (weights).
        const turnedLeft = transposed(backend, a);
        const turned = multiply(b, turnedLeft);
        backend.disposeData(turnedLeft.dataId);
        const result = transposed(backend, turned);
        backend.disposeData(turned.dataId);
        return result;
      }
      const left = transposeA === true ? transposed(backend, a) : a;
      const right = transposeB === true ? transposed(backend, b) : b;
      const result = multiply(left, right);
      if (left !== a) backend.disposeData(left.dataId);
      if (right !== b) backend.disposeData(right.dataId);
      return result;
    },
  });
}

/** Whether A (m×k) and the product (m×n) are together less to transpose than B (n×k), whose packing counts as much again. */
function isCheaperTurned(a: Core.TensorInfo, b: Core.TensorInfo): boolean {
  const [m = 0, k = 0] = a.shape.slice(-2);
  const n = b.shape.at(-2) ?? 0;
  return a.shape.length === b.shape.length && m * (k + n) < 2 * n * k;
}

function isSingleMatrix(tensor: Core.TensorInfo): boolean {
  const { dtype, shape } = tensor;
  return dtype === 'float32' && (shape.length === 2 || (shape.length === 3 && shape[0] === 1));
}

/** A new matrix with rows and columns exchanged, which the caller disposes. */
function transposed(backend: WasmBackend, matrix: Core.TensorInfo): Core.TensorInfo {
  const [rows = 0, columns = 0] = matrix.shape.slice(-2);
  const output = backend.makeOutput([...matrix.shape.slice(0, -2), columns, rows], 'float32');
  // Views come after the allocation, which may move the heap.
  const from = backend.typedArrayFromHeap(matrix);
  const to = backend.typedArrayFromHeap(output);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) to[column * rows + row] = from[at] ?? 0;
  }
  return output;
}
