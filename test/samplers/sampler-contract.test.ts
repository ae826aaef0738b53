import { describe, expect, it } from 'vitest';

import { camelKeys } from '../../src/core/key-case.js';
import { samplerDefinitions } from '../../src/samplers/sampler-registry.js';
import type { Sampler } from '../../src/samplers/sampler.js';
import { samplerContract, type SamplerTraits } from '../contracts/sampler-contract.js';

interface Variant {
  readonly options: Readonly<Record<string, unknown>>;
  readonly traits?: SamplerTraits;
}

/** Options of each registered sampler; the contract runs with all of them. */
const VARIANTS: Readonly<Record<string, readonly Variant[]>> = {
  auto: [{ options: {}, traits: { trials: 16 } }],
  gp: [
    { options: { n_startup_trials: 4 }, traits: { trials: 14 } },
    { options: { n_startup_trials: 4, deterministic_objective: true }, traits: { trials: 13 } },
  ],
  random: [{ options: {} }],
  tpe: [
    { options: {} },
    { options: { n_startup_trials: 2, multivariate: false, constant_liar: false } },
    { options: { n_startup_trials: 2, group: true } },
  ],
};

describe('registered samplers', () => {
  it('all have options to be tested with', () => {
    expect(samplerDefinitions.map(({ type }) => type).sort()).toEqual(Object.keys(VARIANTS).sort());
  });
});

for (const definition of samplerDefinitions) {
  for (const { options, traits } of VARIANTS[definition.type] ?? []) {
    const create = (): Sampler => definition.create(camelKeys(definition.schema.parse(options)) as never);
    samplerContract(`${definition.type} ${JSON.stringify(options)}`, create, traits);
  }
}
