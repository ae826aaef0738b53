import { alignedHigh, decimalSum } from '../../core/decimal.js';
import { nearestName } from '../../core/nearest-name.js';
import { oneOf, unknownKey } from '../explain-issue.js';
import { isRecord, type Complain } from '../schema-readers.js';

/*
 * Parameters of a W&B sweep file as parameters of a configuration. Source: the JSON Schema of W&B's `sweeps` package
 * (`src/sweeps/config/schema.json`) and the documentation of its distributions.
 */

/** A parameter as a configuration writes it. */
export type NativeParameter = Readonly<Record<string, unknown>>;

export interface ConvertedParameter {
  readonly name: string;
  readonly parameter: NativeParameter;
  /** Where it stands in the sweep file, below `parameters`. */
  readonly path: readonly string[];
}

type Raw = Readonly<Record<string, unknown>>;
type Note = (text: string) => void;

/** A distribution: the keys it needs, those it may have with their defaults, and what it becomes. */
interface DistributionForm {
  readonly needs: readonly string[];
  readonly defaults?: Readonly<Record<string, number>>;
  readonly convert: (given: Readonly<Record<string, number>>, note: Note) => NativeParameter;
}

const KEYS = [
  'value',
  'values',
  'probabilities',
  'min',
  'max',
  'distribution',
  'mu',
  'sigma',
  'q',
  'a',
  'b',
  'parameters',
];

/** Most values that a quantised logarithmic range becomes. */
const MAX_VALUES = 32;

/** Standard deviations that stand for the range of a normal distribution: 99.7 % of it. */
const DEVIATIONS = 3;

const float = (min: number, max: number): NativeParameter => ({ min, max, type: 'float' });
const logFloat = (min: number, max: number): NativeParameter => ({ min, max, log: true, type: 'float' });

/** Multiples of q between two values that are multiples themselves. */
function quantised(min: number, max: number, q: number): NativeParameter {
  const low = decimalSum(0, Math.round(min / q), q);
  const high = alignedHigh(low, decimalSum(0, Math.round(max / q), q), q);
  return { min: low, max: high, step: q, type: Number.isInteger(low) && Number.isInteger(q) ? 'int' : 'float' };
}

/** Multiples of q, thinned so that neighbours have about the same ratio. */
function quantisedLog(min: number, max: number, q: number, note: Note): NativeParameter {
  if (q === 1) return { min: Math.max(1, Math.round(min)), max: Math.max(1, Math.round(max)), log: true, type: 'int' };
  const values = new Set<number>();
  for (let index = 0; index < MAX_VALUES; index++) {
    const value = Math.exp(Math.log(min) + ((Math.log(max) - Math.log(min)) * index) / (MAX_VALUES - 1));
    values.add(decimalSum(0, Math.round(value / q), q));
  }
  note(`becomes a choice among ${values.size} multiples of ${q}, as a logarithmic range has no step`);
  return { values: [...values] };
}

const normalBounds = ({ mu = 0, sigma = 1 }: Readonly<Record<string, number>>): [number, number] => [
  mu - DEVIATIONS * sigma,
  mu + DEVIATIONS * sigma,
];
const covers = `its middle 99.7 % (mu ± ${DEVIATIONS} sigma), evenly; the sampler learns where in it to look`;

const FORMS: Readonly<Record<string, DistributionForm>> = {
  int_uniform: { needs: ['min', 'max'], convert: ({ min = 0, max = 0 }) => ({ min, max, type: 'int' }) },
  uniform: { needs: ['min', 'max'], convert: ({ min = 0, max = 0 }) => float(min, max) },
  q_uniform: {
    needs: ['min', 'max'],
    defaults: { q: 1 },
    convert: ({ min = 0, max = 0, q = 1 }) => quantised(min, max, q),
  },
  // Bounds are exponents of e.
  log_uniform: { needs: ['min', 'max'], convert: ({ min = 0, max = 0 }) => logFloat(Math.exp(min), Math.exp(max)) },
  log_uniform_values: { needs: ['min', 'max'], convert: ({ min = 0, max = 0 }) => logFloat(min, max) },
  q_log_uniform: {
    needs: ['min', 'max'],
    defaults: { q: 1 },
    convert: ({ min = 0, max = 0, q = 1 }, note) => quantisedLog(Math.exp(min), Math.exp(max), q, note),
  },
  q_log_uniform_values: {
    needs: ['min', 'max'],
    defaults: { q: 1 },
    convert: ({ min = 0, max = 0, q = 1 }, note) => quantisedLog(min, max, q, note),
  },
  // log(1/x) is uniform, so log(x) is.
  inv_log_uniform: {
    needs: ['min', 'max'],
    convert: ({ min = 0, max = 0 }) => logFloat(Math.exp(-max), Math.exp(-min)),
  },
  inv_log_uniform_values: { needs: ['min', 'max'], convert: ({ min = 0, max = 0 }) => logFloat(min, max) },
  normal: {
    needs: [],
    defaults: { mu: 0, sigma: 1 },
    convert: (given, note) => {
      note(`covers ${covers}`);
      return float(...normalBounds(given));
    },
  },
  q_normal: {
    needs: [],
    defaults: { mu: 0, sigma: 1, q: 1 },
    convert: (given, note) => {
      note(`covers ${covers}`);
      return quantised(...normalBounds(given), given['q'] ?? 1);
    },
  },
  log_normal: {
    needs: [],
    defaults: { mu: 0, sigma: 1 },
    convert: (given, note) => {
      const [low, high] = normalBounds(given);
      note(`covers ${covers}`);
      return logFloat(Math.exp(low), Math.exp(high));
    },
  },
  q_log_normal: {
    needs: [],
    defaults: { mu: 0, sigma: 1, q: 1 },
    convert: (given, note) => {
      const [low, high] = normalBounds(given);
      note(`covers ${covers}`);
      return quantisedLog(Math.exp(low), Math.exp(high), given['q'] ?? 1, note);
    },
  },
  beta: {
    needs: [],
    defaults: { a: 1, b: 1 },
    convert: (_given, note) => {
      note('covers 0 to 1 evenly; the sampler learns where in it to look');
      return float(0, 1);
    },
  },
  q_beta: {
    needs: [],
    defaults: { a: 1, b: 1, q: 1 },
    convert: ({ q = 1 }, note) => {
      note('covers 0 to 1 evenly; the sampler learns where in it to look');
      return quantised(0, 1, q);
    },
  },
};

const NAMES = ['constant', 'categorical', 'categorical_w_probabilities', ...Object.keys(FORMS)];

/**
 * All parameters, those of nested ones with their names joined by dots. `isFloat` tells 1.0 from 1; paths given to `complain` begin
 * below `parameters`. `warn` takes sentences about what is not the same.
 */
export function convertParameters(
  raw: Raw,
  isFloat: (path: readonly string[]) => boolean,
  complain: Complain,
  warn: (text: string) => void,
): ConvertedParameter[] {
  return Object.entries(raw).flatMap(([name, value]) => convertNamed([name], value, isFloat, complain, warn));
}

function convertNamed(
  names: readonly string[],
  value: unknown,
  isFloat: (path: readonly string[]) => boolean,
  complain: Complain,
  warn: (text: string) => void,
): ConvertedParameter[] {
  const path = names.flatMap((part, index) => (index === 0 ? [part] : ['parameters', part]));
  const about: Complain = (details, below = []) => {
    complain(details, [...path, ...below]);
  };
  if (!isRecord(value)) {
    about({ allowed: '{value: …}, {values: […]}, {min: …, max: …}, {distribution: …} or {parameters: {…}}' });
    return [];
  }
  for (const key of Object.keys(value)) {
    if (KEYS.includes(key)) continue;
    const { path: below, ...details } = unknownKey(key, KEYS, []);
    about(details, below);
  }
  if (value['parameters'] !== undefined) {
    if (!isRecord(value['parameters'])) {
      about({ allowed: 'a mapping of names to parameters' }, ['parameters']);
      return [];
    }
    const others = KEYS.filter((key) => key !== 'parameters' && value[key] !== undefined);
    if (others.length > 0)
      warn(`parameter ${names.join('.')}: ${others.join(', ')} beside parameters ${verb(others)} not read.`);
    return Object.entries(value['parameters']).flatMap(([inner, innerValue]) =>
      convertNamed([...names, inner], innerValue, isFloat, complain, warn),
    );
  }
  const name = names.join('.');
  const parameter = convertOne(
    value,
    (key) => isFloat([...path, key]),
    about,
    (text) => {
      warn(`parameter ${name}: ${text}.`);
    },
  );
  return parameter === undefined ? [] : [{ name, parameter, path }];
}

function convertOne(
  value: Raw,
  isFloat: (key: string) => boolean,
  complain: Complain,
  note: Note,
): NativeParameter | undefined {
  const kind = distributionOf(value, isFloat, complain);
  if (kind === undefined) return undefined;
  const unread = KEYS.filter(
    (key) => value[key] !== undefined && key !== 'distribution' && !keysOf(kind).includes(key),
  );
  if (unread.length > 0) {
    const hint = unread.includes('q') && `q_${kind}` in FORMS ? `; q_${kind} has q` : '';
    note(`${unread.join(', ')} ${verb(unread)} not read with distribution ${kind}${hint}`);
  }
  if (kind === 'constant') {
    if (value['value'] === undefined) complain({ text: 'distribution constant needs value.' });
    return { value: asChoice(value['value']) };
  }
  if (kind === 'categorical' || kind === 'categorical_w_probabilities') return choices(value, complain, note);
  const form = FORMS[kind];
  if (form === undefined) return undefined;
  const given: Record<string, number> = { ...form.defaults };
  let isGood = true;
  for (const key of ['min', 'max', 'mu', 'sigma', 'q', 'a', 'b']) {
    const number = value[key];
    if (number === undefined) {
      if (!form.needs.includes(key)) continue;
      complain({ text: `distribution ${kind} needs ${key}.` });
    } else if (typeof number !== 'number' || !Number.isFinite(number)) complain({ allowed: 'a finite number' }, [key]);
    else if ((key === 'q' || key === 'sigma') && number <= 0) complain({ allowed: 'a number above 0' }, [key]);
    else {
      given[key] = number;
      continue;
    }
    isGood = false;
  }
  if (!isGood || !isRange(kind, given, complain)) return undefined;
  return form.convert(given, (text) => {
    note(`distribution ${kind} ${text}`);
  });
}

/** Keys that a distribution has. */
function keysOf(kind: string): readonly string[] {
  if (kind === 'constant') return ['value'];
  if (kind.startsWith('categorical')) return ['values', 'probabilities'];
  const form = FORMS[kind];
  return [...(form?.needs ?? []), ...Object.keys(form?.defaults ?? {})];
}

function verb(words: readonly string[]): string {
  return words.length > 1 ? 'are' : 'is';
}

function isRange(kind: string, { min, max }: Readonly<Record<string, number>>, complain: Complain): boolean {
  if (min === undefined || max === undefined) return true;
  const isLogOfValues = kind.endsWith('log_uniform_values');
  if (min > max) complain({ text: `min ${min} is above max ${max}.` }, ['min']);
  else if (isLogOfValues && min <= 0)
    complain({ text: `a logarithmic range must begin above 0, but min is ${min}.` }, ['min']);
  else return true;
  return false;
}

/** The distribution that is named, or that the keys stand for. */
function distributionOf(value: Raw, isFloat: (key: string) => boolean, complain: Complain): string | undefined {
  const { distribution } = value;
  if (distribution !== undefined) {
    if (typeof distribution === 'string' && NAMES.includes(distribution)) return distribution;
    const nearest = typeof distribution === 'string' ? nearestName(distribution, NAMES) : undefined;
    complain({ allowed: oneOf(NAMES), nearest }, ['distribution']);
    return undefined;
  }
  if (value['values'] !== undefined) return 'categorical';
  if (value['value'] !== undefined) return 'constant';
  if (value['min'] !== undefined && value['max'] !== undefined) {
    const isWhole = (key: string): boolean => Number.isInteger(value[key]) && !isFloat(key);
    return isWhole('min') && isWhole('max') ? 'int_uniform' : 'uniform';
  }
  if (value['mu'] !== undefined || value['sigma'] !== undefined) return 'normal';
  complain({ text: 'needs value, values, min and max, a distribution, or nested parameters.' });
  return undefined;
}

function choices(value: Raw, complain: Complain, note: Note): NativeParameter | undefined {
  const { values, probabilities } = value;
  if (!Array.isArray(values) || values.length === 0) {
    complain({ allowed: 'a list with at least one value' }, ['values']);
    return undefined;
  }
  if (probabilities !== undefined) {
    if (!Array.isArray(probabilities) || probabilities.length !== values.length) {
      complain({ allowed: `a list of ${values.length} numbers, one for each value` }, ['probabilities']);
      return undefined;
    }
    note('probabilities are left out; the sampler learns which values are good');
  }
  return { values: [...new Set(values.map(asChoice))] };
}

/** Lists and mappings become their JSON text, which is taken apart again for the program. */
function asChoice(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
