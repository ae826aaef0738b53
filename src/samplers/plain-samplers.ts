import { z } from 'zod';

import { camelKeys } from '../core/key-case.js';
import { autoSamplerDefinition } from './auto-sampler.js';
import { bruteForceSamplerDefinition } from './brute-force-sampler.js';
import { cmaEsSamplerDefinition } from './cma-es-sampler.js';
import { gpSamplerDefinition } from './gp-sampler.js';
import { gridSamplerDefinition } from './grid-sampler.js';
import { nsgaIISamplerDefinition } from './nsga-ii-sampler.js';
import { nsgaIIISamplerDefinition } from './nsga-iii-sampler.js';
import { qmcSamplerDefinition } from './qmc-sampler.js';
import { randomSamplerDefinition } from './random-sampler.js';
import type { Sampler } from './sampler.js';
import { tpeSamplerDefinition } from './tpe-sampler.js';

/** Samplers that stand for themselves, and so may stand inside of another. */
export const plainSamplerDefinitions = [
  autoSamplerDefinition,
  gpSamplerDefinition,
  tpeSamplerDefinition,
  cmaEsSamplerDefinition,
  nsgaIISamplerDefinition,
  nsgaIIISamplerDefinition,
  qmcSamplerDefinition,
  gridSamplerDefinition,
  bruteForceSamplerDefinition,
  randomSamplerDefinition,
] as const;

/** The same schema with its fixed `type` among the keys. */
function tagged(definition: { readonly type: string; readonly schema: z.ZodObject }): z.ZodObject {
  return definition.schema.safeExtend({ type: z.literal(definition.type) });
}

const [first, ...others] = plainSamplerDefinitions;

/** `tpe`, or `{type: tpe, …options}`. */
export const wrappedSamplerSchema = z.union([
  z.enum(plainSamplerDefinitions.map(({ type }) => type)),
  z.discriminatedUnion('type', [tagged(first), ...others.map((definition) => tagged(definition))]),
]);

export type WrappedSamplerConfig = string | Readonly<Record<string, unknown>>;

/** The sampler that a checked configuration names inside of another's. */
export function createWrappedSampler(config: WrappedSamplerConfig): Sampler {
  const { type, ...options } = typeof config === 'string' ? { type: config } : config;
  const definition = plainSamplerDefinitions.find((candidate) => candidate.type === type);
  if (definition === undefined) throw new Error(`No sampler "${String(type)}".`);
  return definition.create(camelKeys(definition.schema.parse(options)));
}
