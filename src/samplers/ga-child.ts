import type { Distribution, ParamValue } from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { Random } from '../core/random.js';
import type { SearchSpace } from '../core/study-view.js';
import type { Crossover } from '../algorithms/crossover.js';
import { constrainedDominates, type Solution } from '../algorithms/constrained-domination.js';
import type { Mutation } from './crossovers.js';
import { fromRaw, rawBounds, toRaw, type NumericDistribution } from './raw-range.js';

/** A member of a population. */
export interface Individual extends Solution {
  readonly trial: FrozenTrial;
}

export interface ChildOptions {
  readonly crossover: Crossover;
  readonly crossoverProb: number;
  readonly swappingProb: number;
  readonly mutation: Mutation | undefined;
  readonly mutationProb: number | undefined;
  readonly hasSeveralObjectives: boolean;
}

/** Children that lie outside of the space before the last one is brought inside by force. */
const MOST_TRIES = 100;

/**
 * Parameters of one child of a population: parents by binary tournament, crossover (or one of them unchanged), mutation. A parameter
 * that mutates is left out, so that it is drawn anew, unless a mutation changes it.
 */
export function makeChild(
  parents: readonly Individual[],
  searchSpace: SearchSpace,
  options: ChildOptions,
  random: Random,
): Record<string, ParamValue> {
  const entries = Object.entries(searchSpace);
  let child: Map<string, number>;
  if (random.uniform() < options.crossoverProb) {
    child = crossInside(parents, entries, options, random);
  } else {
    const parent = parents[random.integer(parents.length)]?.trial;
    child = new Map(entries.map(([name]) => [name, parent?.internalParams[name] ?? NaN]));
  }
  const mutationProb = options.mutationProb ?? 1 / Math.max(1, entries.length);
  const params: Record<string, ParamValue> = {};
  for (const [name, distribution] of entries) {
    const internal = child.get(name) ?? NaN;
    if (random.uniform() >= mutationProb) params[name] = distribution.toExternal(internal);
    else if (options.mutation !== undefined && distribution.kind !== 'categorical')
      params[name] = mutated(options.mutation, distribution, internal, random);
  }
  return params;
}

function mutated(mutation: Mutation, distribution: NumericDistribution, internal: number, random: Random): number {
  const [low, high] = rawBounds(distribution);
  const raw = mutation.mutate(toRaw(distribution, internal), low, high, random);
  return Math.max(distribution.low, fromRaw(distribution, Math.min(high, Math.max(low, raw))));
}

function crossInside(
  population: readonly Individual[],
  entries: readonly (readonly [string, Distribution])[],
  options: ChildOptions,
  random: Random,
): Map<string, number> {
  for (let tries = 1; ; tries++) {
    const parents = selectParents(population, options.crossover.nParents, random);
    const child = cross(parents, entries, options, random);
    const isInside = entries.every(([name, distribution]) => distribution.contains(child.get(name) ?? NaN));
    if (isInside) return child;
    if (tries < MOST_TRIES) continue;
    for (const [name, distribution] of entries) {
      const value = child.get(name) ?? NaN;
      if (distribution.kind !== 'categorical' && !distribution.contains(value)) child.set(name, distribution.low);
    }
    return child;
  }
}

function cross(
  parents: readonly FrozenTrial[],
  entries: readonly (readonly [string, Distribution])[],
  options: ChildOptions,
  random: Random,
): Map<string, number> {
  const child = new Map<string, number>();
  const internal = (trial: FrozenTrial | undefined, name: string): number => trial?.internalParams[name] ?? NaN;
  const numeric: [string, NumericDistribution][] = [];
  for (const [name, distribution] of entries) {
    if (distribution.kind !== 'categorical') numeric.push([name, distribution]);
    else {
      const parent = random.uniform() >= options.swappingProb ? parents[parents.length - 1] : parents[0];
      child.set(name, internal(parent, name));
    }
  }
  if (numeric.length === 0) return child;
  const bounds = numeric.map(([, distribution]) => rawBounds(distribution));
  const vector = options.crossover.cross(
    parents.map((parent) =>
      Float64Array.from(numeric, ([name, distribution]) => toRaw(distribution, internal(parent, name))),
    ),
    { low: bounds.map(([low]) => low), high: bounds.map(([, high]) => high) },
    options.hasSeveralObjectives,
    random,
  );
  for (const [j, [name, distribution]] of numeric.entries())
    child.set(name, fromRaw(distribution, vector[j] as number));
  return child;
}

/** One binary tournament for each parent, none of which is taken twice. */
function selectParents(population: readonly Individual[], count: number, random: Random): FrozenTrial[] {
  const parents: FrozenTrial[] = [];
  while (parents.length < count) {
    const rest = population.filter(({ trial }) => !parents.includes(trial));
    const pool = rest.length > 0 ? rest : population;
    const first = pool[random.integer(pool.length)] as Individual;
    const second = pool[random.integer(pool.length)] as Individual;
    parents.push((constrainedDominates(first, second) ? first : second).trial);
  }
  return parents;
}
