import { crc32 } from 'node:zlib';

import { z } from 'zod';

import { roundedLogarithm } from '../algorithms/rounded-logarithm.js';
import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { wholeStudy, type StudyView } from '../core/study-view.js';
import { BracketView } from './bracket-view.js';
import type { Pruner, PruningTrial } from './pruner.js';
import { ResolvedResource } from './resolved-resource.js';
import { requireReduction, SuccessiveHalvingPruner } from './successive-halving-pruner.js';

const MAX_RESOURCE = 'resweep:hyperband_max_resource';

export interface HyperbandPrunerOptions {
  /** Steps to the first rung of the first bracket. @default 1 */
  readonly minResource?: number | undefined;
  /** Steps of a whole trial; `auto`: those of the longest completed one when first needed, nothing is pruned before. @default 'auto' */
  readonly maxResource?: number | 'auto' | undefined;
  /** One in so many goes on from a rung; the next is so many times as far. @default 3 */
  readonly reductionFactor?: number | undefined;
  /** Trials at a rung before any goes on. @default 0 */
  readonly bootstrapCount?: number | undefined;
}

/** The brackets for one maximal resource. */
class Brackets {
  readonly pruners: readonly SuccessiveHalvingPruner[];
  readonly #budgets: readonly number[];
  readonly #total: number;
  readonly #views = new WeakMap<StudyView, BracketView[]>();

  constructor(minResource: number, maxResource: number, reductionFactor: number, bootstrapCount: number) {
    // As in Python: where the ratio is a power of the factor, rounding decides.
    const exponent = roundedLogarithm(maxResource / minResource) / roundedLogarithm(reductionFactor);
    const count = Math.floor(exponent) + 1;
    this.pruners = Array.from(
      { length: count },
      (_, bracket) =>
        new SuccessiveHalvingPruner({
          minResource,
          reductionFactor,
          minEarlyStoppingRate: bracket,
          bootstrapCount,
        }),
    );
    // Li et al., JMLR 2018, algorithm 1: n = ⌈(s_max + 1)/(s + 1) · η^s⌉ trials, here as shares of all trials.
    this.#budgets = this.pruners.map((_, bracket) => {
      const s = count - 1 - bracket;
      return Math.ceil((count * reductionFactor ** s) / (s + 1));
    });
    this.#total = this.#budgets.reduce((sum, budget) => sum + budget, 0);
  }

  /** Optuna's choice, by the name of the study and the trial's place in it. */
  of(studyName: string, logicalIndex: number): number {
    let place = crc32(`${studyName}_${logicalIndex}`) % this.#total;
    for (const [bracket, budget] of this.#budgets.entries()) {
      place -= budget;
      if (place < 0) return bracket;
    }
    return this.#budgets.length - 1;
  }

  view(study: StudyView, logicalIndex: number): StudyView {
    const { studyName } = study;
    const bracket = this.of(studyName, logicalIndex);
    let views = this.#views.get(study);
    if (views === undefined) {
      views = this.pruners.map(
        (_, id) => new BracketView(study, (trial) => this.of(studyName, trial.logicalIndex) === id),
      );
      this.#views.set(study, views);
    }
    return views[bracket] ?? study;
  }
}

/**
 * Hyperband (Li et al., JMLR 2018) over asynchronous successive halving: trials are divided among brackets that begin to prune at
 * different steps, each with competitors of its own. Rule, brackets and shares are those of Optuna's HyperbandPruner; here a bracket
 * hangs on a trial's place without interruptions, so that a retry stays in its original's.
 */
export class HyperbandPruner implements Pruner {
  readonly name = 'hyperband';
  readonly #minResource: number;
  readonly #maxResource: number | ResolvedResource;
  readonly #reductionFactor: number;
  readonly #bootstrapCount: number;
  readonly #brackets = new Map<number, Brackets>();
  readonly #reports = new WeakMap<StudyView, { any: boolean; consumed: number }>();

  /** @throws UsageError for options out of range */
  constructor(options: HyperbandPrunerOptions = {}) {
    const { minResource = 1, maxResource = 'auto', reductionFactor = 3, bootstrapCount = 0 } = options;
    if (!(minResource >= 1)) throw new UsageError(`minResource must be 1 or more, but got ${minResource}.`);
    if (maxResource !== 'auto' && !(typeof maxResource === 'number' && maxResource >= minResource)) {
      throw new UsageError(
        `maxResource must not be below minResource (${minResource}), or be 'auto', but got ${String(maxResource)}.`,
      );
    }
    requireReduction(reductionFactor);
    if (!(bootstrapCount >= 0)) throw new UsageError(`bootstrapCount must be 0 or more, but got ${bootstrapCount}.`);
    if (bootstrapCount > 0 && maxResource === 'auto') {
      throw new UsageError("bootstrapCount cannot go with maxResource 'auto'.", { hint: 'Give maxResource a number.' });
    }
    this.#minResource = minResource;
    this.#maxResource =
      maxResource === 'auto' ? new ResolvedResource(MAX_RESOURCE, (longest) => longest + 1) : maxResource;
    this.#reductionFactor = reductionFactor;
    this.#bootstrapCount = bootstrapCount;
  }

  prune(view: StudyView, trial: FrozenTrial, context: PruningTrial): boolean {
    const study = wholeStudy(view);
    const brackets = this.#bracketsFor(
      typeof this.#maxResource === 'number' ? this.#maxResource : this.#maxResource.of(study, context),
    );
    if (brackets === undefined) return false;
    const { logicalIndex } = trial;
    const pruner = brackets.pruners[brackets.of(study.studyName, logicalIndex)];
    return pruner?.prune(brackets.view(study, logicalIndex), trial, context) ?? false;
  }

  viewFor(view: StudyView, logicalIndex: number): StudyView {
    const study = wholeStudy(view);
    // Where nothing is reported nothing is pruned, and a sampler had better see all trials.
    if (!this.#hasReports(study)) return view;
    const brackets = this.#bracketsFor(
      typeof this.#maxResource === 'number' ? this.#maxResource : this.#maxResource.known(study),
    );
    return brackets?.view(study, logicalIndex) ?? view;
  }

  #hasReports(study: StudyView): boolean {
    let seen = this.#reports.get(study);
    if (seen === undefined) this.#reports.set(study, (seen = { any: false, consumed: 0 }));
    const { finished, unfinished } = study.history;
    const isReporting = (trial: FrozenTrial | undefined): boolean => trial?.lastStep !== undefined;
    for (; !seen.any && seen.consumed < finished.length; seen.consumed++)
      seen.any = isReporting(finished[seen.consumed]);
    seen.any ||= unfinished.some(isReporting);
    return seen.any;
  }

  #bracketsFor(maxResource: number | undefined): Brackets | undefined {
    if (maxResource === undefined) return undefined;
    let brackets = this.#brackets.get(maxResource);
    if (brackets === undefined) {
      // A completed trial may have been shorter than the least resource.
      const most = Math.max(this.#minResource, maxResource);
      brackets = new Brackets(this.#minResource, most, this.#reductionFactor, this.#bootstrapCount);
      this.#brackets.set(maxResource, brackets);
    }
    return brackets;
  }
}

export const hyperbandPrunerDefinition = {
  type: 'hyperband',
  summary: 'Successive halving in several brackets, each of which begins to prune at another step',
  schema: z
    .object({
      min_resource: z.number().int().min(1).default(1).describe('Steps to the first rung of the first bracket.'),
      max_resource: z
        .union([z.literal('auto'), z.number().int().min(1)])
        .default('auto')
        .describe('Steps of a whole trial; auto: those of the longest completed one.'),
      reduction_factor: z.number().int().min(2).default(3).describe('One in so many goes on from a rung.'),
      bootstrap_count: z.number().int().min(0).default(0).describe('Trials at a rung before any goes on.'),
    })
    .strict()
    .refine(
      (options) => options.bootstrap_count === 0 || options.max_resource !== 'auto',
      'with a bootstrap_count, max_resource must be a number',
    )
    .refine(
      (options) => options.max_resource === 'auto' || options.max_resource >= options.min_resource,
      'max_resource must not be below min_resource',
    ),
  create: (options: HyperbandPrunerOptions) => new HyperbandPruner(options),
};
