export const SCALINGS = ['standard', 'minmax', 'none'] as const;
export type Scaling = (typeof SCALINGS)[number];

/** scaled = (value − offset) / divisor, for each column. Plain data: it is saved beside the model. */
export interface Scaler {
  readonly offset: readonly number[];
  readonly divisor: readonly number[];
}

/**
 * Learns offset and divisor of each column from the given rows alone. A column that is constant in them is only shifted.
 * `standard`: mean and standard deviation (of the population); `minmax`: to [0, 1].
 */
export function fitScaler(
  values: Float32Array,
  width: number,
  rows: Int32Array,
  scaling: Scaling,
  isScaled: (column: number) => boolean = () => true,
): Scaler {
  const offset = new Array<number>(width).fill(0);
  const divisor = new Array<number>(width).fill(1);
  for (let column = 0; column < width && scaling !== 'none'; column++) {
    if (!isScaled(column)) continue;
    let sum = 0;
    let low = Infinity;
    let high = -Infinity;
    for (const row of rows) {
      const value = values[row * width + column] ?? 0;
      sum += value;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const mean = sum / rows.length;
    let squares = 0;
    for (const row of rows) squares += ((values[row * width + column] ?? 0) - mean) ** 2;
    const [shift, spread] = scaling === 'standard' ? [mean, Math.sqrt(squares / rows.length)] : [low, high - low];
    offset[column] = shift;
    if (high > low && spread > 0) divisor[column] = spread;
  }
  return { offset, divisor };
}

/** A scaled copy. */
export function applyScaler(values: Float32Array, width: number, { offset, divisor }: Scaler): Float32Array {
  const scaled = new Float32Array(values.length);
  for (let i = 0, column = 0; i < values.length; i++) {
    scaled[i] = ((values[i] ?? 0) - (offset[column] ?? 0)) / (divisor[column] ?? 0);
    if (++column === width) column = 0;
  }
  return scaled;
}
