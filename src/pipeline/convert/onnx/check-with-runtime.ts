import { createRequire } from 'node:module';

import type * as Runtime from 'onnxruntime-node';

import { messageOf } from '../../../core/errors.js';
import { loadOptional } from '../../../core/optional-package.js';
import type { ModelExamples } from '../../../training/model-examples.js';
import { ONNX_INPUT, ONNX_OUTPUT } from './convert-layers-model.js';

/** How far ONNX Runtime's answers are from those of the model that was converted. */
export interface RuntimeCheck {
  readonly version: string;
  readonly rows: number;
  /** Largest absolute difference of two numbers. */
  readonly maxDifference: number;
}

/** Lets ONNX Runtime answer the examples; says why where it cannot (it is an optional package). */
export async function checkWithRuntime(
  bytes: Uint8Array,
  examples: ModelExamples,
): Promise<RuntimeCheck | { readonly reason: string }> {
  let runtime: typeof Runtime;
  try {
    runtime = await loadOptional('onnxruntime-node', 'Checking an ONNX model', () => import('onnxruntime-node'));
  } catch (error) {
    return { reason: `${messageOf(error)} npm install onnxruntime-node` };
  }
  const { InferenceSession, Tensor } = runtime;
  const session = await InferenceSession.create(bytes);
  try {
    const { rows, inputShape, dtype, inputs, outputs } = examples;
    const shape = [rows, ...inputShape];
    const tensor =
      dtype === 'int32'
        ? new Tensor('int32', Int32Array.from(inputs), shape)
        : new Tensor('float32', Float32Array.from(inputs), shape);
    const answer = (await session.run({ [ONNX_INPUT]: tensor }))[ONNX_OUTPUT]?.data as Float32Array;
    if (answer.length !== outputs.length) return { rows, version: versionOf(), maxDifference: Infinity };
    let maxDifference = 0;
    for (let i = 0; i < outputs.length; i++) {
      const difference = Math.abs((answer[i] as number) - (outputs[i] as number));
      // A NaN on one side only is as far as can be.
      maxDifference = Math.max(maxDifference, Number.isNaN(difference) ? Infinity : difference);
    }
    return { rows, version: versionOf(), maxDifference };
  } finally {
    await session.release();
  }
}

function versionOf(): string {
  const manifest = createRequire(import.meta.url)('onnxruntime-node/package.json') as { readonly version: string };
  return manifest.version;
}
