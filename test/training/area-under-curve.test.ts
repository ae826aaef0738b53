import { describe, expect, it } from 'vitest';

import { areaUnderCurve } from '../../src/training/area-under-curve.js';
import { classWeights, createClassificationTask } from '../../src/training/classification-task.js';
import { learningRateAt } from '../../src/training/learning-rate.js';

describe('area under the curve', () => {
  it('is the share of pairs in the right order, ties half', () => {
    const area = (scores: number[], positive: number[]) =>
      areaUnderCurve(Float64Array.from(scores), Uint8Array.from(positive));
    // scikit-learn's own example.
    expect(area([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75);
    expect(area([1, 1, 1, 1], [0, 1, 0, 1])).toBe(0.5);
    expect(area([0.5, 0.5, 0.9], [0, 1, 1])).toBe(0.75);
    expect(area([1, 2], [1, 1])).toBeNaN();
  });

  it('is given by a classification task where rows are only judged: of the second class, or the mean over classes', () => {
    const two = createClassificationTask({ labels: Int32Array.from([0, 0, 1, 1]), classes: 2 });
    const sums = two.newSums();
    const rows = Int32Array.from([0, 1, 2, 3]);
    const outputs = Float32Array.from([0, 0.1, 0, 0.4, 0, 0.35, 0, 0.8]);
    two.judge(outputs.subarray(0, 4), rows.subarray(0, 2), sums);
    two.judge(outputs.subarray(4), rows.subarray(2), sums);
    expect(two.metricsOf(sums)['auc']).toBe(0.75);
    const trained = two.newSums();
    two.judge(outputs, rows, trained, new Float32Array(8));
    expect(two.metricsOf(trained)).not.toHaveProperty('auc');
    const three = createClassificationTask({ labels: Int32Array.from([0, 1, 2]), classes: 3 });
    const all = three.newSums();
    three.judge(Float32Array.from([5, 0, 0, 0, 5, 0, 5, 0, 0]), rows.subarray(0, 3), all);
    // Class 0: above one row, tied with the other; 1: above both; 2: tied with one, tied with the other.
    expect(three.metricsOf(all)['auc']).toBeCloseTo((0.75 + 1 + 0.5) / 3, 12);
  });
});

describe('class weights', () => {
  const labels = Int32Array.from([0, 0, 0, 1]);
  const rows = Int32Array.from([0, 1, 2, 3]);

  it('are none, balanced, or by name, and name a class that is not there', () => {
    const weights = (setting: Parameters<typeof classWeights>[0]) => classWeights(setting, labels, ['no', 'yes'], rows);
    expect(weights('none')).toBeUndefined();
    expect([...(weights('balanced') ?? [])]).toEqual([4 / 6, 2]);
    expect([...(weights({ yes: 3 }) ?? [])]).toEqual([1, 3]);
    expect(() => weights({ ye: 3 })).toThrow(/no class "ye"; there are no, yes/);
  });
});

describe('schedules', () => {
  const at = (schedule: 'step' | 'exponential', epoch: number, warmupEpochs = 0) =>
    learningRateAt({ learningRate: 1, schedule, epochs: 40, warmupEpochs, decay: 0.5, decayEpochs: 10 }, epoch);

  it('fall in steps or steadily by the decay', () => {
    expect([0, 9.9, 10, 20, 30].map((epoch) => at('step', epoch))).toEqual([1, 1, 0.5, 0.25, 0.125]);
    expect([0, 10, 15].map((epoch) => at('exponential', epoch))).toEqual([1, 0.5, 0.5 ** 1.5]);
    expect(at('step', 12, 5)).toBe(1);
    expect(at('step', 0, 5)).toBeLessThan(0.01);
  });
});
