import { valueForShare } from '../algorithms/search-domain.js';
import { SobolSequence } from '../algorithms/sobol.js';
import type { Distribution, ParamValue } from '../core/distributions.js';
import { createRandom, mixSeed } from '../core/random.js';
import { columnOf, decodeValue } from './encoded-space.js';
import { trialRandom, type SamplingTrial } from './sampler.js';

/**
 * A parameter's value without regard to any result: spread evenly along the trials, each parameter in its own order (as in a Latin
 * hypercube: McKay, Beckman & Conover, Technometrics 1979), numbers in the middle of their range first. A trial that is tried again
 * draws at random.
 */
export function evenValue(seed: number, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
  const column = columnOf(distribution);
  if (trial.attempt > 0)
    return decodeValue(distribution, valueForShare(column, trialRandom(seed, trial, name).uniform()));
  if (trial.logicalIndex === 0 && column.kind !== 'categorical')
    return decodeValue(distribution, valueForShare(column, 0.5));
  const sequence = new SobolSequence(1, createRandom(mixSeed(seed, 'independent', name)));
  return decodeValue(distribution, valueForShare(column, sequence.point(trial.logicalIndex)[0] ?? 0));
}
