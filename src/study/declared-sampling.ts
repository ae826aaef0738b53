import { isActive, type DeclaredSpace } from '../core/declared-space.js';
import type { ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { TRIAL_ATTRIBUTE, type FrozenTrial } from '../core/frozen-trial.js';
import { drawUniform } from '../samplers/random-sampler.js';
import { trialRandom } from '../samplers/sampler.js';
import type { Trial } from './trial.js';

/** Draws by the sampler before chance takes over: a model may insist on one infeasible corner. */
const SAMPLER_ATTEMPTS = 50;
const ALL_ATTEMPTS = 10_000;

/**
 * Suggests every active parameter of a declared space, drawing again while a `feasible:` rule is broken.
 * @throws UsageError where no feasible point is found in 10,000 draws.
 */
export function sampleDeclared(
  trial: Trial,
  space: DeclaredSpace,
  seed: number,
  sampleRelative: () => Readonly<Record<string, ParamValue>>,
): void {
  const base = trial.frozen;
  const isGiven = hasGivenParams(base);
  for (let attempt = 0; attempt < ALL_ATTEMPTS; attempt++) {
    trial.beginAttempt(
      attempt,
      base,
      attempt < SAMPLER_ATTEMPTS ? sampleRelative : () => uniformSample(trial, space, seed),
    );
    for (const parameter of space.parameters) {
      if (isActive(parameter, trial.params)) trial.suggest(parameter.name, parameter.distribution);
    }
    // Parameters that somebody chose (enqueued, retried) are taken as they are.
    if (isGiven || space.isFeasible({ ...space.constants, ...trial.params })) return;
  }
  throw new UsageError(`No feasible set of parameters was found in ${ALL_ATTEMPTS} draws.`, {
    hint: 'Loosen the rules under `feasible:`, or the ranges of the parameters they name.',
  });
}

function hasGivenParams(trial: FrozenTrial): boolean {
  return (
    trial.systemAttrTexts[TRIAL_ATTRIBUTE.fixedParams] !== undefined || Object.keys(trial.internalParams).length > 0
  );
}

function uniformSample(trial: Trial, space: DeclaredSpace, seed: number): Readonly<Record<string, ParamValue>> {
  const random = trialRandom(seed, trial, 'feasible');
  return Object.fromEntries(
    space.parameters.map((parameter) => [parameter.name, drawUniform(parameter.distribution, random)]),
  );
}
