import { UsageError } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import { isBetter, type StudyDirection } from '../../core/study-direction.js';
import { completeOf, type ImprovementEvaluator } from './improvement-evaluator.js';

/** How many more complete trials may pass without a better value: below 0 once the patience is over. */
export class BestValueStagnationEvaluator implements ImprovementEvaluator {
  readonly #maxStagnationTrials: number;

  /** @param options.maxStagnationTrials @default 30 @throws UsageError where it is below 0 */
  constructor(options: { maxStagnationTrials?: number } = {}) {
    const { maxStagnationTrials = 30 } = options;
    if (!(maxStagnationTrials >= 0)) {
      throw new UsageError(`maxStagnationTrials must be 0 or more, but got ${maxStagnationTrials}.`);
    }
    this.#maxStagnationTrials = maxStagnationTrials;
  }

  evaluate(trials: readonly FrozenTrial[], direction: StudyDirection): number {
    const complete = completeOf(trials);
    if (complete.length === 0) throw new UsageError('No trial is complete yet: stagnation cannot be told.');
    let best = 0;
    for (const [i, trial] of complete.entries()) {
      if (isBetter(direction, trial.value ?? NaN, complete[best]?.value ?? NaN)) best = i;
    }
    return this.#maxStagnationTrials - (complete.length - 1 - best);
  }
}
