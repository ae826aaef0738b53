import { describe, expect, it } from 'vitest';

import { componentSchema } from '../../src/config/component-schema.js';
import { UsageError } from '../../src/core/errors.js';
import { HyperbandPruner } from '../../src/pruners/hyperband-pruner.js';
import { patientPrunerDefinition, PatientPruner } from '../../src/pruners/patient-pruner.js';
import { prunerDefinitions } from '../../src/pruners/pruner-registry.js';
import { SuccessiveHalvingPruner } from '../../src/pruners/successive-halving-pruner.js';
import { ThresholdPruner } from '../../src/pruners/threshold-pruner.js';
import { WilcoxonPruner } from '../../src/pruners/wilcoxon-pruner.js';

describe('options of pruners', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['resource 0', () => new SuccessiveHalvingPruner({ minResource: 0 }), /minResource.*got 0/],
    ['reduction 1', () => new SuccessiveHalvingPruner({ reductionFactor: 1 }), /reductionFactor.*got 1/],
    ['a rate below 0', () => new SuccessiveHalvingPruner({ minEarlyStoppingRate: -1 }), /minEarlyStoppingRate/],
    ['a count below 0', () => new SuccessiveHalvingPruner({ bootstrapCount: -1 }), /bootstrapCount/],
    ['bootstrap with auto', () => new SuccessiveHalvingPruner({ bootstrapCount: 1 }), /minResource 'auto'/],
    ['Hyperband with reduction 1', () => new HyperbandPruner({ reductionFactor: 1 }), /reductionFactor/],
    ['less than the least', () => new HyperbandPruner({ minResource: 9, maxResource: 3 }), /maxResource.*\(9\).*got 3/],
    ['Hyperband, bootstrap with auto', () => new HyperbandPruner({ bootstrapCount: 1 }), /maxResource 'auto'/],
    ['no bound', () => new ThresholdPruner({}), /lower or upper/],
    ['bounds the wrong way', () => new ThresholdPruner({ lower: 2, upper: 1 }), /lower=2, upper=1/],
    ['a bound that is no number', () => new ThresholdPruner({ lower: NaN }), /lower.*NaN/],
    ['an interval of 0', () => new ThresholdPruner({ lower: 0, intervalSteps: 0 }), /intervalSteps/],
    ['patience below 0', () => new PatientPruner(undefined, { patience: -1 }), /patience.*got -1/],
    ['minDelta below 0', () => new PatientPruner(undefined, { patience: 1, minDelta: -1 }), /minDelta/],
    ['a probability above 1', () => new WilcoxonPruner({ pThreshold: 1.1 }), /pThreshold.*got 1.1/],
    ['steps below 0', () => new WilcoxonPruner({ nStartupSteps: -1 }), /nStartupSteps/],
  ])('%s is refused', (_, create, message) => {
    expect(create).toThrow(UsageError);
    expect(create).toThrow(message);
  });

  it.each<[object, (string | number)[], Record<string, unknown>]>([
    [{ type: 'threshold' }, [], { text: 'lower or upper must be given' }],
    [
      { type: 'hyperband', min_resource: 9, max_resource: 3 },
      [],
      { text: 'max_resource must not be below min_resource' },
    ],
    [{ type: 'patient', patience: 1, wrapped_pruner: 'hyperbad' }, ['wrapped_pruner'], { nearest: 'hyperband' }],
    [
      { type: 'patient', patience: 1, wrapped_pruner: { type: 'hyperbad' } },
      ['wrapped_pruner', 'type'],
      { nearest: 'hyperband' },
    ],
    [
      { type: 'patient', patience: 1, wrapped_pruner: { type: 'hyperband', max_resources: 9 } },
      ['wrapped_pruner', 'max_resources'],
      { nearest: 'max_resource', aboutKey: true },
    ],
  ])('%j is refused with the place and what is allowed', (config, path, details) => {
    const { error } = componentSchema(prunerDefinitions, '').safeParse(config);
    expect(error?.issues).toHaveLength(1);
    expect(error?.issues[0]).toMatchObject({ path, params: details });
  });

  it('a wrapped pruner is checked with its own options', () => {
    const { schema } = patientPrunerDefinition;
    const accepts = (wrapped: unknown): boolean => schema.safeParse({ patience: 1, wrapped_pruner: wrapped }).success;
    expect(accepts('median')).toBe(true);
    expect(accepts({ type: 'hyperband', max_resource: 9 })).toBe(true);
    expect(accepts('patient')).toBe(false);
    expect(accepts('medium')).toBe(false);
    expect(accepts({ type: 'percentile' })).toBe(false);
    expect(accepts({ type: 'median', percentile: 3 })).toBe(false);
  });
});
