import type { Column } from '../algorithms/search-domain.js';
import { decimalSum, type Distribution, type ParamValue } from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { SearchSpace } from '../core/study-view.js';

/**
 * Parameters on the unit interval as Optuna's GPSampler scales them: half a step beyond the range at both ends, logarithmic where it
 * is; a category by its index.
 */
export class UnitSpace {
  readonly names: readonly string[];
  readonly columns: readonly Column[];
  readonly #distributions: readonly Distribution[];

  constructor(space: SearchSpace) {
    this.names = Object.keys(space);
    this.#distributions = Object.values(space);
    this.columns = this.#distributions.map(unitColumn);
  }

  /** A trial's point; undefined where it lacks a parameter or has one outside of its range. */
  encode(trial: Pick<FrozenTrial, 'internalParams' | 'distributions'>): Float64Array | undefined {
    const point = new Float64Array(this.names.length);
    for (const [j, name] of this.names.entries()) {
      const internal = trial.internalParams[name];
      const distribution = this.#distributions[j];
      if (internal === undefined || distribution === undefined) return undefined;
      if (trial.distributions[name]?.kind !== distribution.kind || !distribution.contains(internal)) return undefined;
      point[j] = toUnit(distribution, internal);
    }
    return point;
  }

  /** The same from values by name. */
  encodeParams(params: Readonly<Record<string, ParamValue>>): Float64Array | undefined {
    const point = new Float64Array(this.names.length);
    for (const [j, name] of this.names.entries()) {
      const value = params[name];
      const distribution = this.#distributions[j];
      if (value === undefined || distribution === undefined) return undefined;
      try {
        const internal = distribution.toInternal(value);
        if (!distribution.contains(internal)) return undefined;
        point[j] = toUnit(distribution, internal);
      } catch {
        return undefined; // Another worker's space has changed under our eyes.
      }
    }
    return point;
  }

  decode(point: Float64Array): Record<string, ParamValue> {
    return Object.fromEntries(
      this.names.map((name, j) => [name, fromUnit(this.#distributions[j] as Distribution, point[j] as number)]),
    );
  }
}

type NumberDistribution = Exclude<Distribution, { kind: 'categorical' }>;

function boundsOf(distribution: NumberDistribution): { from: number; range: number } {
  const half = (distribution.step ?? 0) / 2;
  const transform = distribution.log ? Math.log : Number;
  const from = transform(distribution.low - half);
  return { from, range: transform(distribution.high + half) - from };
}

function toUnit(distribution: Distribution, internal: number): number {
  if (distribution.kind === 'categorical') return internal;
  const { low, log, step } = distribution;
  if (step !== undefined) return levelToUnit(distribution, Math.round((internal - low) / step));
  const { from, range } = boundsOf(distribution);
  return ((log ? Math.log(internal) : internal) - from) / range;
}

/** The same arithmetic for trials and for candidates, so that equal points have equal keys. */
function levelToUnit(distribution: NumberDistribution, level: number): number {
  const { low, high, log, step = 1 } = distribution;
  if (!log) return (level + 0.5) / (Math.round((high - low) / step) + 1);
  const { from, range } = boundsOf(distribution);
  return (Math.log(low + level * step) - from) / range;
}

function fromUnit(distribution: Distribution, coordinate: number): ParamValue {
  if (distribution.kind === 'categorical') return distribution.toExternal(coordinate);
  const { low, high, log, step } = distribution;
  const { from, range } = boundsOf(distribution);
  const raw = from + coordinate * range;
  const value = log ? Math.exp(raw) : raw;
  const bounded = (number: number): number => Math.min(high, Math.max(low, number));
  if (step === undefined) return bounded(value);
  const k = Math.round((value - low) / step);
  return bounded(distribution.kind === 'int' ? low + k * step : decimalSum(low, k, step));
}

function unitColumn(distribution: Distribution): Column {
  if (distribution.kind === 'categorical') return { kind: 'categorical', levels: distribution.choices.length };
  const { low, high, log, step } = distribution;
  if (step === undefined) return { kind: 'continuous' };
  const levels = Math.round((high - low) / step) + 1;
  const { from, range } = boundsOf(distribution);
  const levelOf = (coordinate: number): number => {
    const raw = from + coordinate * range;
    return Math.min(levels - 1, Math.max(0, Math.round(((log ? Math.exp(raw) : raw) - low) / step)));
  };
  return {
    kind: 'ordinal',
    levels,
    coordinateOf: (level) => levelToUnit(distribution, level),
    levelOf,
    levelFor: levelOf,
  };
}
