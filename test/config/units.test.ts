import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formatDuration, formatSize, parseDuration, parseShare, parseSize } from '../../src/config/units.js';

describe('durations', () => {
  test.each([
    ['30m', 1_800_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['90s', 90_000],
    ['500ms', 500],
    ['3d', 259_200_000],
    ['2w', 1_209_600_000],
    ['5min', 300_000],
    [' 12H ', 43_200_000],
    ['.5s', 500],
  ])('%s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each([30, '30', '', 'm', '-3m', '1h1h', '3x', '1h30', '1 h m', 'five minutes', null, true, '1e3s'])(
    '%j is none',
    (value) => {
      expect(parseDuration(value)).toBeUndefined();
    },
  );

  test('what is written reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
      }),
    );
    expect(formatDuration(5_400_000)).toBe('1h30m');
  });
});

describe('sizes', () => {
  test.each([
    ['4GB', 4e9],
    ['4 gb', 4e9],
    ['1.5MB', 1.5e6],
    ['1GiB', 2 ** 30],
    ['512kib', 524_288],
    ['7B', 7],
  ])('%s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([4, '4', '4G', 'GB', '-1GB', '1e3B', '', null])('%j is none', (value) => {
    expect(parseSize(value)).toBeUndefined();
  });

  test('what is written reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (bytes) => {
        expect(parseSize(formatSize(bytes))).toBe(bytes);
      }),
    );
    expect([formatSize(4e9), formatSize(2 ** 20), formatSize(1234)]).toEqual(['4GB', '1MiB', '1234B']);
  });
});

describe('shares', () => {
  test('percentages are exact decimals', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (hundredths) => {
        expect(parseShare(`${hundredths / 100}%`)).toBe(Number((hundredths / 10_000).toPrecision(15)));
      }),
    );
    expect([parseShare('1%'), parseShare('7%'), parseShare(0.2)]).toEqual([0.01, 0.07, 0.2]);
  });

  test.each([-0.1, 1.1, '101%', '20', '%', null])('%j is none', (value) => {
    expect(parseShare(value)).toBeUndefined();
  });
});
