import type { Random } from '../core/random.js';
import { LearningRateAdaptation } from './cma-learning-rate.js';
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
import { symmetricEigen } from './symmetric-eigen.js';

/** Constants of the strategy for a dimension and a population (Hansen, arXiv:1604.00772, eq. 49–58). */
interface Strategy {
  readonly mu: number;
  readonly muEff: number;
  readonly weights: Float64Array;
  readonly c1: number;
  readonly cMu: number;
  readonly cSigma: number;
  readonly dSigma: number;
  readonly cc: number;
}

function strategyFor(n: number, lambda: number): Strategy {
  const mu = Math.floor(lambda / 2);
  const raw = Float64Array.from({ length: lambda }, (_, i) => Math.log((lambda + 1) / 2) - Math.log(i + 1)); // eq. 49
  const effective = (part: Float64Array): number =>
    part.reduce((sum, w) => sum + w, 0) ** 2 / part.reduce((sum, w) => sum + w * w, 0);
  const muEff = effective(raw.subarray(0, mu));
  const muEffMinus = effective(raw.subarray(mu));
  const c1 = 2 / ((n + 1.3) ** 2 + muEff); // eq. 57
  const cMu = Math.min(1 - c1 - 1e-8, (2 * (muEff - 2 + 1 / muEff)) / ((n + 2) ** 2 + muEff)); // eq. 58
  const alpha = Math.min(1 + c1 / cMu, 1 + (2 * muEffMinus) / (muEff + 2), (1 - c1 - cMu) / (n * cMu)); // eq. 50–52
  const positive = raw.reduce((sum, w) => sum + Math.max(0, w), 0);
  const negative = raw.reduce((sum, w) => sum + Math.max(0, -w), 0);
  const cSigma = (muEff + 2) / (n + muEff + 5); // eq. 55
  return {
    mu,
    muEff,
    weights: raw.map((w) => (w >= 0 ? w / positive : (alpha * w) / negative)), // eq. 53
    c1,
    cMu,
    cSigma,
    dSigma: 1 + 2 * Math.max(0, Math.sqrt((muEff - 1) / (n + 1)) - 1) + cSigma,
    cc: (4 + muEff / n) / (n + 4 + (2 * muEff) / n), // eq. 56
  };
}

export interface CmaEsOptions extends CmaOptions {
  /** Covariance at the start, row by row. @default the identity */
  readonly covariance?: Float64Array | undefined;
  /** Adapts the learning rates to noise and multimodality. @default false */
  readonly adaptLearningRate?: boolean | undefined;
}

/**
 * CMA-ES (Hansen, The CMA Evolution Strategy: A Tutorial, arXiv:1604.00772), with the constants and stopping rules of the cmaes
 * package, which Optuna uses; optionally with learning rate adaptation (Nomura, Akimoto & Ono, arXiv:2304.03473).
 */
export class CmaEs implements CmaOptimizer {
  readonly dimensions: number;
  readonly populationSize: number;
  readonly mean: Float64Array;
  covariance: Float64Array;
  sigma: number;
  readonly pathSigma: Float64Array;
  readonly pathC: Float64Array;
  readonly #options: CmaEsOptions;
  readonly #strategy: Strategy;
  readonly #tolX: number;
  readonly #history: LossHistory;
  readonly #learning: LearningRateAdaptation | undefined;
  #generation = 0;
  /** Eigenvectors B and square roots D of the eigenvalues of C, until C changes. */
  #eigen: { readonly b: Float64Array; readonly d: Float64Array } | undefined;

  constructor(options: CmaEsOptions) {
    const n = options.mean.length;
    this.dimensions = n;
    this.populationSize = options.populationSize ?? defaultPopulationSize(n);
    this.mean = options.mean.slice();
    this.sigma = options.sigma;
    this.covariance = options.covariance?.slice() ?? identity(n);
    this.pathSigma = new Float64Array(n);
    this.pathC = new Float64Array(n);
    this.#options = options;
    this.#strategy = strategyFor(n, this.populationSize);
    this.#tolX = 1e-12 * options.sigma;
    this.#history = new LossHistory(n, this.populationSize);
    this.#learning = options.adaptLearningRate === true ? new LearningRateAdaptation(n) : undefined;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Learning rates of mean and covariance; 1 where they are not adapted. */
  get learningRates(): { readonly mean: number; readonly covariance: number } {
    return this.#learning?.rates ?? { mean: 1, covariance: 1 };
  }

  ask(random: Random): { x: Float64Array; told: Float64Array } {
    const x = drawInside(() => this.draw(random), this.#options);
    return { x, told: x };
  }

  /** One point of N(m, σ²C), wherever it lies. */
  draw(random: Random): Float64Array {
    const { b, d } = this.#decompose();
    const n = this.dimensions;
    const z = d.map((deviation) => deviation * random.normal());
    return this.mean.map((m, i) => {
      let y = 0;
      for (let j = 0; j < n; j++) y += (b[i * n + j] as number) * (z[j] as number);
      return m + this.sigma * y;
    });
  }

  tell(solutions: readonly CmaSolution[]): void {
    const n = this.dimensions;
    const { mu, muEff, weights, c1, cMu, cSigma, dSigma, cc } = this.#strategy;
    this.#generation++;
    const ranked = [...solutions].sort((a, b) => (a.loss < b.loss ? -1 : a.loss > b.loss ? 1 : 0));
    this.#history.add(this.#generation, ranked[0]?.loss ?? NaN, ranked[ranked.length - 1]?.loss ?? NaN);
    const { b, d } = this.#decompose();
    const inverseRoot = symmetricProduct(
      b,
      d.map((deviation) => 1 / deviation),
      n,
    ); // C^(-1/2) = B D^(-1) Bᵀ
    const before =
      this.#learning === undefined
        ? undefined
        : { mean: this.mean.slice(), sigma: this.sigma, covariance: this.covariance.slice(), inverseRoot };
    this.#eigen = undefined;

    const y = ranked.map(({ x }) => x.map((value, i) => (value - (this.mean[i] as number)) / this.sigma));
    const step = new Float64Array(n); // eq. 41
    for (let k = 0; k < mu; k++) {
      for (let i = 0; i < n; i++) step[i] = (step[i] as number) + (weights[k] as number) * (y[k]?.[i] as number);
    }
    for (let i = 0; i < n; i++) this.mean[i] = (this.mean[i] as number) + this.sigma * (step[i] as number);

    // Step-size control, eq. 43–44.
    const whitened = times(inverseRoot, step, n);
    const norm = accumulate(this.pathSigma, whitened, cSigma, Math.sqrt(cSigma * (2 - cSigma) * muEff));
    const chi = expectedNorm(n);
    this.sigma = Math.min(this.sigma * Math.exp((cSigma / dSigma) * (norm / chi - 1)), SIGMA_MAX);

    // Covariance, eq. 45–47.
    const left = norm / Math.sqrt(1 - (1 - cSigma) ** (2 * (this.#generation + 1)));
    const hSigma = left < (1.4 + 2 / (n + 1)) * chi ? 1 : 0;
    accumulate(this.pathC, step, cc, hSigma * Math.sqrt(cc * (2 - cc) * muEff));
    const scaled = y.map((vector, k) => {
      const w = weights[k] as number;
      if (w >= 0) return w;
      const length = times(inverseRoot, vector, n).reduce((sum, value) => sum + value * value, 0);
      return (w * n) / (length + CMA_EPSILON); // eq. 46
    });
    const total = weights.reduce((sum, w) => sum + w, 0);
    const keep = 1 + c1 * (1 - hSigma) * cc * (2 - cc) - c1 - cMu * total;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let rankMu = 0;
        for (let k = 0; k < y.length; k++)
          rankMu += (scaled[k] as number) * (y[k]?.[i] as number) * (y[k]?.[j] as number);
        const rankOne = (this.pathC[i] as number) * (this.pathC[j] as number);
        const value = keep * (this.covariance[i * n + j] as number) + c1 * rankOne + cMu * rankMu;
        this.covariance[i * n + j] = value;
        this.covariance[j * n + i] = value;
      }
    }
    if (before !== undefined) this.#learning?.correct(this, before);
  }

  shouldStop(): boolean {
    const n = this.dimensions;
    const { b, d } = this.#decompose();
    const variance = (i: number): number => this.covariance[i * n + i] as number;
    const all = (test: (i: number) => boolean): boolean => this.mean.every((_, i) => test(i));
    if (this.#history.isFlat(this.#generation)) return true;
    if (
      all((i) => this.sigma * variance(i) < this.#tolX) &&
      all((i) => this.sigma * (this.pathC[i] as number) < this.#tolX)
    )
      return true;
    const most = Math.max(...d);
    if (this.sigma * most > 1e4) return true;
    // Steps too small to change the mean: along an axis, along a principal axis.
    if (this.mean.some((m, i) => m === m + 0.2 * this.sigma * Math.sqrt(variance(i)))) return true;
    const axis = this.#generation % n;
    const length = 0.1 * this.sigma * (d[axis] as number);
    if (this.mean.every((m, i) => m === m + length * (b[i * n + axis] as number))) return true;
    return most / Math.min(...d) > 1e14;
  }

  #decompose(): { readonly b: Float64Array; readonly d: Float64Array } {
    if (this.#eigen !== undefined) return this.#eigen;
    const n = this.dimensions;
    const { values, vectors } = symmetricEigen(this.covariance, n);
    const d = values.map((value) => Math.sqrt(value < 0 ? CMA_EPSILON : value));
    this.covariance = symmetricProduct(
      vectors,
      d.map((deviation) => deviation ** 2),
      n,
    );
    return (this.#eigen = { b: vectors, d });
  }
}

export function identity(n: number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
  return matrix;
}

/** B diag(values) Bᵀ. */
export function symmetricProduct(b: Float64Array, values: Float64Array, n: number): Float64Array {
  const product = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += (b[i * n + k] as number) * (values[k] as number) * (b[j * n + k] as number);
      product[i * n + j] = sum;
      product[j * n + i] = sum;
    }
  }
  return product;
}

function times(matrix: Float64Array, vector: Float64Array, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += (matrix[i * n + j] as number) * (vector[j] as number);
    return sum;
  });
}

/** path ← (1 - c) path + factor · vector; returns its norm. */
export function accumulate(path: Float64Array, vector: Float64Array, c: number, factor: number): number {
  let squares = 0;
  for (let i = 0; i < path.length; i++) {
    const value = (1 - c) * (path[i] as number) + factor * (vector[i] as number);
    path[i] = value;
    squares += value * value;
  }
  return Math.sqrt(squares);
}
