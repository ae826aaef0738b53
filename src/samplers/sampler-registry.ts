import { autoSamplerDefinition } from './auto-sampler.js';
import { gpSamplerDefinition } from './gp-sampler.js';
import { randomSamplerDefinition } from './random-sampler.js';
import { tpeSamplerDefinition } from './tpe-sampler.js';

/** Every sampler that a configuration can name. */
export const samplerDefinitions = [
  autoSamplerDefinition,
  gpSamplerDefinition,
  randomSamplerDefinition,
  tpeSamplerDefinition,
] as const;
