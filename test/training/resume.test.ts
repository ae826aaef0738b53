import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { TrialPruned } from '../../src/core/errors.js';
import { loadTensorflow } from '../../src/training/tensorflow.js';
import type { TrainingResult } from '../../src/training/trainer.js';
import { mlpClassifier } from '../../src/training/trainers/mlp-classifier.js';
import { digitsRequest, RecordingContext, temporaryFolder } from './training-support.js';

const params = {
  epochs: 6,
  layers: 2,
  units_0: 24,
  units_1: 16,
  dropout: 0.2,
  batch_norm: true,
  batch_size: 64,
  learning_rate: 0.01,
  optimizer: 'adam',
  schedule: 'cosine',
  patience: 4,
};

class Killed extends Error {}

function weightsOf(result: TrainingResult): string {
  return readFileSync(join(result.modelPath, 'weights.bin')).toString('hex');
}

/** The reports as the trial's record then holds them. */
function curve(...contexts: RecordingContext[]): number[] {
  const values: number[] = [];
  for (const { reports } of contexts) for (const { step, value } of reports) values[step - 1] = value;
  return values;
}

async function uninterrupted(own: Record<string, string | number | boolean> = {}) {
  const context = new RecordingContext({ ...params, ...own });
  const result = await mlpClassifier.train(digitsRequest(), context);
  return { context, result };
}

describe('a trial that goes on from its checkpoint', () => {
  for (const own of [{}, { optimizer: 'sgd' }, { optimizer: 'rmsprop', batch_norm: false }, { optimizer: 'adamw' }]) {
    it(`equals one that was never stopped, bit for bit: ${JSON.stringify(own)}`, async () => {
      const whole = await uninterrupted(own);
      const trialDir = temporaryFolder();
      const first = new RecordingContext({ ...params, ...own }, { trialDir });
      first.onReport = (step) => {
        if (step === 4) throw new Killed();
      };
      await expect(mlpClassifier.train(digitsRequest(), first)).rejects.toThrow(Killed);
      const saved = first.checkpoints.at(-1)?.step ?? 0;
      expect(saved).toBeGreaterThanOrEqual(1);
      const second = new RecordingContext({ ...params, ...own }, { trialDir });
      const result = await mlpClassifier.train(digitsRequest(), second);
      expect(result.resumedFromEpoch).toBe(saved);
      expect(second.reports.map(({ step, replayed }) => [step, replayed])).toEqual(
        [1, 2, 3, 4, 5, 6].map((step) => [step, step <= saved]),
      );
      expect(curve(first, second)).toEqual(curve(whole.context));
      expect(result.values).toEqual(whole.result.values);
      expect(result.bestEpoch).toBe(whole.result.bestEpoch);
      expect(weightsOf(result)).toBe(weightsOf(whole.result));
    });
  }

  it('stops early in the same epoch, with the same weights', async () => {
    const own = { epochs: 30, patience: 2, min_delta: 0.02, optimizer: 'sgd', learning_rate: 0.2 };
    const whole = await uninterrupted(own);
    expect(whole.result.epochs).toBeLessThan(30);
    const trialDir = temporaryFolder();
    const first = new RecordingContext({ ...params, ...own }, { trialDir });
    first.onReport = (step) => {
      if (step === whole.result.epochs) throw new Killed();
    };
    await expect(mlpClassifier.train(digitsRequest(), first)).rejects.toThrow(Killed);
    const result = await mlpClassifier.train(
      digitsRequest(),
      new RecordingContext({ ...params, ...own }, { trialDir }),
    );
    expect(result.epochs).toBe(whole.result.epochs);
    expect(result.bestEpoch).toBe(whole.result.bestEpoch);
    expect(weightsOf(result)).toBe(weightsOf(whole.result));
  });

  it('goes on in the middle of an epoch', async () => {
    const whole = await uninterrupted();
    const trialDir = temporaryFolder();
    const first = new RecordingContext(params, { trialDir, checkpointEveryMs: 0 });
    first.onCheckpoint = (checkpoint) => {
      first.checkpoints.push(checkpoint);
      if (first.checkpoints.filter(({ step }) => step === 2).length === 5) first.controller.abort();
    };
    await expect(mlpClassifier.train(digitsRequest(), first)).rejects.toMatchObject({ name: 'AbortError' });
    const second = new RecordingContext(params, { trialDir });
    const result = await mlpClassifier.train(digitsRequest(), second);
    expect(result.values).toEqual(whole.result.values);
    expect(weightsOf(result)).toBe(weightsOf(whole.result));
  });

  it('saves the first epoch and the last, and in between as long as it takes at most 2 % of the time', async () => {
    const context = new RecordingContext({ ...params, epochs: 100, patience: 0 });
    const start = performance.now();
    await mlpClassifier.train(digitsRequest(), context);
    const elapsed = performance.now() - start;
    const steps = context.checkpoints.map(({ step }) => step);
    expect(steps[0]).toBe(1);
    expect(steps.at(-1)).toBe(100);
    expect(steps.length).toBeLessThan(100);
    // The last two had no time after them yet.
    const spent = context.checkpoints.slice(0, -2).reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    expect(spent).toBeLessThanOrEqual(0.02 * elapsed);
  });

  it('only gives its result again where the training had ended', async () => {
    const trialDir = temporaryFolder();
    const first = await mlpClassifier.train(digitsRequest(), new RecordingContext(params, { trialDir }));
    const second = new RecordingContext(params, { trialDir });
    const again = await mlpClassifier.train(digitsRequest(), second);
    expect(again).toEqual({ ...first, resumedFromEpoch: 6 });
    expect(second.checkpoints).toEqual([]);
    expect(second.reports.every(({ replayed }) => replayed)).toBe(true);
  });

  it('begins anew where the checkpoint is of other parameters', async () => {
    const trialDir = temporaryFolder();
    await mlpClassifier.train(digitsRequest(), new RecordingContext({ ...params, epochs: 2 }, { trialDir }));
    const other = new RecordingContext({ ...params, epochs: 2, learning_rate: 0.02 }, { trialDir });
    const result = await mlpClassifier.train(digitsRequest(), other);
    expect(result.resumedFromEpoch).toBeUndefined();
    expect(other.reports.map(({ replayed }) => replayed)).toEqual([false, false]);
  });

  it('begins anew where the checkpoint is damaged, and says so', async () => {
    const trialDir = temporaryFolder();
    const first = new RecordingContext({ ...params, epochs: 2 }, { trialDir });
    const whole = await mlpClassifier.train(digitsRequest(), first);
    const [name = ''] = readdirSync(first.checkpointDir);
    const file = join(first.checkpointDir, name);
    const bytes = readFileSync(file);
    bytes[bytes.length - 100] = (bytes.at(-100) ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const second = new RecordingContext({ ...params, epochs: 2 }, { trialDir });
    const result = await mlpClassifier.train(digitsRequest(), second);
    expect(result.resumedFromEpoch).toBeUndefined();
    expect(second.lines.join('\n')).toContain('does not match its checksum');
    expect(result.values).toEqual(whole.values);
  });
});

describe('a trial that is ended from outside', () => {
  it('is pruned at a report, and leaves no tensor', async () => {
    const { tf } = loadTensorflow();
    const before = tf.memory().numTensors;
    const context = new RecordingContext(params);
    context.onReport = (step) => {
      if (step === 2) throw new TrialPruned();
    };
    await expect(mlpClassifier.train(digitsRequest(), context)).rejects.toThrow(TrialPruned);
    expect(context.reports.map(({ step }) => step)).toEqual([1, 2]);
    expect(existsSync(join(context.trialDir, 'model'))).toBe(false);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('saves a checkpoint when it is aborted, though none was due', async () => {
    const context = new RecordingContext({ ...params, epochs: 500 }, { checkpointEveryMs: 3_600_000 });
    context.onReport = (step) => {
      if (step === 2) context.controller.abort();
    };
    await expect(mlpClassifier.train(digitsRequest(), context)).rejects.toMatchObject({ name: 'AbortError' });
    expect(context.checkpoints.map(({ step }) => step)).toEqual([2]);
    expect(existsSync(context.checkpoints[0]!.path)).toBe(true);
  });
});
