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

interface Groups {
  consumed: number;
  groups: Map<string, Distribution>[];
  sorted: readonly SearchSpace[] | undefined;
}

/**
 * The parameters in the largest groups that always come together: two share a group where no COMPLETE or PRUNED trial has one without
 * the other. Kept up to date as trials finish.
 */
export class GroupDecomposedSearchSpace {
  readonly #places = new WeakMap<TrialHistory, Groups>();

  of({ history }: StudyView): readonly SearchSpace[] {
    let place = this.#places.get(history);
    if (place === undefined) this.#places.set(history, (place = { consumed: 0, groups: [], sorted: undefined }));
    const { finished } = history;
    for (; place.consumed < finished.length; place.consumed++) {
      const trial = finished[place.consumed];
      if (trial === undefined || (trial.state !== 'COMPLETE' && trial.state !== 'PRUNED')) continue;
      const groups = divide(place.groups, trial.distributions);
      if (groups === undefined) continue;
      place.groups = groups;
      place.sorted = undefined;
    }
    place.sorted ??= place.groups.map((group) => Object.fromEntries([...group].sort(([a], [b]) => (a < b ? -1 : 1))));
    return place.sorted;
  }
}

/** The groups once a trial with these parameters is known; undefined where they stay as they are. */
function divide(
  groups: readonly Map<string, Distribution>[],
  params: SearchSpace,
): Map<string, Distribution>[] | undefined {
  const rest = new Map(Object.entries(params));
  const next: Map<string, Distribution>[] = [];
  for (const group of groups) {
    const shared = new Map([...group].filter(([name]) => rest.has(name)));
    const left = new Map([...group].filter(([name]) => !rest.has(name)));
    for (const name of shared.keys()) rest.delete(name);
    for (const part of [shared, left]) if (part.size > 0) next.push(part);
  }
  if (rest.size > 0) next.push(rest);
  return next.length === groups.length ? undefined : next;
}
