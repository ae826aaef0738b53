import { addScaled, dotProduct } from './dot-product.js';

/*
 * Matrices are kept row by row in one array; `stride` is the length of a row there, so that a matrix may grow in place.
 */

/**
 * Lower triangular L with L Lᵀ = A, in place; what stands above the diagonal is neither read nor changed.
 * @returns false where A is not positive definite
 */
export function choleskyInPlace(a: Float64Array, size: number, stride = size): boolean {
  for (let i = 0; i < size; i++) if (!factorRow(a, i, stride)) return false;
  return true;
}

function factorRow(a: Float64Array, i: number, stride: number): boolean {
  const row = i * stride;
  for (let j = 0; j < i; j++) {
    const other = j * stride;
    a[row + j] = ((a[row + j] as number) - dotProduct(a, row, a, other, j)) / (a[other + j] as number);
  }
  const pivot = (a[row + i] as number) - dotProduct(a, row, a, row, i);
  if (!(pivot > 0)) return false;
  a[row + i] = Math.sqrt(pivot);
  return true;
}

/** Solves L x = b. `x` may be `b`. */
export function solveLower(l: Float64Array, size: number, stride: number, b: Float64Array, x: Float64Array): void {
  for (let i = 0; i < size; i++) {
    const row = i * stride;
    x[i] = ((b[i] as number) - dotProduct(l, row, x, 0, i)) / (l[row + i] as number);
  }
}

/** Solves Lᵀ x = b. `x` may be `b`. */
export function solveLowerTransposed(
  l: Float64Array,
  size: number,
  stride: number,
  b: Float64Array,
  x: Float64Array,
): void {
  if (x !== b) x.set(b.subarray(0, size));
  for (let i = size - 1; i >= 0; i--) {
    const row = i * stride;
    const value = (x[i] as number) / (l[row + i] as number);
    x[i] = value;
    addScaled(x, 0, -value, l, row, i);
  }
}

/** Inverse of a lower triangular factor, lower triangular too, from its first `from` rows on (those before are kept). */
export function invertLower(l: Float64Array, size: number, stride: number, inverse: Float64Array, from = 0): void {
  for (let i = from; i < size; i++) {
    const row = i * stride;
    const pivot = 1 / (l[row + i] as number);
    inverse.fill(0, row, row + i);
    // Gathered row by row, so that memory is read in order.
    for (let k = 0; k < i; k++) addScaled(inverse, row, -pivot * (l[row + k] as number), inverse, k * stride, k + 1);
    inverse[row + i] = pivot;
  }
}

/** Lower triangle of A⁻¹ = L⁻ᵀ L⁻¹ from the inverse of the factor. */
export function inverseFromFactor(inverseL: Float64Array, size: number, stride: number, inverse: Float64Array): void {
  for (let i = 0; i < size; i++) inverse.fill(0, i * stride, i * stride + i + 1);
  for (let k = 0; k < size; k++) {
    const row = k * stride;
    for (let i = 0; i <= k; i++) addScaled(inverse, i * stride, inverseL[row + i] as number, inverseL, row, i + 1);
  }
}
