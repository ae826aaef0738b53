/**
 * Polynomial mutation within bounds (Deb & Agrawal 1999; the bounded form of Deb & Deb 2014, eq. 4–5).
 * @param u uniform in [0, 1)
 * @param eta the larger, the nearer the result is to the value
 */
export function polynomialMutation(value: number, low: number, high: number, eta: number, u: number): number {
  const width = high - low;
  if (width <= 0) return value;
  const power = eta + 1;
  if (u <= 0.5) {
    const rest = 1 - (value - low) / width;
    return value + ((2 * u + (1 - 2 * u) * rest ** power) ** (1 / power) - 1) * width;
  }
  const rest = 1 - (high - value) / width;
  return value + (1 - (2 * (1 - u) + 2 * (u - 0.5) * rest ** power) ** (1 / power)) * width;
}
