import type { Random } from '../core/random.js';

/** A point and what came out of it; lower is better. */
export interface CmaSolution {
  readonly x: Float64Array;
  readonly loss: number;
}

/** What every variant of CMA-ES can do. Points lie in a box. */
export interface CmaOptimizer {
  readonly dimensions: number;
  readonly populationSize: number;
  /** Updates so far. */
  readonly generation: number;
  /** Draws a point: `x` to be tried, `told` to be told later (another only where values are discrete). */
  ask(random: Random): { readonly x: Float64Array; readonly told: Float64Array };
  /** Updates the distribution by a whole generation. */
  tell(solutions: readonly CmaSolution[]): void;
  /** Whether the search has converged, diverged or lost its way. */
  shouldStop(): boolean;
}

export interface CmaOptions {
  readonly mean: Float64Array;
  readonly sigma: number;
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** @default 4 + ⌊3 ln n⌋ (Hansen, eq. 48) */
  readonly populationSize?: number | undefined;
  /** Draws outside of the box before one is brought to its edge. */
  readonly mostResampling: number;
}

/** Guards a division and negative eigenvalues, as in the cmaes package. */
export const CMA_EPSILON = 1e-8;
export const SIGMA_MAX = 1e32;

/** Hansen's default (arXiv:1604.00772, eq. 48). */
export function defaultPopulationSize(dimensions: number): number {
  return 4 + Math.floor(3 * Math.log(dimensions));
}

/** E‖N(0, I)‖, approximately (p. 28). */
export function expectedNorm(n: number): number {
  return Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
}

/** Draws until a point lies in the box, then brings the last one to its edge. */
export function drawInside(
  draw: () => Float64Array,
  { low, high, mostResampling }: Pick<CmaOptions, 'low' | 'high' | 'mostResampling'>,
): Float64Array {
  for (let i = 0; i < mostResampling; i++) {
    const x = draw();
    if (x.every((value, j) => value >= (low[j] as number) && value <= (high[j] as number))) return x;
  }
  return draw().map((value, j) => Math.min(high[j] as number, Math.max(low[j] as number, value)));
}

/** Best and worst losses of the last generations, and what they say about going on. */
export class LossHistory {
  readonly #length: number;
  readonly #values: Float64Array;

  constructor(dimensions: number, populationSize: number) {
    this.#length = 10 + Math.ceil((30 * dimensions) / populationSize);
    this.#values = new Float64Array(2 * this.#length);
  }

  add(generation: number, best: number, worst: number): void {
    const place = 2 * (generation % this.#length);
    this.#values[place] = best;
    this.#values[place + 1] = worst;
  }

  /** All of them are the same within 1e-12. */
  isFlat(generation: number): boolean {
    if (generation <= this.#length) return false;
    return Math.max(...this.#values) - Math.min(...this.#values) < 1e-12;
  }
}
