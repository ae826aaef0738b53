import type { FrozenTrial } from '../core/frozen-trial.js';
import { wholeStudy, type StudyView } from '../core/study-view.js';
import type { PruningTrial } from './pruner.js';

/**
 * A resource that a pruner works out from the completed trials when it first needs it, and keeps from then on. What it found stands
 * as a system attribute with the trial it was judging: an instance that takes the study over later finds it there, though more trials
 * have completed since.
 */
export class ResolvedResource {
  readonly #key: string;
  readonly #estimate: (longest: number) => number;
  readonly #found = new WeakMap<StudyView, { value: number | undefined; consumed: number }>();

  /** @param estimate the resource, from the highest step that a completed trial reported */
  constructor(key: string, estimate: (longest: number) => number) {
    this.#key = key;
    this.#estimate = estimate;
  }

  /** What was worked out before, here or by an earlier instance. */
  known(view: StudyView): number | undefined {
    const study = wholeStudy(view);
    let place = this.#found.get(study);
    if (place === undefined) this.#found.set(study, (place = { value: undefined, consumed: 0 }));
    if (place.value !== undefined) return place.value;
    const { finished, unfinished } = study.history;
    let first: FrozenTrial | undefined;
    const look = (trial: FrozenTrial | undefined): void => {
      if (trial?.systemAttrTexts[this.#key] === undefined) return;
      if (first === undefined || trial.number < first.number) first = trial;
    };
    for (; place.consumed < finished.length; place.consumed++) look(finished[place.consumed]);
    unfinished.forEach(look);
    const value = first?.systemAttr(this.#key);
    if (typeof value === 'number') place.value = value;
    return place.value;
  }

  /** The same, worked out now where it can be: undefined before a trial with reports has completed. */
  of(view: StudyView, context: PruningTrial): number | undefined {
    const known = this.known(view);
    if (known !== undefined) return known;
    const study = wholeStudy(view);
    let longest: number | undefined;
    for (const trial of study.history.finished) {
      const step = trial.state === 'COMPLETE' ? trial.lastStep : undefined;
      if (step !== undefined && (longest === undefined || step > longest)) longest = step;
    }
    if (longest === undefined) return undefined;
    const value = this.#estimate(longest);
    context.setSystemAttr(this.#key, value);
    this.#found.set(study, { value, consumed: 0 });
    return value;
  }
}
