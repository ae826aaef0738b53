import type { Condition } from '../core/declared-space.js';
import type { Distribution } from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { StudyView, TrialHistory } from '../core/study-view.js';
import { EncodedSpace, encodeDeclaredSpace } from './encoded-space.js';
import { LearntConditions } from './learnt-conditions.js';

/**
 * The space that a study searches: the declared one; without one the union of what finished trials were asked for, each parameter
 * with its newest range, under conditions learnt from which trials lack it.
 */
export class InferredSpace {
  readonly #declared = new WeakMap<object, EncodedSpace>();
  readonly #observed = new WeakMap<TrialHistory, ObservedSpace>();

  /** Undefined before a trial has finished, where nothing is declared. */
  of(study: StudyView): EncodedSpace | undefined {
    const { declaredSpace, history } = study;
    if (declaredSpace !== undefined) {
      let encoded = this.#declared.get(declaredSpace);
      if (encoded === undefined) this.#declared.set(declaredSpace, (encoded = encodeDeclaredSpace(declaredSpace)));
      return encoded;
    }
    let observed = this.#observed.get(history);
    if (observed === undefined) this.#observed.set(history, (observed = new ObservedSpace()));
    return observed.after(history.finished);
  }
}

class ObservedSpace {
  readonly #latest = new Map<string, { distribution: Distribution; number: number; trials: number }>();
  readonly #trials: FrozenTrial[] = [];
  #consumed = 0;
  #conditions: LearntConditions | undefined;
  #signature = '';
  #space: EncodedSpace | undefined;

  after(finished: readonly FrozenTrial[]): EncodedSpace | undefined {
    if (this.#consumed === finished.length) return this.#space;
    for (; this.#consumed < finished.length; this.#consumed++) {
      const trial = finished[this.#consumed];
      if (trial === undefined || (trial.state !== 'COMPLETE' && trial.state !== 'PRUNED')) continue;
      this.#trials.push(trial);
      for (const [name, distribution] of Object.entries(trial.distributions)) {
        const known = this.#latest.get(name);
        if (known === undefined) this.#latest.set(name, { distribution, number: trial.number, trials: 1 });
        else {
          known.trials++;
          if (trial.number > known.number) {
            known.number = trial.number;
            known.distribution = distribution;
          }
        }
      }
      this.#conditions?.add(trial);
    }
    if (this.#latest.size === 0) return undefined;
    const isConditional = [...this.#latest.values()].some(({ trials }) => trials < this.#trials.length);
    if (isConditional && this.#conditions === undefined) {
      this.#conditions = new LearntConditions();
      for (const trial of this.#trials) this.#conditions.add(trial);
    }
    const order = this.#conditions?.order() ?? [...this.#latest.keys()].sort();
    const conditions: Record<string, readonly Condition[]> = {};
    for (const name of order) {
      const condition = this.#conditions?.of(name);
      if (condition !== undefined) conditions[name] = [condition];
    }
    const space = Object.fromEntries(
      order.flatMap((name) => {
        const known = this.#latest.get(name);
        return known === undefined ? [] : [[name, known.distribution] as const];
      }),
    );
    const signature = Object.entries(space)
      .map(([name, { json }]) => `${name} ${json} ${describe(conditions[name])}`)
      .join('\n');
    if (signature !== this.#signature || this.#space === undefined) {
      this.#signature = signature;
      this.#space = new EncodedSpace(space, conditions);
    }
    return this.#space;
  }
}

function describe(conditions: readonly Condition[] | undefined): string {
  return (conditions ?? [])
    .map((condition) =>
      'oneOf' in condition
        ? `${condition.parameter} in ${condition.oneOf.map(String).join()}`
        : 'atLeast' in condition
          ? `${condition.parameter} >= ${condition.atLeast}`
          : `${condition.parameter} <= ${condition.atMost}`,
    )
    .join();
}
