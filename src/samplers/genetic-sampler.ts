import type { Distribution, ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { createRandom, mixSeed, type Random } from '../core/random.js';
import { wholeStudy, type SearchSpace, type StudyView, type TrialHistory } from '../core/study-view.js';
import type { Crossover } from '../algorithms/crossover.js';
import { UniformCrossover, type Mutation } from './crossovers.js';
import { makeChild, type Individual } from './ga-child.js';
import { IntersectionSearchSpace } from './intersection-search-space.js';
import { drawUniform } from './random-sampler.js';
import { trialRandom, type Sampler, type SamplingTrial } from './sampler.js';

export interface GeneticSamplerOptions {
  /** In place of the study's own. */
  readonly seed?: number | undefined;
  /** Trials of a generation. @default 50 */
  readonly populationSize?: number | undefined;
  /** Changes a numeric parameter that mutates; without one it is drawn anew. @default none */
  readonly mutation?: Mutation | undefined;
  /** Chance that a parameter mutates. @default 1 / parameters */
  readonly mutationProb?: number | undefined;
  /** @default new UniformCrossover({ swappingProb }) */
  readonly crossover?: Crossover | undefined;
  /** Chance that a child has several parents, not one. @default 0.9 */
  readonly crossoverProb?: number | undefined;
  /** Chance that a categorical parameter comes from the first parent. @default 0.5 */
  readonly swappingProb?: number | undefined;
}

/** COMPLETE trials by generation, kept up to date as they come. */
interface Generations {
  consumed: number;
  readonly members: Map<number, FrozenTrial[]>;
  last: number;
  readonly byId: Map<number, FrozenTrial>;
  /** Parents of a generation, with the text of the attribute they came from. */
  parents:
    { readonly generation: number; readonly text: string; readonly individuals: readonly Individual[] } | undefined;
}

/**
 * What NSGA-II and NSGA-III have in common: generations of `populationSize` completed trials, each bred from the best of the one
 * before and its parents. Generations and parents are kept in Optuna's attributes, so that either program can go on with the
 * other's study.
 */
export abstract class GeneticSampler implements Sampler {
  abstract readonly name: string;
  readonly #generationKey: string;
  readonly #parentKey: string;
  readonly #options: GeneticSamplerOptions;
  readonly #crossover: Crossover;
  readonly #space = new IntersectionSearchSpace();
  readonly #generations = new WeakMap<TrialHistory, Generations>();
  protected readonly populationSize: number;

  /** @throws UsageError for options out of range, or fewer trials in a generation than a crossover needs parents */
  constructor(optunaName: string, options: GeneticSamplerOptions) {
    const { populationSize = 50, mutationProb, crossoverProb = 0.9, swappingProb = 0.5 } = options;
    if (!(Number.isInteger(populationSize) && populationSize >= 2))
      throw new UsageError(`populationSize must be a whole number, 2 or more, but got ${populationSize}.`);
    for (const [key, value] of Object.entries({ mutationProb: mutationProb ?? 0, crossoverProb, swappingProb })) {
      if (!(value >= 0 && value <= 1)) throw new UsageError(`${key} must lie in [0, 1], but got ${value}.`);
    }
    this.#crossover = options.crossover ?? new UniformCrossover({ swappingProb });
    if (populationSize < this.#crossover.nParents) {
      throw new UsageError(
        `This crossover takes ${this.#crossover.nParents} parents, but populationSize is only ${populationSize}.`,
      );
    }
    this.#options = options;
    this.populationSize = populationSize;
    this.#generationKey = `${optunaName}:generation`;
    this.#parentKey = `${optunaName}:parent:`;
  }

  /** The best `populationSize` of a generation and its parents. */
  protected abstract selectElite(population: readonly Individual[], random: Random): readonly Individual[];

  inferRelativeSearchSpace(study: StudyView): SearchSpace {
    return Object.fromEntries(
      Object.entries(this.#space.of(study)).filter(([, distribution]) => !distribution.single()),
    );
  }

  /** Others that work on the study choose parents too: their choice is looked for before a generation's first trial. */
  needsStudyAttributes(study: StudyView): boolean {
    const generations = this.#generationsOf(study);
    const next = nextGeneration(generations, this.populationSize);
    return next > 0 && generations.parents?.generation !== next;
  }

  sampleRelative(
    study: StudyView,
    trial: SamplingTrial,
    searchSpace: SearchSpace,
  ): Readonly<Record<string, ParamValue>> {
    const generations = this.#generationsOf(study);
    const generation = this.#generationOf(trial, generations);
    const parents = this.#parentsOf(study, trial, generations, generation);
    if (parents.length === 0) return {};
    const { crossoverProb = 0.9, swappingProb = 0.5, mutation, mutationProb } = this.#options;
    return makeChild(
      parents,
      searchSpace,
      {
        crossover: this.#crossover,
        crossoverProb,
        swappingProb,
        mutation,
        mutationProb,
        hasSeveralObjectives: study.directions.length > 1,
      },
      trialRandom(this.#options.seed ?? study.seed, trial, 'child'),
    );
  }

  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
    return drawUniform(distribution, trialRandom(this.#options.seed ?? study.seed, trial, name));
  }

  #generationsOf({ history }: StudyView): Generations {
    let known = this.#generations.get(history);
    if (known === undefined) {
      known = { consumed: 0, members: new Map(), last: 0, byId: new Map(), parents: undefined };
      this.#generations.set(history, known);
    }
    for (; known.consumed < history.finished.length; known.consumed++) {
      const trial = history.finished[known.consumed];
      if (trial?.state !== 'COMPLETE') continue;
      const generation = trial.systemAttr(this.#generationKey);
      if (typeof generation !== 'number') continue;
      known.byId.set(trial.trialId, trial);
      const members = known.members.get(generation);
      if (members === undefined) known.members.set(generation, [trial]);
      else members.push(trial);
      known.last = Math.max(known.last, generation);
    }
    return known;
  }

  /** The last generation, or the next where that one is full; a retry stays in its original's. */
  #generationOf(trial: SamplingTrial, generations: Generations): number {
    const known = trial.frozen.systemAttr(this.#generationKey);
    if (typeof known === 'number') return known;
    const generation = nextGeneration(generations, this.populationSize);
    trial.setSystemAttr(this.#generationKey, generation);
    return generation;
  }

  /** Those that another worker, or Optuna, has chosen for this generation, else a choice of our own, which is stored. */
  #parentsOf(
    study: StudyView,
    trial: SamplingTrial,
    generations: Generations,
    generation: number,
  ): readonly Individual[] {
    if (generation === 0) return [];
    const key = `${this.#parentKey}${generation}`;
    const stored = study.systemAttrs[key];
    const text = Array.isArray(stored) ? stored.join() : '';
    const cached = generations.parents;
    if (cached?.generation === generation && cached.text === text && text !== '') return cached.individuals;
    let individuals = Array.isArray(stored) ? this.#byId(study, stored) : undefined;
    if (individuals === undefined) {
      individuals = this.#select(study, trial, generations, generation);
      if (individuals.length === 0) return [];
      trial.setStudySystemAttr(
        key,
        individuals.map((individual) => individual.trial.trialId),
      );
    }
    generations.parents = {
      generation,
      text: individuals.map((individual) => individual.trial.trialId).join(),
      individuals,
    };
    return individuals;
  }

  /** Undefined where they are not all of this study: it is a copy of the one where they were chosen. */
  #byId(study: StudyView, ids: readonly unknown[]): Individual[] | undefined {
    // Hyperband's brackets share their parents.
    const { byId } = this.#generationsOf(wholeStudy(study));
    const trials = ids.flatMap((id) => byId.get(Number(id)) ?? []);
    return trials.length < ids.length || trials.length === 0 ? undefined : this.#individuals(study, trials);
  }

  #select(study: StudyView, trial: SamplingTrial, generations: Generations, generation: number): Individual[] {
    const before = this.#parentsOf(study, trial, generations, generation - 1).map((individual) => individual.trial);
    const population = this.#individuals(study, [...(generations.members.get(generation - 1) ?? []), ...before]);
    const random = createRandom(mixSeed(this.#options.seed ?? study.seed, 'elite', generation));
    return [...this.selectElite(population, random)].sort((a, b) => a.trial.number - b.trial.number);
  }

  /** By number, so that nothing hangs on the order in which they ended. */
  #individuals(study: StudyView, trials: readonly FrozenTrial[]): Individual[] {
    return [...new Set(trials)]
      .sort((a, b) => a.number - b.number)
      .map((trial) => ({
        trial,
        losses: (trial.values ?? []).map((value, i) => (study.directions[i] === 'maximize' ? -value : value)),
        violation: Object.values(trial.constraints ?? {}).reduce((sum, value) => sum + Math.max(0, value), 0),
      }));
  }
}

/** Generation of a new trial: the last one, or the next where that is full. */
function nextGeneration({ members, last }: Generations, populationSize: number): number {
  return (members.get(last)?.length ?? 0) < populationSize ? last : last + 1;
}
