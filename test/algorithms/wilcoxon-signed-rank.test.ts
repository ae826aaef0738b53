import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { wilcoxonSignedRankP } from '../../src/algorithms/wilcoxon-signed-rank.js';
import { parseJson } from '../../src/core/json.js';

interface Facts {
  readonly scipy: string;
  readonly wilcoxon: readonly {
    readonly differences: readonly number[];
    readonly greater: number;
    readonly less: number;
  }[];
}

const facts = parseJson(
  readFileSync(new URL('../golden/pruner-facts.json', import.meta.url), 'utf8'),
) as unknown as Facts;

describe('p-value of the signed-rank test', () => {
  it.each(facts.wilcoxon.map((fact, index) => ({ ...fact, name: `${index}: ${fact.differences.length} differences` })))(
    `is that of scipy ${facts.scipy}, case $name`,
    ({ differences, greater, less }) => {
      expect(Math.abs(wilcoxonSignedRankP(differences, 'greater') - greater)).toBeLessThan(1e-12);
      expect(Math.abs(wilcoxonSignedRankP(differences, 'less') - less)).toBeLessThan(1e-12);
    },
  );

  it('is not a number for no differences', () => {
    expect(wilcoxonSignedRankP([], 'greater')).toBeNaN();
  });

  it('does not depend on order or scale, and turns about with the signs', () => {
    const values = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(values, (differences) => {
        const p = wilcoxonSignedRankP(differences, 'greater');
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(wilcoxonSignedRankP([...differences].reverse(), 'greater')).toBeCloseTo(p, 14);
        expect(
          wilcoxonSignedRankP(
            differences.map((value) => value * 4),
            'greater',
          ),
        ).toBeCloseTo(p, 14);
        expect(
          wilcoxonSignedRankP(
            differences.map((value) => -value),
            'less',
          ),
        ).toBeCloseTo(p, 14);
      }),
    );
  });
});
