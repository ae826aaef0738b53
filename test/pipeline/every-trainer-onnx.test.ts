import { beforeAll, describe, expect, it } from 'vitest';

import { checkWithRuntime } from '../../src/pipeline/convert/onnx/check-with-runtime.js';
import { convertLayersModel } from '../../src/pipeline/convert/onnx/convert-layers-model.js';
import { loadBackend } from '../../src/training/backends.js';
import { readExamples } from '../../src/training/model-examples.js';
import { TRAINER_CASES } from '../training/trainer-cases.js';
import { RecordingContext } from '../training/training-support.js';

beforeAll(async () => {
  await loadBackend('wasm');
});

describe('models of every built-in trainer as ONNX', () => {
  it.each(TRAINER_CASES)('$name', async ({ trainer, params, request }) => {
    const context = new RecordingContext({ ...params, epochs: 1 });
    const { modelPath, parameters } = await trainer.train(request(60), context);
    const converted = convertLayersModel(modelPath);
    expect(converted.parameters).toBe(parameters);
    // The file is the weights and little else, for anything but the smallest models.
    expect(converted.bytes.length).toBeLessThan(4 * parameters * 1.01 + 8_000);
    const examples = readExamples(modelPath);
    if (examples === undefined) throw new Error('the model has no examples');
    const check = await checkWithRuntime(converted.bytes, examples);
    expect(check).toMatchObject({ rows: examples.rows, maxDifference: expect.any(Number) });
    expect('maxDifference' in check && check.maxDifference).toBeLessThan(1e-5);
  });
});
