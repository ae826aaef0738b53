import type { Random } from '../core/random.js';
import { UsageError } from '../core/errors.js';
import { DIMENSIONS_BY_DEGREE, PACKED_DIRECTION_NUMBERS } from './sobol-direction-numbers.js';

const BITS = 32;
const SCALE = 2 ** -BITS;

/** Most dimensions that a Sobol sequence can have. */
export const MOST_SOBOL_DIMENSIONS = 1 + DIMENSIONS_BY_DEGREE.reduce((sum, count) => sum + count, 0);

/**
 * Sobol sequence in [0, 1)^d, in the order of Gray code (Sobol 1967; Antonov & Saleev 1979; direction numbers: Joe & Kuo, SIAM J.
 * Sci. Comput. 2008). With a random stream it is scrambled: a random lower triangular matrix over the binary digits of each dimension
 * and a random digital shift (Matoušek, J. Complexity 1998), which keeps the even spread of every 2^m points.
 */
export class SobolSequence {
  readonly dimensions: number;
  /** BITS numbers for each dimension. */
  readonly #directions: Uint32Array;
  readonly #shift: Uint32Array;

  /** @throws UsageError for more than 1,111 dimensions */
  constructor(dimensions: number, scramble?: Random) {
    if (dimensions > MOST_SOBOL_DIMENSIONS) {
      throw new UsageError(
        `A Sobol sequence has at most ${MOST_SOBOL_DIMENSIONS} dimensions, but ${dimensions} were asked for.`,
      );
    }
    this.dimensions = dimensions;
    this.#directions = directionNumbers(dimensions);
    this.#shift = new Uint32Array(dimensions);
    if (scramble === undefined) return;
    for (let j = 0; j < dimensions; j++) {
      scrambleDigits(this.#directions.subarray(j * BITS, (j + 1) * BITS), scramble);
      this.#shift[j] = randomBits(scramble);
    }
  }

  /** Point number `index`, 0 and up; the same whatever was asked before. */
  point(index: number): Float64Array {
    if (index >= 2 ** BITS) throw new RangeError(`A Sobol sequence ends after 2^${BITS} points.`);
    const gray = (index ^ (index >>> 1)) >>> 0;
    const point = new Float64Array(this.dimensions);
    for (let j = 0; j < this.dimensions; j++) {
      let value = this.#shift[j] as number;
      for (let bits = gray, k = 0; bits !== 0; bits >>>= 1, k++) {
        if ((bits & 1) === 1) value ^= this.#directions[j * BITS + k] as number;
      }
      point[j] = (value >>> 0) * SCALE;
    }
    return point;
  }
}

function randomBits(random: Random): number {
  return random.integer(2 ** BITS) >>> 0;
}

/** Multiplies each direction number, its first digit highest, by one random lower triangular matrix with ones on the diagonal. */
function scrambleDigits(directions: Uint32Array, random: Random): void {
  // Row r makes the digit r of the result from the digits 0 … r.
  const rows = Uint32Array.from({ length: BITS }, (_, r) => {
    const diagonal = (0x80000000 >>> r) >>> 0;
    const above = r === 0 ? 0 : ~(0xffffffff >>> r) >>> 0;
    return (diagonal | (randomBits(random) & above)) >>> 0;
  });
  for (let k = 0; k < directions.length; k++) {
    const number = directions[k] as number;
    let result = 0;
    for (let r = 0; r < BITS; r++) if (parity(number & (rows[r] as number)) === 1) result |= 0x80000000 >>> r;
    directions[k] = result >>> 0;
  }
}

function parity(bits: number): number {
  let folded = bits ^ (bits >>> 16);
  folded ^= folded >>> 8;
  folded ^= folded >>> 4;
  return (0x6996 >>> (folded & 15)) & 1;
}

let unpacked: { readonly polynomials: Uint32Array; readonly initial: readonly Uint32Array[] } | undefined;

function unpack(): { readonly polynomials: Uint32Array; readonly initial: readonly Uint32Array[] } {
  if (unpacked !== undefined) return unpacked;
  const bytes = Buffer.from(PACKED_DIRECTION_NUMBERS, 'base64');
  let place = 0;
  const read = (bits: number): number => {
    let value = 0;
    for (let i = 0; i < bits; i++, place++)
      value = (value << 1) | (((bytes[place >> 3] ?? 0) >> (7 - (place & 7))) & 1);
    return value;
  };
  const polynomials = new Uint32Array(MOST_SOBOL_DIMENSIONS);
  const initial: Uint32Array[] = [new Uint32Array(0)];
  for (const [d, count] of DIMENSIONS_BY_DEGREE.entries()) {
    const degree = d + 1;
    for (let c = 0; c < count; c++) {
      polynomials[initial.length] = read(degree - 1);
      initial.push(Uint32Array.from({ length: degree }, (_, i) => 2 * read(i) + 1));
    }
  }
  return (unpacked = { polynomials, initial });
}

/** v_k = m_k 2^(BITS - k) by the recurrence of the primitive polynomial (Joe & Kuo 2008, eq. 2). */
function directionNumbers(dimensions: number): Uint32Array {
  const { polynomials, initial } = unpack();
  const directions = new Uint32Array(dimensions * BITS);
  for (let j = 0; j < dimensions; j++) {
    const v = directions.subarray(j * BITS, (j + 1) * BITS);
    const m = initial[j] as Uint32Array;
    const degree = m.length;
    if (degree === 0) {
      for (let k = 0; k < BITS; k++) v[k] = (0x80000000 >>> k) >>> 0;
      continue;
    }
    const inner = polynomials[j] as number;
    for (let k = 0; k < BITS; k++) {
      if (k < degree) {
        v[k] = ((m[k] as number) << (BITS - 1 - k)) >>> 0;
        continue;
      }
      let value = (v[k - degree] as number) ^ ((v[k - degree] as number) >>> degree);
      for (let i = 1; i < degree; i++) {
        if (((inner >>> (degree - 1 - i)) & 1) === 1) value ^= v[k - i] as number;
      }
      v[k] = value >>> 0;
    }
  }
  return directions;
}
