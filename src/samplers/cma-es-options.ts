import { z } from 'zod';

import type { ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { RestartStrategy } from '../algorithms/cma-restarts.js';
import type { Sampler } from './sampler.js';

export interface CmaEsSamplerOptions {
  /** In place of the study's own. */
  readonly seed?: number | undefined;
  /** Where to begin: a value of each numeric parameter. @default the middle of each range */
  readonly x0?: Readonly<Record<string, ParamValue>> | undefined;
  /** Step size at the start, as a share of each range. @default 1/6 */
  readonly sigma0?: number | undefined;
  /** Completed trials drawn independently before the search begins. @default 1 */
  readonly nStartupTrials?: number | undefined;
  /** Draws categorical parameters, and those that not every trial has. @default new RandomSampler() */
  readonly independentSampler?: Sampler | undefined;
  /** Say once where a parameter is drawn by that one. @default true */
  readonly warnIndependentSampling?: boolean | undefined;
  /** Learn from pruned trials too, by their last report. @default false */
  readonly considerPrunedTrials?: boolean | undefined;
  /** Begin anew elsewhere where the search has converged: with growing populations, or by turns with small ones. @default never */
  readonly restartStrategy?: RestartStrategy | undefined;
  /** Trials of a generation. @default 4 + ⌊3 ln d⌋ with d parameters */
  readonly popsize?: number | undefined;
  /** Factor by which the population grows at a restart. @default 2 */
  readonly incPopsize?: number | undefined;
  /** A diagonal covariance: for many parameters that hardly interact. @default false */
  readonly useSeparableCma?: boolean | undefined;
  /** Keeps the search from getting stuck in one value of an integer or stepped parameter. @default false */
  readonly withMargin?: boolean | undefined;
  /** Adapts the learning rates: for noisy losses and many local optima. @default false */
  readonly lrAdapt?: boolean | undefined;
  /** Trials of a similar task to begin from; ten at least. @default none */
  readonly sourceTrials?: readonly FrozenTrial[] | undefined;
}

/** @throws UsageError for options out of range, or that exclude each other (as in Optuna) */
export function checkCmaOptions(options: CmaEsSamplerOptions): void {
  const { sigma0, nStartupTrials = 1, popsize, incPopsize = 2, restartStrategy } = options;
  const refuse = (message: string): never => {
    throw new UsageError(message);
  };
  if (sigma0 !== undefined && !(sigma0 > 0 && Number.isFinite(sigma0)))
    refuse(`sigma0 must be above 0 and finite, but got ${sigma0}.`);
  if (!(nStartupTrials >= 0)) refuse(`nStartupTrials must be 0 or more, but got ${nStartupTrials}.`);
  if (popsize !== undefined && !(Number.isInteger(popsize) && popsize >= 2))
    refuse(`popsize must be a whole number, 2 or more, but got ${popsize}.`);
  if (!(Number.isInteger(incPopsize) && incPopsize >= 1))
    refuse(`incPopsize must be a whole number, 1 or more, but got ${incPopsize}.`);
  if (restartStrategy !== undefined && !['ipop', 'bipop'].includes(restartStrategy))
    refuse(`restartStrategy must be "ipop" or "bipop", but got ${JSON.stringify(restartStrategy)}.`);
  const { sourceTrials, x0, useSeparableCma = false, withMargin = false, lrAdapt = false } = options;
  if (sourceTrials !== undefined && (x0 !== undefined || sigma0 !== undefined))
    refuse('sourceTrials say where to begin: x0 and sigma0 cannot go with them.');
  if (sourceTrials !== undefined && useSeparableCma) refuse('sourceTrials cannot go with useSeparableCma.');
  if (lrAdapt && (useSeparableCma || withMargin)) refuse('lrAdapt cannot go with useSeparableCma or withMargin.');
  if (useSeparableCma && withMargin) refuse('useSeparableCma and withMargin cannot go together.');
}

/** Options as a configuration has them. */
export const cmaEsSchema = z
  .object({
    seed: z.number().int().optional(),
    x0: z
      .record(z.string(), z.number())
      .optional()
      .describe('Where to begin: a value of each numeric parameter; default: the middle of each range.'),
    sigma0: z.number().gt(0).optional().describe('Step size at the start, as a share of each range; default 1/6.'),
    n_startup_trials: z.number().int().min(0).default(1).describe('Completed trials drawn independently at first.'),
    independent_sampler: z
      .enum(['random', 'tpe'])
      .default('random')
      .describe('Draws categorical parameters, and those that not every trial has.'),
    warn_independent_sampling: z.boolean().default(true).describe('Say so once where it does.'),
    consider_pruned_trials: z.boolean().default(false).describe('Learn from pruned trials too, by their last report.'),
    restart_strategy: z
      .enum(['ipop', 'bipop'])
      .optional()
      .describe(
        'Begin anew elsewhere where the search has converged: with growing populations, or by turns with small ones.',
      ),
    popsize: z.number().int().min(2).optional().describe('Trials of a generation; default 4 + 3 ln d.'),
    inc_popsize: z.number().int().min(1).default(2).describe('Factor by which the population grows at a restart.'),
    use_separable_cma: z.boolean().default(false).describe('A diagonal covariance: for many parameters.'),
    with_margin: z.boolean().default(false).describe('For integer and stepped parameters: never stuck in one value.'),
    lr_adapt: z.boolean().default(false).describe('Adapt the learning rates: for noisy losses and many local optima.'),
  })
  .strict();
