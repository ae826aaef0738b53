import type * as Core from '@tensorflow/tfjs-core';

import { inputOf, register, type KernelCall } from './wasm-backend.js';

type ConvInfo = Core.backend_util.Conv2DInfo;

interface DepthwiseAttributes {
  readonly strides: [number, number] | number;
  readonly dilations?: [number, number] | number;
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly filterShape: [number, number, number, number];
  readonly inputShape: [number, number, number, number];
}

/**
 * Slopes of a depthwise convolution by its filter and by its input, which wasm lacks. Each value of the filter meets each pixel of
 * its channel once: one pass over places and taps, channels innermost, on the backend's own memory.
 */
export function registerDepthwiseGradients(tf: typeof Core): void {
  register(tf, 'DepthwiseConv2dNativeBackpropFilter', (call) => {
    const attrs = call.attrs as unknown as DepthwiseAttributes;
    const [x, dy] = [inputOf(call, 'x'), inputOf(call, 'dy')];
    const info = infoOf(tf, x.shape as DepthwiseAttributes['inputShape'], attrs.filterShape, attrs);
    const output = call.backend.makeOutput([...attrs.filterShape], 'float32');
    const [images, slopes, into] = heapsOf(call, x, dy, output);
    into.fill(0);
    visit(info, (pixel, tap, place, channels, multiplier) => {
      for (let channel = 0, at = 0; channel < channels; channel++) {
        const value = images[pixel + channel] ?? 0;
        for (let m = 0; m < multiplier; m++, at++)
          into[tap + at] = (into[tap + at] ?? 0) + value * (slopes[place + at] ?? 0);
      }
    });
    return output;
  });
  register(tf, 'DepthwiseConv2dNativeBackpropInput', (call) => {
    const attrs = call.attrs as unknown as DepthwiseAttributes;
    const [dy, filter] = [inputOf(call, 'dy'), inputOf(call, 'filter')];
    const info = infoOf(tf, attrs.inputShape, filter.shape as DepthwiseAttributes['filterShape'], attrs);
    const output = call.backend.makeOutput([...attrs.inputShape], 'float32');
    const [slopes, taps, into] = heapsOf(call, dy, filter, output);
    into.fill(0);
    visit(info, (pixel, tap, place, channels, multiplier) => {
      for (let channel = 0, at = 0; channel < channels; channel++) {
        let sum = 0;
        for (let m = 0; m < multiplier; m++, at++) sum += (taps[tap + at] ?? 0) * (slopes[place + at] ?? 0);
        into[pixel + channel] = (into[pixel + channel] ?? 0) + sum;
      }
    });
    return output;
  });
}

function infoOf(
  tf: typeof Core,
  inputShape: DepthwiseAttributes['inputShape'],
  filterShape: DepthwiseAttributes['filterShape'],
  { strides, dilations, pad, dimRoundingMode }: DepthwiseAttributes,
): ConvInfo {
  return tf.backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    true,
  );
}

/** Views of tensors; valid until the next allocation. */
function heapsOf(
  { backend }: KernelCall,
  ...tensors: [Core.TensorInfo, Core.TensorInfo, Core.TensorInfo]
): [Float32Array, Float32Array, Float32Array] {
  const [a, b, c] = tensors;
  return [backend.typedArrayFromHeap(a), backend.typedArrayFromHeap(b), backend.typedArrayFromHeap(c)];
}

/** Every meeting of a tap of the filter with a pixel: where the pixel's, the tap's and the output place's channels begin. */
function visit(
  info: ConvInfo,
  meet: (pixel: number, tap: number, place: number, channels: number, multiplier: number) => void,
): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  const multiplier = outChannels / inChannels;
  for (let image = 0; image < batchSize; image++) {
    for (let row = 0; row < outHeight; row++) {
      for (let column = 0; column < outWidth; column++) {
        const place = ((image * outHeight + row) * outWidth + column) * outChannels;
        for (let i = 0; i < info.filterHeight; i++) {
          const y = row * info.strideHeight + i * info.dilationHeight - padInfo.top;
          if (y < 0 || y >= inHeight) continue;
          for (let j = 0; j < info.filterWidth; j++) {
            const x = column * info.strideWidth + j * info.dilationWidth - padInfo.left;
            if (x < 0 || x >= inWidth) continue;
            const tap = (i * info.filterWidth + j) * outChannels;
            meet(((image * inHeight + y) * inWidth + x) * inChannels, tap, place, inChannels, multiplier);
          }
        }
      }
    }
  }
}
