import type { FrozenTrial } from '../core/frozen-trial.js';
import type { StudyView, TrialHistory } from '../core/study-view.js';

/** The trials of one group of a study, by their logical index; kept up to date as the study goes on. */
class BracketHistory implements TrialHistory {
  readonly #study: StudyView;
  readonly #contains: (trial: FrozenTrial) => boolean;
  readonly #finished: FrozenTrial[] = [];
  #consumed = 0;

  constructor(study: StudyView, contains: (trial: FrozenTrial) => boolean) {
    this.#study = study;
    this.#contains = contains;
  }

  get all(): readonly FrozenTrial[] {
    const all: FrozenTrial[] = [];
    for (const trial of this.finished) all[trial.number] = trial;
    for (const trial of this.unfinished) all[trial.number] = trial;
    return all;
  }

  get finished(): readonly FrozenTrial[] {
    const { finished } = this.#study.history;
    for (; this.#consumed < finished.length; this.#consumed++) {
      const trial = finished[this.#consumed];
      if (trial !== undefined && this.#contains(trial)) this.#finished.push(trial);
    }
    return this.#finished;
  }

  get unfinished(): readonly FrozenTrial[] {
    return this.#study.history.unfinished.filter(this.#contains);
  }
}

/** A study as the sampler and the pruner of one bracket see it: the same in everything but its trials. */
export class BracketView implements StudyView {
  readonly whole: StudyView;
  readonly history: TrialHistory;

  constructor(study: StudyView, contains: (trial: FrozenTrial) => boolean) {
    this.whole = study;
    this.history = new BracketHistory(study, contains);
  }

  get studyName(): StudyView['studyName'] {
    return this.whole.studyName;
  }

  get directions(): StudyView['directions'] {
    return this.whole.directions;
  }

  get seed(): StudyView['seed'] {
    return this.whole.seed;
  }

  get userAttrs(): StudyView['userAttrs'] {
    return this.whole.userAttrs;
  }

  get systemAttrs(): StudyView['systemAttrs'] {
    return this.whole.systemAttrs;
  }

  get declaredSpace(): StudyView['declaredSpace'] {
    return this.whole.declaredSpace;
  }
}
