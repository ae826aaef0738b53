import {
  CategoricalDistribution,
  FloatDistribution,
  IntDistribution,
  isCompatible,
  type CategoricalChoice,
  type Distribution,
  type ParamValue,
} from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import { stringifyJson, type JsonValue } from '../core/json.js';
import { nearestName } from '../core/nearest-name.js';
import { warnOnce } from '../core/warnings.js';
import { checkConstraint } from './trial-values.js';

/**
 * Calls an objective with parameters that are given, without a study: to try one out, or to put what a study found to use. Has what
 * an objective asks of a trial; reports go nowhere and nothing is pruned.
 */
export class FixedTrial {
  readonly number: number;
  readonly datetimeStart = new Date();
  readonly relativeParams: Readonly<Record<string, ParamValue>> = {};
  readonly #given: Readonly<Record<string, ParamValue>>;
  readonly #params: Record<string, ParamValue> = {};
  readonly #distributions: Record<string, Distribution> = {};
  readonly #userAttrs: Record<string, JsonValue> = {};
  readonly #systemAttrs: Record<string, JsonValue> = {};
  readonly #constraints: Record<string, number> = {};

  /** @param params by name; those that are never asked for do nothing */
  constructor(params: Readonly<Record<string, ParamValue>>, number = 0) {
    this.#given = params;
    this.number = number;
  }

  /** Those asked for so far. */
  get params(): Readonly<Record<string, ParamValue>> {
    return this.#params;
  }

  get distributions(): Readonly<Record<string, Distribution>> {
    return this.#distributions;
  }

  get userAttrs(): Readonly<Record<string, JsonValue>> {
    return this.#userAttrs;
  }

  get systemAttrs(): Readonly<Record<string, JsonValue>> {
    return this.#systemAttrs;
  }

  get constraints(): Readonly<Record<string, number>> {
    return this.#constraints;
  }

  /** @throws UsageError where no value was given */
  suggestFloat(name: string, low: number, high: number, options: { log?: boolean; step?: number } = {}): number {
    return this.suggest(name, new FloatDistribution(low, high, options)) as number;
  }

  /** @throws UsageError where no value was given */
  suggestInt(name: string, low: number, high: number, options: { log?: boolean; step?: number } = {}): number {
    return this.suggest(name, new IntDistribution(low, high, options)) as number;
  }

  /** @throws UsageError where no value was given, or one that is no choice */
  suggestCategorical<const T extends CategoricalChoice>(name: string, choices: readonly T[]): T {
    return this.suggest(name, new CategoricalDistribution(choices)) as T;
  }

  /** The value given; outside of its range it is used all the same, with a warning. */
  suggest(name: string, distribution: Distribution): ParamValue {
    const value = this.#given[name];
    if (value === undefined) {
      const nearest = nearestName(name, Object.keys(this.#given));
      throw new UsageError(
        `No value was given for parameter "${name}".`,
        nearest === undefined ? {} : { hint: `Did you mean "${nearest}"?` },
      );
    }
    const before = this.#distributions[name];
    if (before !== undefined && !isCompatible(before, distribution)) {
      throw new UsageError(`Parameter "${name}" was ${before.json} before and cannot become ${distribution.json}.`);
    }
    if (!distribution.contains(distribution.toInternal(value))) {
      warnOnce(`Parameter "${name}" is fixed at ${stringifyJson(value)}, outside of ${distribution.json}.`);
    }
    this.#params[name] = value;
    this.#distributions[name] = distribution;
    return value;
  }

  /** Does nothing. */
  report(_value: number, _step: number): Promise<void> {
    return Promise.resolve();
  }

  /** Always false. */
  shouldPrune(): Promise<boolean> {
    return Promise.resolve(false);
  }

  setUserAttr(key: string, value: JsonValue): void {
    this.#userAttrs[key] = value;
  }

  setSystemAttr(key: string, value: JsonValue): void {
    this.#systemAttrs[key] = value;
  }

  /** @throws UsageError where it is no number or NaN */
  setConstraint(name: string, value: number): void {
    checkConstraint(name, value);
    if (name in this.#constraints) warnOnce(`Constraint "${name}" is set already: the new value is ignored.`);
    else this.#constraints[name] = value;
  }
}
