import * as z from 'zod';

import { nearestName } from '../core/nearest-name.js';
import type { IssueDetails } from './schema-readers.js';

export type Issue = z.core.$ZodIssue;

/** An issue in the words of a configuration. */
export interface Explained extends IssueDetails {
  readonly path: readonly (string | number)[];
  /** Nothing stands there although something must. */
  readonly missing?: boolean | undefined;
}

/** Turns one issue of `schema` into what is to be said; several where several keys are unknown. `input` is what was checked. */
export function explainIssue(issue: Issue, schema: z.ZodType, input: unknown): readonly Explained[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const missing = valueAt(input, path) === undefined;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeys(schemaAt(schema, path, input));
      return issue.keys.map((key) => unknownKey(key, known, path));
    }
    case 'invalid_type':
      return [{ path, missing, allowed: withBounds(typeWord(issue.expected), schemaAt(schema, path, input)) }];
    case 'invalid_value': {
      const values = issue.values.map(String);
      const found = valueAt(input, path);
      return [
        {
          path,
          missing,
          allowed: oneOf(values),
          nearest: typeof found === 'string' ? nearestName(found, values) : undefined,
        },
      ];
    }
    case 'too_small':
    case 'too_big': {
      const at = schemaAt(schema, path, input);
      if (at instanceof z.ZodNumber) return [{ path, missing, allowed: withBounds('a number', at) }];
      const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum;
      return [
        { path, missing, allowed: boundWord(issue.origin, issue.code, Number(bound), issue.inclusive !== false) },
      ];
    }
    case 'not_multiple_of':
      return [{ path, missing, allowed: `a multiple of ${issue.divisor}` }];
    case 'invalid_format':
      return [
        { path, missing, allowed: schemaAt(schema, path, input)?.description ?? `text in the form ${issue.format}` },
      ];
    case 'invalid_union': {
      // A mapping of which only the `type` is wrong.
      if (issue.inclusive !== false && issue.options !== undefined) {
        const values = issue.options.map(String);
        const found = valueAt(input, path);
        const nearest = typeof found === 'string' ? nearestName(found, values) : undefined;
        return [{ path, missing, allowed: oneOf(values), nearest }];
      }
      if (typeof valueAt(input, path) === 'object') {
        const tag = issue.errors.flat().find((inner) => inner.code === 'invalid_union' && inner.path.length > 0);
        if (tag !== undefined) {
          return explainIssue(tag, schema, valueAt(input, path)).map((inner) => ({
            ...inner,
            path: [...path, ...inner.path],
          }));
        }
      }
      const parts = issue.errors
        .flatMap((branch) => branch.slice(0, 1))
        .flatMap((inner) => explainIssue(inner, schemaAt(schema, path, input) ?? schema, valueAt(input, path)));
      const words = [...new Set(parts.map((part) => part.allowed ?? part.text ?? '').filter((word) => word !== ''))];
      const nearest = parts.find((part) => part.nearest !== undefined)?.nearest;
      return [{ path, missing, allowed: words.join(', or '), nearest }];
    }
    case 'custom': {
      const details = issue.params as IssueDetails | undefined;
      return [{ path, missing, ...(details ?? { text: issue.message }) }];
    }
    default:
      return [{ path, missing, text: issue.message }];
  }
}

/** The sentence for a key that does not exist. */
export function unknownKey(key: string, known: readonly string[], path: readonly (string | number)[]): Explained {
  return {
    path: [...path, key],
    aboutKey: true,
    allowed: oneOf(known),
    nearest: nearestName(key, known),
    text: 'unknown key',
  };
}

export function oneOf(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  return names.length === 1 ? String(names[0]) : `one of ${names.join(', ')}`;
}

function typeWord(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a mapping of keys to values',
    record: 'a mapping of keys to values',
    null: 'null',
  };
  return words[expected] ?? expected;
}

/** `a whole number` with the bounds that the schema has. */
function withBounds(word: string, schema: z.ZodType | undefined): string {
  if (!(schema instanceof z.ZodNumber)) return word;
  const bound = (kind: 'greater_than' | 'less_than'): string | undefined => {
    for (const check of schema.def.checks ?? []) {
      const { def } = check._zod;
      if (def.check !== kind || !('value' in def) || !('inclusive' in def)) continue;
      if (Math.abs(Number(def.value)) >= Number.MAX_SAFE_INTEGER) continue;
      const over = kind === 'greater_than';
      return def.inclusive === true
        ? `${String(def.value)} or ${over ? 'more' : 'less'}`
        : `${over ? 'above' : 'below'} ${String(def.value)}`;
    }
    return undefined;
  };
  const bounds = [bound('greater_than'), bound('less_than')].filter((text) => text !== undefined);
  return [schema.format === 'safeint' ? 'a whole number' : 'a number', ...bounds].join(', ');
}

function boundWord(origin: string, code: 'too_small' | 'too_big', bound: number, inclusive: boolean): string {
  const small = code === 'too_small';
  if (origin === 'array' || origin === 'set' || origin === 'map' || origin === 'object') {
    return `${small ? 'at least' : 'at most'} ${bound} ${bound === 1 ? 'entry' : 'entries'}`;
  }
  if (origin === 'string') {
    return small && bound === 1 ? 'text that is not empty' : `${small ? 'at least' : 'at most'} ${bound} characters`;
  }
  const word = origin === 'int' ? 'a whole number' : 'a number';
  if (!inclusive) return `${word} ${small ? 'above' : 'below'} ${bound}`;
  return `${word}, ${bound} or ${small ? 'more' : 'less'}`;
}

function valueAt(input: unknown, path: readonly (string | number)[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return value;
    value = (value as Readonly<Record<string | number, unknown>>)[part];
  }
  return value;
}

/** The schema that stands at a path, through optional, default, array, record and the branch of a union that `input` takes. */
function schemaAt(schema: z.ZodType, path: readonly (string | number)[], input: unknown): z.ZodType | undefined {
  let at = unwrapped(schema);
  let value = input;
  for (const part of path) {
    if (at instanceof z.ZodUnion) at = branchFor(at, value);
    if (at instanceof z.ZodObject) at = unwrapped(at.shape[part] as z.ZodType | undefined);
    else if (at instanceof z.ZodArray) at = unwrapped(at.element as z.ZodType);
    else if (at instanceof z.ZodRecord) at = unwrapped(at.valueType as z.ZodType);
    else return undefined;
    value = valueAt(value, [part]);
  }
  return at instanceof z.ZodUnion ? (branchFor(at, value) ?? at) : at;
}

/** The mapping among a union's branches whose fixed keys (`type`) a value has. */
function branchFor(union: z.ZodUnion, value: unknown): z.ZodType | undefined {
  for (const option of union.options as readonly z.ZodType[]) {
    if (option instanceof z.ZodUnion) {
      const branch = branchFor(option, value);
      if (branch !== undefined) return branch;
    }
    if (!(option instanceof z.ZodObject)) continue;
    const fixed = Object.entries(option.shape).filter(([, part]) => part instanceof z.ZodLiteral);
    if (fixed.length > 0 && fixed.every(([key, part]) => (part as z.ZodType).safeParse(valueAt(value, [key])).success))
      return option;
  }
  return undefined;
}

function unwrapped(schema: z.ZodType | undefined): z.ZodType | undefined {
  let at = schema;
  while (
    at instanceof z.ZodOptional ||
    at instanceof z.ZodDefault ||
    at instanceof z.ZodPrefault ||
    at instanceof z.ZodNullable
  ) {
    at = at.unwrap() as z.ZodType;
  }
  return at;
}

function knownKeys(schema: z.ZodType | undefined): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
