/**
 * Eigenvalues, ascending, and eigenvectors of a symmetric matrix: Householder reduction to tridiagonal form, then the implicit QL
 * method (Bowdler, Martin, Reinsch & Wilkinson, Numer. Math. 1968: tred2 and tql2, in the form of EISPACK and JAMA).
 * @param matrix row by row; only read
 * @returns `vectors[i * n + j]` is component i of the vector of `values[j]`
 */
export function symmetricEigen(matrix: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const v = matrix.slice();
  const d = v.slice((n - 1) * n, n * n);
  const e = new Float64Array(n);
  tridiagonalize(v, d, e, n);
  diagonalize(v, d, e, n);
  return sorted(d, v, n);
}

function tridiagonalize(v: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  const at = (i: number, j: number): number => v[i * n + j] as number;
  for (let i = n - 1; i > 0; i--) {
    let scale = 0;
    let h = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(d[k] as number);
    if (scale === 0) {
      e[i] = d[i - 1] as number;
      for (let j = 0; j < i; j++) {
        d[j] = at(i - 1, j);
        v[i * n + j] = 0;
        v[j * n + i] = 0;
      }
    } else {
      for (let k = 0; k < i; k++) {
        d[k] = (d[k] as number) / scale;
        h += (d[k] as number) ** 2;
      }
      const f = d[i - 1] as number;
      const g = f > 0 ? -Math.sqrt(h) : Math.sqrt(h);
      e[i] = scale * g;
      h -= f * g;
      d[i - 1] = f - g;
      e.fill(0, 0, i);
      for (let j = 0; j < i; j++) {
        const fj = d[j] as number;
        v[j * n + i] = fj;
        let gj = (e[j] as number) + at(j, j) * fj;
        for (let k = j + 1; k < i; k++) {
          gj += at(k, j) * (d[k] as number);
          e[k] = (e[k] as number) + at(k, j) * fj;
        }
        e[j] = gj;
      }
      let sum = 0;
      for (let j = 0; j < i; j++) {
        e[j] = (e[j] as number) / h;
        sum += (e[j] as number) * (d[j] as number);
      }
      const hh = sum / (h + h);
      for (let j = 0; j < i; j++) e[j] = (e[j] as number) - hh * (d[j] as number);
      for (let j = 0; j < i; j++) {
        const fj = d[j] as number;
        const gj = e[j] as number;
        for (let k = j; k < i; k++) v[k * n + j] = at(k, j) - (fj * (e[k] as number) + gj * (d[k] as number));
        d[j] = at(i - 1, j);
        v[i * n + j] = 0;
      }
    }
    d[i] = h;
  }
  accumulate(v, d, n);
  for (let j = 0; j < n; j++) {
    d[j] = at(n - 1, j);
    v[(n - 1) * n + j] = 0;
  }
  v[n * n - 1] = 1;
  e[0] = 0;
}

/** The product of the reflections. */
function accumulate(v: Float64Array, d: Float64Array, n: number): void {
  for (let i = 0; i < n - 1; i++) {
    v[(n - 1) * n + i] = v[i * n + i] as number;
    v[i * n + i] = 1;
    const h = d[i + 1] as number;
    if (h !== 0) {
      for (let k = 0; k <= i; k++) d[k] = (v[k * n + i + 1] as number) / h;
      for (let j = 0; j <= i; j++) {
        let g = 0;
        for (let k = 0; k <= i; k++) g += (v[k * n + i + 1] as number) * (v[k * n + j] as number);
        for (let k = 0; k <= i; k++) v[k * n + j] = (v[k * n + j] as number) - g * (d[k] as number);
      }
    }
    for (let k = 0; k <= i; k++) v[k * n + i + 1] = 0;
  }
}

function diagonalize(v: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  for (let i = 1; i < n; i++) e[i - 1] = e[i] as number;
  e[n - 1] = 0;
  let shift = 0;
  let largest = 0;
  for (let l = 0; l < n; l++) {
    largest = Math.max(largest, Math.abs(d[l] as number) + Math.abs(e[l] as number));
    let m = l;
    while (m < n - 1 && Math.abs(e[m] as number) > Number.EPSILON * largest) m++;
    // Thirty sweeps settle any matrix that has numbers only; one with NaN never settles.
    for (let sweep = 0; m > l && sweep < 100; sweep++) {
      shift += qlSweep(v, d, e, n, l, m);
      if (!(Math.abs(e[l] as number) > Number.EPSILON * largest)) break;
    }
    d[l] = (d[l] as number) + shift;
    e[l] = 0;
  }
}

/** One implicit QL step on rows l … m; returns the shift that it took from the diagonal. */
function qlSweep(v: Float64Array, d: Float64Array, e: Float64Array, n: number, l: number, m: number): number {
  const g = d[l] as number;
  const el = e[l] as number;
  let p = ((d[l + 1] as number) - g) / (2 * el);
  let r = p < 0 ? -Math.hypot(p, 1) : Math.hypot(p, 1);
  d[l] = el / (p + r);
  d[l + 1] = el * (p + r);
  const dl1 = d[l + 1] as number;
  const h = g - d[l];
  for (let i = l + 2; i < n; i++) d[i] = (d[i] as number) - h;
  p = d[m] as number;
  let [c, c2, c3] = [1, 1, 1];
  const el1 = e[l + 1] as number;
  let [s, s2] = [0, 0];
  for (let i = m - 1; i >= l; i--) {
    c3 = c2;
    c2 = c;
    s2 = s;
    const gi = c * (e[i] as number);
    const hi = c * p;
    r = Math.hypot(p, e[i] as number);
    e[i + 1] = s * r;
    s = (e[i] as number) / r;
    c = p / r;
    p = c * (d[i] as number) - s * gi;
    d[i + 1] = hi + s * (c * gi + s * (d[i] as number));
    for (let k = 0; k < n; k++) {
      const next = v[k * n + i + 1] as number;
      const here = v[k * n + i] as number;
      v[k * n + i + 1] = s * here + c * next;
      v[k * n + i] = c * here - s * next;
    }
  }
  p = (-s * s2 * c3 * el1 * (e[l] as number)) / dl1;
  e[l] = s * p;
  d[l] = c * p;
  return h;
}

function sorted(d: Float64Array, v: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const order = [...d.keys()].sort((a, b) => (d[a] as number) - (d[b] as number));
  const vectors = new Float64Array(n * n);
  for (const [j, from] of order.entries()) for (let i = 0; i < n; i++) vectors[i * n + j] = v[i * n + from] as number;
  return { values: Float64Array.from(order, (j) => d[j] as number), vectors };
}
