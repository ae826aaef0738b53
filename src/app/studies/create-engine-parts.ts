import type { ComponentConfig, SamplerConfig } from '../../core/sweep-config.js';
import type { Pruner } from '../../pruners/pruner.js';
import { prunerDefinitions } from '../../pruners/pruner-registry.js';
import type { Sampler } from '../../samplers/sampler.js';
import { samplerDefinitions } from '../../samplers/sampler-registry.js';

/** The sampler that a checked configuration names. */
export function createSampler(config: SamplerConfig): Sampler {
  const definition = samplerDefinitions.find(({ type }) => type === config.type);
  if (definition === undefined) throw new Error(`No sampler "${config.type}".`);
  return definition.create(config.options as never);
}

/** The pruner that a checked configuration names. */
export function createPruner(config: ComponentConfig): Pruner {
  const definition = prunerDefinitions.find(({ type }) => type === config.type);
  if (definition === undefined) throw new Error(`No pruner "${config.type}".`);
  return definition.create(config.options as never);
}
