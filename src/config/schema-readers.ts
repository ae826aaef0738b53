import * as z from 'zod';

import { DURATION_FORM, parseDuration, parseShare, parseSize, SHARE_FORM, SIZE_FORM } from './units.js';

/** What a `custom` issue carries for the message: see `explain-issue.ts`. */
export interface IssueDetails {
  readonly allowed?: string | undefined;
  readonly nearest?: string | undefined;
  /** The sentence itself, where "found …; expected …" does not fit. */
  readonly text?: string | undefined;
  /** The issue is about the name of the key, not its value. */
  readonly aboutKey?: boolean | undefined;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** JSON Schema of the schemas that read by code; asked only by the `schema` command. */
const jsonSchemas = new WeakMap<object, () => JsonSchema>();

/** Gives a schema its JSON Schema by hand. */
export function withJsonSchema<S extends z.ZodType>(schema: S, json: () => JsonSchema): S {
  jsonSchemas.set(schema, json);
  return schema;
}

/** JSON Schema (draft 2020-12) of what may be written, as editors need it. */
export function toJsonSchema(schema: z.ZodType): Record<string, unknown> {
  const json = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: (context) => {
      const own = jsonSchemas.get(context.zodSchema);
      if (own !== undefined) Object.assign(context.jsonSchema, own());
      // JavaScript's bounds of whole numbers are noise in an editor.
      if (context.jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete context.jsonSchema.maximum;
      if (context.jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete context.jsonSchema.minimum;
    },
  });
  return json;
}

/** Adds an issue at a path below the value that is being read. */
export type Complain = (details: IssueDetails, path?: readonly (string | number)[]) => void;

/** A schema that reads a value by code and complains in the words of a configuration. What is returned after a complaint is never used. */
export function reader<T>(read: (value: unknown, complain: Complain) => T, json: () => JsonSchema): z.ZodType<T> {
  const schema = z.unknown().transform((value, context): T => {
    return read(value, (details, path = []) => {
      context.issues.push({
        code: 'custom',
        message: details.text ?? details.allowed ?? 'is not valid',
        path: [...path],
        input: value,
        params: { ...details },
      });
    });
  });
  return withJsonSchema(schema, json);
}

/** One value by a function that answers undefined for what it cannot read. */
function parsed(parse: (value: unknown) => number | undefined, allowed: string, json: JsonSchema): z.ZodType<number> {
  return reader(
    (value, complain) => {
      const result = parse(value);
      if (result === undefined) complain({ allowed });
      return result ?? 0;
    },
    () => json,
  );
}

/** Milliseconds, above zero. */
export const duration = (description: string, example = '30m'): z.ZodType<number> =>
  parsed(
    (value) => {
      const milliseconds = parseDuration(value);
      return milliseconds === undefined || milliseconds === 0 ? undefined : milliseconds;
    },
    DURATION_FORM,
    { type: 'string', description, examples: [example] },
  );

/** Bytes. */
export const size = (description: string, example = '4GB'): z.ZodType<number> =>
  parsed(parseSize, SIZE_FORM, { type: 'string', description, examples: [example] });

/** A fraction from 0 to below 1. */
export const share = (description: string, example: number | string = 0.2): z.ZodType<number> =>
  parsed(
    (value) => {
      const fraction = parseShare(value);
      return fraction === 1 ? undefined : fraction;
    },
    `${SHARE_FORM}, below 1`,
    { type: ['number', 'string'], description, examples: [example] },
  );

/** `minimize` or `maximize`. */
export const goal = z.enum(['minimize', 'maximize']);

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
