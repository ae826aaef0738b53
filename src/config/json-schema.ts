import type { ConfigRegistry } from './component-schema.js';
import { createConfigSchema } from './config-schema.js';
import { isRecord, toJsonSchema } from './schema-readers.js';

/** JSON Schema (draft 2020-12) of configurations, for editors. Plain data, the same for the same registry. */
export function jsonSchemaOf(registry: ConfigRegistry): Readonly<Record<string, unknown>> {
  const json: unknown = JSON.parse(JSON.stringify(toJsonSchema(createConfigSchema(registry))));
  return {
    ...(isRecord(json) ? json : {}),
    title: 'resweep configuration',
    description:
      'A hyper-parameter sweep: what is optimised, over which parameters, with which budget, and where it is kept.',
  };
}
