import type { Task } from './task.js';

export interface RegressionOptions {
  /** Scaled, one per row. */
  readonly targets: Float32Array;
  /** Unit of the scaled targets in the data's own unit. */
  readonly unit: number;
}

/**
 * A number: mean squared error of scaled targets is learnt from (and is `loss`); `rmse` and `mae` are in the data's own unit.
 * Sums: rows, squared errors, absolute errors, targets, squared targets.
 */
export function createRegressionTask({ targets, unit }: RegressionOptions): Task {
  return {
    outputs: 1,
    newSums: () => [0, 0, 0, 0, 0],
    judge: (outputs, rows, sums, gradient) => {
      let squares = 0;
      let absolutes = 0;
      let values = 0;
      let valueSquares = 0;
      for (let row = 0; row < rows.length; row++) {
        const target = targets[rows[row] ?? 0] ?? 0;
        const error = (outputs[row] ?? 0) - target;
        squares += error * error;
        absolutes += Math.abs(error);
        values += target;
        valueSquares += target * target;
        if (gradient !== undefined) gradient[row] = (2 * error) / rows.length;
      }
      [rows.length, squares, absolutes, values, valueSquares].forEach((value, index) => {
        sums[index] = (sums[index] ?? 0) + value;
      });
      return squares / rows.length;
    },
    metricsOf: ([rows = 0, squares = 0, absolutes = 0, values = 0, valueSquares = 0]) => {
      const variation = valueSquares - (values * values) / rows;
      return {
        loss: squares / rows,
        rmse: unit * Math.sqrt(squares / rows),
        mae: (unit * absolutes) / rows,
        // Undefined where all targets are equal; scikit-learn then says 0 for any error.
        r2: variation > 0 ? 1 - squares / variation : squares === 0 ? 1 : 0,
      };
    },
  };
}
