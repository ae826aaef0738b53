import type * as Core from '@tensorflow/tfjs-core';

import { inputOf, register, runKernel, type KernelCall, type WasmBackend } from './wasm-backend.js';

type ConvInfo = Core.backend_util.Conv2DInfo;

/** Most values of the unfolded images at once: 16 MB. */
const MOST_VALUES = 2 ** 22;

/**
 * Slopes of a convolution by its filter and by its input, as matrix products: the images are unfolded (im2col; Chellapilla et al.
 * 2006) into a matrix with a row per value of the filter and a column per place of the output. By the filter: that matrix times the
 * slopes of the output; by the input: filter times the slopes, folded back. wasm lacks the first, and computes the second by a loop.
 */
export function registerConvolutionGradients(tf: typeof Core): void {
  register(tf, 'Conv2DBackpropFilter', (call) => filterSlopes(tf, call));
  const original = tf.getKernel('Conv2DBackpropInput', 'wasm');
  register(tf, 'Conv2DBackpropInput', (call) => inputSlopes(tf, call, original));
}

interface ConvAttributes {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | Core.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly filterShape: [number, number, number, number];
  readonly inputShape: [number, number, number, number];
}

function filterSlopes(tf: typeof Core, call: KernelCall): Core.TensorInfo {
  const { backend } = call;
  const [x, dy] = [inputOf(call, 'x'), inputOf(call, 'dy')];
  const attrs = call.attrs as unknown as ConvAttributes;
  const info = infoOf(tf, x.shape as ConvAttributes['inputShape'], attrs.filterShape, attrs);
  const { filterHeight, filterWidth, inChannels, outChannels, batchSize, outHeight, outWidth } = info;
  const taps = filterHeight * filterWidth * inChannels;
  const places = outHeight * outWidth;
  const atOnce = Math.max(1, Math.min(batchSize, Math.floor(MOST_VALUES / (taps * places))));
  const sums = new Float32Array(taps * outChannels);
  for (let first = 0; first < batchSize; first += atOnce) {
    const images = Math.min(atOnce, batchSize - first);
    const unfolded = backend.makeOutput([1, taps, images * places], 'float32');
    const slopes = backend.makeOutput([1, images * places, outChannels], 'float32');
    const from = backend.typedArrayFromHeap(dy);
    backend
      .typedArrayFromHeap(slopes)
      .set(from.subarray(first * places * outChannels, (first + images) * places * outChannels));
    unfold(backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(unfolded), info, first, images);
    const product = multiply(tf, backend, unfolded, slopes);
    const part = backend.typedArrayFromHeap(product);
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (part[i] ?? 0);
    for (const tensor of [unfolded, slopes, product]) backend.disposeData(tensor.dataId);
  }
  const output = backend.makeOutput([...info.filterShape], 'float32');
  backend.typedArrayFromHeap(output).set(sums);
  return output;
}

function inputSlopes(tf: typeof Core, call: KernelCall, original: Core.KernelConfig): Core.TensorInfo {
  const { backend } = call;
  const [dy, filter] = [inputOf(call, 'dy'), inputOf(call, 'filter')];
  const attrs = call.attrs as unknown as ConvAttributes;
  if (attrs.dataFormat !== 'NHWC') return original.kernelFunc(call) as Core.TensorInfo;
  const info = infoOf(tf, attrs.inputShape, filter.shape as ConvAttributes['filterShape'], attrs);
  const { filterHeight, filterWidth, inChannels, outChannels, batchSize, outHeight, outWidth } = info;
  const taps = filterHeight * filterWidth * inChannels;
  const places = outHeight * outWidth;
  const output = backend.makeOutput([...info.inShape], 'float32');
  backend.typedArrayFromHeap(output).fill(0);
  const atOnce = Math.max(1, Math.min(batchSize, Math.floor(MOST_VALUES / (taps * places))));
  const turned = turnedFilter(backend, filter, taps, outChannels);
  for (let first = 0; first < batchSize; first += atOnce) {
    const images = Math.min(atOnce, batchSize - first);
    const slopes = backend.makeOutput([1, images * places, outChannels], 'float32');
    const from = backend.typedArrayFromHeap(dy);
    backend
      .typedArrayFromHeap(slopes)
      .set(from.subarray(first * places * outChannels, (first + images) * places * outChannels));
    const product = multiply(tf, backend, slopes, turned);
    fold(backend.typedArrayFromHeap(product), backend.typedArrayFromHeap(output), info, first, images);
    for (const tensor of [slopes, product]) backend.disposeData(tensor.dataId);
  }
  backend.disposeData(turned.dataId);
  return output;
}

function infoOf(
  tf: typeof Core,
  inputShape: ConvAttributes['inputShape'],
  filterShape: ConvAttributes['filterShape'],
  { strides, pad, dimRoundingMode, dataFormat }: ConvAttributes,
): ConvInfo {
  if (dataFormat !== 'NHWC')
    throw new Error(`Slopes of a convolution of ${dataFormat} images cannot be computed on wasm.`);
  return tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode);
}

function multiply(tf: typeof Core, backend: WasmBackend, a: Core.TensorInfo, b: Core.TensorInfo): Core.TensorInfo {
  return runKernel(tf, 'BatchMatMul', backend, { a, b }, { transposeA: false, transposeB: false });
}

/** Filter (taps × outputs) turned to outputs × taps. */
function turnedFilter(backend: WasmBackend, filter: Core.TensorInfo, taps: number, outputs: number): Core.TensorInfo {
  const turned = backend.makeOutput([1, outputs, taps], 'float32');
  const from = backend.typedArrayFromHeap(filter);
  const to = backend.typedArrayFromHeap(turned);
  for (let tap = 0, at = 0; tap < taps; tap++) {
    for (let output = 0; output < outputs; output++, at++) to[output * taps + tap] = from[at] ?? 0;
  }
  return turned;
}

/** Images → taps × places: for every value of the filter, what it meets at every place of the output; 0 outside of the image. */
function unfold(images: Float32Array, into: Float32Array, info: ConvInfo, first: number, count: number): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth, padInfo } = info;
  let at = 0;
  for (let i = 0; i < info.filterHeight; i++) {
    for (let j = 0; j < info.filterWidth; j++) {
      for (let channel = 0; channel < inChannels; channel++) {
        for (let image = first; image < first + count; image++) {
          for (let row = 0; row < outHeight; row++) {
            const y = row * strideHeight + i - padInfo.top;
            const isInside = y >= 0 && y < inHeight;
            const start = ((image * inHeight + y) * inWidth + j - padInfo.left) * inChannels + channel;
            for (let column = 0, x = j - padInfo.left; column < outWidth; column++, x += strideWidth) {
              into[at++] =
                isInside && x >= 0 && x < inWidth ? (images[start + column * strideWidth * inChannels] ?? 0) : 0;
            }
          }
        }
      }
    }
  }
}

/** Places × taps, added up into the pixels that each tap meets. */
function fold(from: Float32Array, images: Float32Array, info: ConvInfo, first: number, count: number): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth, padInfo } = info;
  let at = 0;
  for (let image = first; image < first + count; image++) {
    for (let row = 0; row < outHeight; row++) {
      for (let column = 0; column < outWidth; column++) {
        for (let i = 0; i < info.filterHeight; i++) {
          const y = row * strideHeight + i - padInfo.top;
          for (let j = 0; j < info.filterWidth; j++) {
            const x = column * strideWidth + j - padInfo.left;
            if (y < 0 || y >= inHeight || x < 0 || x >= inWidth) {
              at += inChannels;
              continue;
            }
            const start = ((image * inHeight + y) * inWidth + x) * inChannels;
            for (let channel = 0; channel < inChannels; channel++, at++)
              images[start + channel] = (images[start + channel] ?? 0) + (from[at] ?? 0);
          }
        }
      }
    }
  }
}
