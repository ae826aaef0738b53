import { isActive, type DeclaredSpace } from '../core/declared-space.js';
import { decimalSum, type Distribution, type ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';

/** Combinations that are listed at most: each takes memory. */
export const MOST_POINTS = 2 ** 22;

/** How many values a distribution has; Infinity for a continuous one. */
export function countValues(distribution: Distribution): number {
  if (distribution.kind === 'categorical') return distribution.choices.length;
  if (distribution.single()) return 1;
  const { low, high, step } = distribution;
  return step === undefined ? Infinity : Math.round((high - low) / step) + 1;
}

/** Value number `index` of a distribution that has so many. */
export function valueAt(distribution: Distribution, index: number): ParamValue {
  if (distribution.kind === 'categorical') return distribution.toExternal(index);
  const { low, high, step } = distribution;
  if (index === 0 || step === undefined) return low;
  return Math.min(high, distribution.kind === 'int' ? low + index * step : decimalSum(low, index, step));
}

/** Every different value of a finite distribution, in order. @throws UsageError for a continuous one, naming the parameter */
export function valuesOf(name: string, distribution: Distribution, sampler: string): ParamValue[] {
  const count = countValues(distribution);
  if (count === Infinity) {
    throw new UsageError(
      `${sampler} goes through every value, but parameter "${name}" is continuous: ${distribution.json}.`,
      { hint: 'Give it a step, or list its values.' },
    );
  }
  if (count > MOST_POINTS) throw tooMany(sampler, count);
  const values = Array.from({ length: count }, (_, index) => valueAt(distribution, index));
  // A choice that stands there twice is one value.
  return distribution.kind === 'categorical'
    ? values.filter((value, index) => distribution.toInternal(value) === index)
    : values;
}

/** Why a sampler cannot list its points. */
export function tooMany(sampler: string, points: number): UsageError {
  return new UsageError(`${sampler} would have ${points} points to go through, but can keep ${MOST_POINTS} at most.`, {
    hint: 'Use coarser steps or fewer values, or a sampler that does not list them: qmc, random.',
  });
}

/**
 * Every set of parameters that a declared space allows: conditions decide which take part, rules which sets may be tried.
 * @throws UsageError for a continuous parameter, or for more sets than can be kept
 */
export function declaredPoints(space: DeclaredSpace, sampler: string): Readonly<Record<string, ParamValue>>[] {
  const values = space.parameters.map(({ name, distribution }) => valuesOf(name, distribution, sampler));
  const points: Readonly<Record<string, ParamValue>>[] = [];
  const extend = (place: number, params: Readonly<Record<string, ParamValue>>): void => {
    const parameter = space.parameters[place];
    if (parameter === undefined) {
      if (!space.isFeasible({ ...space.constants, ...params })) return;
      if (points.length === MOST_POINTS) throw tooMany(sampler, MOST_POINTS + 1);
      points.push(params);
    } else if (!isActive(parameter, params)) extend(place + 1, params);
    else for (const value of values[place] ?? []) extend(place + 1, { ...params, [parameter.name]: value });
  };
  extend(0, {});
  return points;
}
