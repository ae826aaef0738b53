/**
 * A double as the decimal number that its shortest text shows: `units × 10^-digits`. Sums and remainders of these are
 * exact, as in Python's `decimal`, where binary ones are not: 0.1 + 2 × 0.1 is 0.3.
 */
interface Decimal {
  readonly units: bigint;
  readonly digits: number;
}

function decimalOf(value: number): Decimal {
  const [mantissa = '', exponentText = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = fraction.length - Number(exponentText);
  const units = BigInt(whole + fraction);
  return digits >= 0 ? { units, digits } : { units: units * 10n ** BigInt(-digits), digits: 0 };
}

/** Whole numbers that stand for the values at one common scale. */
function atCommonScale(values: readonly number[]): { readonly units: readonly bigint[]; readonly digits: number } {
  const decimals = values.map((value) => decimalOf(value));
  const digits = Math.max(...decimals.map((decimal) => decimal.digits));
  return { units: decimals.map((decimal) => decimal.units * 10n ** BigInt(digits - decimal.digits)), digits };
}

function toNumber(units: bigint, digits: number): number {
  return Number(`${units}e-${digits}`);
}

/** low + k·step: 0.1 + 2 × 0.1 is 0.3, not 0.30000000000000004. All finite, `k` whole. */
export function decimalSum(low: number, k: number, step: number): number {
  const { units, digits } = atCommonScale([low, step]);
  const [lowUnits = 0n, stepUnits = 0n] = units;
  return toNumber(lowUnits + BigInt(k) * stepUnits, digits);
}

/** Largest low + k·step that is not above `high`, given low <= high and step > 0. */
export function alignedHigh(low: number, high: number, step: number): number {
  const { units, digits } = atCommonScale([low, high, step]);
  const [lowUnits = 0n, highUnits = 0n, stepUnits = 1n] = units;
  const rest = (highUnits - lowUnits) % stepUnits;
  return rest === 0n ? high : toNumber(highUnits - rest, digits);
}

/** Whether high - low < step. */
export function isNarrowerThan(low: number, high: number, step: number): boolean {
  const { units } = atCommonScale([low, high, step]);
  const [lowUnits = 0n, highUnits = 0n, stepUnits = 0n] = units;
  return highUnits - lowUnits < stepUnits;
}
