/** The largest number up to n that is a multiple of a step, which doubles each time that n has `steps` of them. */
export function refitSize(n: number, steps: number): number {
  let step = 1;
  while (step * steps <= n) step *= 2;
  return n - (n % step);
}
