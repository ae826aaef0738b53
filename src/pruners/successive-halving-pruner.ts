import { z } from 'zod';

import { UsageError } from '../core/errors.js';
import { TRIAL_ATTRIBUTE, type FrozenTrial } from '../core/frozen-trial.js';
import type { StudyDirection } from '../core/study-direction.js';
import { wholeStudy, type StudyView } from '../core/study-view.js';
import type { Pruner, PruningTrial } from './pruner.js';
import { stepsOf } from './reports.js';
import { ResolvedResource } from './resolved-resource.js';

const MIN_RESOURCE = 'resweep:successive_halving_min_resource';

export interface SuccessiveHalvingPrunerOptions {
  /** Steps to the first rung; `auto`: a hundredth of the longest completed trial when first needed. @default 'auto' */
  readonly minResource?: number | 'auto' | undefined;
  /** One in so many goes on from a rung; the next is so many times as far. @default 4 */
  readonly reductionFactor?: number | undefined;
  /** Rungs left out at the beginning. @default 0 */
  readonly minEarlyStoppingRate?: number | undefined;
  /** Trials at a rung before any goes on. @default 0 */
  readonly bootstrapCount?: number | undefined;
}

/**
 * Asynchronous successive halving (Li et al., MLSys 2020, algorithm 2): at steps that grow by the reduction factor a trial goes on only
 * where it is among the best of those that came so far. Rule and stored attributes are those of Optuna's SuccessiveHalvingPruner.
 */
export class SuccessiveHalvingPruner implements Pruner {
  readonly name = 'successive-halving';
  readonly #minResource: number | ResolvedResource;
  readonly #reductionFactor: number;
  readonly #minEarlyStoppingRate: number;
  readonly #bootstrapCount: number;

  /** @throws UsageError for options out of range */
  constructor(options: SuccessiveHalvingPrunerOptions = {}) {
    const { minResource = 'auto', reductionFactor = 4, minEarlyStoppingRate = 0, bootstrapCount = 0 } = options;
    if (minResource !== 'auto' && !(typeof minResource === 'number' && minResource >= 1))
      throw new UsageError(`minResource must be 1 or more, or 'auto', but got ${String(minResource)}.`);
    requireReduction(reductionFactor);
    if (!(minEarlyStoppingRate >= 0))
      throw new UsageError(`minEarlyStoppingRate must be 0 or more, but got ${minEarlyStoppingRate}.`);
    if (!(bootstrapCount >= 0)) throw new UsageError(`bootstrapCount must be 0 or more, but got ${bootstrapCount}.`);
    if (bootstrapCount > 0 && minResource === 'auto') {
      throw new UsageError("bootstrapCount cannot go with minResource 'auto'.", { hint: 'Give minResource a number.' });
    }
    this.#minResource =
      minResource === 'auto'
        ? new ResolvedResource(MIN_RESOURCE, (longest) => Math.max(1, Math.floor(longest / 100)))
        : minResource;
    this.#reductionFactor = reductionFactor;
    this.#minEarlyStoppingRate = minEarlyStoppingRate;
    this.#bootstrapCount = bootstrapCount;
  }

  prune(study: StudyView, trial: FrozenTrial, context: PruningTrial): boolean {
    const step = trial.lastStep;
    if (step === undefined) return false;
    const minResource =
      typeof this.#minResource === 'number' ? this.#minResource : this.#minResource.of(study, context);
    if (minResource === undefined) return false;
    const value = trial.intermediateValues[step] ?? NaN;
    for (let rung = currentRung(trial); ; rung++) {
      const promotionStep = minResource * this.#reductionFactor ** (this.#minEarlyStoppingRate + rung);
      if (step < promotionStep) return false;
      const key = rungKey(rung);
      const earlier = valueOfEarlierRun(study, trial, key, promotionStep, step);
      if (earlier !== undefined) {
        context.setSystemAttr(key, earlier);
        continue;
      }
      if (Number.isNaN(value)) return true;
      context.setSystemAttr(key, value);
      const competing = competingValues(study, trial, key);
      competing.push(value);
      if (competing.length <= this.#bootstrapCount) return true;
      const direction = study.directions[0] ?? 'minimize';
      if (!isAmongBest(value, competing, this.#reductionFactor, direction)) return true;
    }
  }
}

/** @throws UsageError below 2 */
export function requireReduction(reductionFactor: number): void {
  if (!(Number.isInteger(reductionFactor) && reductionFactor >= 2))
    throw new UsageError(`reductionFactor must be a whole number of 2 or more, but got ${reductionFactor}.`);
}

function rungKey(rung: number): string {
  return `completed_rung_${rung}`;
}

function currentRung(trial: FrozenTrial): number {
  let rung = 0;
  while (trial.systemAttrTexts[rungKey(rung)] !== undefined) rung++;
  return rung;
}

/** What the other trials had at a rung, whatever became of them; a trial that another one stands for is not counted twice. */
function competingValues(study: StudyView, trial: FrozenTrial, key: string): number[] {
  const values: number[] = [];
  const collect = (other: FrozenTrial): void => {
    if (other.systemAttrTexts[key] === undefined || other.number === trial.number || other.isSuperseded) return;
    values.push(Number(other.systemAttr(key)));
  };
  study.history.finished.forEach(collect);
  study.history.unfinished.forEach(collect);
  return values;
}

/**
 * A trial that goes on from a checkpoint brings the reports of the run before in one go: at a rung that lies among them the value
 * counts that the earlier run had there, and that run was let through.
 */
function valueOfEarlierRun(
  study: StudyView,
  trial: FrozenTrial,
  key: string,
  promotionStep: number,
  step: number,
): number | undefined {
  if (trial.systemAttrTexts[TRIAL_ATTRIBUTE.retryHistory] === undefined) return undefined;
  const history = trial.systemAttr(TRIAL_ATTRIBUTE.retryHistory);
  const number: unknown = Array.isArray(history) ? history.at(-1) : undefined;
  const previous = typeof number === 'number' ? wholeStudy(study).history.all[number] : undefined;
  const value = previous?.systemAttr(key);
  if (typeof value !== 'number') return undefined;
  const isReplayed = stepsOf(trial).some(
    (reported) => reported >= promotionStep && reported < step && trial.intermediateValues[reported] === value,
  );
  return isReplayed ? value : undefined;
}

function isAmongBest(value: number, competing: number[], reduction: number, direction: StudyDirection): boolean {
  const place = Math.max(0, Math.floor(competing.length / reduction) - 1);
  competing.sort((a, b) => (direction === 'maximize' ? b - a : a - b));
  const bound = competing[place] ?? NaN;
  return direction === 'maximize' ? value >= bound : value <= bound;
}

export const successiveHalvingPrunerDefinition = {
  type: 'successive-halving',
  summary: 'At steps ever further apart only the best of the trials that came so far go on',
  schema: z
    .object({
      min_resource: z
        .union([z.literal('auto'), z.number().int().min(1)])
        .default('auto')
        .describe('Steps to the first rung; auto: a hundredth of the longest completed trial.'),
      reduction_factor: z.number().int().min(2).default(4).describe('One in so many goes on from a rung.'),
      min_early_stopping_rate: z.number().int().min(0).default(0).describe('Rungs left out at the beginning.'),
      bootstrap_count: z.number().int().min(0).default(0).describe('Trials at a rung before any goes on.'),
    })
    .strict()
    .refine(
      (options) => options.bootstrap_count === 0 || options.min_resource !== 'auto',
      'with a bootstrap_count, min_resource must be a number',
    ),
  create: (options: SuccessiveHalvingPrunerOptions) => new SuccessiveHalvingPruner(options),
};
