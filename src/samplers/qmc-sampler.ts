import { z } from 'zod';

import type { Distribution, ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { createRandom, mixSeed } from '../core/random.js';
import type { SearchSpace, StudyView, TrialHistory } from '../core/study-view.js';
import type { TrialState } from '../core/trial-state.js';
import { warnOnce } from '../core/warnings.js';
import { HaltonSequence } from '../algorithms/halton.js';
import { valueForShare } from '../algorithms/search-domain.js';
import { SobolSequence } from '../algorithms/sobol.js';
import { columnOf, decodeValue } from './encoded-space.js';
import { RandomSampler } from './random-sampler.js';
import type { Sampler, SamplingTrial } from './sampler.js';

export interface QMCSamplerOptions {
  /** @default 'sobol' */
  readonly qmcType?: 'sobol' | 'halton' | undefined;
  /** Randomise the sequence, by `seed`. @default false */
  readonly scramble?: boolean | undefined;
  /** In place of the study's own. */
  readonly seed?: number | undefined;
  /** For parameters that the first finished trial did not have. @default new RandomSampler() */
  readonly independentSampler?: Sampler | undefined;
  /** Say once where a parameter is drawn by that one. @default true */
  readonly warnIndependentSampling?: boolean | undefined;
}

interface Sequence {
  point(index: number): Float64Array;
}

interface FirstTrial {
  consumed: number;
  number: number;
  space: SearchSpace;
}

/**
 * Points of a sequence that fills the space evenly: Sobol's or Halton's. A trial's point follows from its place in the study, so
 * workers and restarts need no counter. The space is the declared one, else that of the first finished trial; until then parameters
 * are drawn independently. Categorical parameters take part, a choice for each of equal parts of [0, 1).
 */
export class QMCSampler implements Sampler {
  readonly name = 'qmc';
  readonly #options: QMCSamplerOptions;
  readonly #independent: Sampler;
  readonly #first = new WeakMap<TrialHistory, FirstTrial>();
  readonly #sequences = new Map<string, Sequence>();

  /** @throws UsageError for an unknown `qmcType` */
  constructor(options: QMCSamplerOptions = {}) {
    const { qmcType = 'sobol' } = options;
    if (!['sobol', 'halton'].includes(qmcType)) {
      throw new UsageError(`qmcType must be "sobol" or "halton", but got ${JSON.stringify(qmcType)}.`);
    }
    this.#options = options;
    this.#independent = options.independentSampler ?? new RandomSampler({ seed: options.seed });
  }

  inferRelativeSearchSpace(study: StudyView): SearchSpace {
    const { declaredSpace } = study;
    if (declaredSpace !== undefined)
      return withoutSingles(Object.fromEntries(declaredSpace.parameters.map((p) => [p.name, p.distribution])));
    const first = this.#firstOf(study);
    if (first.number < Infinity) return first.space;
    const running = study.history.unfinished.filter(({ state }) => state === 'RUNNING');
    return withoutSingles(Object.assign({}, ...running.map(({ distributions }) => distributions)) as SearchSpace);
  }

  sampleRelative(
    study: StudyView,
    trial: SamplingTrial,
    searchSpace: SearchSpace,
  ): Readonly<Record<string, ParamValue>> {
    const entries = Object.entries(searchSpace);
    if (entries.length === 0 || trial.attempt > 0) return {};
    // Where nothing was declared, the first trial was drawn before the sequence began.
    const index = Math.max(0, trial.logicalIndex - (study.declaredSpace === undefined ? 1 : 0));
    const point = this.#sequenceOf(this.#options.seed ?? study.seed, entries.length).point(index);
    return Object.fromEntries(
      entries.map(([name, distribution], j) => [
        name,
        decodeValue(distribution, valueForShare(columnOf(distribution), point[j] as number)),
      ]),
    );
  }

  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
    if (
      this.#options.warnIndependentSampling !== false &&
      this.#firstOf(study).number < Infinity &&
      trial.attempt === 0
    ) {
      warnOnce(
        `QMCSampler: parameter "${name}" is drawn by the ${this.#independent.name} sampler: the first finished trial did not have it, or with another range.`,
      );
    }
    return this.#independent.sampleIndependent(study, trial, name, distribution);
  }

  beforeTrial(study: StudyView, trial: SamplingTrial): void {
    this.#independent.beforeTrial?.(study, trial);
  }

  afterTrial(study: StudyView, trial: SamplingTrial, state: TrialState, values: readonly number[] | undefined): void {
    this.#independent.afterTrial?.(study, trial, state, values);
  }

  #sequenceOf(seed: number, dimensions: number): Sequence {
    const { qmcType = 'sobol', scramble = false } = this.#options;
    const key = `${dimensions} ${scramble ? seed : ''}`;
    let sequence = this.#sequences.get(key);
    if (sequence === undefined) {
      const random = scramble ? createRandom(mixSeed(seed, 'qmc', qmcType)) : undefined;
      sequence = qmcType === 'halton' ? new HaltonSequence(dimensions, random) : new SobolSequence(dimensions, random);
      this.#sequences.set(key, sequence);
    }
    return sequence;
  }

  /** The space of the completed or pruned trial of lowest number. */
  #firstOf(study: StudyView): FirstTrial {
    const { history } = study;
    let first = this.#first.get(history);
    if (first === undefined) this.#first.set(history, (first = { consumed: 0, number: Infinity, space: {} }));
    for (; first.consumed < history.finished.length; first.consumed++) {
      const trial = history.finished[first.consumed];
      if (trial === undefined || (trial.state !== 'COMPLETE' && trial.state !== 'PRUNED')) continue;
      if (trial.number >= first.number) continue;
      first.number = trial.number;
      first.space = withoutSingles(trial.distributions);
    }
    return first;
  }
}

function withoutSingles(space: SearchSpace): SearchSpace {
  return Object.fromEntries(Object.entries(space).filter(([, distribution]) => !distribution.single()));
}

export const qmcSamplerDefinition = {
  type: 'qmc',
  summary: 'An evenly spread sequence: Sobol or Halton',
  schema: z
    .object({
      seed: z.number().int().optional(),
      qmc_type: z.enum(['sobol', 'halton']).default('sobol').describe('Which sequence.'),
      scramble: z.boolean().default(false).describe('Randomise the sequence, by the seed.'),
      warn_independent_sampling: z
        .boolean()
        .default(true)
        .describe('Say so once where a parameter is drawn at random because the sequence lacks it.'),
    })
    .strict(),
  create: (options: QMCSamplerOptions) => new QMCSampler(options),
};
