import { describe, expect, it } from 'vitest';

import { balancedWeights, createClassificationTask } from '../../src/training/classification-task.js';
import { createRegressionTask } from '../../src/training/regression-task.js';
import type { Task } from '../../src/training/task.js';

/** Slopes by central differences in single precision. */
function slopes(task: Task, outputs: Float32Array, rows: Int32Array): number[] {
  return Array.from(outputs, (value, index) => {
    const at = (shift: number) => {
      const moved = outputs.slice();
      moved[index] = value + shift;
      return task.judge(moved, rows, task.newSums());
    };
    return (at(1 / 64) - at(-1 / 64)) / (1 / 32);
  });
}

describe('classification', () => {
  const labels = Int32Array.from([0, 1, 2, 2]);
  const outputs = Float32Array.from([2, 1, 0, 0.5, 0.25, 1, -1, 0, 3, 4, 0, 1]);
  const rows = Int32Array.from([0, 1, 2, 3]);

  it.each([undefined, Float64Array.from([2, 1, 0.5])])('has the slope of its loss, weights %s', (weights) => {
    const task = createClassificationTask({ labels, classes: 3, weights });
    const gradient = new Float32Array(outputs.length);
    task.judge(outputs, rows, task.newSums(), gradient);
    slopes(task, outputs, rows).forEach((slope, index) => expect(gradient[index]).toBeCloseTo(slope, 3));
  });

  it('counts accuracy and macro F1 as scikit-learn does, over parts as over the whole', () => {
    const task = createClassificationTask({ labels, classes: 3 });
    const sums = task.newSums();
    task.judge(outputs.subarray(0, 3), rows.subarray(0, 1), sums);
    task.judge(outputs.subarray(3), rows.subarray(1), sums);
    // Predicted 0, 2, 2, 0: f1_score([0,1,2,2], [0,2,2,0], average='macro') is 0.388…
    const { accuracy, macro_f1: f1, loss } = task.metricsOf(sums);
    expect(accuracy).toBe(0.5);
    expect(f1).toBeCloseTo((2 / 3 + 0 + 1 / 2) / 3, 12);
    expect(loss).toBeCloseTo(task.judge(outputs, rows, task.newSums()), 12);
  });

  it('stays finite for outputs far apart', () => {
    const task = createClassificationTask({ labels, classes: 3 });
    const gradient = new Float32Array(3);
    const loss = task.judge(Float32Array.from([-1e4, 1e4, 0]), Int32Array.from([0]), task.newSums(), gradient);
    expect(loss).toBeCloseTo(2e4, 3);
    expect([...gradient]).toEqual([-1, 1, 0]);
  });

  it('balances classes by their frequencies', () => {
    expect([...balancedWeights(labels, 3, rows)]).toEqual([4 / 3, 4 / 3, 2 / 3]);
  });
});

describe('regression', () => {
  const task = createRegressionTask({ targets: Float32Array.from([1, 2, 4]), unit: 10 });
  const rows = Int32Array.from([0, 1, 2]);
  const outputs = Float32Array.from([1, 3, 2]);

  it('has the slope of its loss', () => {
    const gradient = new Float32Array(3);
    task.judge(outputs, rows, task.newSums(), gradient);
    slopes(task, outputs, rows).forEach((slope, index) => expect(gradient[index]).toBeCloseTo(slope, 4));
  });

  it('gives errors in the unit of the data', () => {
    const sums = task.newSums();
    task.judge(outputs, rows, sums);
    const { loss, rmse, mae, r2 } = task.metricsOf(sums);
    expect(loss).toBeCloseTo(5 / 3, 12);
    expect(rmse).toBeCloseTo(10 * Math.sqrt(5 / 3), 10);
    expect(mae).toBeCloseTo(10, 12);
    expect(r2).toBeCloseTo(1 - 5 / (14 / 3), 12);
  });
});
