import { UsageError } from '../../core/errors.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { JsonValue } from '../../core/json.js';
import { isBetter, type StudyDirection } from '../../core/study-direction.js';
import { completeOf, type ImprovementEvaluator } from './improvement-evaluator.js';

/** Estimates how far a value may be off by chance. */
export interface ErrorEvaluator {
  /** @param trials all trials of the study by number @throws UsageError where it cannot be told from these */
  evaluate(trials: readonly FrozenTrial[], direction: StudyDirection): number;
}

/** Optuna's name for the attribute. */
const SCORES = 'terminator:cv_scores';

/** Keeps the scores of a trial's folds, for `CrossValidationErrorEvaluator`. @throws UsageError for fewer than two, or one that is no number */
export function reportCrossValidationScores(
  trial: { setSystemAttr(key: string, value: JsonValue): void },
  scores: readonly number[],
): void {
  if (scores.length < 2) throw new UsageError('reportCrossValidationScores: at least two scores are needed.');
  if (!scores.every(Number.isFinite))
    throw new UsageError('reportCrossValidationScores: every score must be a number.');
  trial.setSystemAttr(SCORES, [...scores]);
}

/**
 * Standard error of the best trial's cross-validation: the variance of its fold scores scaled by 1/k + 1/(k - 1), for k folds share
 * their training data (Nadeau & Bengio, Machine Learning 2003; Makarova et al., AutoML 2022, §4).
 */
export class CrossValidationErrorEvaluator implements ErrorEvaluator {
  evaluate(trials: readonly FrozenTrial[], direction: StudyDirection): number {
    let best: FrozenTrial | undefined;
    for (const trial of completeOf(trials)) {
      if (best === undefined || isBetter(direction, trial.value ?? NaN, best.value ?? NaN)) best = trial;
    }
    const scores = best?.systemAttr(SCORES);
    if (!Array.isArray(scores)) {
      throw new UsageError('The best trial has no cross-validation scores.', {
        hint: 'Call reportCrossValidationScores(trial, scores) in the objective, or use StaticErrorEvaluator.',
      });
    }
    const values = (scores as readonly JsonValue[]).map(Number);
    const k = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / k;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / k;
    return Math.sqrt((1 / k + 1 / (k - 1)) * variance);
  }
}

/** Always the same. */
export class StaticErrorEvaluator implements ErrorEvaluator {
  readonly #constant: number;

  constructor(constant: number) {
    this.#constant = constant;
  }

  evaluate(): number {
    return this.#constant;
  }
}

export interface MedianErrorOptions {
  /** Trials at the beginning that are left out. @default 10 */
  readonly warmUpTrials?: number;
  /** Trials after these over which the median is taken. @default 20 */
  readonly nInitialTrials?: number;
  /** @default 0.01 */
  readonly thresholdRatio?: number;
}

/** A small share of what the improvement was expected to be at the beginning (Ishibashi et al., AISTATS 2023). Told once, then kept. */
export class MedianErrorEvaluator implements ErrorEvaluator {
  readonly #improvement: ImprovementEvaluator;
  readonly #warmUpTrials: number;
  readonly #nInitialTrials: number;
  readonly #thresholdRatio: number;
  #threshold: number | undefined;

  /** @param pairedImprovementEvaluator the terminator's own @throws UsageError for impossible options */
  constructor(pairedImprovementEvaluator: ImprovementEvaluator, options: MedianErrorOptions = {}) {
    const { warmUpTrials = 10, nInitialTrials = 20, thresholdRatio = 0.01 } = options;
    if (!(warmUpTrials >= 0)) throw new UsageError(`warmUpTrials must be 0 or more, but got ${warmUpTrials}.`);
    if (!(nInitialTrials > 0)) throw new UsageError(`nInitialTrials must be 1 or more, but got ${nInitialTrials}.`);
    if (!(thresholdRatio > 0 && Number.isFinite(thresholdRatio))) {
      throw new UsageError(`thresholdRatio must be above 0 and finite, but got ${thresholdRatio}.`);
    }
    this.#improvement = pairedImprovementEvaluator;
    this.#warmUpTrials = warmUpTrials;
    this.#nInitialTrials = nInitialTrials;
    this.#thresholdRatio = thresholdRatio;
  }

  evaluate(trials: readonly FrozenTrial[], direction: StudyDirection): number {
    if (this.#threshold !== undefined) return this.#threshold;
    const complete = completeOf(trials);
    // Below any improvement, which is 0 at least: do not stop.
    if (complete.length < this.#warmUpTrials + this.#nInitialTrials) return -Number.MIN_VALUE;
    const initial = complete.slice(this.#warmUpTrials);
    const improvements = Array.from({ length: this.#nInitialTrials }, (_, i) =>
      this.#improvement.evaluate(initial.slice(0, i + 1), direction),
    ).sort((a, b) => a - b);
    const median = improvements[Math.floor(improvements.length / 2)] ?? 0;
    this.#threshold = Math.min(Number.MAX_VALUE, median * this.#thresholdRatio);
    return this.#threshold;
  }
}
