import { UsageError } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import { BestValueStagnationEvaluator } from '../terminator/best-value-stagnation.js';
import { CrossValidationErrorEvaluator, StaticErrorEvaluator } from '../terminator/error-evaluators.js';
import type { ErrorEvaluator } from '../terminator/error-evaluators.js';
import type { ImprovementEvaluator } from '../terminator/improvement-evaluator.js';
import { RegretBoundEvaluator } from '../terminator/regret-bound.js';
import type { FigureTable } from './figure-table.js';
import type { PlottedStudy } from './plot-target.js';

/** How much better the best value may yet become, over the trials. */
export interface TerminatorImprovementFigure {
  readonly kind: 'terminatorImprovement';
  readonly trialNumbers: readonly number[];
  readonly improvements: readonly number[];
  /** Below which error nothing more is to be gained; undefined where it was not asked for. */
  readonly errors: readonly number[] | undefined;
  /** Complete trials before which a terminator judges nothing. */
  readonly minNTrials: number;
}

export interface TerminatorImprovementOptions {
  /** @default false */
  readonly plotError?: boolean | undefined;
  /** @default new RegretBoundEvaluator() */
  readonly improvementEvaluator?: ImprovementEvaluator | undefined;
  /** @default new CrossValidationErrorEvaluator(); with BestValueStagnationEvaluator, new StaticErrorEvaluator(0) */
  readonly errorEvaluator?: ErrorEvaluator | undefined;
  /** @default 20 */
  readonly minNTrials?: number | undefined;
  /** Evaluate only so many places, evenly spread, the last always. @default all */
  readonly maxPoints?: number | undefined;
}

/**
 * Data of Optuna's `plot_terminator_improvement`. The default evaluator fits a Gaussian process for every point: give `maxPoints`
 * for a long study.
 * @throws UsageError with several objectives, or where an evaluator cannot tell
 */
export async function plotTerminatorImprovement(
  study: PlottedStudy,
  options: TerminatorImprovementOptions = {},
): Promise<TerminatorImprovementFigure> {
  const { plotError = false, improvementEvaluator = new RegretBoundEvaluator(), minNTrials = 20 } = options;
  const [direction] = study.directions;
  if (direction === undefined || study.directions.length > 1) {
    throw new UsageError('A terminator is for a single objective.');
  }
  await study.sync?.();
  const errorEvaluator =
    options.errorEvaluator ??
    (improvementEvaluator instanceof BestValueStagnationEvaluator
      ? new StaticErrorEvaluator(0)
      : new CrossValidationErrorEvaluator());
  const complete: FrozenTrial[] = [];
  const places: { readonly number: number; readonly complete: number }[] = [];
  for (const trial of study.history.all.filter(Boolean)) {
    if (trial.state === 'COMPLETE') complete.push(trial);
    if (complete.length > 0) places.push({ number: trial.number, complete: complete.length });
  }
  const chosen = evenly(places, options.maxPoints ?? Infinity);
  const improvements: number[] = [];
  const errors: number[] = [];
  for (const place of chosen) {
    const soFar = complete.slice(0, place.complete);
    improvements.push(improvementEvaluator.evaluate(soFar, direction));
    if (plotError) errors.push(errorEvaluator.evaluate(soFar, direction));
    // Each point may take long: whoever else works in this process gets a turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    kind: 'terminatorImprovement',
    trialNumbers: chosen.map(({ number }) => number),
    improvements,
    errors: errors.length === 0 ? undefined : errors,
    minNTrials,
  };
}

/**
 * At most `count` of the items, every 1st, 2nd, 4th, 8th … with the last: as the list grows, places chosen before stay chosen or are
 * left out, so that what was evaluated once and kept serves again.
 */
function evenly<T>(items: readonly T[], count: number): readonly T[] {
  let step = 1;
  while (Math.ceil(items.length / step) > count) step *= 2;
  return items.filter((_, i) => (i + 1) % step === 0 || i === items.length - 1);
}

export function terminatorImprovementTable(figure: TerminatorImprovementFigure): FigureTable {
  return {
    columns: ['trial', 'improvement', 'error'],
    rows: figure.trialNumbers.map((number, i) => [number, figure.improvements[i], figure.errors?.[i]]),
  };
}
