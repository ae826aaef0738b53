const N = 624;
const M = 397;

/**
 * Mersenne twister MT19937 with the initialisation of 2002 (Matsumoto & Nishimura, ACM TOMACS 1998): the generator of numpy's
 * `RandomState`. Only for what must come out as it does there; everything else uses `core/random.ts`.
 */
export class MersenneTwister {
  readonly #state = new Uint32Array(N);
  #place = N;

  constructor(seed: number) {
    this.#state[0] = seed >>> 0;
    for (let i = 1; i < N; i++) {
      const before = this.#state[i - 1] as number;
      this.#state[i] = Math.imul(1_812_433_253, before ^ (before >>> 30)) + i;
    }
  }

  /** 32 random bits, as a whole number from 0. */
  next(): number {
    if (this.#place === N) this.#twist();
    let y = this.#state[this.#place++] as number;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < N; i++) {
      const y = ((state[i] as number) & 0x80000000) | ((state[(i + 1) % N] as number) & 0x7fffffff);
      state[i] = (state[(i + M) % N] as number) ^ (y >>> 1) ^ ((y & 1) === 0 ? 0 : 0x9908b0df);
    }
    this.#place = 0;
  }
}

/** The order into which numpy's `RandomState(seed).shuffle` brings the numbers 0 … n - 1. `n` up to 2^32. */
export function numpyShuffle(n: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const twister = new MersenneTwister(seed);
  for (let i = n - 1; i > 0; i--) {
    // Rejection within the smallest range of bits that holds i.
    const mask = 0xffffffff >>> Math.clz32(i);
    let j = (twister.next() & mask) >>> 0;
    while (j > i) j = (twister.next() & mask) >>> 0;
    const held = order[i] as number;
    order[i] = order[j] as number;
    order[j] = held;
  }
  return order;
}
