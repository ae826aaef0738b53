import { z } from 'zod';

import { camelKeys } from '../core/key-case.js';
import { hyperbandPrunerDefinition } from './hyperband-pruner.js';
import { medianPrunerDefinition } from './median-pruner.js';
import { nopPrunerDefinition } from './nop-pruner.js';
import { percentilePrunerDefinition } from './percentile-pruner.js';
import type { Pruner } from './pruner.js';
import { successiveHalvingPrunerDefinition } from './successive-halving-pruner.js';
import { thresholdPrunerDefinition } from './threshold-pruner.js';
import { wilcoxonPrunerDefinition } from './wilcoxon-pruner.js';

/** Pruners that stand for themselves, and so may stand inside of another. */
export const plainPrunerDefinitions = [
  medianPrunerDefinition,
  percentilePrunerDefinition,
  successiveHalvingPrunerDefinition,
  hyperbandPrunerDefinition,
  thresholdPrunerDefinition,
  wilcoxonPrunerDefinition,
  nopPrunerDefinition,
] as const;

/** The same schema with its fixed `type` among the keys. */
function tagged(definition: { readonly type: string; readonly schema: z.ZodObject }): z.ZodObject {
  return definition.schema.safeExtend({ type: z.literal(definition.type) });
}

const [first, ...others] = plainPrunerDefinitions;

/** `median`, or `{type: median, …options}`. */
export const wrappedPrunerSchema = z.union([
  z.enum(plainPrunerDefinitions.map(({ type }) => type)),
  z.discriminatedUnion('type', [tagged(first), ...others.map((definition) => tagged(definition))]),
]);

export type WrappedPrunerConfig = string | Readonly<Record<string, unknown>>;

/** The pruner that a checked configuration names inside of another's. */
export function createWrappedPruner(config: WrappedPrunerConfig): Pruner {
  const { type, ...options } = typeof config === 'string' ? { type: config } : config;
  const definition = plainPrunerDefinitions.find((candidate) => candidate.type === type);
  if (definition === undefined) throw new Error(`No pruner "${String(type)}".`);
  return definition.create(camelKeys(definition.schema.parse(options)) as never);
}
