import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  canonicalJson,
  floatToJson,
  parseJson,
  strictJson,
  stringifyJson,
  type JsonValue,
} from '../../src/core/json.js';
import { recorded } from './recorded.js';

const doubleOf = (hex: string): number => Buffer.from(hex, 'hex').readDoubleBE();

describe('floatToJson', () => {
  it('writes every recorded double as Python does', () => {
    expect(recorded.doubles.length).toBeGreaterThan(1000);
    for (const [hex, text] of recorded.doubles) expect(floatToJson(doubleOf(hex))).toBe(text);
  });

  it('writes what is not finite as Python does', () => {
    expect([NaN, Infinity, -Infinity].map((value) => floatToJson(value))).toEqual(['NaN', 'Infinity', '-Infinity']);
  });

  it('loses no bit', () => {
    fc.assert(fc.property(fc.double(), (value) => Object.is(parseJson(floatToJson(value)), value)));
  });
});

describe('parseJson and stringifyJson', () => {
  it.each(recorded.texts.map((text) => [text]))('gives %s back as Python wrote it', (text) => {
    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  it('reads what a JavaScript number cannot hold', () => {
    expect(parseJson('[9007199254740993, -9223372036854775808, 9007199254740991]')).toEqual([
      9007199254740993n,
      -9223372036854775808n,
      9007199254740991,
    ]);
    expect(parseJson('{"a": NaN, "b": [-Infinity, Infinity]}')).toEqual({ a: NaN, b: [-Infinity, Infinity] });
  });

  it('reads the same as the built-in parser, whichever of the two is used', () => {
    // A NaN in front makes sure that our own reader is used.
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(`[NaN, ${text}]`)).toEqual([NaN, parseJson(text)]);
      }),
    );
  });

  it('gives any value back', () => {
    const value = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        fc.double(),
        fc.string({ unit: 'binary' }),
        fc.bigInt({ min: 2n ** 60n, max: 2n ** 80n }),
        fc.array(tie('value')),
        fc.dictionary(fc.string(), tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(value, (given) => {
        const found = parseJson(stringifyJson(given));
        expect(stringifyJson(found)).toBe(stringifyJson(given));
        expect(found).toEqual(given);
      }),
    );
  });

  it('keeps a key named __proto__ as data', () => {
    for (const text of ['{"__proto__": NaN}', '{"__proto__": 1}']) {
      const found = parseJson(text);
      expect(Object.keys(found as object)).toEqual(['__proto__']);
      expect(stringifyJson(found)).toBe(text);
    }
  });

  it('leaves out undefined members and refuses what JSON cannot hold', () => {
    expect(stringifyJson({ a: 1, b: undefined } as unknown as JsonValue)).toBe('{"a": 1}');
    expect(() => stringifyJson((() => 1) as unknown as JsonValue)).toThrow(TypeError);
  });

  it.each([
    ['[NaN', 4],
    ['NaN]', 3],
    ['{"a": NaN,}', 10],
    ['{NaN: 1}', 1],
    ['[NaN "a"]', 5],
    ['{"a" NaN}', 5],
    ['["abc, NaN', 10],
    ['[01, NaN]', 2],
    ['[NaN, ]', 6],
    ['-NaN', 0],
    ['', undefined],
    ['[1,]', undefined],
  ])('refuses %s', (text, position) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
    if (position !== undefined) expect(() => parseJson(text)).toThrow(`position ${position}`);
  });
});

describe('canonicalJson', () => {
  it('sorts keys at every depth and leaves no space', () => {
    expect(canonicalJson({ b: [1, { z: null, a: 'é' }], a: { d: 2.5, c: true } })).toBe(
      '{"a":{"c":true,"d":2.5},"b":[1,{"a":"é","z":null}]}',
    );
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed as JsonValue)).toBe(canonicalJson(value as JsonValue));
      }),
    );
  });
});

describe('strictJson', () => {
  it('is read by every reader, infinities as such', () => {
    const value = { a: [Infinity, -Infinity, NaN, 1.5], 'NaN ☃': 'Infinity', deep: { b: -Infinity, c: null } };
    const text = strictJson(value);
    expect(JSON.parse(text)).toEqual({ ...value, a: [Infinity, -Infinity, null, 1.5] });
    expect(text).not.toMatch(/[^"]NaN|[^"]Infinity/);
  });

  it('is what Python writes where all is finite', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(strictJson(value as JsonValue)).toBe(stringifyJson(value as JsonValue));
      }),
    );
  });
});
