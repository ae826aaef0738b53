import { createHash } from 'node:crypto';

import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers that depends on its seed alone. */
export interface Random {
  /** Uniform in [0, 1), 53 random bits. */
  uniform(): number;
  /** Whole number in [0, n). */
  integer(n: number): number;
  /** Standard normal (Marsaglia's polar method). */
  normal(): number;
  /** Shuffles in place (Fisher–Yates) and returns the same array. */
  shuffle<T>(items: T[]): T[];
}

/** A stream from one 32-bit seed. */
export function createRandom(seed: number): Random {
  // The generator is linear: streams of neighbouring seeds stay correlated for ever unless the seed is scrambled first.
  const generator = xoroshiro128plus(scramble(seed));
  for (let i = 0; i < 8; i++) generator.next();
  let spare: number | undefined;
  const uniform = (): number => {
    const high = generator.next() >>> 5;
    const low = generator.next() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  };
  const integer = (n: number): number => Math.floor(uniform() * n);
  return {
    uniform,
    integer,
    normal: () => {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      for (;;) {
        const u = 2 * uniform() - 1;
        const v = 2 * uniform() - 1;
        const s = u * u + v * v;
        if (s > 0 && s < 1) {
          const factor = Math.sqrt((-2 * Math.log(s)) / s);
          spare = v * factor;
          return u * factor;
        }
      }
    },
    shuffle: (items) => {
      for (let i = items.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        const held = items[i] as (typeof items)[number];
        items[i] = items[j] as (typeof items)[number];
        items[j] = held;
      }
      return items;
    },
  };
}

/** 32-bit seed mixed from any parts (FNV-1a, then murmur's finaliser): other parts, unrelated streams. */
export function mixSeed(...parts: readonly (number | string)[]): number {
  let hash = 0x811c9dc5;
  const add = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  for (const part of parts) {
    const text = typeof part === 'number' ? `#${part}` : part;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      add(code & 0xff);
      add(code >>> 8);
    }
    add(0xff);
  }
  return scramble(hash);
}

/** Murmur3's finaliser: every bit of the result depends on every bit of a 32-bit number. */
function scramble(value: number): number {
  let hash = value | 0;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return hash | 0;
}

/** First eight hexadecimal digits of a text's SHA-256. */
export function hash8(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
