import { alignedHigh, isNarrowerThan } from './decimal.js';
import { UsageError } from './errors.js';
import { floatToJson, parseJson, stringifyJson, type JsonValue } from './json.js';

export { decimalSum } from './decimal.js';

/** What one choice of a categorical parameter may be. */
export type CategoricalChoice = null | boolean | number | bigint | string;

/** Value of a parameter as the objective sees it. */
export type ParamValue = CategoricalChoice;

/**
 * A distribution is immutable. `toInternal` gives the number that Optuna's database stores (the value
 * itself, or the index of a choice), `json` the text stored beside it, kept as found when it was read.
 */
interface BaseDistribution {
  readonly json: string;
  /** Only one value is possible. */
  single(): boolean;
  /** Whether an internal value lies inside. */
  contains(internal: number): boolean;
  toInternal(value: ParamValue): number;
  toExternal(internal: number): ParamValue;
}

export type Distribution = FloatDistribution | IntDistribution | CategoricalDistribution;

/** A real number in [low, high]; `step` counts from low, `log` makes its logarithm uniform. */
export class FloatDistribution implements BaseDistribution {
  readonly kind = 'float';
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  readonly step: number | undefined;
  readonly json: string;

  /** @throws UsageError where low > high, log with low <= 0 or with a step, step <= 0, or a bound is not finite. */
  constructor(low: number, high: number, options: { log?: boolean; step?: number | undefined; json?: string } = {}) {
    const { log = false, step } = options;
    requireFinite(low, high);
    if (low > high) throw new UsageError(`low must not be above high, but got low=${low}, high=${high}.`);
    if (log && step !== undefined) throw new UsageError('A logarithmic float cannot have a step.');
    if (log && low <= 0) throw new UsageError(`A logarithmic range must begin above 0, but low=${low}.`);
    if (step !== undefined && !(step > 0 && Number.isFinite(step))) {
      throw new UsageError(`step must be above 0 and finite, but got ${step}.`);
    }
    this.low = low;
    this.high = step === undefined ? high : alignedHigh(low, high, step);
    this.log = log;
    this.step = step;
    this.json =
      options.json ??
      `{"name": "FloatDistribution", "attributes": {"step": ${step === undefined ? 'null' : floatToJson(step)}, "low": ${floatToJson(low)}, "high": ${floatToJson(this.high)}, "log": ${log}}}`;
  }

  single(): boolean {
    return this.low === this.high || (this.step !== undefined && isNarrowerThan(this.low, this.high, this.step));
  }

  contains(internal: number): boolean {
    if (!(internal >= this.low && internal <= this.high)) return false;
    if (this.step === undefined) return true;
    const k = (internal - this.low) / this.step;
    return Math.abs(k - Math.round(k)) < 1e-8;
  }

  toInternal(value: ParamValue): number {
    const number = typeof value === 'number' ? value : NaN;
    if (Number.isNaN(number)) throw new UsageError(`${describe(value)} is not a number, as a float parameter must be.`);
    return number;
  }

  toExternal(internal: number): number {
    return internal;
  }
}

/** A whole number in [low, high]. */
export class IntDistribution implements BaseDistribution {
  readonly kind = 'int';
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  readonly step: number;
  readonly json: string;

  /** @throws UsageError where low > high, a bound or step is not whole, log with low < 1 or with a step other than 1. */
  constructor(low: number, high: number, options: { log?: boolean; step?: number; json?: string } = {}) {
    const { log = false, step = 1 } = options;
    for (const [name, value] of Object.entries({ low, high, step })) {
      if (!Number.isInteger(value)) throw new UsageError(`${name} must be a whole number, but got ${value}.`);
    }
    if (low > high) throw new UsageError(`low must not be above high, but got low=${low}, high=${high}.`);
    if (step < 1) throw new UsageError(`step must be 1 or more, but got ${step}.`);
    if (log && step !== 1) throw new UsageError(`A logarithmic integer cannot have a step, but got step=${step}.`);
    if (log && low < 1) throw new UsageError(`A logarithmic range must begin at 1 or more, but low=${low}.`);
    this.low = low;
    this.high = low + Math.floor((high - low) / step) * step;
    this.log = log;
    this.step = step;
    this.json =
      options.json ??
      `{"name": "IntDistribution", "attributes": {"log": ${log}, "step": ${step}, "low": ${low}, "high": ${this.high}}}`;
  }

  single(): boolean {
    return this.high - this.low < this.step;
  }

  contains(internal: number): boolean {
    return internal >= this.low && internal <= this.high && (internal - this.low) % this.step === 0;
  }

  toInternal(value: ParamValue): number {
    const number = typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : NaN;
    if (!Number.isInteger(number))
      throw new UsageError(`${describe(value)} is not a whole number, as an int parameter must be.`);
    return number;
  }

  toExternal(internal: number): number {
    return Math.trunc(internal);
  }
}

/** One of the choices, kept in order; stored as its index. */
export class CategoricalDistribution implements BaseDistribution {
  readonly kind = 'categorical';
  readonly choices: readonly CategoricalChoice[];
  readonly json: string;

  /** @throws UsageError where there is no choice. */
  constructor(choices: readonly CategoricalChoice[], options: { json?: string } = {}) {
    if (choices.length === 0) throw new UsageError('A categorical parameter needs at least one choice.');
    this.choices = Object.freeze([...choices]);
    this.json =
      options.json ?? `{"name": "CategoricalDistribution", "attributes": {"choices": ${stringifyJson(this.choices)}}}`;
  }

  single(): boolean {
    return this.choices.length === 1;
  }

  contains(internal: number): boolean {
    return Number.isInteger(internal) && internal >= 0 && internal < this.choices.length;
  }

  toInternal(value: ParamValue): number {
    const index = this.choices.findIndex((choice) => Object.is(choice, value));
    if (index >= 0) return index;
    // Python takes 1, 1.0 and true for one value, so a study written there may name a choice by either.
    const loose = this.choices.findIndex((choice) => looselyEqual(choice, value));
    if (loose >= 0) return loose;
    throw new UsageError(`${describe(value)} is none of the choices ${stringifyJson(this.choices)}.`);
  }

  toExternal(internal: number): CategoricalChoice {
    const choice = this.choices[internal];
    if (choice === undefined) throw new RangeError(`Choice ${internal} of ${this.choices.length} does not exist.`);
    return choice;
  }
}

function looselyEqual(a: CategoricalChoice, b: CategoricalChoice): boolean {
  const numeric = (value: CategoricalChoice): number | undefined =>
    typeof value === 'boolean' || typeof value === 'bigint'
      ? Number(value)
      : typeof value === 'number'
        ? value
        : undefined;
  const x = numeric(a);
  return x !== undefined && x === numeric(b);
}

function requireFinite(low: number, high: number): void {
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    throw new UsageError(`A range needs finite bounds, but got low=${low}, high=${high}.`);
  }
}

function describe(value: ParamValue): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Whether a parameter may change from `a` to `b` between trials: same kind, same log, same choices in order (Optuna's rule). */
export function isCompatible(a: Distribution, b: Distribution): boolean {
  if (a === b) return true;
  if (a.kind === 'categorical') return b.kind === 'categorical' && haveSameChoices(a, b);
  if (b.kind === 'categorical') return false;
  return a.kind === b.kind && a.log === b.log;
}

function haveSameChoices(a: CategoricalDistribution, b: CategoricalDistribution): boolean {
  return (
    a.choices.length === b.choices.length &&
    a.choices.every((choice, index) => {
      const other = b.choices[index];
      return other !== undefined && (Object.is(choice, other) || looselyEqual(choice, other));
    })
  );
}

/** Whether `b` has the choices of `a` in the same places, and more behind them. */
export function appendsChoices(a: Distribution, b: Distribution): b is CategoricalDistribution {
  if (a.kind !== 'categorical' || b.kind !== 'categorical' || b.choices.length <= a.choices.length) return false;
  return haveSameChoices(a, new CategoricalDistribution(b.choices.slice(0, a.choices.length)));
}

/** Whether two distributions are the same in every attribute. */
export function isSameDistribution(a: Distribution, b: Distribution): boolean {
  if (a === b || a.json === b.json) return true;
  if (!isCompatible(a, b)) return false;
  if (a.kind === 'categorical' || b.kind === 'categorical') return true;
  return a.low === b.low && a.high === b.high && a.step === b.step;
}

const parsed = new Map<string, Distribution>();

/**
 * Reads the text of Optuna's `distribution_json`, the classes of earlier versions included. The same text
 * always gives the same object.
 * @throws SyntaxError or UsageError where it is not a distribution.
 */
export function parseDistribution(json: string): Distribution {
  let distribution = parsed.get(json);
  if (distribution === undefined) {
    distribution = readDistribution(json);
    if (parsed.size > 100_000) parsed.clear();
    parsed.set(json, distribution);
  }
  return distribution;
}

/** The same distribution in the text that Optuna writes today: without the classes of versions before 3, completed and in order. */
export function currentForm(distribution: Distribution): Distribution {
  switch (distribution.kind) {
    case 'float':
      return new FloatDistribution(distribution.low, distribution.high, {
        log: distribution.log,
        step: distribution.step,
      });
    case 'int':
      return new IntDistribution(distribution.low, distribution.high, {
        log: distribution.log,
        step: distribution.step,
      });
    case 'categorical':
      return distribution;
  }
}

function readDistribution(json: string): Distribution {
  const document = parseJson(json);
  if (!isObject(document)) throw new UsageError(`${json} is not a distribution.`);
  const attributes = document['attributes'] ?? document;
  if (!isObject(attributes)) throw new UsageError(`${json} is not a distribution: its attributes are no object.`);
  const low = Number(attributes['low']);
  const high = Number(attributes['high']);
  const optional = (key: string): number | undefined => {
    const value = attributes[key];
    return value === null || value === undefined ? undefined : Number(value);
  };
  const log = attributes['log'] === true;
  switch (document['name'] ?? document['type']) {
    case 'FloatDistribution':
    case 'float':
      return new FloatDistribution(low, high, { log, step: optional('step'), json });
    case 'IntDistribution':
    case 'int':
      return new IntDistribution(low, high, { log, step: optional('step') ?? 1, json });
    case 'CategoricalDistribution':
    case 'categorical':
      return new CategoricalDistribution(readChoices(attributes['choices'], json), { json });
    case 'UniformDistribution':
      return new FloatDistribution(low, high, { json });
    case 'LogUniformDistribution':
      return new FloatDistribution(low, high, { log: true, json });
    case 'DiscreteUniformDistribution':
      return new FloatDistribution(low, high, { step: optional('q'), json });
    case 'IntUniformDistribution':
      return new IntDistribution(low, high, { step: optional('step') ?? 1, json });
    case 'IntLogUniformDistribution':
      return new IntDistribution(low, high, { log: true, json });
    default:
      throw new UsageError(`Unknown kind of distribution in ${json}.`);
  }
}

function isObject(value: JsonValue): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readChoices(value: JsonValue | undefined, json: string): CategoricalChoice[] {
  if (!Array.isArray(value)) throw new UsageError(`A categorical distribution without choices: ${json}.`);
  return (value as readonly JsonValue[]).map((choice) => {
    if (choice !== null && typeof choice === 'object') {
      throw new UsageError(`A choice must be null, a boolean, a number or a string: ${json}.`);
    }
    return choice;
  });
}
