import { parse } from 'yaml';

import { isActive, type DeclaredSpace } from '../../core/declared-space.js';
import type { Distribution, ParamValue } from '../../core/distributions.js';
import { messageOf, UsageError } from '../../core/errors.js';
import { parseJson, stringifyJson, type JsonValue } from '../../core/json.js';
import { nearestName } from '../../core/nearest-name.js';

/** Parameters as somebody typed them: by name, what the words may mean, the likeliest first. */
export type GivenParams = ReadonlyMap<string, readonly ParamValue[]>;

/**
 * Reads `--params '{"x": 1}'` and `x=1 kind=a`. A word without quotes may be a number or a text: which of them, the parameter's
 * choices tell.
 * @throws UsageError
 */
export function readParams(json: string | undefined, assignments: readonly string[]): GivenParams {
  const given = new Map<string, readonly ParamValue[]>();
  const add = (name: string, values: readonly ParamValue[]): void => {
    if (given.has(name)) throw new UsageError(`Parameter "${name}" is given twice.`);
    given.set(name, values);
  };
  for (const [name, value] of Object.entries(json === undefined ? {} : readObject(json))) {
    if (!isScalar(value)) throw new UsageError(`Parameter "${name}": ${stringifyJson(value)} is no single value.`);
    add(name, [value]);
  }
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at <= 0) {
      throw new UsageError(`"${assignment}" is no assignment.`, {
        hint: 'Write NAME=VALUE, or --params \'{"x": 1}\'.',
      });
    }
    const text = assignment.slice(at + 1);
    add(assignment.slice(0, at), meanings(text));
  }
  if (given.size === 0)
    throw new UsageError('No parameter is given.', { hint: 'x=1 kind=a, or --params \'{"x": 1}\'.' });
  return given;
}

function readObject(json: string): Readonly<Record<string, JsonValue>> {
  let value: JsonValue;
  try {
    value = parseJson(json);
  } catch (error) {
    throw new UsageError(`--params is not JSON: ${messageOf(error)}.`, {
      cause: error,
      hint: 'In a shell: --params \'{"x": 1, "kind": "a"}\', or x=1 kind=a.',
    });
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new UsageError(`--params must be a JSON object, but got ${json}.`);
  return value as Readonly<Record<string, JsonValue>>;
}

function isScalar(value: JsonValue): value is ParamValue {
  return value === null || typeof value !== 'object';
}

function meanings(text: string): readonly ParamValue[] {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    return [text];
  }
  const isPlain = value === null ? text !== '' : ['boolean', 'number', 'string'].includes(typeof value);
  return isPlain && value !== text ? [value as ParamValue, text] : [text];
}

/**
 * The parameters as a declared space takes them.
 * @throws UsageError for an unknown name (with the nearest), a value outside its range or choices, a parameter that takes no part
 * beside the others, or a whole set that a rule forbids
 */
export function fitToSpace(given: GivenParams, space: DeclaredSpace): Record<string, ParamValue> {
  const params: Record<string, ParamValue> = {};
  for (const [name, values] of given) {
    const distribution = space.parameters.find((parameter) => parameter.name === name)?.distribution;
    if (distribution === undefined) {
      if (name in space.constants) {
        throw new UsageError(
          `Parameter "${name}" is constant in this study (${stringifyJson(space.constants[name] ?? null)}).`,
        );
      }
      throw unknownName(
        name,
        space.parameters.map((parameter) => parameter.name),
      );
    }
    params[name] = fit(name, values, distribution);
  }
  for (const parameter of space.parameters) {
    if (!(parameter.name in params)) continue;
    const conditions = parameter.conditions.filter((condition) => condition.parameter in params);
    if (isActive({ ...parameter, conditions }, params)) continue;
    const others = conditions.map(({ parameter: other }) => `${other}=${stringifyJson(params[other] ?? null)}`);
    throw new UsageError(`Parameter "${parameter.name}" takes no part where ${others.join(', ')}.`);
  }
  const isWhole = space.parameters.every((parameter) => parameter.name in params || !isActive(parameter, params));
  if (isWhole && !space.isFeasible({ ...space.constants, ...params }))
    throw new UsageError('These parameters break a rule under "feasible:" of the configuration.');
  return params;
}

/** The same for a study without a configuration: what its trials had so far is all that is known. */
export function fitToTrials(given: GivenParams, known: ReadonlyMap<string, Distribution>): Record<string, ParamValue> {
  return Object.fromEntries(
    [...given].map(([name, values]) => {
      const distribution = known.get(name);
      if (distribution !== undefined) return [name, fit(name, values, distribution)];
      if (known.size > 0) throw unknownName(name, [...known.keys()]);
      return [name, values[0] ?? null];
    }),
  );
}

function fit(name: string, values: readonly ParamValue[], distribution: Distribution): ParamValue {
  let problem: string | undefined;
  for (const value of values) {
    try {
      const internal = distribution.toInternal(value);
      if (distribution.contains(internal)) return distribution.toExternal(internal);
      problem ??= `${stringifyJson(value)} lies outside ${rangeOf(distribution)}`;
    } catch (error) {
      problem ??= messageOf(error).replace(/\.$/, '');
    }
  }
  const hint =
    distribution.kind === 'categorical'
      ? nearestName(
          String(values[0]),
          distribution.choices.filter((choice) => typeof choice === 'string'),
        )
      : undefined;
  throw new UsageError(
    `Parameter "${name}": ${problem ?? 'it has no value'}.`,
    hint === undefined ? {} : { hint: `Did you mean "${hint}"?` },
  );
}

function rangeOf(distribution: Distribution): string {
  if (distribution.kind === 'categorical') return stringifyJson(distribution.choices);
  const step = distribution.step === undefined || distribution.step === 1 ? '' : `, in steps of ${distribution.step}`;
  return `${distribution.low} … ${distribution.high}${step}`;
}

function unknownName(name: string, names: readonly string[]): UsageError {
  const nearest = nearestName(name, names);
  return new UsageError(`There is no parameter "${name}" in this study.`, {
    hint: nearest === undefined ? `Its parameters: ${names.join(', ')}.` : `Did you mean "${nearest}"?`,
  });
}
