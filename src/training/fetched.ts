import type * as Core from '@tensorflow/tfjs-core';

/** The values of a tensor that is computed and then disposed, with all tensors before it. */
export function fetched(tf: typeof Core, compute: () => Core.Tensor): Float32Array {
  const engine = tf.engine();
  // Not `tidy`: that looks for tensors at every index of an array that is returned.
  engine.startScope();
  try {
    return compute().dataSync<'float32'>();
  } finally {
    engine.endScope();
  }
}
