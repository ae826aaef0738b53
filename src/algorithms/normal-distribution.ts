import { erf, erfc } from './erf.js';

const SQRT_2 = Math.SQRT2;
/** log √(2π). */
export const LOG_SQRT_2PI = 0.5 * Math.log(2 * Math.PI);
const LOGISTIC = Math.sqrt(3) / Math.PI;

/** Standard normal distribution function Φ(a). */
export function normalCdf(a: number): number {
  const x = a / SQRT_2;
  if (x < -1 / SQRT_2) return 0.5 * erfc(-x);
  return x < 1 / SQRT_2 ? 0.5 + 0.5 * erf(x) : 1 - 0.5 * erfc(x);
}

/** log Φ(a), by the asymptotic series far in the lower tail (Abramowitz & Stegun 26.2.12). */
export function logNormalCdf(a: number): number {
  if (a > 6) return -normalCdf(-a);
  if (a > -20) return Math.log(normalCdf(a));
  const leading = -0.5 * a * a - Math.log(-a) - LOG_SQRT_2PI;
  let last = 0;
  let sum = 1;
  let numerator = 1;
  let factor = 1;
  const step = 1 / (a * a);
  for (let i = 1; Math.abs(last - sum) > Number.EPSILON && i < 200; i++) {
    last = sum;
    factor *= step;
    numerator *= 2 * i - 1;
    sum += (i % 2 === 1 ? -1 : 1) * numerator * factor;
  }
  return leading + Math.log(sum);
}

/** log(exp(p) - exp(q)) for p ≥ q. */
function logDifference(p: number, q: number): number {
  return p + Math.log1p(-Math.exp(q - p));
}

/** log(Φ(b) - Φ(a)) for a ≤ b, worked in the lower tail, where it is accurate. */
export function logNormalMass(a: number, b: number): number {
  if (b <= 0) return logDifference(logNormalCdf(b), logNormalCdf(a));
  if (a > 0) return logDifference(logNormalCdf(-a), logNormalCdf(-b));
  return Math.log1p(-0.5 * erfc(-a / SQRT_2) - 0.5 * erfc(b / SQRT_2));
}

/** Value of a polynomial of degree 7, coefficients from the constant upward. */
function polynomial7(x: number, c: readonly number[]): number {
  let value = 0;
  for (let i = 7; i >= 0; i--) value = value * x + (c[i] as number);
  return value;
}

const CENTRE_ABOVE = [
  3.387132872796366608, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
  4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
];
const CENTRE_BELOW = [
  1, 4.2313330701600911252e1, 6.871870074920579083e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
  3.930789580009271061e4, 2.8729085735721942674e4, 5.226495278852854561e3,
];
const NEAR_ABOVE = [
  1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504, 1.27045825245236838258,
  2.4178072517745061177e-1, 2.27238449892691845833e-2, 7.7454501427834140764e-4,
];
const NEAR_BELOW = [
  1, 2.05319162663775882187, 1.6763848301838038494, 6.8976733498510000455e-1, 1.4810397642748007459e-1,
  1.51986665636164571966e-2, 5.475938084995344946e-4, 1.05075007164441684324e-9,
];
const FAR_ABOVE = [
  6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 2.9656057182850489123e-1,
  2.6532189526576123093e-2, 1.2426609473880784386e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
];
const FAR_BELOW = [
  1, 5.9983220655588793769e-1, 1.3692988092273580531e-1, 1.48753612908506148525e-2, 7.868691311456132591e-4,
  1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
];

/** x with Φ(x) = p, for 0 < p < 1: Wichura's PPND16 (algorithm AS 241, Applied Statistics 1988), relative error about 1e-16. */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial7(r, CENTRE_ABOVE)) / polynomial7(r, CENTRE_BELOW);
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const x =
    r <= 5
      ? polynomial7(r - 1.6, NEAR_ABOVE) / polynomial7(r - 1.6, NEAR_BELOW)
      : polynomial7(r - 5, FAR_ABOVE) / polynomial7(r - 5, FAR_BELOW);
  return q < 0 ? -x : x;
}

/** x with log Φ(x) = y, by Newton's method from a tail or logistic approximation. */
function inverseLogNormalCdf(y: number): number {
  // Close to 0 the upper tail says the same with more digits.
  const flipped = y > -1e-2;
  const z = flipped ? Math.log(-Math.expm1(y)) : y;
  let x = z < -5 ? -Math.sqrt(-2 * (z + LOG_SQRT_2PI)) : -LOGISTIC * Math.log(Math.expm1(-z));
  for (let i = 0; i < 100; i++) {
    const logCdf = logNormalCdf(x);
    const step = (logCdf - z) * Math.exp(logCdf + 0.5 * x * x + LOG_SQRT_2PI);
    x -= step;
    if (Math.abs(step) < 1e-8 * Math.abs(x)) break;
  }
  return flipped ? -x : x;
}

function logSum(p: number, q: number): number {
  const high = Math.max(p, q);
  return high === -Infinity ? high : high + Math.log1p(Math.exp(Math.min(p, q) - high));
}

/** Quantile of a standard normal truncated to [a, b]: the value below which the share q of its mass lies. */
export function truncatedNormalQuantile(q: number, a: number, b: number): number {
  if (q <= 0) return a;
  if (q >= 1) return b;
  // Where the interval reaches into the middle, probabilities themselves are exact enough.
  if (a < 3 && b > -3) {
    const below = normalCdf(a);
    const p = below + q * (normalCdf(b) - below);
    if (p > 1e-6 && p < 1 - 1e-6) return Math.min(b, Math.max(a, normalQuantile(p)));
  }
  const mass = logNormalMass(a, b);
  const value =
    a < 0
      ? inverseLogNormalCdf(logSum(logNormalCdf(a), Math.log(q) + mass))
      : -inverseLogNormalCdf(logSum(logNormalCdf(-b), Math.log1p(-q) + mass));
  return Math.min(b, Math.max(a, value));
}
