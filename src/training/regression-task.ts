import type { Task } from './task.js';

export const LOSSES = ['mse', 'mae', 'huber'] as const;
export type RegressionLoss = (typeof LOSSES)[number];

export interface RegressionOptions {
  /** Scaled, one per row. */
  readonly targets: Float32Array;
  /** Unit of the scaled targets in the data's own unit. */
  readonly unit: number;
  /** What is learnt from, and called `loss`: of scaled targets. @default 'mse' */
  readonly loss?: RegressionLoss;
}

/**
 * A number. `rmse` and `mae` are in the data's own unit.
 * Sums: rows, squared errors, absolute errors, targets, squared targets, losses.
 */
export function createRegressionTask({ targets, unit, loss = 'mse' }: RegressionOptions): Task {
  return {
    outputs: 1,
    newSums: () => [0, 0, 0, 0, 0, 0],
    judge: (outputs, rows, sums, gradient) => {
      let squares = 0;
      let absolutes = 0;
      let values = 0;
      let valueSquares = 0;
      let losses = 0;
      for (let row = 0; row < rows.length; row++) {
        const target = targets[rows[row] ?? 0] ?? 0;
        const error = (outputs[row] ?? 0) - target;
        squares += error * error;
        absolutes += Math.abs(error);
        values += target;
        valueSquares += target * target;
        losses += lossOf(loss, error);
        if (gradient !== undefined) gradient[row] = slopeOf(loss, error) / rows.length;
      }
      [rows.length, squares, absolutes, values, valueSquares, losses].forEach((value, index) => {
        sums[index] = (sums[index] ?? 0) + value;
      });
      return losses / rows.length;
    },
    metricsOf: ([rows = 0, squares = 0, absolutes = 0, values = 0, valueSquares = 0, losses = 0]) => {
      const variation = valueSquares - (values * values) / rows;
      return {
        loss: losses / rows,
        rmse: unit * Math.sqrt(squares / rows),
        mae: (unit * absolutes) / rows,
        // Undefined where all targets are equal; scikit-learn then says 0 for any error.
        r2: variation > 0 ? 1 - squares / variation : squares === 0 ? 1 : 0,
      };
    },
  };
}

function lossOf(loss: RegressionLoss, error: number): number {
  switch (loss) {
    case 'mse':
      return error * error;
    case 'mae':
      return Math.abs(error);
    case 'huber':
      return Math.abs(error) <= 1 ? (error * error) / 2 : Math.abs(error) - 0.5;
  }
}

function slopeOf(loss: RegressionLoss, error: number): number {
  switch (loss) {
    case 'mse':
      return 2 * error;
    case 'mae':
      return Math.sign(error);
    case 'huber':
      return Math.max(-1, Math.min(1, error));
  }
}
