import * as z from 'zod';

import { canonicalJson, type JsonValue } from '../core/json.js';
import { nearestName } from '../core/nearest-name.js';
import type { DataConfig, ObjectiveConfig } from '../core/sweep-config.js';
import {
  findEntry,
  parseBy,
  parseOptions,
  taggedJsonSchema,
  type ConfigRegistry,
  type TrainerEntry,
} from './component-schema.js';
import { oneOf } from './explain-issue.js';
import { isRecord, duration, reader, toJsonSchema, type Complain, type JsonSchema } from './schema-readers.js';
import { command, data } from './section-schemas.js';

type Raw = Readonly<Record<string, unknown>>;
type Fixed = Readonly<Record<string, JsonValue>>;

const TYPES = ['tfjs', 'command', 'module'] as const;

const sourceData = z.strictObject({
  path: z
    .string()
    .min(1)
    .optional()
    .describe('File or folder that the objective reads; its content is part of the study’s identity.'),
  version: z
    .union([z.string(), z.number()])
    .transform(String)
    .optional()
    .describe('Stands for the content in the study’s identity.'),
});

const commandObjective = z.strictObject({
  command,
  env: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
    .default({})
    .describe('Variables of the command’s environment.'),
  cwd: z.string().optional().describe('Working directory; absent: the project root.'),
  protocol: z
    .enum(['resweep', 'wandb'])
    .optional()
    .describe(
      'What the program speaks. wandb: arguments as the agent of W&B writes them, and a Python module wandb that reports here. Absent: resweep.',
    ),
  grace: duration('Time between SIGTERM and SIGKILL.', '10s').default(10_000),
  data: sourceData.optional(),
});

const moduleObjective = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe('JavaScript or TypeScript module.')
    .meta({ examples: ['./objective.ts'] }),
  export: z.string().min(1).default('default').describe('Name of the exported function.'),
  data: sourceData.optional(),
});

const NOTHING: ObjectiveConfig = { type: 'module', path: '', export: 'default', identity: {} };

export function objectiveSchema(registry: ConfigRegistry): z.ZodType<ObjectiveConfig> {
  return reader(
    (value, complain) => readObjective(value, registry, complain),
    () => objectiveJsonSchema(registry),
  );
}

function readObjective(value: unknown, registry: ConfigRegistry, complain: Complain): ObjectiveConfig {
  if (!isRecord(value)) {
    complain({ allowed: `a mapping with type: ${TYPES.join(', ')}` });
    return NOTHING;
  }
  const { type, ...rest } = value;
  switch (type) {
    case 'tfjs':
      return readTfjs(rest, registry, complain);
    case 'command':
      return readCommand(rest, complain);
    case 'module':
      return readModule(rest, complain);
    default:
      complain({ allowed: oneOf(TYPES), nearest: typeof type === 'string' ? nearestName(type, TYPES) : undefined }, [
        'type',
      ]);
      return NOTHING;
  }
}

function readTfjs(value: Raw, registry: ConfigRegistry, complain: Complain): ObjectiveConfig {
  const { trainer, data: rawData, ...rest } = value;
  const entry = findEntry(registry.trainers, trainer, complain, ['trainer']);
  const dataSchema = dataSchemaOf(entry);
  const below =
    (prefix: string): Complain =>
    (details, path = []) => {
      complain(details, [prefix, ...path]);
    };
  let parsedData: Fixed = {};
  if (rawData === undefined) complain({ allowed: 'a mapping with a path' }, ['data']);
  else parsedData = parseOptions(dataSchema, rawData, below('data'));
  if (entry === undefined) return NOTHING;
  const settings = parseOptions(entry.schema, rest, complain, ['type', 'trainer', 'data']);
  const { path: _path, version: _version, ...identityData } = withoutDefaults(dataSchema, parsedData);
  const identity: Fixed = {
    type: 'tfjs',
    trainer: entry.type,
    data: identityData,
    settings: withoutDefaults(entry.schema, settings),
  };
  return { type: 'tfjs', trainer: entry.type, data: dataConfig(parsedData), settings, identity };
}

function dataSchemaOf(entry: TrainerEntry | undefined): z.ZodObject {
  return entry?.data === undefined ? data : data.safeExtend(entry.data.shape);
}

function dataConfig(parsedData: Fixed): DataConfig {
  const result = data.strip().safeParse(parsedData);
  const known = new Set(Object.keys(data.shape));
  const options = Object.fromEntries(Object.entries(parsedData).filter(([key]) => !known.has(key)));
  // Where the section was wrong its issues are reported already, and this value is never used.
  const base = result.success ? result.data : data.parse({ path: '.' });
  const { skip_rows: skipRows, ...others } = base;
  return { ...others, skipRows, options };
}

function readCommand(value: Raw, complain: Complain): ObjectiveConfig {
  const parsed = parseBy(commandObjective, value, complain, ['type']);
  if (parsed === undefined) return NOTHING;
  const fixedEnv = Object.entries(parsed.env).filter(([, text]) => !text.includes('${'));
  const identity: Fixed = {
    type: 'command',
    command: parsed.command.map(withoutFolder),
    ...(fixedEnv.length > 0 ? { env: Object.fromEntries(fixedEnv) } : {}),
  };
  return { type: 'command', ...parsed, identity };
}

function readModule(value: Raw, complain: Complain): ObjectiveConfig {
  const parsed = parseBy(moduleObjective, value, complain, ['type']);
  if (parsed === undefined) return NOTHING;
  const identity: Fixed = {
    type: 'module',
    module: withoutFolder(parsed.path),
    ...(parsed.export === 'default' ? {} : { export: parsed.export }),
  };
  return { type: 'module', ...parsed, identity };
}

/** A word of a command that is a path, by its last part: where a file lies does not change what is optimised. */
function withoutFolder(word: string): string {
  return /^[^\s=:${}'"]*[/\\][^\s=:${}'"/\\]+$/.test(word) ? (word.split(/[/\\]/).at(-1) ?? word) : word;
}

/** Without what equals its default, so that a default written out, or a key that a later version adds, makes no other study. */
function withoutDefaults(schema: z.ZodObject, value: Fixed): Fixed {
  return Object.fromEntries(
    Object.entries(value).filter(([key, item]) => {
      const member = schema.shape[key] as z.ZodType | undefined;
      const fallback = member?.safeParse(undefined);
      if (fallback?.success !== true || fallback.data === undefined) return true;
      return canonicalJson(fallback.data as JsonValue) !== canonicalJson(item);
    }),
  );
}

function objectiveJsonSchema(registry: ConfigRegistry): JsonSchema {
  const tagged = (type: string, summary: string, schema: z.ZodObject): JsonSchema =>
    taggedJsonSchema('type', { type, summary, schema }, schema);
  const trainers = registry.trainers.map((entry) => {
    const json = taggedJsonSchema('trainer', entry, entry.schema);
    const dataJson: JsonSchema = toJsonSchema(dataSchemaOf(entry));
    return {
      ...json,
      properties: {
        type: { const: 'tfjs', description: 'A built-in trainer on TensorFlow.js.' },
        ...(json['properties'] as JsonSchema),
        data: { ...dataJson, $schema: undefined },
      },
      required: ['type', 'data', ...(json['required'] as readonly string[])],
    };
  });
  return {
    description: 'What a trial does.',
    anyOf: [
      ...trainers,
      tagged('command', 'Any program.', commandObjective),
      tagged('module', 'A function of a module.', moduleObjective),
    ],
  };
}
