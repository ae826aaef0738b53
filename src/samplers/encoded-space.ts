import { evenColumn, type Column, type OrdinalColumn, type SearchDomain } from '../algorithms/search-domain.js';
import type { Condition, DeclaredSpace } from '../core/declared-space.js';
import {
  decimalSum,
  type Distribution,
  type FloatDistribution,
  type IntDistribution,
  type ParamValue,
} from '../core/distributions.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { SearchSpace } from '../core/study-view.js';

/** When a column takes part, as far as it is known: all must hold. */
export type Conditions = Readonly<Record<string, readonly Condition[]>>;

/**
 * A search space as columns of numbers (see `SearchDomain`) and back. Parameters with a single value have no column. A point is
 * whole: it has a value for parameters too that their conditions switch off.
 */
export class EncodedSpace {
  readonly names: readonly string[];
  readonly distributions: readonly Distribution[];
  readonly domain: SearchDomain;
  readonly #constants: Readonly<Record<string, ParamValue>>;
  readonly #rules: readonly (readonly ConditionRule[])[];

  /**
   * @param space parameters in order of declaration: a condition may name an earlier one only
   * @param constants values that take part in conditions and rules but are not searched
   * @param isFeasible the rule for whole sets of parameters
   */
  constructor(
    space: SearchSpace,
    conditions: Conditions = {},
    constants: Readonly<Record<string, ParamValue>> = {},
    isFeasible?: (params: Readonly<Record<string, ParamValue>>) => boolean,
  ) {
    const entries = Object.entries(space);
    const singles = entries.filter(([, distribution]) => distribution.single());
    const searched = entries.filter(([, distribution]) => !distribution.single());
    this.names = searched.map(([name]) => name);
    this.distributions = searched.map(([, distribution]) => distribution);
    this.#constants = { ...constants, ...Object.fromEntries(singles.map(([name, d]) => [name, onlyValue(d)])) };
    this.#rules = this.names.map((name, j) =>
      (conditions[name] ?? []).map((condition) => this.#compile(condition, this.names.indexOf(condition.parameter), j)),
    );
    const isConditional = this.#rules.some((rules) => rules.length > 0);
    this.domain = {
      columns: this.distributions.map(columnOf),
      mask: isConditional ? (point) => this.#mask(point) : undefined,
      isAllowed:
        isFeasible === undefined ? undefined : (point) => isFeasible({ ...this.#constants, ...this.decode(point) }),
    };
  }

  /** Columns whose parameter has conditions. */
  get isConditional(): boolean {
    return this.domain.mask !== undefined;
  }

  #compile(condition: Condition, parent: number, child: number): ConditionRule {
    if (parent >= 0 && parent < child) return { parent, holds: (value) => holds(condition, value) };
    const value = this.#constants[condition.parameter];
    const fixed = value !== undefined && holds(condition, value);
    return { parent: -1, holds: () => fixed };
  }

  #mask(point: Float64Array): Float64Array {
    const masked = point.slice();
    for (const [j, rules] of this.#rules.entries()) {
      for (const { parent, holds } of rules) {
        const coordinate = parent < 0 ? 0 : (masked[parent] as number);
        const isHeld =
          !Number.isNaN(coordinate) &&
          holds(parent < 0 ? null : decodeValue(this.distributions[parent] as Distribution, coordinate));
        if (isHeld) continue;
        masked[j] = NaN;
        break;
      }
    }
    return masked;
  }

  /** Parameters of a point by name, without those that are switched off; `whole` keeps them. */
  decode(point: Float64Array, whole = false): Record<string, ParamValue> {
    const masked = whole ? point : (this.domain.mask?.(point) ?? point);
    const params: Record<string, ParamValue> = {};
    for (const [j, name] of this.names.entries()) {
      const coordinate = masked[j] as number;
      if (!Number.isNaN(coordinate)) params[name] = decodeValue(this.distributions[j] as Distribution, coordinate);
    }
    return params;
  }

  /**
   * A trial's point, NaN for parameters that it has not.
   * @returns undefined where one lies outside of its range now
   */
  encode(trial: Pick<FrozenTrial, 'internalParams' | 'distributions'>): Float64Array | undefined {
    const point = new Float64Array(this.names.length);
    for (const [j, name] of this.names.entries()) {
      const internal = trial.internalParams[name];
      const distribution = this.distributions[j] as Distribution;
      if (internal === undefined || trial.distributions[name]?.kind !== distribution.kind) point[j] = NaN;
      else if (!distribution.contains(internal)) return undefined;
      else point[j] = encodeValue(distribution, internal);
    }
    return point;
  }

  /** The same from internal values by name. */
  encodeParams(params: Readonly<Record<string, ParamValue>>): Float64Array {
    return Float64Array.from(this.names, (name, j) => {
      const value = params[name];
      const distribution = this.distributions[j] as Distribution;
      if (value === undefined) return NaN;
      try {
        const internal = distribution.toInternal(value);
        return distribution.contains(internal) ? encodeValue(distribution, internal) : NaN;
      } catch {
        return NaN; // Another worker's space has changed under our eyes.
      }
    });
  }

  /** The point with every gap filled by the middle of its column, so that searches may start there. */
  whole(point: Float64Array): Float64Array {
    return point.map((value, j) => (Number.isNaN(value) ? middleOf(this.domain.columns[j] as Column) : value));
  }
}

interface ConditionRule {
  readonly parent: number;
  readonly holds: (value: ParamValue) => boolean;
}

/** The space that a configuration declares, with its conditions and rules. */
export function encodeDeclaredSpace(space: DeclaredSpace): EncodedSpace {
  return new EncodedSpace(
    Object.fromEntries(space.parameters.map(({ name, distribution }) => [name, distribution])),
    Object.fromEntries(space.parameters.map(({ name, conditions }) => [name, conditions])),
    space.constants,
    space.isFeasible,
  );
}

function holds(condition: Condition, value: ParamValue): boolean {
  if ('oneOf' in condition) return condition.oneOf.includes(value);
  if (typeof value !== 'number') return false;
  return 'atLeast' in condition ? value >= condition.atLeast : value <= condition.atMost;
}

function onlyValue(distribution: Distribution): ParamValue {
  return distribution.kind === 'categorical' ? distribution.toExternal(0) : distribution.low;
}

/** Coordinate in the middle of a column; the first choice of categories. */
export function middleOf(column: Column): number {
  if (column.kind === 'categorical') return 0;
  return column.kind === 'continuous' ? 0.5 : column.coordinateOf(column.levelFor(0.5));
}

/** The column of a parameter with more than one value. */
export function columnOf(distribution: Distribution): Column {
  if (distribution.kind === 'categorical') return { kind: 'categorical', levels: distribution.choices.length };
  if (distribution.kind === 'float' && distribution.step === undefined) return { kind: 'continuous' };
  const { low, high } = distribution;
  if (distribution.log) return logarithmicColumn(low, high);
  return evenColumn(Math.round((high - low) / (distribution.step ?? 1)) + 1);
}

/** Whole numbers whose logarithm is uniform. */
function logarithmicColumn(low: number, high: number): OrdinalColumn {
  const levels = high - low + 1;
  const from = Math.log(low);
  const range = Math.log(high) - from;
  const nearest = (value: number): number => Math.min(levels - 1, Math.max(0, Math.round(value) - low));
  const outerFrom = Math.log(low - 0.5);
  const outerRange = Math.log(high + 0.5) - outerFrom;
  return {
    kind: 'ordinal',
    levels,
    coordinateOf: (level) => (Math.log(low + level) - from) / range,
    levelOf: (coordinate) => nearest(Math.exp(from + coordinate * range)),
    levelFor: (share) => nearest(Math.exp(outerFrom + share * outerRange)),
  };
}

/** Coordinate of an internal value, see `Column`. */
export function encodeValue(distribution: Distribution, internal: number): number {
  if (distribution.kind === 'categorical') return internal;
  const { low, high, log } = distribution;
  if (log) return (Math.log(internal) - Math.log(low)) / (Math.log(high) - Math.log(low));
  if (distribution.step === undefined) return (internal - low) / (high - low);
  return Math.round((internal - low) / distribution.step) / Math.round((high - low) / distribution.step);
}

/** The value at a coordinate, on its grid. */
export function decodeValue(distribution: Distribution, coordinate: number): ParamValue {
  if (distribution.kind === 'categorical') return distribution.toExternal(coordinate);
  return decodeNumber(distribution, coordinate);
}

function decodeNumber(distribution: FloatDistribution | IntDistribution, coordinate: number): number {
  const { low, high, log, step } = distribution;
  const bounded = (value: number): number => Math.min(high, Math.max(low, value));
  if (log) {
    const value = Math.exp(Math.log(low) + coordinate * (Math.log(high) - Math.log(low)));
    return bounded(distribution.kind === 'int' ? Math.round(value) : value);
  }
  if (step === undefined) return bounded(low + coordinate * (high - low));
  const k = Math.round((coordinate * (high - low)) / step);
  return bounded(distribution.kind === 'int' ? low + k * step : decimalSum(low, k, step));
}
