import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { parseExpression, type ExpressionValue } from '../../src/config/expression.js';
import { UsageError } from '../../src/core/errors.js';

function evaluate(text: string, values: Readonly<Record<string, ExpressionValue>> = {}): ExpressionValue {
  return parseExpression(text).evaluate(new Map(Object.entries(values)));
}

describe('rules', () => {
  test.each<[string, Readonly<Record<string, ExpressionValue>>, ExpressionValue]>([
    ['layers * units_0 <= 512', { layers: 2, units_0: 256 }, true],
    ['layers * units_0 <= 512', { layers: 3, units_0: 256 }, false],
    ['optimizer == "sgd" and momentum > 0.5 or layers == 1', { optimizer: 'sgd', momentum: 0.9, layers: 3 }, true],
    ["not (optimizer == 'sgd')", { optimizer: 'sgd' }, false],
    ['!a && b || c', { a: true, b: true, c: false }, false],
    ['optimizer in ["adam", "sgd"]', { optimizer: 'sgd' }, true],
    ['sum(units) <= 10 and max(units) < 9 and len(units) == 2', { units: [2, 8] }, true],
    ['min(a, b, 3) == 1', { a: 1, b: 2 }, true],
    ['sqrt(a) + log2(8) == 5', { a: 4 }, true],
    ['2 ** 3 ** 2 == 512', {}, true],
    ['a > 1 ? b : not b', { a: 2, b: false }, false],
    ['model.layers > 1', { 'model.layers': 2 }, true],
    ['a != null', { a: 1 }, true],
    ['-a % 2 == -1', { a: 3 }, true],
    ['"abc" < "abd"', {}, true],
    ['round(abs(-2.4)) == floor(2.9) and ceil(0.1) == 1', {}, true],
  ])('%s', (text, values, expected) => {
    expect(evaluate(text, values)).toBe(expected);
  });

  test.each([
    ['a +', 'is no expression'],
    ['a b', 'holds several expressions'],
    ['', 'holds several expressions'],
    ['process.exit(1)', 'calls something that is no function'],
    ['constructor(1)', 'calls constructor, which does not exist'],
    ['a["b"] > 1', 'may name parameters only by name'],
    ['this.a', 'may name parameters only by name'],
    ['a = 3', 'is no expression'],
    ['sqrt(1, 2) > 1', 'calls sqrt with 2 values; it takes 1'],
    ['sqr(2) > 1', 'Did you mean "sqrt"?'],
    ['a === 1', 'is no expression'],
    ['min() > 0', 'it takes at least one'],
  ])('%s is refused', (text, message) => {
    expect(() => parseExpression(text)).toThrow(UsageError);
    expect(() => parseExpression(text)).toThrow(message);
  });

  test.each([
    ['a + 1 > 2', { a: 'x' }, 'applies + to "x", which is no number'],
    ['a and b', { a: 1, b: true }, 'takes 1 for true or false'],
    ['a in b', { a: 1, b: 2 }, 'needs a list after "in"'],
    ['c > 1', {}, 'names c, which has no value here'],
  ])('%s cannot be computed', (text, values, message) => {
    expect(() => evaluate(text, values)).toThrow(message);
  });

  test('names are those of parameters only', () => {
    expect(parseExpression('max(a, b_0) > a * model.c').names).toEqual(['a', 'b_0', 'model.c']);
  });

  test('arithmetic is that of numbers', () => {
    const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(number, number, number, (a, b, c) => {
        const values = { a, b, c };
        expect(evaluate('a + b * c - a / 2', values)).toBe(a + b * c - a / 2);
        expect(evaluate('(a + b) * c', values)).toBe((a + b) * c);
        expect(evaluate('a <= b and b <= c', values)).toBe(a <= b && b <= c);
        expect(evaluate('a < b or not (c >= a)', values)).toBe(a < b || !(c >= a));
      }),
    );
  });

  test('any text either parses or is refused with a UsageError', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9+\-*/<>=!&|()[\],."' ?:]{0,30}$/), (text) => {
        try {
          parseExpression(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
