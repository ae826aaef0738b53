import type * as Core from '@tensorflow/tfjs-core';

import { UsageError } from '../core/errors.js';
import { createRandom } from '../core/random.js';
import { loadBackend, useBackend, type BackendName } from './backends.js';
import { readExamples } from './model-examples.js';
import { loadModel } from './saved-model.js';
import { loadTensorflow } from './tensorflow.js';

export interface MeasureOptions {
  /** Folder of the saved model. */
  readonly modelDir: string;
  readonly backend: BackendName;
  readonly batchSizes: readonly number[];
  /** Calls before measuring, and calls measured. */
  readonly warmup: number;
  readonly repeats: number;
}

/** What calls of a model took. Times in milliseconds, sizes in bytes. */
export interface ModelMeasurement {
  readonly backend: string;
  readonly parameters: number;
  /** Of the warm-up calls with the first batch size, in order. */
  readonly warmup: readonly number[];
  /** Of the measured calls, by batch size. */
  readonly calls: Readonly<Record<string, readonly number[]>>;
  readonly baseMemory: number;
  readonly peakMemory: number;
}

/**
 * Measures a saved model in this process, which should do nothing else: real rows where the model has examples, else random ones;
 * every call waits for the answer's numbers.
 * @throws UsageError where the backend does not load; ResweepError for a model that cannot be read
 */
export async function measureModel(options: MeasureOptions): Promise<ModelMeasurement> {
  const tensorflow = loadTensorflow();
  const problem = await loadBackend(options.backend);
  if (problem !== undefined) throw new UsageError(`The backend ${options.backend} does not load: ${problem}`);
  await useBackend(tensorflow, options.backend);
  const baseMemory = process.memoryUsage().rss;
  const { model } = await loadModel(tensorflow, options.modelDir);
  const { tf } = tensorflow;
  const batchOf = batches(tf, options.modelDir, (model.inputs[0]?.shape ?? []).slice(1) as number[]);
  const time = (batch: Core.Tensor): number => {
    const start = performance.now();
    tf.tidy(() => (model.predict(batch) as Core.Tensor).dataSync());
    return performance.now() - start;
  };
  const warmup: number[] = [];
  const calls: Record<string, number[]> = {};
  for (const [index, size] of options.batchSizes.entries()) {
    const batch = batchOf(size);
    for (let call = 0; call < options.warmup; call++) {
      const took = time(batch);
      if (index === 0) warmup.push(took);
    }
    calls[String(size)] = Array.from({ length: options.repeats }, () => time(batch));
    batch.dispose();
  }
  const parameters = model.countParams();
  model.dispose();
  return {
    backend: options.backend,
    parameters,
    warmup,
    calls,
    baseMemory,
    peakMemory: process.resourceUsage().maxRSS * 1024,
  };
}

/** Makes batches of any size from the model's examples, else of random numbers. */
function batches(tf: typeof Core, modelDir: string, shape: readonly number[]): (size: number) => Core.Tensor {
  const examples = readExamples(modelDir);
  const width = shape.reduce((product, n) => product * n, 1);
  const random = createRandom(1);
  return (size) => {
    const values = examples?.dtype === 'int32' ? new Int32Array(size * width) : new Float32Array(size * width);
    for (let i = 0; i < values.length; i++) {
      values[i] = examples === undefined ? random.normal() : (examples.inputs[i % examples.inputs.length] ?? 0);
    }
    return tf.tensor(values, [size, ...shape], examples?.dtype ?? 'float32');
  };
}
