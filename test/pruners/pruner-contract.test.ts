import { describe, expect, it } from 'vitest';

import { camelKeys } from '../../src/core/key-case.js';
import type { Pruner } from '../../src/pruners/pruner.js';
import { prunerDefinitions } from '../../src/pruners/pruner-registry.js';
import { prunerContract } from '../contracts/pruner-contract.js';

/** Options of each registered pruner; the contract runs with all of them. */
const OPTIONS: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
  median: [{}, { n_startup_trials: 1, n_warmup_steps: 2, interval_steps: 3 }],
  percentile: [{ percentile: 25 }, { percentile: 75, n_startup_trials: 0 }],
  'successive-halving': [{}, { min_resource: 2, reduction_factor: 2 }],
  hyperband: [{}, { min_resource: 1, max_resource: 16, reduction_factor: 2 }],
  threshold: [{ lower: -1.5, upper: 1.5 }],
  patient: [{ patience: 1 }, { patience: 0, min_delta: 0.1, wrapped_pruner: 'median' }],
  wilcoxon: [{}, { p_threshold: 0.4 }],
  nop: [{}],
};

describe('registered pruners', () => {
  it('all have options to be tested with', () => {
    expect(prunerDefinitions.map(({ type }) => type).sort()).toEqual(Object.keys(OPTIONS).sort());
  });
});

for (const definition of prunerDefinitions) {
  for (const options of OPTIONS[definition.type] ?? []) {
    const create = (): Pruner => definition.create(camelKeys(definition.schema.parse(options)) as never);
    prunerContract(`${definition.type} ${JSON.stringify(options)}`, create);
  }
}
