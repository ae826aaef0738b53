import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { pointKey } from '../../src/algorithms/search-domain.js';
import { CategoricalDistribution, FloatDistribution, IntDistribution } from '../../src/core/distributions.js';
import { UnitSpace } from '../../src/samplers/unit-space.js';

const space = {
  c: new CategoricalDistribution(['a', 'b', 'c']),
  f: new FloatDistribution(-2, 3),
  l: new FloatDistribution(1e-5, 1e-1, { log: true }),
  n: new IntDistribution(1, 10, { step: 3 }),
  p: new IntDistribution(1, 100, { log: true }),
  s: new FloatDistribution(0, 1, { step: 0.1 }),
};

describe('UnitSpace', () => {
  it("scales as Optuna's GPSampler: half a step beyond the range at both ends", () => {
    const { columns } = new UnitSpace(space);
    const point = new UnitSpace(space).encodeParams({ c: 'b', f: 0.5, l: 1e-3, n: 1, p: 1, s: 1 });
    expect([...(point ?? [])].map((x) => Number(x.toFixed(6)))).toEqual([
      1,
      0.5,
      0.5,
      0.125,
      Number((Math.log(2) / Math.log(201)).toFixed(6)),
      Number((10.5 / 11).toFixed(6)),
    ]);
    expect(columns.map(({ kind }) => kind)).toEqual([
      'categorical',
      'continuous',
      'continuous',
      'ordinal',
      'ordinal',
      'ordinal',
    ]);
  });

  it('comes back to the same values, and to the same keys for levels', () => {
    const unit = new UnitSpace(space);
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999999, noNaN: true }), { minLength: 6, maxLength: 6 }),
        (shares) => {
          const point = Float64Array.from(unit.columns, (column, j) => {
            const share = shares[j] ?? 0;
            if (column.kind === 'continuous') return share;
            const level = Math.floor(share * column.levels);
            return column.kind === 'categorical' ? level : column.coordinateOf(level);
          });
          const params = unit.decode(point);
          const back = unit.encodeParams(params) ?? new Float64Array(0);
          expect(unit.decode(back)).toEqual(params);
          const discrete = (row: Float64Array): string =>
            pointKey(row.filter((_, j) => unit.columns[j]?.kind !== 'continuous'));
          expect(discrete(back)).toBe(discrete(point));
        },
      ),
    );
  });

  it('has no place for what lies outside or is missing', () => {
    const unit = new UnitSpace(space);
    expect(unit.encodeParams({ c: 'b', f: 9, l: 1e-3, n: 1, p: 1, s: 1 })).toBeUndefined();
    expect(unit.encodeParams({ c: 'z', f: 0, l: 1e-3, n: 1, p: 1, s: 1 })).toBeUndefined();
    expect(unit.encodeParams({ c: 'b' })).toBeUndefined();
  });
});
