import { describe, expect, it } from 'vitest';

import { hypervolume } from '../../src/algorithms/hypervolume.js';
import { HypervolumeDirections } from '../../src/algorithms/hypervolume-directions.js';
import { createRandom } from '../../src/core/random.js';

/** Results on a sphere around the origin, and two candidates that dominate some of them. */
function frontOf(objectives: number): { front: number[][]; reference: number[]; candidates: number[][] } {
  const random = createRandom(objectives);
  const front = Array.from({ length: 8 }, () => {
    const shares = Array.from({ length: objectives }, () => Math.abs(random.normal()) + 0.05);
    const norm = Math.hypot(...shares);
    return shares.map((share) => (1.2 * share) / norm);
  });
  const candidates = [
    Array.from({ length: objectives }, () => 0.4),
    Array.from({ length: objectives }, (_, i) => (i === 0 ? 0.15 : 0.7)),
  ];
  return { front, reference: Array.from({ length: objectives }, (_, i) => 1.5 + 0.5 * i), candidates };
}

function gain(front: readonly number[][], loss: number[], reference: number[]): number {
  return hypervolume([...front, loss], reference) - hypervolume(front, reference);
}

describe('improvement of the hypervolume along directions', () => {
  it.each([2, 3, 4, 5])('is in proportion to what results add that are known, %i objectives', (objectives) => {
    const { front, reference, candidates } = frontOf(objectives);
    const ideal = reference.map(() => 0);
    const volume = new HypervolumeDirections(front, reference, ideal, 20_000, createRandom(1));
    const sure = reference.map(() => 1e-6);
    const [a, b] = candidates.map((loss) => Math.exp(volume.logImprovement(loss, sure)) / gain(front, loss, reference));
    expect((a as number) / (b as number)).toBeGreaterThan(0.9);
    expect((a as number) / (b as number)).toBeLessThan(1.1);
  });

  it.each([2, 3, 4])('is in proportion to the mean of what normal results add, %i objectives', (objectives) => {
    const { front, reference, candidates } = frontOf(objectives);
    const ideal = reference.map(() => 0);
    const volume = new HypervolumeDirections(front, reference, ideal, 20_000, createRandom(1));
    const deviations = reference.map((_, i) => 0.2 + 0.1 * i);
    const random = createRandom(2);
    const draws = Array.from({ length: 4000 }, () => deviations.map((deviation) => deviation * random.normal()));
    const [a, b] = candidates.map((mean) => {
      const gains = draws.map((draw) =>
        gain(
          front,
          mean.map((value, i) => value + (draw[i] as number)),
          reference,
        ),
      );
      const expected = gains.reduce((sum, own) => sum + own, 0) / draws.length;
      return Math.exp(volume.logImprovement(mean, deviations)) / expected;
    });
    expect((a as number) / (b as number)).toBeGreaterThan(0.9);
    expect((a as number) / (b as number)).toBeLessThan(1.1);
  });

  it('prefers what is nearer to an improvement where none is expected', () => {
    const { front, reference } = frontOf(3);
    const volume = new HypervolumeDirections(front, reference, [0, 0, 0], 32, createRandom(1));
    const sure = [1e-6, 1e-6, 1e-6];
    const [near, far] = [volume.logImprovement([1.3, 1.3, 1.3], sure), volume.logImprovement([5, 5, 5], sure)];
    expect(near).toBeGreaterThan(far);
    expect(far).toBeGreaterThan(-Infinity);
  });
});
