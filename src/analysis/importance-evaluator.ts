import { isSameDistribution, type Distribution } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import { nearestName } from '../core/nearest-name.js';
import type { StudyView } from '../core/study-view.js';

/** A number to explain in place of the objective value, such as a trial's duration. */
export type ImportanceTarget = (trial: FrozenTrial) => number;

export interface EvaluateOptions {
  /** Only these parameters. @default all that the evaluator can assess */
  readonly params?: readonly string[] | undefined;
  /** @default the objective value */
  readonly target?: ImportanceTarget | undefined;
}

/** Tells how much each parameter matters. */
export interface ImportanceEvaluator {
  /** Importances by name, the largest first; not yet normalised. @throws UsageError where it cannot be told from these trials */
  evaluate(study: StudyView, options?: EvaluateOptions): Readonly<Record<string, number>>;
}

/** The COMPLETE trials by number. */
export function completeTrials(study: StudyView): FrozenTrial[] {
  return study.history.all.filter((trial) => trial.state === 'COMPLETE');
}

/** Every parameter that a COMPLETE trial has, sorted by name; or those asked for. @throws UsageError where no trial has one of these */
export function assessedParams(trials: readonly FrozenTrial[], params: readonly string[] | undefined): string[] {
  const known = [...new Set(trials.flatMap((trial) => Object.keys(trial.distributions)))].sort();
  if (params === undefined) return known;
  for (const name of params) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    throw new UsageError(`No complete trial has a parameter "${name}".`, {
      hint: nearest === undefined ? `Their parameters are ${known.join(', ')}.` : `Did you mean "${nearest}"?`,
    });
  }
  return [...params];
}

/**
 * The parameters that all COMPLETE trials share under one distribution, sorted by name; or those asked for, as the trials that have
 * all of them have them.
 * @throws UsageError where no trial has all that were asked for, or their distributions differ
 */
export function sharedSpace(
  trials: readonly FrozenTrial[],
  params: readonly string[] | undefined,
): Map<string, Distribution> {
  const having =
    params === undefined ? trials : trials.filter((trial) => params.every((name) => name in trial.distributions));
  const [first] = having;
  if (params !== undefined) {
    assessedParams(trials, params);
    if (first === undefined && params.length > 0) {
      throw new UsageError(`No complete trial has all of the parameters ${params.join(', ')}.`);
    }
  }
  const space = new Map<string, Distribution>();
  for (const [name, distribution] of Object.entries(first?.distributions ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (params?.includes(name) === false) continue;
    const isShared = having.every((trial) => {
      const other = trial.distributions[name];
      return other !== undefined && isSameDistribution(distribution, other);
    });
    if (isShared) space.set(name, distribution);
    else if (params !== undefined) {
      throw new UsageError(
        `The range of parameter "${name}" changed between trials: its importance cannot be assessed.`,
        {
          hint: 'PedAnovaImportanceEvaluator can assess it.',
        },
      );
    }
  }
  return space;
}

/** Sorted by value, the largest first, equals by name. */
export function byImportance(importances: Iterable<readonly [string, number]>): Record<string, number> {
  return Object.fromEntries([...importances].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}
