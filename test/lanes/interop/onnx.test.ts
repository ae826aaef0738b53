import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { convertLayersModel } from '../../../src/pipeline/convert/onnx/convert-layers-model.js';
import { loadBackend } from '../../../src/training/backends.js';
import { readExamples } from '../../../src/training/model-examples.js';
import { TRAINER_CASES } from '../../training/trainer-cases.js';
import { RecordingContext } from '../../training/training-support.js';

/** Checks a model by ONNX's own rules, runs it on the inputs, and prints the largest difference from the outputs. */
const PROGRAM = `
import json, sys
import numpy as np, onnx, onnxruntime
path, shape, dtype = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
onnx.checker.check_model(path, full_check=True)
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
inputs = np.fromfile(path + ".in", dtype=dtype).reshape(shape)
outputs = np.fromfile(path + ".out", dtype="float32")
answer = session.run(None, {session.get_inputs()[0].name: inputs})[0].reshape(-1)
print(json.dumps(float(np.abs(answer - outputs).max())))
`;

describe('ONNX in Python', () => {
  let folder: string;
  beforeAll(async () => {
    await loadBackend('wasm');
    folder = mkdtempSync(join(tmpdir(), 'resweep-onnx-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(TRAINER_CASES)('accepts and computes $name', async ({ trainer, params, request }) => {
    const context = new RecordingContext({ ...params, epochs: 1 });
    const { modelPath } = await trainer.train(request(60), context);
    const examples = readExamples(modelPath);
    if (examples === undefined) throw new Error('the model has no examples');
    const path = join(folder, 'model.onnx');
    const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Buffer =>
      Buffer.from(buffer, byteOffset, byteLength);
    writeFileSync(path, convertLayersModel(modelPath).bytes);
    writeFileSync(`${path}.in`, bytesOf(examples.inputs));
    writeFileSync(`${path}.out`, bytesOf(examples.outputs));
    const shape = JSON.stringify([examples.rows, ...examples.inputShape]);
    const python = process.env['RESWEEP_PYTHON'] ?? 'python3';
    const output = execFileSync(python, ['-c', PROGRAM, path, shape, examples.dtype], { encoding: 'utf8' });
    expect(Number(output.trim())).toBeLessThan(1e-5);
  });
});
