import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { roundedLogarithm } from '../../src/algorithms/rounded-logarithm.js';
import { parseJson } from '../../src/core/json.js';

const facts = parseJson(readFileSync(new URL('../golden/pruner-facts.json', import.meta.url), 'utf8')) as unknown as {
  readonly logarithms: readonly (readonly [number, number, number, number])[];
};

describe('correctly rounded logarithm', () => {
  it('is that of Python to the last digit, and so are its quotients', () => {
    expect(facts.logarithms.length).toBeGreaterThan(100);
    for (const [x, base, logarithm, quotient] of facts.logarithms) {
      expect(roundedLogarithm(x)).toBe(logarithm);
      expect(roundedLogarithm(x) / roundedLogarithm(base)).toBe(quotient);
    }
  });

  it('holds for numbers below 1 too', () => {
    expect(roundedLogarithm(1)).toBe(0);
    expect(roundedLogarithm(0.5)).toBe(-Math.LN2);
    expect(roundedLogarithm(2 ** -1000)).toBeCloseTo(-1000 * Math.LN2, 10);
  });
});
