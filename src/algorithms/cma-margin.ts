import type { Random } from '../core/random.js';
import { CmaEs, type CmaEsOptions } from './cma-es.js';
import type { CmaOptimizer, CmaSolution } from './cma-optimizer.js';
import { normalCdf, normalQuantile } from './normal-distribution.js';

/** One discrete coordinate: values low, low + step, … . */
interface Grid {
  readonly index: number;
  readonly low: number;
  readonly step: number;
  readonly size: number;
}

const LEAST_SHARE = 1e-10;

/**
 * CMA-ES with margin (Hamano, Saito, Nomura & Shirakawa, GECCO 2022, arXiv:2205.13482): in discrete coordinates the distribution keeps
 * at least a margin of its mass in the neighbouring cells, so that it cannot get stuck in one. What is drawn is brought to the grid
 * for evaluation, and told as it was drawn.
 */
export class CmaEsWithMargin implements CmaOptimizer {
  readonly #cma: CmaEs;
  readonly #options: CmaEsOptions;
  readonly #grids: readonly Grid[];
  readonly #isDiscrete: Uint8Array;
  readonly #margin: number;
  /** Widening of each coordinate before it is brought to the grid (the matrix A). */
  readonly scales: Float64Array;

  /** @param options.steps distance between values of each coordinate; 0 for a continuous one */
  constructor(options: CmaEsOptions & { readonly steps: Float64Array; readonly margin?: number | undefined }) {
    this.#cma = new CmaEs(options);
    this.#options = options;
    const { low, high, steps } = options;
    this.#grids = [...steps.entries()].flatMap(([index, step]) =>
      step > 0
        ? [
            {
              index,
              low: low[index] as number,
              step,
              size: Math.ceil(((high[index] as number) + step / 2 - (low[index] as number)) / step),
            },
          ]
        : [],
    );
    this.#isDiscrete = Uint8Array.from(steps, (step) => (step > 0 ? 1 : 0));
    this.#margin = options.margin ?? 1 / (this.#cma.dimensions * this.#cma.populationSize);
    this.scales = new Float64Array(this.#cma.dimensions).fill(1);
  }

  get dimensions(): number {
    return this.#cma.dimensions;
  }

  get populationSize(): number {
    return this.#cma.populationSize;
  }

  get generation(): number {
    return this.#cma.generation;
  }

  /** The distribution behind it. */
  get cma(): CmaEs {
    return this.#cma;
  }

  ask(random: Random): { x: Float64Array; told: Float64Array } {
    const { low, high, mostResampling } = this.#options;
    const isInside = (value: number, j: number): boolean =>
      this.#isDiscrete[j] === 1 || (value >= (low[j] as number) && value <= (high[j] as number));
    let told = this.#cma.draw(random);
    for (let i = 1; i < mostResampling && !told.every(isInside); i++) told = this.#cma.draw(random);
    if (!told.every(isInside)) {
      told = this.#cma
        .draw(random)
        .map((value, j) =>
          this.#isDiscrete[j] === 1 ? value : Math.min(high[j] as number, Math.max(low[j] as number, value)),
        );
    }
    return { x: this.encode(told), told };
  }

  /** The point of the grid that a drawn one stands for. */
  encode(drawn: Float64Array): Float64Array {
    const x = drawn.slice();
    for (const grid of this.#grids) {
      const mean = this.#cma.mean[grid.index] as number;
      const widened = ((drawn[grid.index] as number) - mean) * (this.scales[grid.index] as number) + mean;
      x[grid.index] = grid.low + indexOf(grid, widened) * grid.step;
    }
    return x;
  }

  tell(solutions: readonly CmaSolution[]): void {
    this.#cma.tell(solutions);
    for (const grid of this.#grids) this.#correct(grid);
  }

  shouldStop(): boolean {
    return this.#cma.shouldStop();
  }

  /** Margin correction of one coordinate (section 4.3). */
  #correct(grid: Grid): void {
    const { mean, sigma, covariance, dimensions: n } = this.#cma;
    const j = grid.index;
    const m = mean[j] as number;
    const deviation = sigma * Math.sqrt(covariance[j * n + j] as number);
    const scale = deviation * (this.scales[j] as number);
    const position = indexOf(grid, m);
    const last = grid.size - 2;
    const below = limitOf(grid, Math.min(last, Math.max(0, position - 1)));
    const above = limitOf(grid, Math.min(last, position));
    let low = normalCdf((below - m) / scale);
    let up = 1 - normalCdf((above - m) / scale);
    const middle = 1 - (low + up);
    if (Math.max(low, up) > 0.5) {
      // The mean lies in the first or the last cell: brought near enough to the next one.
      if (Math.min(low, up) < this.#margin)
        mean[j] = above + Math.sign(m - above) * scale * normalQuantile(1 - this.#margin);
      return;
    }
    const half = this.#margin / 2;
    low = Math.max(low, half);
    up = Math.max(up, half);
    const excess = (1 - low - up - middle) / (low + middle + up - 3 * half);
    const inRange = (share: number): number => Math.min(0.5 - LEAST_SHARE, Math.max(LEAST_SHARE, share));
    const toLow = normalQuantile(1 - inRange(low + excess * (low - half)));
    const toUp = normalQuantile(1 - inRange(up + excess * (up - half)));
    this.scales[j] = (above - below) / ((toLow + toUp) * deviation);
    mean[j] = (below * toUp + above * toLow) / (toLow + toUp);
  }
}

/** Number of the nearest value; of two, the lower one. */
function indexOf({ low, step, size }: Grid, value: number): number {
  let index = Math.min(size - 1, Math.max(0, Math.floor((value - low) / step + 0.5)));
  const grid = { index: 0, low, step, size };
  if (index > 0 && value <= limitOf(grid, index - 1)) index--;
  if (index < size - 1 && value > limitOf(grid, index)) index++;
  return index;
}

/** The border between value number `index` and the next. */
function limitOf({ low, step }: Grid, index: number): number {
  return (low + index * step + (low + (index + 1) * step)) / 2;
}
