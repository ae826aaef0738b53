import { z } from 'zod';

import type { CategoricalChoice } from '../core/distributions.js';
import { PartialFixedSampler } from './partial-fixed-sampler.js';
import { createWrappedSampler, wrappedSamplerSchema, type WrappedSamplerConfig } from './plain-samplers.js';

export const partialFixedSamplerDefinition = {
  type: 'partial-fixed',
  summary: 'Some parameters fixed, the others by another sampler',
  schema: z
    .object({
      fixed_params: z
        .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
        .describe('Value of each parameter that is not to be searched.'),
      base_sampler: wrappedSamplerSchema.describe('Draws all others.'),
    })
    .strict(),
  create: (options: { fixedParams: Readonly<Record<string, CategoricalChoice>>; baseSampler: WrappedSamplerConfig }) =>
    new PartialFixedSampler({
      fixedParams: options.fixedParams,
      baseSampler: createWrappedSampler(options.baseSampler),
    }),
};
