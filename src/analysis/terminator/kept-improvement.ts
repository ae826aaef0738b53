import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { StudyDirection } from '../../core/study-direction.js';
import type { ImprovementEvaluator } from './improvement-evaluator.js';

/** As many judgements are kept. */
const MOST_KEPT = 200;

/**
 * An evaluator that judges the same trials of one study only once. Finished trials do not change, so their numbers tell which they
 * are.
 */
export class KeptImprovement implements ImprovementEvaluator {
  readonly #evaluator: ImprovementEvaluator;
  readonly #kept = new Map<string, number>();

  constructor(evaluator: ImprovementEvaluator) {
    this.#evaluator = evaluator;
  }

  evaluate(trials: readonly FrozenTrial[], direction: StudyDirection): number {
    const key = `${direction} ${trials.map(({ number }) => number).join()}`;
    let found = this.#kept.get(key);
    if (found === undefined) {
      found = this.#evaluator.evaluate(trials, direction);
      this.#kept.set(key, found);
      for (const old of this.#kept.keys()) {
        if (this.#kept.size <= MOST_KEPT) break;
        this.#kept.delete(old);
      }
    }
    return found;
  }
}
