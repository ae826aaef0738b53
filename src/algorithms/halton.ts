import type { Random } from '../core/random.js';

/** Digits that a double can tell apart. */
const BITS = 54;

/**
 * Halton sequence in [0, 1)^d: in dimension j the digits of the index in the j-th prime base, mirrored at the point (Halton, Numer.
 * Math. 1960). With a random stream every digit of every dimension is permuted at random (Owen, arXiv:1706.02808), which takes away
 * the stripes between large bases.
 */
export class HaltonSequence {
  readonly dimensions: number;
  readonly #bases: readonly number[];
  /** By dimension and digit; undefined where nothing is permuted. */
  readonly #permutations: readonly (readonly (readonly number[])[])[] | undefined;

  constructor(dimensions: number, scramble?: Random) {
    this.dimensions = dimensions;
    this.#bases = firstPrimes(dimensions);
    this.#permutations =
      scramble === undefined
        ? undefined
        : this.#bases.map((base) =>
            Array.from({ length: Math.ceil(BITS / Math.log2(base)) - 1 }, () =>
              scramble.shuffle(Array.from({ length: base }, (_, digit) => digit)),
            ),
          );
  }

  /** Point number `index`, 0 and up; the same whatever was asked before. */
  point(index: number): Float64Array {
    return Float64Array.from(this.#bases, (base, j) => mirrored(index, base, this.#permutations?.[j]));
  }
}

function mirrored(index: number, base: number, permutations: readonly (readonly number[])[] | undefined): number {
  let value = 0;
  let rest = index;
  let place = 1 / base;
  if (permutations === undefined) {
    for (; rest > 0; rest = Math.floor(rest / base), place /= base) value += (rest % base) * place;
    return value;
  }
  // Zeros ahead of the number are digits too, once they are permuted.
  for (const permutation of permutations) {
    value += (permutation[rest % base] as number) * place;
    rest = Math.floor(rest / base);
    place /= base;
  }
  return Math.min(value, 1 - Number.EPSILON / 2);
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    let isPrime = true;
    for (const prime of primes) {
      if (prime * prime > candidate) break;
      if (candidate % prime === 0) {
        isPrime = false;
        break;
      }
    }
    if (isPrime) primes.push(candidate);
  }
  return primes;
}
