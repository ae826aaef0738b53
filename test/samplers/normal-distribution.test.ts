import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { erf, erfc } from '../../src/algorithms/erf.js';
import {
  logNormalCdf,
  logNormalMass,
  normalCdf,
  normalQuantile,
  truncatedNormalQuantile,
} from '../../src/algorithms/normal-distribution.js';

// Values of Python's math.erf and math.erfc.
const ERF: readonly (readonly [number, number, number])[] = [
  [0, 0, 1],
  [0.1, 0.1124629160182849, 0.8875370839817152],
  [0.5, 0.5204998778130465, 0.4795001221869535],
  [1, 0.8427007929497149, 0.15729920705028513],
  [2, 0.9953222650189527, 0.004677734981047266],
  [3.5, 0.9999992569016276, 7.430983723414127e-7],
  [-1.3, -0.9340079449406524, 1.9340079449406524],
  [6, 1, 2.1519736712498913e-17],
  [10, 1, 2.088487583762545e-45],
];

describe('error function', () => {
  it.each(ERF)('at %d', (x, expected, complement) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThanOrEqual(2e-16 * Math.max(1, Math.abs(expected)));
    expect(Math.abs(erfc(x) / complement - 1)).toBeLessThan(1e-14);
  });
});

describe('normal distribution', () => {
  it('has a quantile that undoes its distribution function', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true }), (p) => {
        const x = normalQuantile(p);
        expect(Math.abs(normalCdf(x) - p)).toBeLessThan(1e-14 + 1e-13 * p);
      }),
    );
  });

  it('keeps the logarithm of its mass exact in both tails', () => {
    expect(logNormalCdf(-30)).toBeCloseTo(-454.32124395634324, 9);
    expect(logNormalCdf(0)).toBeCloseTo(Math.log(0.5), 15);
    fc.assert(
      fc.property(
        fc.double({ min: -25, max: 25, noNaN: true }),
        fc.double({ min: 0.01, max: 5, noNaN: true }),
        (a, width) => {
          const left = logNormalMass(a, a + width);
          const mirrored = logNormalMass(-a - width, -a);
          expect(Math.abs(left - mirrored)).toBeLessThan(1e-9 * Math.max(1, Math.abs(left)));
        },
      ),
    );
  });

  it('draws truncated values inside their interval, the share q below them', () => {
    const bound = fc.double({ min: -40, max: 40, noNaN: true });
    fc.assert(
      fc.property(
        bound,
        fc.double({ min: 0.01, max: 20, noNaN: true }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        (a, width, q) => {
          const b = a + width;
          const x = truncatedNormalQuantile(q, a, b);
          expect(x).toBeGreaterThanOrEqual(a);
          expect(x).toBeLessThanOrEqual(b);
          expect(Math.abs(Math.exp(logNormalMass(a, x) - logNormalMass(a, b)) - q)).toBeLessThan(1e-6);
        },
      ),
    );
  });
});
