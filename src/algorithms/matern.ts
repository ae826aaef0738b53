const SQRT5 = Math.sqrt(5);
const STEPS = 64;
const TO_STEPS = STEPS / Math.LN2;
const STEP = Math.LN2 / STEPS;
/** 2^(-m / 64). */
const FRACTIONS = Float64Array.from({ length: STEPS }, (_, m) => 2 ** (-m / STEPS));
/** 2^-m. */
const POWERS = Float64Array.from({ length: 1100 }, (_, m) => 2 ** -m);

/** exp(-x) for x ≥ 0 to about 1e-14, several times faster than Math.exp: a table of fractions of powers of two and a short series. */
export function expNegative(x: number): number {
  const k = (x * TO_STEPS + 0.5) | 0;
  if (x > 740) return 0;
  const r = k * STEP - x;
  const series = 1 + r * (1 + r * (0.5 + r * (1 / 6 + r * (1 / 24))));
  return series * (FRACTIONS[k & (STEPS - 1)] as number) * (POWERS[k >> 6] as number);
}

/** Matérn 5/2 correlation at squared scaled distance r² (Rasmussen & Williams 2006, eq. 4.17). */
export function matern52(squared: number): number {
  const r = SQRT5 * Math.sqrt(squared);
  return (1 + r + (r * r) / 3) * expNegative(r);
}
