import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { loadBackend } from '../../src/training/backends.js';
import { loadModel } from '../../src/training/saved-model.js';
import { loadTensorflow } from '../../src/training/tensorflow.js';
import type { BackendChoice, TrainingRequest, TrainingResult } from '../../src/training/trainer.js';
import { TRAINER_CASES, type TrainerCase } from './trainer-cases.js';
import { RecordingContext } from './training-support.js';

beforeAll(async () => {
  await loadBackend('wasm');
});

const numTensors = (): number => loadTensorflow().tf.memory().numTensors;

function weightsOf({ modelPath }: TrainingResult): Float32Array {
  const bytes = readFileSync(join(modelPath, 'weights.bin'));
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** Trains with the study's interruption after a number of reports or steps, then goes on. */
async function trainInterrupted(
  { trainer, params }: TrainerCase,
  request: TrainingRequest,
  steps: number,
): Promise<{ result: TrainingResult; reports: RecordingContext['reports'] }> {
  const first = new RecordingContext({ ...params }, { checkpointEveryMs: 0 });
  first.onCheckpointHook = (count) => {
    if (count === steps) first.controller.abort();
  };
  await expect(trainer.train(request, first)).rejects.toThrow(/checkpoint is saved/);
  const second = new RecordingContext({ ...params }, { trialDir: first.trialDir });
  return { result: await trainer.train(request, second), reports: second.reports };
}

describe.each(TRAINER_CASES)('$name', (one) => {
  const { trainer, params } = one;

  it('has the same gradients on wasm as on cpu, to 1e-4', async () => {
    // One step of length 1 on all rows: the weights move by the gradient.
    const step = { learning_rate: 1, optimizer: 'sgd', momentum: 0, epochs: 1, batch_size: 1000, monitor: 'loss' };
    const trained = async (backend: BackendChoice): Promise<Float32Array> => {
      const context = new RecordingContext({
        ...params,
        ...step,
        ...('dropout' in trainer.schema.shape ? { dropout: 0 } : {}),
      });
      return weightsOf(await trainer.train(one.request(40, { backend }), context));
    };
    const [wasm, cpu] = [await trained('wasm'), await trained('cpu')];
    expect(wasm).toHaveLength(cpu.length);
    const difference = wasm.reduce((most, value, i) => Math.max(most, Math.abs(value - (cpu[i] ?? NaN))), 0);
    expect(difference).toBeLessThan(1e-4);
  });

  it('goes on in the middle of an epoch as if it had never stopped, and leaves no tensor', async () => {
    const request = one.request(60);
    const before = numTensors();
    const whole = new RecordingContext({ ...params, epochs: 3 });
    const expected = await trainer.train(request, whole);
    const { result, reports } = await trainInterrupted({ ...one, params: { ...params, epochs: 3 } }, request, 4);
    expect(result.values).toEqual(expected.values);
    expect(reports.map(({ value }) => value)).toEqual(whole.reports.map(({ value }) => value));
    expect(weightsOf(result)).toEqual(weightsOf(expected));
    expect(numTensors()).toBe(before);
  });

  it('trains folds, goes on between and within them, and is pruned after one', async () => {
    const settings = { ...params, epochs: 2 };
    const request = one.request(60, { data: { ...one.request(60).data, options: { folds: 3 } } });
    const before = numTensors();
    const whole = new RecordingContext(settings);
    const expected = await trainer.train(request, whole);
    expect(whole.reports.map(({ step }) => step)).toEqual([1, 2, 3]);
    const metric = request.metrics[0]?.name ?? '';
    expect(expected.values[metric]).toBeCloseTo(whole.reports.at(-1)?.value ?? NaN, 12);
    expect(expected.values[`${metric}_std`]).toBeGreaterThanOrEqual(0);
    const steps = whole.checkpoints.length === 0 ? 5 : 7;
    const { result, reports } = await trainInterrupted({ ...one, params: settings }, request, steps);
    expect(result.values).toEqual(expected.values);
    expect(weightsOf(result)).toEqual(weightsOf(expected));
    expect(reports.map(({ value }) => value)).toEqual(whole.reports.map(({ value }) => value));
    const pruned = new RecordingContext(settings);
    pruned.onReport = (step) => {
      if (step === 2) throw new Error('pruned');
    };
    await expect(trainer.train(request, pruned)).rejects.toThrow('pruned');
    expect(pruned.reports).toHaveLength(2);
    expect(numTensors()).toBe(before);
  });

  it('saves a model of layers that can be loaded again, and says what it is on', async () => {
    const result = await trainer.train(one.request(40), new RecordingContext({ ...params, epochs: 1 }));
    const before = numTensors();
    const { model, preprocessing } = await loadModel(loadTensorflow(), result.modelPath);
    expect(preprocessing.trainer).toBe(trainer.type);
    expect(model.countParams()).toBe(result.parameters);
    const { tf } = loadTensorflow();
    const inputs = tf.ones([2, ...(model.inputs[0]?.shape.slice(1) as number[])]);
    const outputs = model.predict(inputs) as typeof inputs;
    const values = outputs.dataSync<'float32'>();
    expect(outputs.shape[0]).toBe(2);
    if (preprocessing.classes !== undefined) {
      expect(outputs.shape.at(-1)).toBe(preprocessing.classes.length);
      const sum = values.reduce((total, value) => total + value, 0);
      expect(sum).toBeCloseTo(values.length / preprocessing.classes.length, 3);
    } else expect(values.every(Number.isFinite)).toBe(true);
    tf.dispose([inputs, outputs]);
    model.dispose();
    expect(numTensors()).toBe(before);
    expect(result).toMatchObject({ backend: 'wasm', backendReason: 'as configured' });
    expect(result.backendKey).toMatch(/work=2\^\d+/);
  });
});
