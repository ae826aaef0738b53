/** How the search goes on where it has come to an end. */
export type RestartStrategy = 'ipop' | 'bipop';

/**
 * Population sizes of restarts. IPOP (Auger & Hansen, CEC 2005): larger by a factor each time. BIPOP (Hansen, BBOB 2009): a regime of
 * growing populations and one of small ones, by turns, so that both get the same number of evaluations. As in OptunaHub's
 * RestartCmaEsSampler.
 */
export class CmaRestarts {
  readonly #strategy: RestartStrategy;
  readonly #first: number;
  readonly #factor: number;
  #size: number;
  #restarts = 0;
  #large = 0;
  #isLarge = false;
  #smallEvaluations = 0;
  #largeEvaluations = 0;

  constructor(strategy: RestartStrategy, populationSize: number, factor: number) {
    this.#strategy = strategy;
    this.#first = populationSize;
    this.#size = populationSize;
    this.#factor = factor;
  }

  /** Restarts so far. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * The population of the next run.
   * @param generations of the run that has ended
   * @param share uniform in [0, 1)
   */
  next(generations: number, share: number): number {
    this.#restarts++;
    if (this.#strategy === 'ipop') return (this.#size *= this.#factor);
    const evaluations = this.#size * generations;
    if (this.#isLarge) this.#largeEvaluations += evaluations;
    else this.#smallEvaluations += evaluations;
    this.#isLarge = this.#smallEvaluations >= this.#largeEvaluations;
    if (this.#isLarge) {
      this.#large++;
      this.#size = this.#first * this.#factor ** this.#large;
    } else {
      this.#size = Math.floor(this.#first * (this.#factor ** this.#large) ** (share * share));
    }
    return this.#size;
  }
}
