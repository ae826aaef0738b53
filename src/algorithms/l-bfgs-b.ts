/** Value at `x`; writes the gradient there into `gradient`. */
export type DifferentiableFunction = (x: Float64Array, gradient: Float64Array) => number;

export interface BoundedMinimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  readonly evaluations: number;
}

export interface LbfgsbOptions {
  readonly lower?: Float64Array | undefined;
  readonly upper?: Float64Array | undefined;
  /** @default 100 */
  readonly maxIterations?: number | undefined;
  /** @default 10 × maxIterations */
  readonly maxEvaluations?: number | undefined;
  /** Stops where no component of the projected gradient is larger. @default 1e-6 */
  readonly gradientTolerance?: number | undefined;
  /** Stops where an iteration gains less than this share of the value. @default 1e-10 */
  readonly valueTolerance?: number | undefined;
}

const MEMORY = 10;

/**
 * Limited-memory BFGS within bounds, by projection on two metrics: variables that sit at a bound and are pushed against it are held,
 * the others take the quasi-Newton step, and the line search follows the projected path (Bertsekas, SIAM J. Control Optim. 1982;
 * recursion: Nocedal & Wright, Algorithm 7.4; the job of Byrd, Lu, Nocedal & Zhu's L-BFGS-B, SIAM J. Sci. Comput. 1995).
 * A value that is not finite counts as too far.
 */
export function minimizeBounded(
  f: DifferentiableFunction,
  start: Float64Array,
  options: LbfgsbOptions = {},
): BoundedMinimum {
  const n = start.length;
  const lower = options.lower ?? new Float64Array(n).fill(-Infinity);
  const upper = options.upper ?? new Float64Array(n).fill(Infinity);
  const maxIterations = options.maxIterations ?? 100;
  const maxEvaluations = options.maxEvaluations ?? 10 * maxIterations;
  const gradientTolerance = options.gradientTolerance ?? 1e-6;
  const valueTolerance = options.valueTolerance ?? 1e-10;

  let x = start.map((value, i) => Math.min(upper[i] as number, Math.max(lower[i] as number, value)));
  let gradient = new Float64Array(n);
  let value = f(x, gradient);
  let evaluations = 1;
  let iterations = 0;
  const steps: Float64Array[] = [];
  const changes: Float64Array[] = [];
  const direction = new Float64Array(n);
  const isFree = new Uint8Array(n);
  let next = new Float64Array(n);
  let nextGradient = new Float64Array(n);

  while (iterations < maxIterations && evaluations < maxEvaluations) {
    let largest = 0;
    for (let i = 0; i < n; i++) {
      const g = gradient[i] as number;
      const isHeld =
        (g > 0 && (x[i] as number) <= (lower[i] as number)) || (g < 0 && (x[i] as number) >= (upper[i] as number));
      isFree[i] = isHeld ? 0 : 1;
      if (!isHeld) largest = Math.max(largest, Math.abs(g));
    }
    if (largest <= gradientTolerance) break;
    twoLoop(gradient, steps, changes, isFree, direction);
    let slope = 0;
    for (let i = 0; i < n; i++) slope += (direction[i] as number) * (gradient[i] as number);
    if (!(slope < 0)) {
      steps.length = 0;
      changes.length = 0;
      slope = 0;
      for (let i = 0; i < n; i++) {
        direction[i] = isFree[i] === 1 ? -(gradient[i] as number) : 0;
        slope += (direction[i] as number) * (gradient[i] as number);
      }
    }
    let length = steps.length === 0 ? Math.min(1, 1 / Math.max(1e-12, norm(direction))) : 1;
    let nextValue = Infinity;
    let accepted = false;
    while (evaluations < maxEvaluations) {
      let decrease = 0;
      let moved = 0;
      for (let i = 0; i < n; i++) {
        const target = (x[i] as number) + length * (direction[i] as number);
        const bounded = Math.min(upper[i] as number, Math.max(lower[i] as number, target));
        next[i] = bounded;
        decrease += (gradient[i] as number) * (bounded - (x[i] as number));
        moved = Math.max(moved, Math.abs(bounded - (x[i] as number)));
      }
      if (moved < 1e-14) break;
      nextValue = f(next, nextGradient);
      evaluations++;
      if (nextValue <= value + 1e-4 * decrease) {
        accepted = true;
        break;
      }
      // Minimum of the parabola through value, slope and new value, kept within sensible bounds.
      const curve = nextValue - value - length * slope;
      const fitted = Number.isFinite(nextValue) && curve > 0 ? (-slope * length * length) / (2 * curve) : 0.1 * length;
      length = Math.min(0.5 * length, Math.max(0.1 * length, fitted));
    }
    if (!accepted) break;
    iterations++;
    const step = new Float64Array(n);
    const change = new Float64Array(n);
    let curvature = 0;
    let changeSquared = 0;
    for (let i = 0; i < n; i++) {
      step[i] = (next[i] as number) - (x[i] as number);
      change[i] = (nextGradient[i] as number) - (gradient[i] as number);
      curvature += (step[i] as number) * (change[i] as number);
      changeSquared += (change[i] as number) ** 2;
    }
    if (curvature > 2.2e-16 * changeSquared && curvature > 0) {
      if (steps.length === MEMORY) {
        steps.shift();
        changes.shift();
      }
      steps.push(step);
      changes.push(change);
    }
    const gained = value - nextValue;
    [x, next] = [next, x];
    [gradient, nextGradient] = [nextGradient, gradient];
    const scale = Math.max(Math.abs(value), Math.abs(nextValue), 1);
    value = nextValue;
    if (gained <= valueTolerance * scale) break;
  }
  return { x, value, iterations, evaluations };
}

/** direction = -H gradient over the free variables. */
function twoLoop(
  gradient: Float64Array,
  steps: readonly Float64Array[],
  changes: readonly Float64Array[],
  isFree: Uint8Array,
  direction: Float64Array,
): void {
  const n = gradient.length;
  for (let i = 0; i < n; i++) direction[i] = isFree[i] === 1 ? -(gradient[i] as number) : 0;
  const dot = (a: Float64Array, b: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) if (isFree[i] === 1) sum += (a[i] as number) * (b[i] as number);
    return sum;
  };
  const alphas = new Float64Array(steps.length);
  const curvatures = steps.map((step, k) => dot(step, changes[k] as Float64Array));
  let scale = 0;
  for (let k = steps.length - 1; k >= 0; k--) {
    const curvature = curvatures[k] as number;
    if (!(curvature > 1e-300)) continue;
    const step = steps[k] as Float64Array;
    const change = changes[k] as Float64Array;
    const alpha = dot(step, direction) / curvature;
    alphas[k] = alpha;
    for (let i = 0; i < n; i++)
      if (isFree[i] === 1) direction[i] = (direction[i] as number) - alpha * (change[i] as number);
    if (scale === 0) scale = curvature / dot(change, change);
  }
  if (scale > 0) for (let i = 0; i < n; i++) direction[i] = (direction[i] as number) * scale;
  for (let k = 0; k < steps.length; k++) {
    const curvature = curvatures[k] as number;
    if (!(curvature > 1e-300)) continue;
    const step = steps[k] as Float64Array;
    const beta = dot(changes[k] as Float64Array, direction) / curvature;
    const alpha = alphas[k] as number;
    for (let i = 0; i < n; i++)
      if (isFree[i] === 1) direction[i] = (direction[i] as number) + (alpha - beta) * (step[i] as number);
  }
}

function norm(vector: Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
