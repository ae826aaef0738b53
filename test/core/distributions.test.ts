import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decimalSum } from '../../src/core/decimal.js';
import {
  CategoricalDistribution,
  FloatDistribution,
  IntDistribution,
  isCompatible,
  isSameDistribution,
  parseDistribution,
} from '../../src/core/distributions.js';
import { UsageError } from '../../src/core/errors.js';
import { recorded } from './recorded.js';

describe('texts', () => {
  it.each(recorded.floats)(
    'float %d…%d, step %s, log %s is what Optuna writes',
    (low, high, step, log, json, single) => {
      const made = new FloatDistribution(low, high, { log, step: step ?? undefined });
      expect(made.json).toBe(json);
      expect(made.single()).toBe(single);
      const read = parseDistribution(json);
      expect(isSameDistribution(read, made)).toBe(true);
      expect(read.json).toBe(json);
    },
  );

  it.each(recorded.ints)('int %d…%d, step %s, log %s is what Optuna writes', (low, high, step, log, json, single) => {
    const made = new IntDistribution(low, high, { log, step: step ?? 1 });
    expect(made.json).toBe(json);
    expect(made.single()).toBe(single);
    expect(isSameDistribution(parseDistribution(json), made)).toBe(true);
  });

  it.each(recorded.categoricals.map((json) => [json]))('%s is read, and written again alike', (json) => {
    const read = parseDistribution(json);
    expect(read.json).toBe(json);
    expect(parseDistribution(json)).toBe(read);
    if (read.kind !== 'categorical') throw new Error('a categorical was expected');
    // The one text with floats that look like integers cannot be told from integers afterwards.
    if (!json.includes('1e+16')) expect(new CategoricalDistribution(read.choices).json).toBe(json);
  });

  it('reads a shortened form, missing options and the classes of earlier versions', () => {
    const same = (json: string, distribution: Parameters<typeof isSameDistribution>[1]) => {
      expect(isSameDistribution(parseDistribution(json), distribution)).toBe(true);
      expect(parseDistribution(json).json).toBe(json);
    };
    same('{"type": "float", "low": 0.5, "high": 1}', new FloatDistribution(0.5, 1));
    same('{"type": "int", "low": 1, "high": 8, "log": true}', new IntDistribution(1, 8, { log: true }));
    same('{"type": "categorical", "choices": ["a", null]}', new CategoricalDistribution(['a', null]));
    same('{"name": "FloatDistribution", "attributes": {"low": 0, "high": 1}}', new FloatDistribution(0, 1));
    same('{"name": "IntDistribution", "attributes": {"low": 0, "high": 1}}', new IntDistribution(0, 1));
    same('{"name": "UniformDistribution", "attributes": {"low": 0, "high": 1}}', new FloatDistribution(0, 1));
    same(
      '{"name": "LogUniformDistribution", "attributes": {"low": 0.1, "high": 1}}',
      new FloatDistribution(0.1, 1, { log: true }),
    );
    same(
      '{"name": "DiscreteUniformDistribution", "attributes": {"low": 0, "high": 1, "q": 0.3}}',
      new FloatDistribution(0, 1, { step: 0.3 }),
    );
    same(
      '{"name": "IntUniformDistribution", "attributes": {"low": 0, "high": 9, "step": 2}}',
      new IntDistribution(0, 9, { step: 2 }),
    );
    same(
      '{"name": "IntLogUniformDistribution", "attributes": {"low": 1, "high": 9, "step": 1}}',
      new IntDistribution(1, 9, { log: true }),
    );
  });

  it.each([
    '{"name": "Other", "attributes": {}}',
    '{}',
    'null',
    '[1]',
    '{"name": "FloatDistribution", "attributes": {}}',
    '{"name": "FloatDistribution", "attributes": 1}',
    '{"type": "categorical"}',
    '{"type": "categorical", "choices": "ab"}',
    '{"type": "categorical", "choices": [[1]]}',
  ])('refuses %s', (json) => expect(() => parseDistribution(json)).toThrow(UsageError));

  it('refuses what is no JSON', () => {
    expect(() => parseDistribution('{"name"')).toThrow(SyntaxError);
  });
});

describe('contains', () => {
  it('agrees with Optuna on steps', () => {
    for (const [low, high, step, value, contained] of recorded.contains) {
      const found = new FloatDistribution(low, high, { step }).contains(value);
      expect([low, high, step, value, found]).toEqual([low, high, step, value, contained]);
    }
  });

  it('knows bounds, steps and NaN', () => {
    const float = new FloatDistribution(-1, 1);
    expect([-1, 1, 0, -1.0001, 1.0001, NaN, Infinity].map((value) => float.contains(value))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    const int = new IntDistribution(1, 10, { step: 3 });
    expect([1, 4, 10, 0, 5, 13, 2.5, NaN].map((value) => int.contains(value))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
    const categorical = new CategoricalDistribution(['a', 'b']);
    expect([0, 1, 2, -1, 0.5, NaN].map((value) => categorical.contains(value))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it('holds for every point of a decimal grid', () => {
    const decimal = fc.integer({ min: -5000, max: 5000 }).map((n) => n / 1000);
    fc.assert(
      fc.property(
        decimal,
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 0, max: 200 }),
        (low, thousandths, k) => {
          const step = thousandths / 1000;
          const high = decimalSum(low, k, step);
          const distribution = new FloatDistribution(low, high, { step });
          expect(distribution.high).toBe(high);
          expect(distribution.contains(high)).toBe(true);
          expect(new FloatDistribution(low, high + step * 0.4, { step }).high).toBe(high);
        },
      ),
    );
  });
});

describe('values', () => {
  it('float and int store themselves', () => {
    expect(new FloatDistribution(0, 1).toInternal(0.25)).toBe(0.25);
    expect(new IntDistribution(0, 9).toInternal(4n)).toBe(4);
    expect(new IntDistribution(0, 9).toExternal(4)).toBe(4);
    for (const value of ['1', null, true, NaN]) {
      expect(() => new FloatDistribution(0, 1).toInternal(value)).toThrow(UsageError);
      expect(() => new IntDistribution(0, 9).toInternal(value)).toThrow(UsageError);
    }
    expect(() => new IntDistribution(0, 9).toInternal(1.5)).toThrow('1.5 is not a whole number');
  });

  it('a choice is stored as its index', () => {
    const distribution = new CategoricalDistribution(['a', 1, 2.5, true, null, NaN]);
    for (const [index, choice] of distribution.choices.entries()) {
      expect(distribution.toInternal(choice)).toBe(index);
      expect(distribution.toExternal(index)).toBe(choice);
    }
    expect(() => distribution.toInternal('b')).toThrow('"b" is none of the choices ["a", 1, 2.5, true, null, NaN]');
    expect(() => distribution.toExternal(6)).toThrow(RangeError);
  });

  it('takes what Python takes for the same', () => {
    expect(new CategoricalDistribution([0, 1]).toInternal(true)).toBe(1);
    expect(new CategoricalDistribution([false, true]).toInternal(0)).toBe(0);
    expect(new CategoricalDistribution([0]).toInternal(-0)).toBe(0);
    expect(() => new CategoricalDistribution(['1']).toInternal(1)).toThrow(UsageError);
  });

  it('copies and freezes its choices', () => {
    const choices = ['a', 'b'];
    const distribution = new CategoricalDistribution(choices);
    choices.push('c');
    expect(distribution.choices).toEqual(['a', 'b']);
    expect(Object.isFrozen(distribution.choices)).toBe(true);
  });
});

describe('wrong ranges', () => {
  it.each<[string, () => unknown]>([
    ['low must not be above high', () => new FloatDistribution(1, 0)],
    ['finite bounds', () => new FloatDistribution(0, Infinity)],
    ['finite bounds', () => new FloatDistribution(NaN, 1)],
    ['cannot have a step', () => new FloatDistribution(1, 2, { log: true, step: 0.1 })],
    ['must begin above 0', () => new FloatDistribution(0, 2, { log: true })],
    ['step must be above 0', () => new FloatDistribution(0, 2, { step: 0 })],
    ['step must be', () => new FloatDistribution(0, 2, { step: NaN })],
    ['step must be', () => new FloatDistribution(0, 2, { step: Infinity })],
    ['whole number', () => new IntDistribution(0.5, 2)],
    ['whole number', () => new IntDistribution(0, 2, { step: 0.5 })],
    ['low must not be above high', () => new IntDistribution(3, 2)],
    ['step must be 1 or more', () => new IntDistribution(0, 2, { step: 0 })],
    ['cannot have a step', () => new IntDistribution(1, 4, { log: true, step: 2 })],
    ['must begin at 1', () => new IntDistribution(0, 4, { log: true })],
    ['at least one choice', () => new CategoricalDistribution([])],
  ])('%s', (message, make) => {
    expect(make).toThrow(UsageError);
    expect(make).toThrow(message);
  });
});

describe('comparing', () => {
  it('compatible: same kind, same log, same choices in order', () => {
    expect(isCompatible(new FloatDistribution(0, 1), new FloatDistribution(5, 9, { step: 1 }))).toBe(true);
    expect(isCompatible(new FloatDistribution(1, 2), new FloatDistribution(1, 2, { log: true }))).toBe(false);
    expect(isCompatible(new FloatDistribution(0, 1), new IntDistribution(0, 1))).toBe(false);
    expect(isCompatible(new CategoricalDistribution([NaN, 'a']), new CategoricalDistribution([NaN, 'a']))).toBe(true);
    expect(isCompatible(new CategoricalDistribution(['b', 'a']), new CategoricalDistribution(['a', 'b']))).toBe(false);
    expect(isCompatible(new CategoricalDistribution(['a']), new CategoricalDistribution(['a', 'b']))).toBe(false);
  });

  it('same: every attribute, whatever the text', () => {
    const read = parseDistribution('{"type":"float","low":0,"high":1}');
    expect(isSameDistribution(read, new FloatDistribution(0, 1))).toBe(true);
    expect(isSameDistribution(read, new FloatDistribution(0, 2))).toBe(false);
    expect(isSameDistribution(read, new FloatDistribution(0, 1, { step: 0.5 }))).toBe(false);
    expect(isSameDistribution(new IntDistribution(0, 9), new IntDistribution(0, 8))).toBe(false);
  });
});
