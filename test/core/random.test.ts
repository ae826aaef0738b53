import { describe, expect, it } from 'vitest';

import { createRandom, hash8, mixSeed } from '../../src/core/random.js';

const N = 50_000;

function moments(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [moments(a), moments(b)];
  const covariance = a.reduce((sum, value, i) => sum + (value - x.mean) * ((b[i] ?? 0) - y.mean), 0) / a.length;
  return covariance / Math.sqrt(x.variance * y.variance);
}

/** Five standard errors: with fixed seeds a bound for the generator, not for luck. */
const bound = 5 / Math.sqrt(N);

describe('createRandom', () => {
  it('repeats itself from the same seed', () => {
    const [a, b] = [createRandom(42), createRandom(42)];
    for (let i = 0; i < 100; i++)
      expect([a.uniform(), a.normal(), a.integer(9)]).toEqual([b.uniform(), b.normal(), b.integer(9)]);
  });

  it('uniform fills [0, 1) evenly', () => {
    const random = createRandom(1);
    const bins = new Array<number>(20).fill(0);
    const values = Array.from({ length: N }, () => random.uniform());
    for (const value of values) {
      expect(value >= 0 && value < 1).toBe(true);
      bins[Math.floor(value * 20)]! += 1;
    }
    // Chi-squared with 19 degrees of freedom stays below 43.8 in 99.9 % of all cases.
    expect(bins.reduce((sum, count) => sum + (count - N / 20) ** 2 / (N / 20), 0)).toBeLessThan(43.8);
    expect(Math.abs(correlation(values.slice(1), values.slice(0, -1)))).toBeLessThan(bound);
  });

  it('normal has mean 0, variance 1 and thin tails', () => {
    const random = createRandom(2);
    const values = Array.from({ length: N }, () => random.normal());
    const { mean, variance } = moments(values);
    expect(Math.abs(mean)).toBeLessThan(bound);
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / N));
    expect(values.filter((value) => Math.abs(value) < 1).length / N).toBeCloseTo(0.6827, 2);
    expect(values.filter((value) => Math.abs(value) > 2.5758).length / N).toBeCloseTo(0.01, 2);
  });

  it('integer hits every value alike', () => {
    const random = createRandom(3);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < N; i++) counts[random.integer(7)]! += 1;
    expect(counts.reduce((sum, count) => sum + (count - N / 7) ** 2 / (N / 7), 0)).toBeLessThan(22.5);
  });

  it('shuffle brings every item to every place alike', () => {
    const random = createRandom(4);
    const at = Array.from({ length: 5 }, () => new Array<number>(5).fill(0));
    for (let i = 0; i < 10_000; i++) {
      const items = [0, 1, 2, 3, 4];
      expect(random.shuffle(items)).toBe(items);
      expect([...items].sort()).toEqual([0, 1, 2, 3, 4]);
      for (const [place, item] of items.entries()) at[place]![item]! += 1;
    }
    for (const row of at) for (const count of row) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });

  it('neighbouring seeds give unrelated streams', () => {
    for (const skipped of [0, 1, 5]) {
      const values = Array.from({ length: N }, (_, seed) => {
        const random = createRandom(seed);
        for (let i = 0; i < skipped; i++) random.uniform();
        return random.uniform();
      });
      expect(Math.abs(correlation(values.slice(1), values.slice(0, -1)))).toBeLessThan(bound);
      expect(Math.abs(moments(values).mean - 0.5)).toBeLessThan(bound);
    }
    const streams = [7, 8].map((seed) => createRandom(seed));
    const [a = [], b = []] = streams.map((stream) => Array.from({ length: N }, () => stream.uniform()));
    expect(Math.abs(correlation(a, b))).toBeLessThan(bound);
  });
});

describe('mixSeed', () => {
  it('tells parts apart: order, kind, where one ends', () => {
    const seeds = [
      mixSeed(1, 2),
      mixSeed(2, 1),
      mixSeed(12),
      mixSeed('1', '2'),
      mixSeed('12'),
      mixSeed('1', 2),
      mixSeed('', '12'),
      mixSeed('12', ''),
      mixSeed(),
      mixSeed(-1, 2),
      mixSeed(1.5, 2),
    ];
    expect(new Set(seeds).size).toBe(seeds.length);
    for (const seed of seeds) expect(seed | 0).toBe(seed);
  });

  it('rarely gives two trials one stream', () => {
    const seeds = new Set<number>();
    for (let trial = 0; trial < 10_000; trial++) for (const name of ['x', 'y']) seeds.add(mixSeed(42, trial, 0, name));
    // 20,000 out of 2^32: 0.05 collisions are expected.
    expect(seeds.size).toBeGreaterThan(19_997);
  });

  it('gives unrelated streams to neighbouring trials and other labels', () => {
    const first = (label: string, offset: number): number[] =>
      Array.from({ length: N }, (_, trial) => createRandom(mixSeed(42, trial + offset, 0, label)).uniform());
    const x = first('x', 0);
    expect(Math.abs(correlation(x, first('x', 1)))).toBeLessThan(bound);
    expect(Math.abs(correlation(x, first('y', 0)))).toBeLessThan(bound);
  });
});

describe('hash8', () => {
  it('is the head of SHA-256', () => {
    expect(hash8('')).toBe('e3b0c442');
    expect(hash8('é')).toBe('4a99557e');
  });
});
