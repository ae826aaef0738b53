import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { loadBackend, useBackend } from '../../../src/training/backends.js';
import { chooseBackend } from '../../../src/training/choose-backend.js';
import { buildNative } from '../../../src/training/native/build-native.js';
import { loadTensorflow } from '../../../src/training/tensorflow.js';
import type { BackendChoice, TrainingResult } from '../../../src/training/trainer.js';
import { TRAINER_CASES } from '../../training/trainer-cases.js';
import { RecordingContext, temporaryFolder } from '../../training/training-support.js';

beforeAll(async () => {
  expect(await loadBackend('node')).toBeUndefined();
  await useBackend(loadTensorflow(), 'node');
});

function weightsOf({ modelPath }: TrainingResult): Float32Array {
  return new Float32Array(new Uint8Array(readFileSync(join(modelPath, 'weights.bin'))).buffer);
}

describe('the native TensorFlow', () => {
  it('is built once', async () => {
    const lines: string[] = [];
    expect(await buildNative((line) => lines.push(line))).toMatchObject({ isBuilt: true });
    expect(lines).toEqual([]);
  });

  it('is among those that auto measures, and the choice is kept', async () => {
    const file = join(temporaryFolder(), 'backends.json');
    const question = { choice: 'auto', key: 'a model', file, time: () => 1 } as const;
    const chosen = await chooseBackend(loadTensorflow(), question, () => {});
    expect(chosen.reason).toMatch(/node 1\.0 ms, wasm 1\.0 ms, cpu 1\.0 ms/);
    expect(await chooseBackend(loadTensorflow(), question, () => {})).toEqual(chosen);
  });
});

describe.each(TRAINER_CASES)('$name on the native TensorFlow', ({ trainer, params, request }) => {
  it('has the same gradients as on cpu, to 1e-4, and leaves no tensor', async () => {
    const step = { learning_rate: 1, optimizer: 'sgd', momentum: 0, epochs: 1, batch_size: 1000, monitor: 'loss' };
    const trained = async (backend: BackendChoice): Promise<Float32Array> => {
      const context = new RecordingContext({ ...params, ...step, dropout: 0 });
      const before = loadTensorflow().tf.memory().numTensors;
      const result = await trainer.train(request(40, { backend }), context);
      expect(result.backend).toBe(backend);
      expect(loadTensorflow().tf.memory().numTensors).toBe(before);
      return weightsOf(result);
    };
    const [native, cpu] = [await trained('node'), await trained('cpu')];
    const difference = native.reduce((most, value, i) => Math.max(most, Math.abs(value - (cpu[i] ?? NaN))), 0);
    expect(difference).toBeLessThan(1e-4);
  });

  it('goes on as if it had never stopped', async () => {
    const data = request(60, { backend: 'node' });
    const whole = await trainer.train(data, new RecordingContext({ ...params, epochs: 2 }));
    const first = new RecordingContext({ ...params, epochs: 2 }, { checkpointEveryMs: 0 });
    first.onCheckpointHook = (count) => {
      if (count === 3) first.controller.abort();
    };
    await expect(trainer.train(data, first)).rejects.toThrow(/checkpoint is saved/);
    const second = new RecordingContext({ ...params, epochs: 2 }, { trialDir: first.trialDir });
    expect(weightsOf(await trainer.train(data, second))).toEqual(weightsOf(whole));
  });
});
