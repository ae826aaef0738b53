import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fromDatabaseTime, systemClock, toDatabaseTime } from '../../src/core/clock.js';

describe('database time', () => {
  it('is naive UTC with six digits', () => {
    expect(toDatabaseTime(Date.UTC(2026, 0, 2, 3, 4, 5, 67))).toBe('2026-01-02 03:04:05.067000');
    expect(toDatabaseTime(0)).toBe('1970-01-01 00:00:00.000000');
  });

  it('comes back to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (milliseconds) => {
        expect(fromDatabaseTime(toDatabaseTime(milliseconds))?.getTime()).toBe(milliseconds);
      }),
    );
  });

  it('sorts as text as it does in time', () => {
    const time = fc.integer({ min: 0, max: 4e12 });
    fc.assert(fc.property(time, time, (a, b) => toDatabaseTime(a) < toDatabaseTime(b) === a < b));
  });

  it.each([
    ['2026-01-02 03:04:05', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05.5', '2026-01-02T03:04:05.500Z'],
    ['2026-01-02 03:04:05.123456', '2026-01-02T03:04:05.123Z'],
    ['2026-01-02 03:04:05.123456789', '2026-01-02T03:04:05.123Z'],
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02 03:04:05.25+02:00', '2026-01-02T03:04:05.250Z'],
    ['2024-02-29 00:00:00', '2024-02-29T00:00:00.000Z'],
  ])('reads %s', (text, iso) => {
    expect(fromDatabaseTime(text)?.toISOString()).toBe(iso);
  });

  it.each(['', 'now', '2026-01-02', '2026-02-30 00:00:00', '2026-13-01 00:00:00', '2026-01-02 24:00:00', '03:04:05'])(
    'finds no date in "%s"',
    (text) => {
      expect(fromDatabaseTime(text)).toBeUndefined();
    },
  );
});

describe('systemClock', () => {
  it('tells the time of this machine', () => {
    const before = Date.now();
    const now = systemClock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });
});
