import type { Condition } from '../core/declared-space.js';
import type { Distribution } from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';

/** Different values of a parameter up to which it can be seen to switch others. */
const MOST_VALUES = 64;

interface Parent {
  readonly distribution: Distribution;
  /** Internal values of trials that have the child, and of those that have not. */
  readonly having: Set<number>;
  readonly lacking: Set<number>;
  isExcluded: boolean;
}

/**
 * Conditions of a define-by-run objective, learnt from its trials: a parameter hangs on another where that one's value has always
 * decided whether the first was asked for. With `n_layers` deciding over `units_2` that is a threshold, with `optimizer` over
 * `momentum` a set of choices.
 */
export class LearntConditions {
  /** Names in an order in which each trial suggested them. */
  readonly #order: string[] = [];
  readonly #children = new Map<string, { isSometimesAbsent: boolean; readonly parents: Map<string, Parent> }>();
  readonly #trials: FrozenTrial[] = [];

  add(trial: FrozenTrial): void {
    this.#trials.push(trial);
    let place = 0;
    for (const name of Object.keys(trial.distributions)) {
      const known = this.#order.indexOf(name);
      if (known >= 0) {
        place = Math.max(place, known + 1);
        continue;
      }
      this.#order.splice(place++, 0, name);
      this.#children.set(name, { isSometimesAbsent: false, parents: new Map() });
      // Earlier trials lack it, or they would have brought it.
      for (const earlier of this.#trials.slice(0, -1)) this.#learn(name, earlier);
    }
    for (const name of this.#order) this.#learn(name, trial);
  }

  /** Parents before their children. */
  order(): readonly string[] {
    return this.#order;
  }

  /** What decides over a parameter: the first one that fits, undefined where nothing does. */
  of(name: string): Condition | undefined {
    const child = this.#children.get(name);
    if (child?.isSometimesAbsent !== true) return undefined;
    for (const parent of this.#order.slice(0, this.#order.indexOf(name))) {
      const seen = child.parents.get(parent);
      if (seen === undefined || seen.isExcluded || seen.having.size === 0 || seen.lacking.size === 0) continue;
      return conditionOf(parent, seen);
    }
    return undefined;
  }

  #learn(name: string, trial: FrozenTrial): void {
    const child = this.#children.get(name);
    if (child === undefined) return;
    const isPresent = trial.internalParams[name] !== undefined;
    if (!isPresent) child.isSometimesAbsent = true;
    for (const other of this.#order) {
      if (other === name) break;
      const distribution = trial.distributions[other];
      const value = trial.internalParams[other];
      let parent = child.parents.get(other);
      if (parent === undefined) {
        if (distribution === undefined) continue;
        const isExcluded = distribution.kind === 'float' && distribution.step === undefined;
        parent = { distribution, having: new Set(), lacking: new Set(), isExcluded };
        child.parents.set(other, parent);
      }
      if (parent.isExcluded) continue;
      if (value === undefined) {
        // A child that comes without its parent is none.
        if (isPresent) parent.isExcluded = true;
        continue;
      }
      (isPresent ? parent.having : parent.lacking).add(value);
      if ((isPresent ? parent.lacking : parent.having).has(value)) parent.isExcluded = true;
      if (parent.having.size + parent.lacking.size > MOST_VALUES) parent.isExcluded = true;
    }
  }
}

function conditionOf(parameter: string, { distribution, having, lacking }: Parent): Condition {
  if (distribution.kind !== 'categorical') {
    const least = Math.min(...having);
    const most = Math.max(...having);
    if (Math.max(...lacking) < least) return { parameter, atLeast: least };
    if (Math.min(...lacking) > most) return { parameter, atMost: most };
    return { parameter, oneOf: [...having].map((value) => distribution.toExternal(value)) };
  }
  // A choice not seen yet may well bring it along.
  return { parameter, oneOf: distribution.choices.filter((_, index) => !lacking.has(index)) };
}
