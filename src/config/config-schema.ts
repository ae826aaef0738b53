import * as z from 'zod';

import { PARAMETER_NAME } from '../core/declared-space.js';
import { camelKeys } from '../core/key-case.js';
import { backupSchema } from './backup-schema.js';
import { componentSchema, parseOptions, type ConfigRegistry } from './component-schema.js';
import { explainIssue, unknownKey } from './explain-issue.js';
import { objectiveSchema } from './objective-schema.js';
import { parameterSchema, type RawParameter } from './parameter-schema.js';
import { isRecord, reader, toJsonSchema } from './schema-readers.js';
import * as sections from './section-schemas.js';
import type { ComponentOptions } from '../core/sweep-config.js';

export type { ConfigRegistry } from './component-schema.js';

/** Keys below which `${…}` is a placeholder of the command, filled in when a trial starts. */
export const LITERAL_KEYS = ['objective.command', 'objective.env', 'convert.command'] as const;

const seed = z.object({ seed: z.int().optional().describe('Seed of all randomness of the study.') });

const parameters = reader(
  (value, complain): Readonly<Record<string, RawParameter>> => {
    if (!isRecord(value)) {
      complain({ allowed: 'a mapping of names to parameters' });
      return {};
    }
    if (Object.keys(value).length === 0) complain({ allowed: 'at least one parameter' });
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, raw]) => {
        if (!PARAMETER_NAME.test(name)) {
          complain(
            {
              aboutKey: true,
              text: 'is no name of a parameter; it begins with a letter or one of _ + ~, and holds letters, digits and _ . - + ~ / @ only.',
            },
            [name],
          );
        }
        const result = parameterSchema.safeParse(raw);
        if (result.success) return [[name, result.data]];
        for (const issue of result.error.issues) {
          for (const { path, ...details } of explainIssue(issue, parameterSchema, raw))
            complain(details, [name, ...path]);
        }
        return [];
      }),
    );
  },
  () => ({
    description: 'The search space.',
    type: 'object',
    minProperties: 1,
    propertyNames: { pattern: PARAMETER_NAME.source },
    additionalProperties: toJsonSchemaPart(parameterSchema),
  }),
);

function toJsonSchemaPart(schema: z.ZodType): Readonly<Record<string, unknown>> {
  const json = toJsonSchema(schema);
  delete json['$schema'];
  return json;
}

/** The schema of a whole configuration for what `registry` knows. */
export function createConfigSchema(registry: ConfigRegistry) {
  return z.strictObject({
    study: sections.studyName,
    backbone: sections.backbone.optional(),
    backbones: sections.backbones.optional(),
    environment: sections.environment.optional(),
    metric: sections.metric.optional(),
    metrics: sections.metrics.optional(),
    trials: sections.trials,
    parallel: sections.parallel,
    sampler: componentSchema(registry.samplers, 'How parameters are proposed.', seed).optional(),
    pruner: componentSchema(registry.pruners, 'Which running trials are stopped as hopeless.').optional(),
    parameters,
    feasible: sections.feasible,
    objective: objectiveSchema(registry),
    backend: sections.backend,
    limits: sections.limits,
    retry: sections.retry,
    storage: sections.storage.optional(),
    checkpoint: sections.checkpoint,
    backup: backupSchema(registry.destinations),
    track: sections.track,
    benchmark: sections.benchmark,
    select: sections.select,
    final: sections.final,
    convert: sections.convert,
    launch: launchSchema(registry).optional(),
  });
}

export type ConfigSchema = ReturnType<typeof createConfigSchema>;

/** What the schema gives; sections with issues are missing from a partial one. */
export type CheckedSections = z.output<ConfigSchema>;

function launchSchema(registry: ConfigRegistry): z.ZodType<Readonly<Record<string, ComponentOptions>>> {
  const names = registry.launchers.map((entry) => entry.type);
  return reader(
    (value, complain) => {
      if (!isRecord(value)) {
        complain({ allowed: 'a mapping of engines to their options' });
        return {};
      }
      const result: Record<string, ComponentOptions> = {};
      for (const [name, options] of Object.entries(value)) {
        const entry = registry.launchers.find((candidate) => candidate.type === name);
        if (entry === undefined) {
          const { path, ...details } = unknownKey(name, names, []);
          complain(details, path);
          continue;
        }
        result[name] = camelKeys(
          parseOptions(entry.schema, options ?? {}, (details, path = []) => {
            complain(details, [name, ...path]);
          }),
        );
      }
      return result;
    },
    () => ({
      description: 'Options of the engines that start workers on a cluster.',
      type: 'object',
      properties: Object.fromEntries(
        registry.launchers.map((entry) => [
          entry.type,
          { ...toJsonSchemaPart(entry.schema.strict()), description: entry.summary },
        ]),
      ),
      additionalProperties: false,
    }),
  );
}
