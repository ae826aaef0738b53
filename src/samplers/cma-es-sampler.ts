import type { Distribution, ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { TRIAL_ATTRIBUTE } from '../core/frozen-trial.js';
import { stringifyJson } from '../core/json.js';
import { createRandom, hash8, mixSeed } from '../core/random.js';
import type { SearchSpace, StudyView, TrialHistory } from '../core/study-view.js';
import type { TrialState } from '../core/trial-state.js';
import { warnOnce } from '../core/warnings.js';
import { CmaEs } from '../algorithms/cma-es.js';
import { CmaEsWithMargin } from '../algorithms/cma-margin.js';
import { defaultPopulationSize, type CmaOptimizer, type CmaSolution } from '../algorithms/cma-optimizer.js';
import { CmaRestarts } from '../algorithms/cma-restarts.js';
import { LEAST_SOURCES, warmStart } from '../algorithms/cma-warm-start.js';
import { SepCmaEs } from '../algorithms/sep-cma-es.js';
import { checkCmaOptions, cmaEsSchema, type CmaEsSamplerOptions } from './cma-es-options.js';
import { CMA_ATTRIBUTE, cmaMark, cmaMarkOf, CmaProgress } from './cma-progress.js';
import { CmaSpace } from './cma-space.js';
import { IntersectionSearchSpace } from './intersection-search-space.js';
import { RandomSampler } from './random-sampler.js';
import { trialRandom, type Sampler, type SamplingTrial } from './sampler.js';
import { TPESampler } from './tpe-sampler.js';

/** Spaces whose progress is kept at the same time. */
const MOST_RUNS = 16;
const LEAST_SIGMA = 1e-10;

interface Run {
  readonly space: CmaSpace;
  readonly progress: CmaProgress;
}

interface Start {
  readonly mean: Float64Array;
  readonly sigma: number;
  readonly covariance: Float64Array | undefined;
}

/**
 * CMA-ES, with Optuna's options and defaults, and the restarts that Optuna has moved to OptunaHub. It searches the numeric parameters
 * that every trial has; the others are drawn by an independent sampler. Its state is never stored: it is rebuilt from the trials,
 * which say by whom each generation was made. Mathematics and sources: `algorithms/cma-es.ts` and its neighbours.
 */
export class CmaEsSampler implements Sampler {
  readonly name = 'cma-es';
  readonly #options: CmaEsSamplerOptions;
  readonly #independent: Sampler;
  readonly #intersection = new IntersectionSearchSpace();
  readonly #runs = new WeakMap<TrialHistory, Map<string, Run>>();
  readonly #completed = new WeakMap<TrialHistory, { consumed: number; count: number }>();

  /** @throws UsageError for options out of range, or that exclude each other */
  constructor(options: CmaEsSamplerOptions = {}) {
    checkCmaOptions(options);
    this.#options = options;
    this.#independent = options.independentSampler ?? new RandomSampler({ seed: options.seed });
  }

  inferRelativeSearchSpace(study: StudyView): SearchSpace {
    requireSingleObjective(study);
    return Object.fromEntries(
      Object.entries(this.#intersection.of(study)).filter(
        ([, distribution]) => distribution.kind !== 'categorical' && !distribution.single(),
      ),
    );
  }

  sampleRelative(
    study: StudyView,
    trial: SamplingTrial,
    searchSpace: SearchSpace,
  ): Readonly<Record<string, ParamValue>> {
    requireSingleObjective(study);
    if (Object.keys(searchSpace).length === 0 || !this.#isStarted(study)) return {};
    const { run, space, progress } = this.#runOf(study, searchSpace);
    const { optimizer, generation, told } = progress.advance(study);
    const drawn = optimizer.ask(trialRandom(this.#options.seed ?? study.seed, trial, 'cma'));
    const known = cmaMarkOf(trial.frozen);
    const isPartlyDrawn = space.names.some((name) => name in trial.frozen.internalParams);
    if (known?.run === run && known.generation !== generation && isPartlyDrawn) {
      // A retry whose first parameters come from an earlier generation: it counts there, with what it has become.
      const { x: _x, ...mark } = known;
      trial.setSystemAttr(CMA_ATTRIBUTE, cmaMark(mark));
    } else {
      // What an enqueued trial tries is not what was drawn.
      const isDrawn = drawn.told !== drawn.x && !(TRIAL_ATTRIBUTE.fixedParams in trial.systemAttrs);
      const kept = known?.run === run && known.generation === generation ? known.told : undefined;
      trial.setSystemAttr(
        CMA_ATTRIBUTE,
        cmaMark({
          run,
          generation,
          ...((kept ?? told) === undefined ? {} : { told: kept ?? told ?? [] }),
          ...(isDrawn ? { x: [...drawn.told] } : {}),
        }),
      );
    }
    return space.decode(drawn.x);
  }

  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
    requireSingleObjective(study);
    if (this.#options.warnIndependentSampling !== false && this.#isStarted(study)) {
      warnOnce(
        `CmaEsSampler: parameter "${name}" is drawn by the ${this.#independent.name} sampler: it is categorical, or not every trial has it with the same range.`,
      );
    }
    return this.#independent.sampleIndependent(study, trial, name, distribution);
  }

  beforeTrial(study: StudyView, trial: SamplingTrial): void {
    this.#independent.beforeTrial?.(study, trial);
  }

  afterTrial(study: StudyView, trial: SamplingTrial, state: TrialState, values: readonly number[] | undefined): void {
    if (trial.frozen.constraints !== undefined) warnOnce('CmaEsSampler does not use the constraints that trials set.');
    this.#independent.afterTrial?.(study, trial, state, values);
  }

  #isStarted({ history }: StudyView): boolean {
    let completed = this.#completed.get(history);
    if (completed === undefined) this.#completed.set(history, (completed = { consumed: 0, count: 0 }));
    for (; completed.consumed < history.finished.length; completed.consumed++) {
      const trial = history.finished[completed.consumed];
      const isPruned = trial?.state === 'PRUNED' && trial.lastStep !== undefined;
      if (trial?.state === 'COMPLETE' || (isPruned && this.#options.considerPrunedTrials === true)) completed.count++;
    }
    return completed.count >= (this.#options.nStartupTrials ?? 1);
  }

  #runOf(study: StudyView, searchSpace: SearchSpace): { run: string; space: CmaSpace; progress: CmaProgress } {
    let runs = this.#runs.get(study.history);
    if (runs === undefined) this.#runs.set(study.history, (runs = new Map<string, Run>()));
    const space = new CmaSpace(searchSpace, this.#options.withMargin === true);
    const run = hash8(`${space.signature}\n${this.#signature()}`);
    let known = runs.get(run);
    if (known === undefined) {
      if (runs.size >= MOST_RUNS) runs.clear();
      const start = this.#startOf(study, space);
      const createRule = (): ((optimizer: CmaOptimizer) => CmaOptimizer | undefined) =>
        this.#ruleOf(study, space, start, run);
      const progress = new CmaProgress({
        run,
        space,
        create: () => this.#create(space, start, this.#options.popsize),
        createRule,
        considerPruned: this.#options.considerPrunedTrials === true,
      });
      known = { space, progress };
      runs.set(run, known);
    }
    return { run, ...known };
  }

  /** What decides over the optimizer's path, besides the space. */
  #signature(): string {
    const { x0, sigma0, popsize, incPopsize, restartStrategy, sourceTrials } = this.#options;
    const { useSeparableCma, withMargin, lrAdapt, considerPrunedTrials } = this.#options;
    return stringifyJson([
      x0 === undefined ? null : Object.entries(x0).sort(([a], [b]) => (a < b ? -1 : 1)),
      [sigma0 ?? null, popsize ?? null, restartStrategy === undefined ? null : [restartStrategy, incPopsize ?? 2]],
      [useSeparableCma, withMargin, lrAdapt, considerPrunedTrials].map((flag) => flag === true),
      sourceTrials === undefined
        ? null
        : sourceTrials.map(({ internalParams, values }) => [internalParams, values ?? []]),
    ]);
  }

  #startOf(study: StudyView, space: CmaSpace): Start {
    const { x0, sigma0, sourceTrials, considerPrunedTrials } = this.#options;
    if (sourceTrials === undefined) {
      return {
        mean: x0 === undefined ? new Float64Array(space.dimensions).fill(0.5) : space.encodeParams(x0, 'x0'),
        sigma: Math.max(sigma0 ?? 1 / 6, LEAST_SIGMA),
        covariance: undefined,
      };
    }
    const sign = study.directions[0] === 'maximize' ? -1 : 1;
    const sources = sourceTrials.flatMap((trial): CmaSolution[] => {
      const isUsed = trial.state === 'COMPLETE' || (trial.state === 'PRUNED' && considerPrunedTrials === true);
      const x = isUsed ? space.encode(trial) : undefined;
      const value = trial.values?.[0];
      return x === undefined || value === undefined ? [] : [{ x, loss: sign * value }];
    });
    if (sources.length < LEAST_SOURCES) {
      throw new UsageError(
        `sourceTrials must have ${LEAST_SOURCES} completed trials with the study's numeric parameters in range, but ${sources.length} have them.`,
      );
    }
    const { mean, sigma, covariance } = warmStart(sources);
    return { mean, sigma: Math.max(sigma, LEAST_SIGMA), covariance };
  }

  #create(space: CmaSpace, start: Start, populationSize: number | undefined): CmaOptimizer {
    const n = space.dimensions;
    const options = {
      ...start,
      low: new Float64Array(n),
      high: new Float64Array(n).fill(1),
      populationSize,
      mostResampling: 10 * n,
    };
    if (this.#options.withMargin === true) return new CmaEsWithMargin({ ...options, steps: space.steps });
    if (this.#options.useSeparableCma !== true)
      return new CmaEs({ ...options, adaptLearningRate: this.#options.lrAdapt });
    if (n > 1) return new SepCmaEs(options);
    warnOnce('CmaEsSampler: useSeparableCma means nothing with a single parameter.');
    return new CmaEs(options);
  }

  #ruleOf(
    study: StudyView,
    space: CmaSpace,
    start: Start,
    run: string,
  ): (optimizer: CmaOptimizer) => CmaOptimizer | undefined {
    const { restartStrategy, popsize, incPopsize = 2 } = this.#options;
    if (restartStrategy === undefined) return () => undefined;
    const restarts = new CmaRestarts(restartStrategy, popsize ?? defaultPopulationSize(space.dimensions), incPopsize);
    return (optimizer) => {
      if (!optimizer.shouldStop()) return undefined;
      const random = createRandom(mixSeed(this.#options.seed ?? study.seed, 'cma restart', run, restarts.restarts));
      const populationSize = Math.max(2, restarts.next(optimizer.generation, random.uniform()));
      const mean = Float64Array.from({ length: space.dimensions }, () => random.uniform());
      return this.#create(space, { mean, sigma: start.sigma, covariance: undefined }, populationSize);
    };
  }
}

/** @throws UsageError with several objectives */
function requireSingleObjective({ directions }: StudyView): void {
  if (directions.length === 1) return;
  throw new UsageError(`CmaEsSampler is for a single objective; this study has ${directions.length}.`, {
    hint: 'For several objectives: auto, tpe, gp, nsga-ii, nsga-iii.',
  });
}

export const cmaEsSamplerDefinition = {
  type: 'cma-es',
  isSingleObjective: true,
  summary: 'Evolution strategy for numeric parameters that interact, from a few hundred trials on',
  schema: cmaEsSchema,
  create: (options: Omit<CmaEsSamplerOptions, 'independentSampler'> & { independentSampler?: 'random' | 'tpe' }) =>
    new CmaEsSampler({
      ...options,
      independentSampler:
        options.independentSampler === 'tpe'
          ? new TPESampler({ seed: options.seed })
          : new RandomSampler({ seed: options.seed }),
    }),
};
