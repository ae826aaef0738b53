import { valueForShare } from '../algorithms/search-domain.js';
import type { Distribution, ParamValue } from '../core/distributions.js';
import { createRandom, mixSeed } from '../core/random.js';
import { columnOf, decodeValue } from './encoded-space.js';
import { trialRandom, type SamplingTrial } from './sampler.js';

/** Trials among which a parameter's range is shared out. */
const BLOCK = 10;

/**
 * A parameter's value without regard to any result: of every ten trials one in each tenth of its range, in an order of the
 * parameter's own (a Latin hypercube: McKay, Beckman & Conover, Technometrics 1979); of the very first the middle, for numbers. A trial
 * that is tried again draws at random.
 */
export function evenValue(seed: number, trial: SamplingTrial, name: string, distribution: Distribution): ParamValue {
  const column = columnOf(distribution);
  const at = trial.logicalIndex;
  if (at === 0 && trial.attempt === 0 && column.kind !== 'categorical')
    return decodeValue(distribution, valueForShare(column, 0.5));
  const within = trialRandom(seed, trial, name).uniform();
  if (trial.attempt > 0) return decodeValue(distribution, valueForShare(column, within));
  const random = createRandom(mixSeed(seed, 'independent', name, Math.floor(at / BLOCK)));
  const tenth = random.shuffle(Array.from({ length: BLOCK }, (_, i) => i))[at % BLOCK] ?? 0;
  return decodeValue(distribution, valueForShare(column, (tenth + within) / BLOCK));
}
