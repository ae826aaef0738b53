import { describe, expect, it } from 'vitest';

import type { Column } from '../../src/algorithms/search-domain.js';
import { chooseWarp } from '../../src/algorithms/surrogate-fit.js';
import { warpLosses, type Warp } from '../../src/algorithms/target-transform.js';
import { createRandom } from '../../src/core/random.js';

const WARPS: readonly Warp[] = ['rank', 'log', 'blend', 'linear'];

describe('warpLosses', () => {
  it('keeps the order, takes infinities, and is standardised', () => {
    const losses = [3, 1, 2, Infinity, 1.5, 1e30, -4];
    const order = [...losses.keys()].sort((a, b) => (losses[a] ?? 0) - (losses[b] ?? 0));
    for (const warp of WARPS) {
      const scores = warpLosses(losses, warp);
      expect(scores.every(Number.isFinite)).toBe(true);
      for (const [k, i] of order.entries())
        if (k > 0) expect(scores[i]).toBeGreaterThanOrEqual(scores[order[k - 1] ?? 0] ?? NaN);
      expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(0, 8);
    }
  });

  it('does without a spread', () => {
    for (const warp of WARPS) {
      expect([...warpLosses([2, 2, 2], warp)]).toEqual([0, 0, 0]);
      expect([...warpLosses([], warp)]).toEqual([]);
      expect(warpLosses([Infinity, Infinity], warp).every(Number.isFinite)).toBe(true);
    }
  });
});

describe('chooseWarp', () => {
  it('takes losses as they are for a bowl in many dimensions, and spreads those that span orders of magnitude', () => {
    const random = createRandom(5);
    const columns = Array.from({ length: 6 }, (): Column => ({ kind: 'continuous' }));
    const rows = Array.from({ length: 40 }, () => Float64Array.from(columns, () => random.uniform()));
    const bowl = rows.map((row) => row.reduce((sum, x) => sum + (x - 0.4) ** 2, 0));
    expect(chooseWarp(columns, rows, bowl).warp).toBe('linear');
    const steep = rows.map((row) => Math.exp(20 * (row[0] ?? 0)));
    expect(chooseWarp(columns, rows, steep).warp).not.toBe('linear');
  });
});
