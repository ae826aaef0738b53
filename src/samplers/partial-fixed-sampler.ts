import type { Distribution, ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { SearchSpace, StudyView } from '../core/study-view.js';
import type { TrialState } from '../core/trial-state.js';
import { warnOnce } from '../core/warnings.js';
import type { Sampler, SamplingTrial } from './sampler.js';

export interface PartialFixedSamplerOptions {
  /** Value of each parameter that is not to be searched. */
  readonly fixedParams: Readonly<Record<string, ParamValue>>;
  /** Draws all others. */
  readonly baseSampler: Sampler;
}

/** Keeps some parameters fixed and leaves the others to another sampler. */
export class PartialFixedSampler implements Sampler {
  readonly name = 'partial-fixed';
  readonly #fixed: Readonly<Record<string, ParamValue>>;
  readonly #base: Sampler;

  constructor(options: PartialFixedSamplerOptions) {
    this.#fixed = { ...options.fixedParams };
    this.#base = options.baseSampler;
  }

  inferRelativeSearchSpace(study: StudyView, trial: SamplingTrial): SearchSpace {
    const space = this.#base.inferRelativeSearchSpace(study, trial);
    return Object.fromEntries(Object.entries(space).filter(([name]) => !(name in this.#fixed)));
  }

  sampleRelative(
    study: StudyView,
    trial: SamplingTrial,
    searchSpace: SearchSpace,
  ): Readonly<Record<string, ParamValue>> {
    const drawn = this.#base.sampleRelative(study, trial, searchSpace);
    return Object.fromEntries(Object.entries(drawn).filter(([name]) => !(name in this.#fixed)));
  }

  /** @throws UsageError where a fixed value is of the wrong kind, or none of the choices */
  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
    const fixed = this.#fixed[name];
    if (fixed === undefined) return this.#base.sampleIndependent(study, trial, name, distribution);
    let internal: number;
    try {
      internal = distribution.toInternal(fixed);
    } catch (error) {
      throw new UsageError(`Fixed parameter "${name}": ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    if (!distribution.contains(internal)) {
      warnOnce(
        `Parameter "${name}" is fixed at ${String(fixed)}, outside of ${distribution.json}: it is used all the same.`,
      );
    }
    return fixed;
  }

  beforeTrial(study: StudyView, trial: SamplingTrial): void {
    this.#base.beforeTrial?.(study, trial);
  }

  afterTrial(study: StudyView, trial: SamplingTrial, state: TrialState, values: readonly number[] | undefined): void {
    this.#base.afterTrial?.(study, trial, state, values);
  }

  needsStudyAttributes(study: StudyView): boolean {
    return this.#base.needsStudyAttributes?.(study) ?? false;
  }

  isExhausted(study: StudyView): boolean {
    return this.#base.isExhausted?.(study) ?? false;
  }
}
