import { canonicalJson } from '../core/json.js';
import { hash8 } from '../core/random.js';
import type { SweepConfig } from '../core/sweep-config.js';

/** What of a configuration makes a study's identity. */
type Identified = Pick<SweepConfig, 'study' | 'backbone' | 'metrics' | 'objective'>;

/**
 * The text whose hash is study8: canonical JSON of study name, backbone, metrics with their directions, objective with its fixed
 * settings, and the data's fingerprint. Paths, ranges, budget, target, seed, sampler, pruner, parallelism, limits and backup are
 * not in it, so that they may change on a resume.
 */
export function hashedTextOf(config: Identified, fingerprint: string | undefined): string {
  return canonicalJson({
    study: config.study,
    backbone: config.backbone,
    metrics: config.metrics.map(({ name, goal }) => ({ name, direction: goal })),
    objective: config.objective.identity,
    data: fingerprint ?? null,
  });
}

/** First 8 hexadecimal digits of the SHA-256 of that text. */
export function study8Of(hashedText: string): string {
  return hash8(hashedText);
}
