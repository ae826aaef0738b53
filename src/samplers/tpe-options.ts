import { z } from 'zod';

import type { CategoricalChoice } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { defaultWeights, type ParzenOptions } from '../algorithms/parzen-estimator.js';

/** Distance of two choices: 0 for the same, positive otherwise. */
export type CategoricalDistance = (a: CategoricalChoice, b: CategoricalChoice) => number;

export interface TPESamplerOptions {
  readonly seed?: number | undefined;
  /** Finished trials (complete and pruned) before which parameters are drawn at random. @default 10 */
  readonly nStartupTrials?: number | undefined;
  /** Candidates drawn for each suggestion. @default 24 */
  readonly nEiCandidates?: number | undefined;
  /** Draw parameters jointly. @default true with one objective, false with several */
  readonly multivariate?: boolean | undefined;
  /** Draw groups of parameters that always come together, each jointly. @default false */
  readonly group?: boolean | undefined;
  /** Take running trials of other workers for bad ones, so that workers spread. @default true */
  readonly constantLiar?: boolean | undefined;
  /** How many of n trials count as good. @default min(⌈n/10⌉, 25), uncapped with several objectives */
  readonly gamma?: ((n: number) => number) | undefined;
  /** Weights of n observations, oldest first. @default the newest 25 fully, older ones less */
  readonly weights?: ((n: number) => Float64Array | readonly number[]) | undefined;
  /** A prior always takes part, as in Optuna: accepted for its users' sake. @default true */
  readonly considerPrior?: boolean | undefined;
  /** Weight of the density that spreads over the whole range, in observations. @default 1 */
  readonly priorWeight?: number | undefined;
  /** Keep bandwidths above a share of the range, which shrinks with the number of observations. @default true */
  readonly considerMagicClip?: boolean | undefined;
  /** Whether the ends of a range count as neighbours of the outermost observations. @default false */
  readonly considerEndpoints?: boolean | undefined;
  /** How far apart two choices of a categorical parameter are, by its name. @default all equally far */
  readonly categoricalDistanceFunc?: Readonly<Record<string, CategoricalDistance>> | undefined;
  /** Say once where a parameter cannot be drawn jointly. @default false */
  readonly warnIndependentSampling?: boolean | undefined;
}

/** @throws UsageError for options out of range, or `group` without `multivariate` */
export function checkTpeOptions(options: TPESamplerOptions): void {
  const { nStartupTrials = 10, nEiCandidates = 24, priorWeight = 1, group = false, multivariate } = options;
  if (!(nStartupTrials >= 0)) throw new UsageError(`nStartupTrials must be 0 or more, but got ${nStartupTrials}.`);
  if (!(nEiCandidates >= 1)) throw new UsageError(`nEiCandidates must be 1 or more, but got ${nEiCandidates}.`);
  if (!(priorWeight >= 0)) throw new UsageError(`priorWeight must be 0 or more, but got ${priorWeight}.`);
  if (group && multivariate === false) throw new UsageError('group works only with multivariate sampling.');
}

/** What the estimators need of the options. */
export function parzenOptionsOf(options: TPESamplerOptions): ParzenOptions {
  const { weights } = options;
  return {
    priorWeight: options.priorWeight ?? 1,
    considerMagicClip: options.considerMagicClip ?? true,
    considerEndpoints: options.considerEndpoints ?? false,
    weights: weights === undefined ? defaultWeights : (n) => checkedWeights(weights(n), n),
  };
}

function uniformWeights(n: number): Float64Array {
  return new Float64Array(n).fill(1);
}

/** Whether the weights of a part of the trials are those of all: not certain of weights from elsewhere. */
export function mayThin({ weights }: TPESamplerOptions): boolean {
  return weights === undefined || weights === defaultWeights || weights === uniformWeights;
}

/** How many of n trials count as good: a tenth, 25 at most. */
export function defaultGamma(n: number): number {
  return Math.min(Math.ceil(0.1 * n), 25);
}

/** The same with several objectives: a tenth. */
export function defaultGammaOfSeveral(n: number): number {
  return Math.ceil(0.1 * n);
}

/** Hyperopt's: a quarter of the root, 25 at most. */
export function hyperoptDefaultGamma(n: number): number {
  return Math.min(Math.ceil(0.25 * Math.sqrt(n)), 25);
}

/** Options with which TPE works as Hyperopt's (Optuna's `TPESampler.hyperopt_parameters()`). */
export function hyperoptParameters(): TPESamplerOptions {
  return {
    considerPrior: true,
    priorWeight: 1,
    considerMagicClip: true,
    considerEndpoints: false,
    nStartupTrials: 20,
    nEiCandidates: 24,
    gamma: hyperoptDefaultGamma,
    weights: defaultWeights,
  };
}

function checkedWeights(weights: Float64Array | readonly number[], n: number): Float64Array {
  const checked = Float64Array.from(weights).slice(0, n);
  if (checked.some((weight) => !(weight >= 0) || !Number.isFinite(weight))) {
    throw new UsageError(
      `The weights function must give finite values >= 0, but for ${n} it gave ${[...checked].join(', ')}.`,
    );
  }
  if (n > 0 && checked.every((weight) => weight === 0)) {
    throw new UsageError(`The weights function must not give zeros only, but did for ${n}.`);
  }
  return checked;
}

/** Options as a configuration has them. */
export const tpeSchema = z
  .object({
    seed: z.number().int().optional(),
    n_startup_trials: z.number().int().min(0).default(10).describe('Finished trials before the model is used.'),
    n_ei_candidates: z.number().int().min(1).default(24).describe('Candidates drawn for each suggestion.'),
    multivariate: z.boolean().optional().describe('Draw parameters jointly; default: with a single objective.'),
    group: z.boolean().default(false).describe('Draw groups of parameters that come together, each jointly.'),
    constant_liar: z.boolean().default(true).describe('Take running trials of other workers for bad ones.'),
    gamma: z
      .enum(['default', 'hyperopt'])
      .default('default')
      .describe('How many trials count as good: a tenth, or a quarter of the root; 25 at most.'),
    weights: z
      .enum(['default', 'uniform'])
      .default('default')
      .describe('Whether old observations weigh less than the newest 25.'),
    prior_weight: z.number().min(0).default(1).describe('Weight of the prior, in observations.'),
    consider_magic_clip: z.boolean().default(true).describe('Keep bandwidths above a share of the range.'),
    consider_endpoints: z
      .boolean()
      .default(false)
      .describe('Whether the ends of a range count as neighbours of the outermost observations.'),
    warn_independent_sampling: z
      .boolean()
      .default(false)
      .describe('Say so once where a parameter cannot be drawn jointly.'),
  })
  .strict();

/** The same with `gamma` and `weights` as functions. */
export function tpeOptionsFrom({
  gamma,
  weights,
  ...options
}: Omit<TPESamplerOptions, 'gamma' | 'weights'> & {
  gamma?: 'default' | 'hyperopt';
  weights?: 'default' | 'uniform';
}): TPESamplerOptions {
  return {
    ...options,
    gamma: gamma === 'hyperopt' ? hyperoptDefaultGamma : undefined,
    weights: weights === 'uniform' ? uniformWeights : undefined,
  };
}
