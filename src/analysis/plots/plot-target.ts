import { UsageError } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import { nearestName } from '../../core/nearest-name.js';
import type { StudyDirection } from '../../core/study-direction.js';
import type { StudyView } from '../../core/study-view.js';
import { completeTrials } from '../importance-evaluator.js';

/** A study that is plotted; one that can be brought up to date is. */
export type PlottedStudy = StudyView & { sync?: () => Promise<void> };

/** What number of a trial is plotted. */
export interface PlotTargetOptions {
  /** Any number of a trial in place of its objective value, such as its duration. */
  readonly target?: ((trial: FrozenTrial) => number) | undefined;
  /** @default the metric's name, else "Objective Value" */
  readonly targetName?: string | undefined;
  /** Index of one of several objectives. */
  readonly objective?: number | undefined;
}

/** The same, decided for one study. */
export interface PlotTarget {
  readonly name: string;
  readonly valueOf: (trial: FrozenTrial) => number;
  /** Undefined for a target of which nobody knows what is better. */
  readonly direction: StudyDirection | undefined;
  /** Colours run from high to low: small values are the good ones (Optuna's "reverse scale"). */
  readonly lowIsGood: boolean;
}

/** Names of the objectives, where the study has them. */
export function metricNamesOf(study: StudyView): readonly string[] | undefined {
  const names = study.systemAttrs['study:metric_names'];
  return Array.isArray(names) && names.length === study.directions.length ? names.map(String) : undefined;
}

/** Brings a study up to date and decides what is plotted of it. @throws UsageError with several objectives and neither `target` nor `objective` */
export async function openTarget(study: PlottedStudy, options: PlotTargetOptions): Promise<PlotTarget> {
  await study.sync?.();
  return plotTargetOf(study, options);
}

/** The same without looking for news. @throws UsageError as `openTarget` */
export function plotTargetOf(study: StudyView, options: PlotTargetOptions): PlotTarget {
  const { target, objective } = options;
  if (target !== undefined) {
    return { name: options.targetName ?? 'Target', valueOf: target, direction: undefined, lowIsGood: true };
  }
  const count = study.directions.length;
  if (objective === undefined && count > 1) {
    throw new UsageError(`The study has ${count} objectives: one must be chosen.`, {
      hint: 'Pass objective: 0 (its index), or a target of your own.',
    });
  }
  const index = objective ?? 0;
  const direction = study.directions[index];
  if (direction === undefined) {
    throw new UsageError(`There is no objective ${index}: the study has ${count} (0 … ${count - 1}).`);
  }
  const fallback = count > 1 ? `Objective ${index}` : 'Objective Value';
  return {
    name: options.targetName ?? metricNamesOf(study)?.[index] ?? fallback,
    valueOf: (trial) => trial.values?.[index] ?? NaN,
    direction,
    lowIsGood: direction === 'minimize',
  };
}

/** COMPLETE trials whose plotted number is finite, by number. */
export function finiteTrials(study: StudyView, target: PlotTarget): FrozenTrial[] {
  return completeTrials(study).filter((trial) => Number.isFinite(target.valueOf(trial)));
}

/** Every parameter of these trials by name, or those asked for. @throws UsageError for one that none of them has */
export function plottedParams(trials: readonly FrozenTrial[], params: readonly string[] | undefined): string[] {
  const known = new Set<string>();
  for (const trial of trials) for (const name in trial.distributions) known.add(name);
  for (const name of trials.length === 0 ? [] : (params ?? [])) {
    if (known.has(name)) continue;
    const nearest = nearestName(name, known);
    throw new UsageError(`No complete trial has a parameter "${name}".`, {
      hint:
        nearest === undefined ? `Their parameters are ${[...known].sort().join(', ')}.` : `Did you mean "${nearest}"?`,
    });
  }
  return (trials.length === 0 ? [] : [...new Set(params ?? known)]).sort();
}

/** Smallest and largest of some numbers; [0, 0] of none. */
export function extentOf(values: Iterable<number>): readonly [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}
