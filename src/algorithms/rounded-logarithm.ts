/** Binary places of the fixed-point numbers here. */
const PLACES = 160n;
const ONE = 1n << PLACES;

/**
 * Natural logarithm of a number above 0, rounded correctly to a double: glibc's, and so Python's, in all but some 1e-10 of all cases.
 * `Math.log` may be one unit in the last place beside it, which tells where a quotient of logarithms is rounded down to a whole number.
 */
export function roundedLogarithm(x: number): number {
  let mantissa = x;
  let exponent = 0;
  for (; mantissa >= 2; mantissa /= 2) exponent++;
  for (; mantissa < 1; mantissa *= 2) exponent--;
  const fixed = BigInt(mantissa * 2 ** 52) << (PLACES - 52n);
  const sum = BigInt(exponent) * logarithmOf(2n * ONE) + logarithmOf(fixed);
  return Number(sum) / 2 ** Number(PLACES);
}

/** ln m = 2 artanh((m − 1)/(m + 1)) of a fixed-point number from 1 to 2. */
function logarithmOf(fixed: bigint): bigint {
  const t = ((fixed - ONE) << PLACES) / (fixed + ONE);
  const square = (t * t) >> PLACES;
  let sum = 0n;
  let power = t;
  for (let k = 1n; power > 0n; k += 2n) {
    sum += power / k;
    power = (power * square) >> PLACES;
  }
  return 2n * sum;
}
