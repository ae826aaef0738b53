import * as z from 'zod';

import type { JsonValue } from '../core/json.js';
import type { StudyDirection } from '../core/study-direction.js';
import { snakeCase } from '../core/key-case.js';
import { nearestName } from '../core/nearest-name.js';
import { explainIssue, oneOf, unknownKey } from './explain-issue.js';
import { isRecord, reader, toJsonSchema, type Complain, type JsonSchema } from './schema-readers.js';

/**
 * Something that a configuration names by `type`. The schema stands beside it, `type` not among its keys. In YAML keys are written
 * with underscores (`min_resource`), however the schema spells them; checked options have them in camelCase.
 */
export interface ComponentEntry {
  readonly type: string;
  /** One line, for people and editors. */
  readonly summary: string;
  readonly schema: z.ZodObject;
}

/** A sampler, and what it cannot do. */
export interface SamplerEntry extends ComponentEntry {
  /** For a single metric only. */
  readonly isSingleObjective?: boolean | undefined;
  /** Goes through every value: no parameter may be continuous, unless its values stand under `search_space`. */
  readonly isFinite?: boolean | undefined;
}

/** A trainer: its settings, and what it knows of metrics and data. */
export interface TrainerEntry extends ComponentEntry {
  /** What its reports may be called, and which way each is better; absent: not checked. */
  readonly metrics?: readonly (string | { readonly name: string; readonly goal?: StudyDirection })[] | undefined;
  /** Keys of `data:` beyond those that every trainer has. */
  readonly data?: z.ZodObject | undefined;
}

/** A kind of destination. */
export interface DestinationEntry extends ComponentEntry {
  /** How often a copy is sent where nothing is said. @default every trial */
  readonly defaultEvery?: { readonly milliseconds: number } | undefined;
}

/** Everything that can be named; filled by `app`. */
export interface ConfigRegistry {
  readonly samplers: readonly SamplerEntry[];
  readonly pruners: readonly ComponentEntry[];
  readonly trainers: readonly TrainerEntry[];
  readonly destinations: readonly DestinationEntry[];
  readonly launchers: readonly ComponentEntry[];
}

export interface ParsedComponent {
  readonly type: string;
  readonly options: Readonly<Record<string, JsonValue>>;
}

/**
 * Checks `options` by a schema, unknown keys refused; its complaints go to `complain`. `alsoKnown` are keys that were taken out
 * before, for the message. Undefined where something is wrong.
 */
export function parseBy<S extends z.ZodObject>(
  schema: S,
  options: unknown,
  complain: Complain,
  alsoKnown: readonly string[] = [],
): z.output<S> | undefined {
  const strict = schema.strict();
  const result = strict.safeParse(options);
  if (result.success) return result.data as z.output<S>;
  for (const issue of result.error.issues) {
    const explained =
      issue.code === 'unrecognized_keys' && issue.path.length === 0
        ? issue.keys.map((key) => unknownKey(key, [...alsoKnown, ...Object.keys(schema.shape)], []))
        : explainIssue(issue, strict, options);
    for (const { path, ...details } of explained) complain(details, path);
  }
  return undefined;
}

/** The same schema with its keys as YAML has them. */
export function withYamlKeys(schema: z.ZodObject): z.ZodObject {
  const keys = Object.keys(schema.shape);
  if (keys.every((key) => snakeCase(key) === key)) return schema;
  return z.object(Object.fromEntries(keys.map((key) => [snakeCase(key), schema.shape[key] as z.ZodType])));
}

/** The same for the options of a component, which are plain data; empty where something is wrong. */
export function parseOptions(
  schema: z.ZodObject,
  options: unknown,
  complain: Complain,
  alsoKnown: readonly string[] = [],
): Readonly<Record<string, JsonValue>> {
  return (parseBy(withYamlKeys(schema), options, complain, alsoKnown) ?? {}) as Readonly<Record<string, JsonValue>>;
}

/** The entry of this type, or a complaint that names the nearest. */
export function findEntry<E extends ComponentEntry>(
  entries: readonly E[],
  type: unknown,
  complain: Complain,
  path: readonly string[] = ['type'],
): E | undefined {
  const entry = entries.find((candidate) => candidate.type === type);
  if (entry !== undefined) return entry;
  const names = entries.map((candidate) => candidate.type);
  complain({ allowed: oneOf(names), nearest: typeof type === 'string' ? nearestName(type, names) : undefined }, path);
  return undefined;
}

/** `tpe`, or `{type: tpe, …options}`. `common` are keys that every type has. */
export function componentSchema(
  entries: readonly ComponentEntry[],
  description: string,
  common?: z.ZodObject,
): z.ZodType<ParsedComponent> {
  return reader(
    (value, complain) => {
      const nothing: ParsedComponent = { type: '', options: {} };
      if (typeof value !== 'string' && !isRecord(value)) {
        complain({ allowed: `${oneOf(entries.map((entry) => entry.type))}, or a mapping with such a type` });
        return nothing;
      }
      const { type, ...options }: Readonly<Record<string, unknown>> =
        typeof value === 'string' ? { type: value } : value;
      const entry = findEntry(entries, type, complain, typeof value === 'string' ? [] : ['type']);
      if (entry === undefined) return nothing;
      const schema = common === undefined ? entry.schema : entry.schema.safeExtend(common.shape);
      return { type: entry.type, options: parseOptions(schema, options, complain, ['type']) };
    },
    () => ({
      description,
      anyOf: [
        { enum: entries.map((entry) => entry.type) },
        ...entries.map((entry) =>
          taggedJsonSchema('type', entry, common === undefined ? entry.schema : entry.schema.safeExtend(common.shape)),
        ),
      ],
    }),
  );
}

/** JSON Schema of a mapping whose `tag` is fixed to the entry's type. */
export function taggedJsonSchema(tag: string, entry: ComponentEntry, schema: z.ZodObject): JsonSchema {
  const json = toJsonSchema(withYamlKeys(schema).strict());
  delete json['$schema'];
  const properties = json['properties'] as JsonSchema | undefined;
  return {
    ...json,
    description: entry.summary,
    properties: { [tag]: { const: entry.type, description: entry.summary }, ...properties },
    required: [tag, ...((json['required'] as readonly string[] | undefined) ?? [])],
  };
}
