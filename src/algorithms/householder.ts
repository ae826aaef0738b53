/**
 * The vectors that make a unit vector's basis whole: columns 2 … n of Q in the QR decomposition of the identity with its first
 * column replaced by the vector, by Householder reflections with the signs of LAPACK (Golub & Van Loan, section 5.1). For the zero
 * vector the others of the standard basis.
 */
export function completeBasis(unit: Float64Array): Float64Array[] {
  const n = unit.length;
  const isZero = unit.every((value) => value === 0);
  // Columns of the matrix, one after the other.
  const columns = Array.from({ length: n }, (_, j) => {
    if (j === 0 && !isZero) return unit.slice();
    const column = new Float64Array(n);
    column[j] = 1;
    return column;
  });
  const reflections: { v: Float64Array; tau: number }[] = [];
  for (let k = 0; k < n; k++) {
    const column = columns[k] as Float64Array;
    const alpha = column[k] as number;
    let below = 0;
    for (let i = k + 1; i < n; i++) below += (column[i] as number) ** 2;
    if (below === 0) {
      reflections.push({ v: new Float64Array(n), tau: 0 });
      continue;
    }
    const beta = -Math.sign(alpha || 1) * Math.sqrt(alpha * alpha + below);
    const v = new Float64Array(n);
    v[k] = 1;
    for (let i = k + 1; i < n; i++) v[i] = (column[i] as number) / (alpha - beta);
    const reflection = { v, tau: (beta - alpha) / beta };
    reflections.push(reflection);
    for (let j = k; j < n; j++) reflect(columns[j] as Float64Array, reflection, k);
  }
  return Array.from({ length: n - 1 }, (_, j) => {
    const q = new Float64Array(n);
    q[j + 1] = 1;
    for (let k = n - 1; k >= 0; k--) reflect(q, reflections[k] as { v: Float64Array; tau: number }, k);
    return q;
  });
}

function reflect(x: Float64Array, { v, tau }: { v: Float64Array; tau: number }, from: number): void {
  if (tau === 0) return;
  let product = 0;
  for (let i = from; i < x.length; i++) product += (v[i] as number) * (x[i] as number);
  for (let i = from; i < x.length; i++) x[i] = (x[i] as number) - tau * product * (v[i] as number);
}
