import type { ParamValue } from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { FrozenTrial } from '../core/frozen-trial.js';
import type { SearchSpace } from '../core/study-view.js';
import { fromRaw, rawBounds, toRaw, type NumericDistribution } from './raw-range.js';

/** Numeric parameters on [0, 1], as Optuna's CmaEsSampler scales them. */
export class CmaSpace {
  readonly names: readonly string[];
  /** Text that is the same for the same space. */
  readonly signature: string;
  /** Distance between values of each coordinate, for the form with margin; 0 for a continuous one. */
  readonly steps: Float64Array;
  readonly #distributions: readonly NumericDistribution[];
  readonly #bounds: readonly (readonly [number, number])[];

  /** @param withMargin keep grids as they are; else each value has a cell, half a step to both sides */
  constructor(space: SearchSpace, withMargin: boolean) {
    const entries = Object.entries(space).filter(
      (entry): entry is [string, NumericDistribution] => entry[1].kind !== 'categorical',
    );
    this.names = entries.map(([name]) => name);
    this.#distributions = entries.map(([, distribution]) => distribution);
    this.#bounds = this.#distributions.map((distribution) => {
      if (!withMargin) return rawBounds(distribution);
      const { low, high } = distribution;
      return [toRaw(distribution, low), toRaw(distribution, high)] as const;
    });
    this.steps = Float64Array.from(this.#distributions, ({ low, high, log, step }) =>
      step === undefined || log ? 0 : step / (high - low),
    );
    this.signature = entries
      .map(([name, { kind, low, high, log, step }]) => `${name} ${kind} ${low} ${high} ${log} ${step ?? ''}`)
      .join('\n');
  }

  get dimensions(): number {
    return this.names.length;
  }

  /** A trial's point; undefined where it lacks a parameter or has one out of range. */
  encode(trial: Pick<FrozenTrial, 'internalParams'>): Float64Array | undefined {
    const point = new Float64Array(this.dimensions);
    for (const [j, name] of this.names.entries()) {
      const internal = trial.internalParams[name];
      if (internal === undefined || !this.#distributions[j]?.contains(internal)) return undefined;
      point[j] = this.#toUnit(j, internal);
    }
    return point;
  }

  /** A point given by hand. @throws UsageError where a parameter is missing or out of range */
  encodeParams(params: Readonly<Record<string, ParamValue>>, what: string): Float64Array {
    return Float64Array.from(this.names, (name, j) => {
      const value = params[name];
      const distribution = this.#distributions[j] as NumericDistribution;
      if (value === undefined) throw new UsageError(`${what} lacks parameter "${name}".`);
      const internal = distribution.toInternal(value);
      if (!(internal >= distribution.low && internal <= distribution.high))
        throw new UsageError(`${what}: ${internal} is outside of "${name}", ${distribution.json}.`);
      return this.#toUnit(j, internal);
    });
  }

  decode(point: Float64Array): Record<string, ParamValue> {
    return Object.fromEntries(
      this.names.map((name, j) => {
        const distribution = this.#distributions[j] as NumericDistribution;
        const [from, to] = this.#bounds[j] as readonly [number, number];
        return [name, Math.max(distribution.low, fromRaw(distribution, from + (point[j] as number) * (to - from)))];
      }),
    );
  }

  #toUnit(j: number, internal: number): number {
    const [from, to] = this.#bounds[j] as readonly [number, number];
    return (toRaw(this.#distributions[j] as NumericDistribution, internal) - from) / (to - from);
  }
}
