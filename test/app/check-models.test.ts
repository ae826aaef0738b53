import { mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { unusableModels } from '../../src/app/backup/check-models.js';
import { writeCheckpoint } from '../../src/training/checkpoint.js';
import { saveModel } from '../../src/training/saved-model.js';
import { loadTensorflow } from '../../src/training/tensorflow.js';
import { availableBackends, useBackend } from '../../src/training/backends.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'resweep-models-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('loads every model and checkpoint, and names those that cannot be used', async () => {
  const tensorflow = loadTensorflow();
  await availableBackends('cpu');
  await useBackend(tensorflow, 'cpu');
  const { layers } = tensorflow;
  const model = layers.sequential({ layers: [layers.layers.dense({ units: 2, inputShape: [3] })] });
  const preprocessing = { trainer: 'mlp-classifier', columns: [], scaler: { offset: [], divisor: [] } };
  await saveModel(tensorflow, model, join(folder, 'trial', 'model'), preprocessing);
  const checkpoints = join(folder, 'trial', 'checkpoint');
  mkdirSync(checkpoints);
  const { path } = writeCheckpoint(checkpoints, 3, { state: { step: 3 }, arrays: [new Float32Array(100)] });
  expect(await unusableModels(folder)).toEqual([]);
  truncateSync(path, 300);
  truncateSync(join(folder, 'trial', 'model', 'weights.bin'), 8);
  const problems = (await unusableModels(folder)).sort();
  expect(problems).toHaveLength(2);
  expect(problems[0]).toMatch(/checkpoint-000000003\.bin cannot be used: it holds/);
  expect(problems[1]).toMatch(/model\.json cannot be used/);
});
