import { describe, expect, it } from 'vitest';

import type { CategoricalChoice } from '../../src/core/distributions.js';
import { camelKeys } from '../../src/core/key-case.js';
import type { SearchSpace } from '../../src/core/study-view.js';
import { samplerDefinitions } from '../../src/samplers/sampler-registry.js';
import type { Sampler } from '../../src/samplers/sampler.js';
import { countValues, valueAt } from '../../src/samplers/finite-space.js';
import { samplerContract, type SamplerTraits } from '../contracts/sampler-contract.js';

type Options = Readonly<Record<string, unknown>>;

interface Variant {
  readonly options: Options | ((space: SearchSpace) => Options);
  readonly traits?: SamplerTraits;
}

/** The first values of each parameter. */
function gridOf(space: SearchSpace): Record<string, CategoricalChoice[]> {
  return Object.fromEntries(
    Object.entries(space).map(([name, distribution]) => [
      name,
      Array.from({ length: Math.min(3, countValues(distribution)) }, (_, i) => valueAt(distribution, i)),
    ]),
  );
}

/** Options of each registered sampler; the contract runs with all of them. */
const VARIANTS: Readonly<Record<string, readonly Variant[]>> = {
  auto: [{ options: {}, traits: { trials: 16 } }],
  gp: [
    { options: { n_startup_trials: 4 }, traits: { trials: 14 } },
    { options: { n_startup_trials: 4, deterministic_objective: true }, traits: { trials: 13 } },
  ],
  'brute-force': [
    { options: {}, traits: { isFinite: true, isRangeFixed: true } },
    { options: { avoid_premature_stop: true }, traits: { isFinite: true, isRangeFixed: true } },
  ],
  'cma-es': [
    { options: {} },
    { options: { popsize: 3, restart_strategy: 'ipop', consider_pruned_trials: true } },
    { options: { popsize: 3, restart_strategy: 'bipop', use_separable_cma: true } },
    { options: { popsize: 4, with_margin: true, sigma0: 0.3 } },
    { options: { popsize: 4, lr_adapt: true, independent_sampler: 'tpe' } },
  ].map((variant) => ({ ...variant, traits: { isSingleObjective: true } })),
  grid: [{ options: (space) => ({ search_space: gridOf(space) }), traits: { isFinite: true, ignoresStudySeed: true } }],
  'nsga-ii': [
    { options: { population_size: 5 } },
    { options: { population_size: 4, crossover: 'sbx', mutation: 'polynomial' } },
    {
      options: { population_size: 4, crossover: { type: 'blx-alpha', alpha: 3 }, crossover_prob: 1, mutation_prob: 0 },
    },
    {
      options: { population_size: 5, crossover: 'undx', mutation: { type: 'polynomial', eta: 2 }, mutation_prob: 0.5 },
    },
  ],
  'nsga-iii': [
    { options: { population_size: 5, crossover: 'spx' } },
    { options: { population_size: 4, crossover: 'vsbx', dividing_parameter: 2 } },
  ],
  'partial-fixed': [
    { options: { fixed_params: { share: 0.5 }, base_sampler: { type: 'tpe', n_startup_trials: 3 } } },
    { options: { fixed_params: { share: 0.5, n: 2 }, base_sampler: 'qmc' } },
  ],
  qmc: [
    { options: {} },
    { options: { qmc_type: 'sobol', scramble: true } },
    { options: { qmc_type: 'halton' } },
    { options: { qmc_type: 'halton', scramble: true } },
  ],
  random: [{ options: {} }],
  tpe: [
    { options: {} },
    { options: { n_startup_trials: 2, multivariate: false, constant_liar: false } },
    { options: { n_startup_trials: 2, group: true } },
    {
      options: {
        n_startup_trials: 0,
        gamma: 'hyperopt',
        weights: 'uniform',
        prior_weight: 0.5,
        consider_endpoints: true,
      },
    },
  ],
};

describe('registered samplers', () => {
  it('all have options to be tested with', () => {
    expect(samplerDefinitions.map(({ type }) => type).sort()).toEqual(Object.keys(VARIANTS).sort());
  });
});

for (const definition of samplerDefinitions) {
  for (const { options, traits } of VARIANTS[definition.type] ?? []) {
    const create = (space: SearchSpace): Sampler =>
      definition.create(
        camelKeys<unknown>(definition.schema.parse(typeof options === 'function' ? options(space) : options)) as never,
      );
    samplerContract(
      `${definition.type} ${typeof options === 'function' ? '' : JSON.stringify(options)}`,
      create,
      traits,
    );
  }
}
