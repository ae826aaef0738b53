import type { Random } from '../core/random.js';

/**
 * Halton sequence in [0, 1)^d: dimension j is the radical inverse in the j-th prime base (Halton 1960). With a random stream each
 * digit place of each dimension has a random permutation of the digits (Owen, arXiv:1706.02808), which breaks the patterns that large
 * bases show.
 */
export class HaltonSequence {
  readonly dimensions: number;
  readonly #bases: readonly number[];
  /** By dimension: permutations of all digit places, one after another. */
  readonly #permutations: readonly Int32Array[] | undefined;

  constructor(dimensions: number, scramble?: Random) {
    this.dimensions = dimensions;
    this.#bases = firstPrimes(dimensions);
    this.#permutations = scramble === undefined ? undefined : this.#bases.map((base) => permutations(base, scramble));
  }

  /** Point number `index`, 0 and up. */
  point(index: number): Float64Array {
    return Float64Array.from(this.#bases, (base, j) => {
      const permutation = this.#permutations?.[j];
      const places = permutation === undefined ? Infinity : permutation.length / base;
      let value = 0;
      let weight = 1 / base;
      let rest = index;
      for (let place = 0; place < places && (rest > 0 || permutation !== undefined); place++) {
        const digit = rest % base;
        value += weight * (permutation === undefined ? digit : (permutation[place * base + digit] as number));
        weight /= base;
        rest = (rest - digit) / base;
      }
      return Math.min(value, 1 - 2 ** -53);
    });
  }
}

function permutations(base: number, random: Random): Int32Array {
  // Further places would not change a double.
  const places = Math.ceil(53 / Math.log2(base));
  const all = new Int32Array(places * base);
  for (let place = 0; place < places; place++) {
    all.set(random.shuffle(Array.from({ length: base }, (_, digit) => digit)), place * base);
  }
  return all;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}
