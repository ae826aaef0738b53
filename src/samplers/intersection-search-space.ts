import { isSameDistribution, type Distribution } from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { SearchSpace, StudyView, TrialHistory } from '../core/study-view.js';

interface Place {
  consumed: number;
  space: Map<string, Distribution> | undefined;
  sorted: SearchSpace;
}

/**
 * Parameters that every COMPLETE or PRUNED trial has under one and the same distribution, sorted by name; kept up to date as trials
 * finish.
 */
export class IntersectionSearchSpace {
  readonly #places = new WeakMap<TrialHistory, Place>();

  of(study: StudyView): SearchSpace {
    const { history } = study;
    let place = this.#places.get(history);
    if (place === undefined) this.#places.set(history, (place = { consumed: 0, space: undefined, sorted: {} }));
    const { finished } = history;
    if (place.consumed === finished.length) return place.sorted;
    let changed = place.space === undefined;
    for (; place.consumed < finished.length; place.consumed++) {
      const trial = finished[place.consumed];
      if (trial === undefined || (trial.state !== 'COMPLETE' && trial.state !== 'PRUNED')) continue;
      if (place.space === undefined) place.space = new Map(Object.entries(trial.distributions));
      else changed = intersect(place.space, trial) || changed;
    }
    if (changed) {
      const entries = [...(place.space ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
      place.sorted = Object.freeze(Object.fromEntries(entries));
    }
    return place.sorted;
  }
}

function intersect(space: Map<string, Distribution>, trial: FrozenTrial): boolean {
  let changed = false;
  for (const [name, distribution] of space) {
    const other = trial.distributions[name];
    if (other !== undefined && isSameDistribution(distribution, other)) continue;
    space.delete(name);
    changed = true;
  }
  return changed;
}

/**
 * Splits the parameters into the largest groups that always come together: two parameters share a group where no trial has one
 * without the other.
 */
export function decomposeSearchSpace(trials: readonly FrozenTrial[]): SearchSpace[] {
  let groups: Map<string, Distribution>[] = [];
  for (const trial of trials) {
    if (trial.state !== 'COMPLETE' && trial.state !== 'PRUNED') continue;
    const rest = new Map(Object.entries(trial.distributions));
    const next: Map<string, Distribution>[] = [];
    for (const group of groups) {
      const shared = new Map([...group].filter(([name]) => rest.has(name)));
      const left = new Map([...group].filter(([name]) => !rest.has(name)));
      for (const name of shared.keys()) rest.delete(name);
      for (const part of [shared, left]) if (part.size > 0) next.push(part);
    }
    if (rest.size > 0) next.push(rest);
    groups = next;
  }
  return groups.map((group) => Object.fromEntries([...group].sort(([a], [b]) => (a < b ? -1 : 1))));
}
