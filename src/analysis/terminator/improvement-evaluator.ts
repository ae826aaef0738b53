import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { StudyDirection } from '../../core/study-direction.js';

/** Estimates how much better the best value may yet become. */
export interface ImprovementEvaluator {
  /** @param trials all trials of the study by number @throws UsageError where it cannot be told from these */
  evaluate(trials: readonly FrozenTrial[], direction: StudyDirection): number;
}

export function completeOf(trials: readonly FrozenTrial[]): FrozenTrial[] {
  return trials.filter((trial) => trial.state === 'COMPLETE');
}
