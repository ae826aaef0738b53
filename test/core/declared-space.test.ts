import { describe, expect, it } from 'vitest';

import { isActive, type Condition } from '../../src/core/declared-space.js';
import { FloatDistribution } from '../../src/core/distributions.js';

const parameter = (...conditions: Condition[]) => ({
  name: 'momentum',
  distribution: new FloatDistribution(0, 1),
  conditions,
});

describe('isActive', () => {
  it('always, without a condition', () => {
    expect(isActive(parameter(), {})).toBe(true);
  });

  it('where another parameter has one of the values', () => {
    const sgd = parameter({ parameter: 'optimizer', oneOf: ['sgd', null, NaN] });
    for (const optimizer of ['sgd', null, NaN]) expect(isActive(sgd, { optimizer })).toBe(true);
    for (const optimizer of ['adam', 'SGD', 0, false]) expect(isActive(sgd, { optimizer })).toBe(false);
    expect(isActive(parameter({ parameter: 'on', oneOf: [true] }), { on: 1 })).toBe(false);
  });

  it('from or up to a number, bounds included', () => {
    const third = parameter({ parameter: 'layers', atLeast: 3 });
    expect([2, 3, 4].map((layers) => isActive(third, { layers }))).toEqual([false, true, true]);
    const small = parameter({ parameter: 'layers', atMost: 2 });
    expect([2, 3].map((layers) => isActive(small, { layers }))).toEqual([true, false]);
    expect(isActive(third, { layers: '3' })).toBe(false);
    expect(isActive(third, { layers: NaN })).toBe(false);
  });

  it('never where the parameter it depends on is itself inactive', () => {
    expect(isActive(parameter({ parameter: 'layers', atMost: 9 }), { units: 1 })).toBe(false);
  });

  it('where all conditions hold', () => {
    const both = parameter({ parameter: 'layers', atLeast: 2 }, { parameter: 'optimizer', oneOf: ['sgd'] });
    expect(isActive(both, { layers: 2, optimizer: 'sgd' })).toBe(true);
    expect(isActive(both, { layers: 1, optimizer: 'sgd' })).toBe(false);
    expect(isActive(both, { layers: 2, optimizer: 'adam' })).toBe(false);
  });
});
