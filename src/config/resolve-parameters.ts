import type { CategoricalChoice, Distribution } from '../core/distributions.js';
import { nearestName } from '../core/nearest-name.js';
import type { NumberParameterConfig, ParameterConfig, WhenConfig } from '../core/sweep-config.js';
import { distributionOf } from './declared-space.js';
import { oneOf } from './explain-issue.js';
import { isChoice, type RawParameter } from './parameter-schema.js';
import type { Complain } from './schema-readers.js';

/** More parameters than this from one `repeat:` are a mistake rather than a search space. */
const MAX_REPEATS = 256;

/** A name that a condition or a rule may use. */
interface Known {
  readonly config: ParameterConfig;
  readonly distribution: Distribution | undefined;
}

/**
 * Gives each parameter its kind and resolves what it says about others. Undefined stands for a parameter that is wrong in itself
 * and reported already: what refers to it is not judged. `isWrittenAsFloat` tells 1.0 from 1.
 */
export function resolveParameters(
  raw: Readonly<Record<string, RawParameter | undefined>>,
  isWrittenAsFloat: (name: string, key: string) => boolean,
  complain: Complain,
): readonly ParameterConfig[] {
  const known = new Map<string, Known>();
  const result: ParameterConfig[] = [];
  const names = Object.keys(raw);
  const broken = new Set(names.filter((name) => raw[name] === undefined));
  for (const [name, parameter] of Object.entries(raw)) {
    if (parameter === undefined) continue;
    const about: Complain = (details, path = []) => {
      complain(details, [name, ...path]);
    };
    const config = resolveOne(name, parameter, { known, names, broken, isWrittenAsFloat, complain: about });
    result.push(config);
    const distribution = distributionOf(config);
    for (const expanded of expandedNames(config, known)) {
      if (known.has(expanded)) about({ text: `becomes ${expanded}, which another parameter is called already.` });
      known.set(expanded, { config, distribution });
    }
  }
  return result;
}

interface Surroundings {
  readonly known: ReadonlyMap<string, Known>;
  readonly names: readonly string[];
  readonly broken: ReadonlySet<string>;
  readonly isWrittenAsFloat: (name: string, key: string) => boolean;
  readonly complain: Complain;
}

function resolveOne(name: string, raw: RawParameter, around: Surroundings): ParameterConfig {
  if (raw.kind === 'constant') return { kind: 'constant', name, value: raw.values[0] ?? null };
  const when = Object.entries(raw.when).flatMap(([other, value]) => resolveCondition(other, value, around));
  const base = { name, when, repeat: resolveRepeat(raw.repeat, around) };
  if (raw.kind === 'categorical') return { ...base, kind: 'categorical', values: raw.values };
  const { min, max, log, step } = raw;
  const whole =
    [min, max, step ?? 1].every((value) => Number.isInteger(value)) &&
    !['min', 'max', 'step'].some((key) => around.isWrittenAsFloat(name, key));
  return { ...base, kind: raw.numberKind ?? (whole ? 'int' : 'float'), min, max, log, step };
}

function resolveRepeat(repeat: string | undefined, around: Surroundings): string | undefined {
  if (repeat === undefined || around.broken.has(repeat)) return undefined;
  const target = around.known.get(repeat)?.config;
  if (target?.kind === 'int' && target.repeat === undefined) {
    if (target.min < 0) around.complain({ text: `repeats by ${repeat}, which may be below 0.` }, ['repeat']);
    if (target.max > MAX_REPEATS) {
      around.complain(
        { text: `repeats by ${repeat}, which may be ${target.max}; at most ${MAX_REPEATS} are possible.` },
        ['repeat'],
      );
    }
    return repeat;
  }
  const candidates = [...around.known.values()].flatMap(({ config }) =>
    config.kind === 'int' && config.repeat === undefined ? [config.name] : [],
  );
  around.complain(unresolved(repeat, candidates, around, 'an earlier int parameter'), ['repeat']);
  return undefined;
}

function resolveCondition(other: string, value: unknown, around: Surroundings): readonly WhenConfig[] {
  // Members of a broken repeated parameter are unknown with it.
  if (around.broken.has(other) || around.broken.has(other.replace(/_\d+$/, ''))) return [];
  const path = ['when', other];
  const target = around.known.get(other);
  if (target === undefined) {
    around.complain(
      {
        aboutKey: true,
        text: 'unknown parameter',
        ...unresolved(other, [...around.known.keys(), ...around.broken], around, 'an earlier parameter'),
      },
      path,
    );
    return [];
  }
  const { config } = target;
  if (config.kind === 'constant') {
    around.complain({ text: `${other} is a constant, so a condition on it decides nothing.`, aboutKey: true }, path);
    return [];
  }
  const bound = typeof value === 'string' && config.kind !== 'categorical' ? parseBound(value) : undefined;
  if (bound !== undefined && config.kind !== 'categorical') return boundCondition(other, bound, config, around, path);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.length === 0) around.complain({ allowed: `a value of ${other}` }, path);
  const possible = values.filter((item): item is CategoricalChoice => isPossible(item, config, target.distribution));
  values.forEach((item, index) => {
    if (isPossible(item, config, target.distribution)) return;
    const details = possibleValues(other, config, item);
    around.complain(details, Array.isArray(value) ? [...path, index] : path);
  });
  return [{ parameter: other, oneOf: possible }];
}

function isPossible(
  value: unknown,
  config: ParameterConfig,
  distribution: Distribution | undefined,
): value is CategoricalChoice {
  if (config.kind === 'categorical') return isChoice(value) && config.values.includes(value);
  return typeof value === 'number' && distribution?.contains(value) === true;
}

function possibleValues(
  other: string,
  config: ParameterConfig,
  found: unknown,
): { allowed: string; nearest?: string | undefined } {
  if (config.kind === 'categorical') {
    const names = config.values.map(String);
    return {
      allowed: `a value that ${other} can take: ${names.join(', ')}`,
      nearest: typeof found === 'string' ? nearestName(found, names) : undefined,
    };
  }
  const { min, max } = config as NumberParameterConfig;
  return { allowed: `a value that ${other} can take (${min} to ${max}), or a bound such as ">= ${max}"` };
}

interface Bound {
  readonly operator: string;
  readonly number: number;
}

function parseBound(text: string): Bound | undefined {
  const [, operator, number] = /^\s*(>=|<=|>|<|==)\s*(-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*$/.exec(text) ?? [];
  return operator === undefined ? undefined : { operator, number: Number(number) };
}

function boundCondition(
  other: string,
  bound: Bound,
  config: NumberParameterConfig,
  around: Surroundings,
  path: readonly string[],
): readonly WhenConfig[] {
  const { operator, number } = bound;
  const strict = operator === '>' || operator === '<';
  if (strict && config.kind === 'float') {
    around.complain(
      { text: `${operator} needs an int parameter; for the float ${other} write ${operator}= ${number}.` },
      path,
    );
    return [];
  }
  if (operator === '==') {
    if (!isPossible(number, config, distributionOf(config)))
      around.complain(possibleValues(other, config, number), path);
    return [{ parameter: other, oneOf: [number] }];
  }
  const below = operator.startsWith('<');
  const limit = !strict ? number : below ? Math.ceil(number) - 1 : Math.floor(number) + 1;
  if (below ? limit < config.min : limit > config.max) {
    around.complain({ text: `is never true: ${other} lies from ${config.min} to ${config.max}.` }, path);
  }
  return [below ? { parameter: other, atMost: limit } : { parameter: other, atLeast: limit }];
}

/** What to say where a name is none of the candidates: declared later, repeated, or unknown. */
function unresolved(
  name: string,
  candidates: readonly string[],
  around: Surroundings,
  wanted: string,
): { text?: string; allowed?: string; nearest?: string | undefined } {
  if (around.known.has(`${name}_0`))
    return { text: `${name} is repeated; name one of its members, such as ${name}_0.` };
  if (around.names.includes(name) && !around.known.has(name)) {
    return { text: `${name} is declared at or after this parameter; move it above.` };
  }
  return {
    allowed: candidates.length === 0 ? `${wanted}, but there is none` : `${wanted}: ${oneOf(candidates)}`,
    nearest: nearestName(name, candidates),
  };
}

function expandedNames(config: ParameterConfig, known: ReadonlyMap<string, Known>): readonly string[] {
  if (config.kind === 'constant' || config.repeat === undefined) return [config.name];
  const target = known.get(config.repeat)?.config;
  const count = target?.kind === 'int' ? Math.min(target.max, MAX_REPEATS) : 0;
  return Array.from({ length: Math.max(0, count) }, (_, index) => `${config.name}_${index}`);
}
