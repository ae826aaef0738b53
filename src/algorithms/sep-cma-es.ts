import type { Random } from '../core/random.js';
import { accumulate } from './cma-es.js';
import {
  CMA_EPSILON,
  defaultPopulationSize,
  drawInside,
  expectedNorm,
  LossHistory,
  SIGMA_MAX,
  type CmaOptimizer,
  type CmaOptions,
  type CmaSolution,
} from './cma-optimizer.js';

/**
 * Separable CMA-ES (Ros & Hansen, PPSN 2008): a diagonal covariance, learnt faster and in linear time, for many parameters that
 * hardly interact. Constants and stopping rules are those of the cmaes package.
 */
export class SepCmaEs implements CmaOptimizer {
  readonly dimensions: number;
  readonly populationSize: number;
  readonly mean: Float64Array;
  /** Diagonal of the covariance. */
  readonly variances: Float64Array;
  sigma: number;
  readonly pathSigma: Float64Array;
  readonly pathC: Float64Array;
  readonly #options: CmaOptions;
  readonly #weights: Float64Array;
  readonly #muEff: number;
  readonly #tolX: number;
  readonly #history: LossHistory;
  #generation = 0;

  constructor(options: CmaOptions) {
    const n = options.mean.length;
    this.dimensions = n;
    this.populationSize = options.populationSize ?? defaultPopulationSize(n);
    this.mean = options.mean.slice();
    this.sigma = options.sigma;
    this.variances = new Float64Array(n).fill(1);
    this.pathSigma = new Float64Array(n);
    this.pathC = new Float64Array(n);
    this.#options = options;
    const mu = Math.floor(this.populationSize / 2);
    const raw = Float64Array.from({ length: mu }, (_, i) => Math.log(mu + 1) - Math.log(i + 1));
    const total = raw.reduce((sum, w) => sum + w, 0);
    this.#weights = raw.map((w) => w / total);
    this.#muEff = 1 / this.#weights.reduce((sum, w) => sum + w * w, 0);
    this.#tolX = 1e-12 * options.sigma;
    this.#history = new LossHistory(n, this.populationSize);
  }

  get generation(): number {
    return this.#generation;
  }

  ask(random: Random): { x: Float64Array; told: Float64Array } {
    const d = this.#deviations();
    const x = drawInside(
      () => this.mean.map((m, i) => m + this.sigma * (d[i] as number) * random.normal()),
      this.#options,
    );
    return { x, told: x };
  }

  tell(solutions: readonly CmaSolution[]): void {
    const n = this.dimensions;
    const muEff = this.#muEff;
    const weights = this.#weights;
    const c1 = 2 / ((n + 1.3) ** 2 + muEff);
    const full =
      2 / muEff / (n + Math.SQRT2) ** 2 + (1 - 1 / muEff) * Math.min(1, (2 * muEff - 1) / ((n + 2) ** 2 + muEff));
    const cMu = ((n + 2) / 3) * full;
    const cSigma = (muEff + 2) / (n + muEff + 3);
    const dSigma = 1 + 2 * Math.max(0, Math.sqrt((muEff - 1) / (n + 1)) - 1) + cSigma;
    const cc = 4 / (n + 4);

    this.#generation++;
    const ranked = [...solutions].sort((a, b) => (a.loss < b.loss ? -1 : a.loss > b.loss ? 1 : 0));
    this.#history.add(this.#generation, ranked[0]?.loss ?? NaN, ranked[ranked.length - 1]?.loss ?? NaN);
    const d = this.#deviations();
    const y = ranked.map(({ x }) => x.map((value, i) => (value - (this.mean[i] as number)) / this.sigma));
    const step = this.mean.map((_, i) => weights.reduce((sum, w, k) => sum + w * (y[k]?.[i] as number), 0));
    for (let i = 0; i < n; i++) this.mean[i] = (this.mean[i] as number) + this.sigma * (step[i] as number);

    const whitened = step.map((value, i) => value / (d[i] as number));
    const norm = accumulate(this.pathSigma, whitened, cSigma, Math.sqrt(cSigma * (2 - cSigma) * muEff));
    const chi = expectedNorm(n);
    this.sigma = Math.min(this.sigma * Math.exp((cSigma / dSigma) * (norm / chi - 1)), SIGMA_MAX);

    const left = norm / Math.sqrt(1 - (1 - cSigma) ** (2 * (this.#generation + 1)));
    const hSigma = left < (1.4 + 2 / (n + 1)) * chi ? 1 : 0;
    accumulate(this.pathC, step, cc, hSigma * Math.sqrt(cc * (2 - cc) * muEff));
    const total = weights.reduce((sum, w) => sum + w, 0);
    const keep = 1 + c1 * (1 - hSigma) * cc * (2 - cc) - c1 - cMu * total;
    for (let i = 0; i < n; i++) {
      const rankMu = weights.reduce((sum, w, k) => sum + w * (y[k]?.[i] as number) ** 2, 0);
      this.variances[i] = keep * (this.variances[i] as number) + c1 * (this.pathC[i] as number) ** 2 + cMu * rankMu;
    }
  }

  shouldStop(): boolean {
    const d = this.#deviations();
    const { variances, pathC, sigma } = this;
    if (this.#history.isFlat(this.#generation)) return true;
    if (variances.every((v) => sigma * v < this.#tolX) && pathC.every((p) => sigma * p < this.#tolX)) return true;
    const most = Math.max(...d);
    if (sigma * most > 1e4) return true;
    if (this.mean.some((m, i) => m === m + 0.2 * sigma * Math.sqrt(variances[i] as number))) return true;
    const length = 0.1 * sigma * (d[this.#generation % this.dimensions] as number);
    if (this.mean.every((m) => m === m + length)) return true;
    return most / Math.min(...d) > 1e14;
  }

  #deviations(): Float64Array {
    return this.variances.map((value) => Math.sqrt(value < 0 ? CMA_EPSILON : value));
  }
}
