/** Σ a[i] b[i] over `length` entries from two offsets. Four sums side by side: one alone would wait for each addition. */
export function dotProduct(a: Float64Array, fromA: number, b: Float64Array, fromB: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (const end = length - 3; i < end; i += 4) {
    const p = fromA + i;
    const q = fromB + i;
    s0 += (a[p] as number) * (b[q] as number);
    s1 += (a[p + 1] as number) * (b[q + 1] as number);
    s2 += (a[p + 2] as number) * (b[q + 2] as number);
    s3 += (a[p + 3] as number) * (b[q + 3] as number);
  }
  for (; i < length; i++) s0 += (a[fromA + i] as number) * (b[fromB + i] as number);
  return s0 + s1 + (s2 + s3);
}

/** target[i] += factor × source[i] over `length` entries from two offsets. */
export function addScaled(
  target: Float64Array,
  fromTarget: number,
  factor: number,
  source: Float64Array,
  fromSource: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    target[fromTarget + i] = (target[fromTarget + i] as number) + factor * (source[fromSource + i] as number);
  }
}

/**
 * |L v|² of four vectors with L lower triangular, row by row: each of its entries is read once for all four.
 * @param vectors entry i of vector q at 4 i + q
 * @param squares filled
 */
export function squaredNormsOfFour(l: Float64Array, size: number, vectors: Float64Array, squares: Float64Array): void {
  squares.fill(0, 0, 4);
  for (let i = 0; i < size; i++) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    const end = i * size + i;
    for (let at = i * size, v = 0; at <= end; at++, v += 4) {
      const factor = l[at] as number;
      s0 += factor * (vectors[v] as number);
      s1 += factor * (vectors[v + 1] as number);
      s2 += factor * (vectors[v + 2] as number);
      s3 += factor * (vectors[v + 3] as number);
    }
    squares[0] = (squares[0] as number) + s0 * s0;
    squares[1] = (squares[1] as number) + s1 * s1;
    squares[2] = (squares[2] as number) + s2 * s2;
    squares[3] = (squares[3] as number) + s3 * s3;
  }
}
