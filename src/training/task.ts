/** Sums over the rows seen so far in an epoch, kept in a checkpoint. What each holds is the task's own affair. */
export type Sums = number[];

/**
 * What a model is to learn: how its outputs for some rows are judged. Works on plain arrays, in double precision and the same on
 * every backend; outputs are few, so fetching them costs less than a chain of tensor operations.
 */
export interface Task {
  /** Width of the model's last layer. */
  readonly outputs: number;
  newSums(): Sums;
  /**
   * Judges outputs (rows.length × `outputs`) and adds to `sums`. Writes the loss's slope by each output into `gradient`, of the mean
   * over these rows. Returns that mean loss.
   */
  judge(outputs: Float32Array, rows: Int32Array, sums: Sums, gradient?: Float32Array): number;
  /** Metrics of all rows added, without prefix: `loss`, `accuracy`, …. */
  metricsOf(sums: Sums): Record<string, number>;
}
