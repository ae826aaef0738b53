import { z } from 'zod';

import { decimalSum, type Distribution, type ParamValue } from '../core/distributions.js';
import type { Random } from '../core/random.js';
import type { SearchSpace, StudyView } from '../core/study-view.js';
import { trialRandom, type Sampler, type SamplingTrial } from './sampler.js';

/** One value, uniform over the distribution's transformed space (its logarithm with `log`; each grid point alike). */
export function drawUniform(distribution: Distribution, random: Random): ParamValue {
  if (distribution.kind === 'categorical') {
    return distribution.toExternal(random.integer(distribution.choices.length));
  }
  const { low, high, log } = distribution;
  if (distribution.kind === 'int') {
    if (!log) return low + random.integer(Math.round((high - low) / distribution.step) + 1) * distribution.step;
    const drawn = Math.exp(uniform(random, Math.log(low - 0.5), Math.log(high + 0.5)));
    return Math.min(high, Math.max(low, Math.round(drawn)));
  }
  if (distribution.step !== undefined) {
    const steps = Math.round((high - low) / distribution.step);
    return Math.min(high, decimalSum(low, random.integer(steps + 1), distribution.step));
  }
  const drawn = log ? Math.exp(uniform(random, Math.log(low), Math.log(high))) : uniform(random, low, high);
  return Math.min(high, Math.max(low, drawn));
}

function uniform(random: Random, low: number, high: number): number {
  return low + random.uniform() * (high - low);
}

/** Draws every parameter independently and uniformly. */
export class RandomSampler implements Sampler {
  readonly name = 'random';
  readonly readsHistory = false;
  readonly #seed: number | undefined;

  /** @param options.seed in place of the study's own */
  constructor(options: { seed?: number | undefined } = {}) {
    this.#seed = options.seed;
  }

  inferRelativeSearchSpace(): SearchSpace {
    return {};
  }

  sampleRelative(): Readonly<Record<string, ParamValue>> {
    return {};
  }

  sampleIndependent(study: StudyView, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
    return drawUniform(distribution, trialRandom(this.#seed ?? study.seed, trial, name));
  }
}

export const randomSamplerDefinition = {
  type: 'random',
  summary: 'Every parameter uniformly at random',
  schema: z.object({ seed: z.number().int().optional() }).strict(),
  create: (options: { seed?: number | undefined }) => new RandomSampler(options),
};
