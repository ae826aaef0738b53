/** What a model is given for some rows. */
export interface BatchSource {
  /** Shape of one row. */
  readonly shape: readonly number[];
  /** `int32` for numbers of words. */
  readonly dtype: 'float32' | 'int32';
  /**
   * Writes these rows behind each other. `seed` is given in training: what is changed at random (augmentation, words left out)
   * depends on it alone. Without it the rows are as they are.
   */
  fill(rows: Int32Array, into: Float32Array | Int32Array, seed?: number): void;
}

/** Rows of a matrix (rows × width), as they are. */
export function matrixBatches(features: Float32Array, width: number): BatchSource {
  return {
    shape: [width],
    dtype: 'float32',
    fill: (rows, into) => {
      for (let row = 0; row < rows.length; row++) {
        const start = (rows[row] ?? 0) * width;
        into.set(features.subarray(start, start + width), row * width);
      }
    },
  };
}
