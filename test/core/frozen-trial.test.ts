import { describe, expect, it } from 'vitest';

import { CategoricalDistribution, FloatDistribution, IntDistribution } from '../../src/core/distributions.js';
import { attributeTexts, FrozenTrial, type TrialTemplate } from '../../src/core/frozen-trial.js';

const trial = (template: Partial<TrialTemplate> = {}, number = 3): FrozenTrial =>
  new FrozenTrial(10, number, { state: 'COMPLETE', ...template });

describe('FrozenTrial', () => {
  it('shows parameters in order of suggestion, as the objective saw them', () => {
    const found = trial({
      internalParams: { z: 0.5, optimizer: 1, layers: 3 },
      distributions: {
        z: new FloatDistribution(0, 1),
        optimizer: new CategoricalDistribution(['adam', 'sgd']),
        layers: new IntDistribution(1, 4),
      },
    });
    expect(Object.entries(found.params)).toEqual([
      ['z', 0.5],
      ['optimizer', 'sgd'],
      ['layers', 3],
    ]);
    expect(Object.isFrozen(found.params)).toBe(true);
    expect(found.params).toBe(found.params);
    expect(() => trial({ internalParams: { x: 1 } }).params).toThrow('"x" has no distribution');
  });

  it('has one value, or several, or none', () => {
    expect(trial({ values: [0.25] }).value).toBe(0.25);
    expect(trial().value).toBeUndefined();
    expect(() => trial({ values: [1, 2] }).value).toThrow(RangeError);
  });

  it('reads attributes, NaN included', () => {
    const found = trial({
      userAttrTexts: attributeTexts({ note: 'é', loss: NaN, list: [1, null] }),
      systemAttrTexts: { fixed_params: '{"x": Infinity}' },
    });
    expect(found.userAttrs).toEqual({ note: 'é', loss: NaN, list: [1, null] });
    expect(found.systemAttr('fixed_params')).toEqual({ x: Infinity });
    expect(found.systemAttrs).toEqual({ fixed_params: { x: Infinity } });
    expect(found.systemAttr('none')).toBeUndefined();
  });

  it('finds the highest step, whatever the order and size', () => {
    expect(trial().lastStep).toBeUndefined();
    expect(trial({ intermediateValues: { 10: 1, 2: 5 } }).lastStep).toBe(10);
    // Beyond 2^32 - 2, keys of an object are no longer sorted.
    expect(trial({ intermediateValues: { 9_000_000_000: 1, 8_000_000_000: 2 } }).lastStep).toBe(9_000_000_000);
  });

  it('knows its times', () => {
    const found = trial({ startedAt: '2026-01-01 00:00:00.000000', completedAt: '2026-01-01 00:01:00.500000' });
    expect(found.duration).toBe(60_500);
    expect(found.datetimeStart?.toISOString()).toBe('2026-01-01T00:00:00.000Z');
    expect(trial({ startedAt: '2026-01-01 00:00:00' }).duration).toBeUndefined();
    expect(trial().datetimeComplete).toBeUndefined();
  });

  it('is finished in three of five states', () => {
    const states = ['RUNNING', 'WAITING', 'COMPLETE', 'PRUNED', 'FAIL'] as const;
    expect(states.filter((state) => trial({ state }).isFinished)).toEqual(['COMPLETE', 'PRUNED', 'FAIL']);
  });

  it('tells interrupted from failed', () => {
    const interrupted = { 'resweep:interrupted': '{"reason": "process gone"}' };
    expect(trial({ state: 'FAIL', systemAttrTexts: interrupted }).isInterrupted).toBe(true);
    expect(trial({ state: 'FAIL' }).isInterrupted).toBe(false);
    expect(trial({ state: 'COMPLETE', systemAttrTexts: interrupted }).isInterrupted).toBe(false);
  });

  it('has a logical index, its number where none is stored', () => {
    expect(trial({}, 7).logicalIndex).toBe(7);
    expect(trial({ systemAttrTexts: { 'resweep:logical_index': '5' } }, 7).logicalIndex).toBe(5);
    expect(trial({ systemAttrTexts: { 'resweep:logical_index': '0' } }, 7).logicalIndex).toBe(0);
  });

  it('merges both forms of constraints', () => {
    expect(trial().constraints).toBeUndefined();
    expect(trial().isFeasible).toBe(true);
    const list = trial({ systemAttrTexts: { constraints: '[0.5, -1.0]' } });
    expect(list.constraints).toEqual({ '0': 0.5, '1': -1 });
    expect(list.isFeasible).toBe(false);
    const named = trial({
      systemAttrTexts: {
        constraints: '[-1, 0]',
        'resweep:constraint_names': '["memory", "time"]',
        'constraints:size': '-Infinity',
      },
    });
    expect(named.constraints).toEqual({ memory: -1, time: 0, size: -Infinity });
    expect(named.isFeasible).toBe(true);
    expect(trial({ systemAttrTexts: { constraints: 'null' } }).constraints).toBeUndefined();
    expect(trial({ systemAttrTexts: { 'constraints:a': 'NaN' } }).isFeasible).toBe(false);
  });

  it('changes by making another', () => {
    const before = trial({ state: 'RUNNING', userAttrTexts: { a: '1' } });
    const after = before.with({ state: 'COMPLETE', values: [1] });
    expect([before.state, before.values, after.state, after.value]).toEqual(['RUNNING', undefined, 'COMPLETE', 1]);
    expect([after.trialId, after.number, after.userAttrs]).toEqual([10, 3, { a: 1 }]);
    expect(new FrozenTrial(10, 3, after.toTemplate())).toEqual(after);
  });
});
