import type { Random } from '../core/random.js';
import { normalCdf } from './normal-distribution.js';

/** Nodes and weights of Gauss-Legendre quadrature with six points on [0, 1] (Abramowitz & Stegun, table 25.4). */
const NODES = [
  0.033765242898423975, 0.16939530676686776, 0.38069040695840156, 0.6193095930415985, 0.8306046932331322,
  0.966234757101576,
];
const WEIGHTS = [
  0.08566224618958517, 0.1803807865240693, 0.23395696728634552, 0.23395696728634552, 0.1803807865240693,
  0.08566224618958517,
];
/** Standard deviations beyond which no result is expected. */
const REACH = 4;
/** Least share of a direction that an objective has: none divides by 0. */
const LEAST_SHARE = 1e-3;
const LEAST_DEVIATION = 1e-9;
/** Below the logarithm of any improvement there is. */
const NO_IMPROVEMENT = -1e3;

/**
 * Expected improvement of the hypervolume, for any number of objectives. Seen from the reference point r a hypervolume is, up to a
 * constant, the mean over directions λ of the largest s(y)ᵏ among the results y, s(y) = minᵢ (rᵢ - yᵢ) / λᵢ, k objectives (Zhang &
 * Golovin, ICML 2020, lemma 5). What a normal result may add along one direction is an integral in one dimension over products of
 * normal probabilities. So the work grows with the number of objectives as such, not with the boxes into which a front cuts their
 * space.
 */
export class HypervolumeDirections {
  readonly #reference: Float64Array;
  /** By direction and objective. */
  readonly #directions: Float64Array;
  /** By direction: how far it is covered by results. */
  readonly #covered: Float64Array;

  /**
   * @param losses by result and objective, lower is better
   * @param reference by objective: what is worse than this adds nothing
   * @param ideal by objective, the best there is: how far the reference is from it is the unit of directions
   */
  constructor(
    losses: readonly (readonly number[])[],
    reference: readonly number[],
    ideal: readonly number[],
    count: number,
    random: Random,
  ) {
    const k = reference.length;
    this.#reference = Float64Array.from(reference);
    this.#directions = new Float64Array(count * k);
    this.#covered = new Float64Array(count);
    for (let l = 0; l < count; l++) {
      const shares = reference.map(() => Math.max(LEAST_SHARE, Math.abs(random.normal())));
      const norm = Math.hypot(...shares);
      const own = this.#directions.subarray(l * k, (l + 1) * k);
      for (let i = 0; i < k; i++) {
        const width = Math.max(LEAST_SHARE, (reference[i] as number) - (ideal[i] as number));
        own[i] = ((shares[i] as number) / norm) * width;
      }
      let most = 0;
      for (const loss of losses) {
        let length = Infinity;
        for (let i = 0; i < k; i++)
          length = Math.min(length, ((reference[i] as number) - (loss[i] as number)) / (own[i] as number));
        most = Math.max(most, length);
      }
      this.#covered[l] = most;
    }
  }

  /** log of what a result with independent normal losses adds in expectation, up to a constant. */
  logImprovement(means: ArrayLike<number>, deviations: ArrayLike<number>): number {
    let total = 0;
    let nearest = -Infinity;
    for (let l = 0; l < this.#covered.length; l++) {
      const from = this.#covered[l] as number;
      const to = this.#reach(l, means, deviations);
      nearest = Math.max(nearest, to - from);
      if (to > from) total += this.#expectedGain(l, from, to, means, deviations);
    }
    // Where nothing is expected anywhere, what comes nearest to something is better still.
    return total > 0 ? Math.log(total) : NO_IMPROVEMENT + Math.max(NO_IMPROVEMENT, nearest);
  }

  /** How far along a direction a result may come. */
  #reach(l: number, means: ArrayLike<number>, deviations: ArrayLike<number>): number {
    const k = this.#reference.length;
    let reach = Infinity;
    for (let i = 0, at = l * k; i < k; i++, at++) {
      const own = (this.#reference[i] as number) - (means[i] as number) + REACH * (deviations[i] as number);
      reach = Math.min(reach, own / (this.#directions[at] as number));
    }
    return reach;
  }

  /** E[max(0, s(y)ᵏ - fromᵏ)] / k: the integral of uᵏ⁻¹ P[s(y) > u] from `from` on. */
  #expectedGain(l: number, from: number, to: number, means: ArrayLike<number>, deviations: ArrayLike<number>): number {
    const k = this.#reference.length;
    let sum = 0;
    for (let q = 0; q < NODES.length; q++) {
      const u = from + (to - from) * (NODES[q] as number);
      let product = (WEIGHTS[q] as number) * u ** (k - 1);
      for (let i = 0, at = l * k; i < k; i++, at++) {
        const margin = (this.#reference[i] as number) - u * (this.#directions[at] as number) - (means[i] as number);
        const z = margin / Math.max(LEAST_DEVIATION, deviations[i] as number);
        if (z < REACH) product *= normalCdf(z);
      }
      sum += product;
    }
    return sum * (to - from);
  }
}
