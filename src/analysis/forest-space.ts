import type { Range } from '../algorithms/functional-anova.js';
import type { Distribution } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { StudyView } from '../core/study-view.js';
import { completeTrials, sharedSpace, type EvaluateOptions } from './importance-evaluator.js';

/** Trials as a forest reads them: numbers as they are (not their logarithms), one column per choice of a categorical parameter. */
export interface ForestData {
  readonly columns: readonly Float64Array[];
  readonly ranges: readonly Range[];
  /** Columns of each parameter. */
  readonly columnsOf: ReadonlyMap<string, readonly number[]>;
  readonly targets: Float64Array;
}

/** What a forest can be asked about a study. */
export interface ForestTask {
  /** All parameters to assess, by name. */
  readonly space: ReadonlyMap<string, Distribution>;
  /** The trials that have them all and a finite value. */
  readonly trials: readonly FrozenTrial[];
  readonly targetOf: (trial: FrozenTrial) => number;
}

/** @throws UsageError with several objectives and no target, or as `sharedSpace` */
export function forestTask(study: StudyView, options: EvaluateOptions): ForestTask {
  const { target } = options;
  if (target === undefined && study.directions.length > 1) {
    throw new UsageError('With several objectives a forest needs to know which one to explain.', {
      hint: 'Give a target such as (trial) => trial.values[0], or use PedAnovaImportanceEvaluator.',
    });
  }
  const targetOf = target ?? ((trial: FrozenTrial): number => trial.values?.[0] ?? NaN);
  const complete = completeTrials(study);
  const space = sharedSpace(complete, options.params);
  const trials = complete.filter(
    (trial) => [...space.keys()].every((name) => name in trial.internalParams) && Number.isFinite(targetOf(trial)),
  );
  return { space, trials, targetOf };
}

/** The columns of some parameters. */
export function forestData(task: ForestTask, names: readonly string[]): ForestData {
  const columns: Float64Array[] = [];
  const ranges: Range[] = [];
  const columnsOf = new Map<string, readonly number[]>();
  for (const name of names) {
    const distribution = task.space.get(name);
    if (distribution === undefined) continue;
    const values = task.trials.map((trial) => trial.internalParams[name] ?? NaN);
    const begin = columns.length;
    if (distribution.kind === 'categorical') {
      for (const choice of distribution.choices.keys()) {
        columns.push(Float64Array.from(values, (value) => (value === choice ? 1 : 0)));
        ranges.push({ low: 0, high: 1 });
      }
    } else {
      columns.push(Float64Array.from(values));
      ranges.push({ low: distribution.low, high: distribution.high });
    }
    columnsOf.set(
      name,
      Array.from({ length: columns.length - begin }, (_, i) => begin + i),
    );
  }
  return { columns, ranges, columnsOf, targets: Float64Array.from(task.trials, task.targetOf) };
}
