import type * as Core from '@tensorflow/tfjs-core';

import { inputOf, register } from './wasm-backend.js';

/** Sums rows by the segment that each belongs to: the slope of a gather, so of every embedding. wasm lacks it. */
export function registerSegmentSum(tf: typeof Core): void {
  register(tf, 'UnsortedSegmentSum', (call) => {
    const { backend } = call;
    const [x, segmentIds] = [inputOf(call, 'x'), inputOf(call, 'segmentIds')];
    const { numSegments } = call.attrs as unknown as { numSegments: number };
    const inner = x.shape.slice(segmentIds.shape.length);
    const width = inner.reduce((product, n) => product * n, 1);
    const output = backend.makeOutput([numSegments, ...inner], 'float32');
    const ids = backend.typedArrayFromHeap(segmentIds);
    const from = backend.typedArrayFromHeap(x);
    const into = backend.typedArrayFromHeap(output);
    into.fill(0);
    for (let row = 0, at = 0; row < ids.length; row++) {
      const segment = ids[row] ?? -1;
      // As in TensorFlow, rows of no segment are left out.
      if (segment < 0 || segment >= numSegments) {
        at += width;
        continue;
      }
      for (let i = segment * width; i < (segment + 1) * width; i++, at++) into[i] = (into[i] ?? 0) + (from[at] ?? 0);
    }
    return output;
  });
}
