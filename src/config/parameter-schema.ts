import type * as z from 'zod';

import type { CategoricalChoice } from '../core/distributions.js';
import { nearestName } from '../core/nearest-name.js';
import { oneOf, unknownKey } from './explain-issue.js';
import { isRecord, reader, type Complain, type JsonSchema } from './schema-readers.js';

/** One entry of `parameters:` as read, before names and other parameters are looked at. */
export interface RawParameter {
  readonly kind: 'number' | 'categorical' | 'constant';
  readonly min: number;
  readonly max: number;
  readonly log: boolean;
  readonly step: number | undefined;
  /** As `type:` or `distribution:` ask; undefined: by how the bounds are written. */
  readonly numberKind: 'float' | 'int' | undefined;
  readonly values: readonly CategoricalChoice[];
  readonly when: Readonly<Record<string, unknown>>;
  readonly repeat: string | undefined;
}

const KEYS = ['values', 'value', 'min', 'max', 'log', 'step', 'q', 'type', 'distribution', 'when', 'repeat'];
const FORMS = '{values: […]}, {value: …} or {min: …, max: …}';

/** W&B's distributions that have an equal. */
const DISTRIBUTIONS: Readonly<Record<string, readonly string[]>> = {
  constant: ['value'],
  categorical: ['values'],
  int_uniform: ['min', 'max'],
  uniform: ['min', 'max'],
  q_uniform: ['min', 'max', 'q'],
  log_uniform_values: ['min', 'max'],
};

/** Those that have none, with what to write instead. */
const WITHOUT_EQUAL: Readonly<Record<string, string>> = {
  log_uniform: 'its bounds are exponents; write the bounds themselves and log: true',
  q_log_uniform: 'write {min, max, log: true, type: int}, or the values as a list',
  q_log_uniform_values: 'write {min, max, log: true, type: int}, or the values as a list',
  inv_log_uniform: 'write {min, max, log: true} for 1 − x, or the values as a list',
  inv_log_uniform_values: 'write {min, max, log: true} for 1 − x, or the values as a list',
  normal: 'write the range that it mostly covers as {min, max}',
  q_normal: 'write the range that it mostly covers as {min, max, step}',
  log_normal: 'write the range that it mostly covers as {min, max, log: true}',
  q_log_normal: 'write the range that it mostly covers as {min, max, log: true, type: int}',
  beta: 'write {min: 0, max: 1}',
  q_beta: 'write {min: 0, max: 1, step}',
  categorical_w_probabilities: 'write {values: […]}; the sampler learns which are good',
};

export const parameterSchema: z.ZodType<RawParameter> = reader(readParameter, parameterJsonSchema);

function readParameter(value: unknown, complain: Complain): RawParameter {
  const empty: RawParameter = {
    kind: 'constant',
    min: 0,
    max: 0,
    log: false,
    step: undefined,
    numberKind: undefined,
    values: [],
    when: {},
    repeat: undefined,
  };
  if (!isRecord(value)) {
    complain({ allowed: FORMS });
    return empty;
  }
  for (const key of Object.keys(value)) {
    if (KEYS.includes(key)) continue;
    if (key === 'parameters') {
      complain(
        {
          text: 'nested parameters are not read here; name them with a dot (model.layers) at the top level',
          aboutKey: true,
        },
        [key],
      );
    } else {
      const { path, ...details } = unknownKey(key, KEYS, []);
      complain(details, path);
    }
  }
  const common = { ...empty, when: readWhen(value['when'], complain), repeat: readRepeat(value['repeat'], complain) };
  checkDistribution(value, complain);
  const forms = [
    value['values'] !== undefined,
    value['value'] !== undefined,
    value['min'] !== undefined || value['max'] !== undefined,
  ];
  if (forms.filter(Boolean).length !== 1) {
    complain({ text: forms.some(Boolean) ? `mixes several forms; write one of ${FORMS}.` : `needs one of ${FORMS}.` });
    return empty;
  }
  if (value['values'] !== undefined) return { ...common, kind: 'categorical', values: readValues(value, complain) };
  if (value['value'] !== undefined) return { ...common, values: readConstant(value, complain) };
  return { ...common, kind: 'number', ...readRange(value, complain) };
}

function readValues(value: Readonly<Record<string, unknown>>, complain: Complain): readonly CategoricalChoice[] {
  refuse(value, ['min', 'max', 'log', 'step', 'q', 'type'], 'values', complain);
  const values = value['values'];
  if (!Array.isArray(values) || values.length === 0) {
    complain({ allowed: 'a list with at least one value' }, ['values']);
    return [];
  }
  const seen = new Map<unknown, number>();
  values.forEach((choice: unknown, index) => {
    if (!isChoice(choice)) complain({ allowed: 'text, a number, true, false or null' }, ['values', index]);
    else if (seen.has(choice))
      complain({ text: `stands twice in the list (first at position ${(seen.get(choice) ?? 0) + 1}).` }, [
        'values',
        index,
      ]);
    else seen.set(choice, index);
  });
  return values as readonly CategoricalChoice[];
}

function readConstant(value: Readonly<Record<string, unknown>>, complain: Complain): readonly CategoricalChoice[] {
  refuse(value, ['log', 'step', 'q', 'type', 'when', 'repeat'], 'value', complain);
  const constant = value['value'];
  if (!isChoice(constant)) {
    complain({ allowed: 'text, a number, true, false or null' }, ['value']);
    return [];
  }
  return [constant];
}

function readRange(
  value: Readonly<Record<string, unknown>>,
  complain: Complain,
): Pick<RawParameter, 'min' | 'max' | 'log' | 'step' | 'numberKind'> {
  const { distribution, type } = value;
  const quantum = distribution === 'q_uniform' ? 'q' : 'step';
  refuse(
    value,
    quantum === 'q' ? ['step'] : ['q'],
    typeof distribution === 'string' ? `distribution: ${distribution}` : 'step',
    complain,
  );
  const min = readNumber(value, 'min', complain);
  const max = readNumber(value, 'max', complain);
  const step = value[quantum] === undefined ? undefined : readNumber(value, quantum, complain);
  const logKey = value['log'];
  if (logKey !== undefined && typeof logKey !== 'boolean') complain({ allowed: 'true or false' }, ['log']);
  const log = logKey === true || distribution === 'log_uniform_values';
  if (type !== undefined && type !== 'int' && type !== 'float') {
    complain(
      {
        allowed: 'one of int, float',
        nearest: typeof type === 'string' ? nearestName(type, ['int', 'float']) : undefined,
      },
      ['type'],
    );
  }
  const asked = type ?? (distribution === 'int_uniform' ? 'int' : distribution === undefined ? undefined : 'float');
  const numberKind = asked === 'int' || asked === 'float' ? asked : undefined;
  if (min !== undefined && max !== undefined) checkRange({ min, max, step, log, numberKind }, quantum, complain);
  return { min: min ?? 0, max: max ?? 0, log, step, numberKind };
}

function checkRange(
  range: Pick<RawParameter, 'min' | 'max' | 'step' | 'log' | 'numberKind'>,
  quantum: string,
  complain: Complain,
): void {
  const { min, max, step, log, numberKind } = range;
  if (min > max) complain({ text: `min ${min} is above max ${max}.` }, ['min']);
  if (log && min <= 0) complain({ text: `a logarithmic range must begin above 0, but min is ${min}.` }, ['min']);
  if (log && step !== undefined) complain({ text: `a logarithmic range has no ${quantum}.` }, [quantum]);
  if (step !== undefined && !(step > 0)) complain({ allowed: 'a number above 0' }, [quantum]);
  if (numberKind === 'int') {
    for (const [key, number] of Object.entries({ min, max, [quantum]: step ?? 1 })) {
      if (!Number.isInteger(number)) complain({ allowed: 'a whole number, as the parameter is an int' }, [key]);
    }
  }
  if (step === undefined || !(step > 0) || min > max) return;
  const count = (max - min) / step;
  if (Math.abs(count - Math.round(count)) > 1e-8) {
    const last = Number((min + Math.floor(count) * step).toPrecision(12));
    complain(
      {
        text: `${quantum} ${step} does not divide the range from ${min} to ${max}; the last value would be ${last}. Write max: ${last} or another ${quantum}.`,
      },
      [quantum],
    );
  }
}

function checkDistribution(value: Readonly<Record<string, unknown>>, complain: Complain): void {
  const { distribution } = value;
  if (distribution === undefined) return;
  const names = Object.keys(DISTRIBUTIONS);
  if (typeof distribution !== 'string') {
    complain({ allowed: oneOf(names) }, ['distribution']);
    return;
  }
  const needed = DISTRIBUTIONS[distribution];
  const advice = WITHOUT_EQUAL[distribution];
  if (advice !== undefined) {
    complain({ text: `distribution ${distribution} has no equal here: ${advice}.` }, ['distribution']);
  } else if (needed === undefined) {
    complain({ allowed: oneOf(names), nearest: nearestName(distribution, names) }, ['distribution']);
  } else {
    for (const key of needed) {
      if (value[key] === undefined) complain({ text: `distribution ${distribution} needs ${key}.` });
    }
  }
}

function readNumber(value: Readonly<Record<string, unknown>>, key: string, complain: Complain): number | undefined {
  const number = value[key];
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  complain({ allowed: 'a finite number' }, [key]);
  return undefined;
}

function readWhen(when: unknown, complain: Complain): Readonly<Record<string, unknown>> {
  if (when === undefined) return {};
  if (isRecord(when) && Object.keys(when).length > 0) return when;
  complain({ allowed: 'a mapping such as {optimizer: sgd}, {optimizer: [sgd, rmsprop]} or {layers: ">= 2"}' }, [
    'when',
  ]);
  return {};
}

function readRepeat(repeat: unknown, complain: Complain): string | undefined {
  if (repeat === undefined || typeof repeat === 'string') return repeat;
  complain({ allowed: 'the name of an int parameter' }, ['repeat']);
  return undefined;
}

function refuse(
  value: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  beside: string,
  complain: Complain,
): void {
  for (const key of keys) {
    if (value[key] !== undefined) complain({ text: `has no meaning beside ${beside}.`, aboutKey: true }, [key]);
  }
}

export function isChoice(value: unknown): value is CategoricalChoice {
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value))
  );
}

function parameterJsonSchema(): JsonSchema {
  const choice = { type: ['string', 'number', 'boolean', 'null'] };
  return {
    description: `A parameter: ${FORMS}.`,
    type: 'object',
    properties: {
      values: {
        type: 'array',
        items: choice,
        minItems: 1,
        uniqueItems: true,
        description: 'Choices of a categorical parameter.',
        examples: [['adam', 'sgd']],
      },
      value: { ...choice, description: 'A constant: given to every trial, not searched.' },
      min: { type: 'number', description: 'Lowest value. Both bounds whole: an int; else a float.' },
      max: { type: 'number', description: 'Highest value, itself included.' },
      log: { type: 'boolean', description: 'Sample the logarithm uniformly; min must be above 0.' },
      step: { type: 'number', exclusiveMinimum: 0, description: 'Grid of the values, counted from min.' },
      q: { type: 'number', exclusiveMinimum: 0, description: 'Step of distribution q_uniform.' },
      type: { enum: ['int', 'float'], description: 'Where the bounds do not say it.' },
      distribution: { enum: Object.keys(DISTRIBUTIONS), description: 'Optional, in the words of W&B.' },
      when: {
        type: 'object',
        minProperties: 1,
        description: 'Takes part only where earlier parameters have these values.',
        examples: [{ optimizer: 'sgd' }, { optimizer: ['sgd', 'rmsprop'] }, { layers: '>= 2' }],
      },
      repeat: {
        type: 'string',
        description: 'Name of an int parameter n: becomes name_0 … name_{n-1}.',
        examples: ['layers'],
      },
    },
    additionalProperties: false,
  };
}
