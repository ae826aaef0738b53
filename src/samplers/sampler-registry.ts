import { partialFixedSamplerDefinition } from './partial-fixed-definition.js';
import { plainSamplerDefinitions } from './plain-samplers.js';

/** Every sampler that a configuration can name. */
export const samplerDefinitions = [...plainSamplerDefinitions, partialFixedSamplerDefinition] as const;
