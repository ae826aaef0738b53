import { UsageError } from '../../core/errors.js';
import type { RunningStudy, StudyView } from '../../core/study-view.js';
import { completeTrials } from '../importance-evaluator.js';
import { BestValueStagnationEvaluator } from './best-value-stagnation.js';
import { CrossValidationErrorEvaluator, StaticErrorEvaluator, type ErrorEvaluator } from './error-evaluators.js';
import type { ImprovementEvaluator } from './improvement-evaluator.js';
import { RegretBoundEvaluator } from './regret-bound.js';

export interface TerminatorOptions {
  /** @default new RegretBoundEvaluator() */
  readonly improvementEvaluator?: ImprovementEvaluator;
  /** @default new CrossValidationErrorEvaluator(); with BestValueStagnationEvaluator, new StaticErrorEvaluator(0) */
  readonly errorEvaluator?: ErrorEvaluator;
  /** Complete trials before anything is judged. @default 20 */
  readonly minNTrials?: number;
}

/** Judges that a study may end: what may yet be gained is less than what chance alone makes of a value (Makarova et al., AutoML 2022). */
export class Terminator {
  readonly #improvement: ImprovementEvaluator;
  readonly #error: ErrorEvaluator;
  readonly #minNTrials: number;

  /** @throws UsageError where minNTrials is below 1 */
  constructor(options: TerminatorOptions = {}) {
    const { improvementEvaluator = new RegretBoundEvaluator(), minNTrials = 20 } = options;
    if (!(minNTrials >= 1)) throw new UsageError(`Terminator: minNTrials must be 1 or more, but got ${minNTrials}.`);
    this.#improvement = improvementEvaluator;
    this.#error =
      options.errorEvaluator ??
      (improvementEvaluator instanceof BestValueStagnationEvaluator
        ? new StaticErrorEvaluator(0)
        : new CrossValidationErrorEvaluator());
    this.#minNTrials = minNTrials;
  }

  /** @throws UsageError with several objectives, or where an evaluator cannot tell */
  async shouldTerminate(study: StudyView & { sync?: () => Promise<void> }): Promise<boolean> {
    const [direction] = study.directions;
    if (direction === undefined || study.directions.length > 1) {
      throw new UsageError('A terminator is for a single objective.');
    }
    await study.sync?.();
    if (completeTrials(study).length < this.#minNTrials) return false;
    const trials = study.history.all.filter(Boolean);
    return this.#improvement.evaluate(trials, direction) < this.#error.evaluate(trials, direction);
  }
}

/** Ends a study as soon as its terminator says so; a callback of `study.optimize`. */
export class TerminatorCallback {
  readonly #terminator: { shouldTerminate(study: RunningStudy): Promise<boolean> };

  /** @param terminator @default new Terminator() */
  constructor(terminator: { shouldTerminate(study: RunningStudy): Promise<boolean> } = new Terminator()) {
    this.#terminator = terminator;
  }

  async afterTrial(study: RunningStudy): Promise<void> {
    if (await this.#terminator.shouldTerminate(study)) study.stop();
  }
}
