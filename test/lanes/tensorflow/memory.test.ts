import { rmSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { loadBackend } from '../../../src/training/backends.js';
import { loadTensorflow } from '../../../src/training/tensorflow.js';
import { TRAINER_CASES } from '../../training/trainer-cases.js';
import { RecordingContext, temporaryFolder } from '../../training/training-support.js';

const TRIALS = 1000;
/** Trials after which everything that is kept for good has been loaded. */
const SETTLED = 300;

describe('memory', () => {
  it(`stays flat over ${TRIALS} trials in one process, of all trainers in turn`, async () => {
    await loadBackend('wasm');
    const { tf } = loadTensorflow();
    const cases = TRAINER_CASES.map((one) => ({ ...one, data: one.request(30) }));
    const sizes: number[] = [];
    let tensors: number | undefined;
    for (let trial = 0; trial < TRIALS; trial++) {
      const { trainer, params, data } = cases[trial % cases.length]!;
      const trialDir = temporaryFolder();
      await trainer.train(
        data,
        Object.assign(new RecordingContext({ ...params, epochs: 1 }, { trialDir }), { seed: trial }),
      );
      rmSync(trialDir, { recursive: true });
      tensors ??= tf.memory().numTensors;
      expect(tf.memory().numTensors).toBe(tensors);
      sizes.push(process.memoryUsage.rss());
    }
    const highest = (from: number, to: number): number => Math.max(...sizes.slice(from, to));
    const settled = highest(SETTLED, (SETTLED + TRIALS) / 2);
    const late = highest((SETTLED + TRIALS) / 2, TRIALS);
    console.log(
      `resident: ${Math.round(settled / 1e6)} MB until trial ${(SETTLED + TRIALS) / 2}, ${Math.round(late / 1e6)} MB after`,
    );
    expect(late / settled).toBeLessThan(1.1);
  });
});
