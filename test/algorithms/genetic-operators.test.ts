import { describe, expect, it } from 'vitest';

import type { Crossover } from '../../src/algorithms/crossover.js';
import { constrainedFronts } from '../../src/algorithms/constrained-domination.js';
import { byCrowding, crowdingDistances } from '../../src/algorithms/crowding-distance.js';
import { hypervolume, hypervolumeSubset } from '../../src/algorithms/hypervolume.js';
import { polynomialMutation } from '../../src/algorithms/polynomial-mutation.js';
import {
  associate,
  fillNiches,
  normalizedLosses,
  referencePoints,
  withoutInfinities,
} from '../../src/algorithms/reference-points.js';
import { createRandom, type Random } from '../../src/core/random.js';
import * as crossovers from '../../src/samplers/crossovers.js';
import { samplerFacts } from '../support/sampler-facts.js';

type Matrix = readonly (readonly number[])[];

interface Facts {
  readonly crossovers: readonly {
    readonly name: 'UniformCrossover';
    readonly options: object;
    readonly objectives: number;
    readonly bounds: Matrix;
    readonly parents: Matrix;
    readonly uniforms: readonly number[];
    readonly normals: readonly number[];
    readonly child: readonly number[];
  }[];
  readonly mutations: readonly (readonly [number, number, number, number, number, number])[];
  readonly populations: readonly {
    readonly name: string;
    readonly values: Matrix;
    readonly penalty: readonly number[] | null;
    readonly ranks: readonly number[];
    readonly crowding: readonly number[];
    readonly elite: readonly number[];
    readonly filtered?: Matrix;
    readonly normalized?: Matrix;
    readonly closest?: readonly number[];
    readonly distance?: readonly number[];
  }[];
  readonly referencePoints: readonly { objectives: number; divisions: number; points: Matrix }[];
  readonly hypervolumes: readonly {
    readonly values: Matrix;
    readonly reference: readonly number[];
    readonly volume: number;
    readonly subset: readonly number[];
    readonly subsetVolume: number;
  }[];
}

const facts = samplerFacts() as unknown as Facts;

/** Gives the numbers that Optuna drew. */
function scripted(uniforms: readonly number[], normals: readonly number[]): Random & { readonly left: number } {
  const [u, z] = [[...uniforms], [...normals]];
  const next = (queue: number[]): number => {
    const value = queue.shift();
    if (value === undefined) throw new Error('More was drawn than Optuna drew.');
    return value;
  };
  return {
    uniform: () => next(u),
    normal: () => next(z),
    integer: () => NaN,
    shuffle: (items) => items,
    get left() {
      return u.length + z.length;
    },
  };
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-10): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (a === e) continue;
    expect(Math.abs(a - e), `${a} for ${e}`).toBeLessThan(tolerance * Math.max(1, Math.abs(e)));
  }
}

describe('genetic operators against Optuna', () => {
  it.each(facts.crossovers.map((fact, i) => [`${fact.name} ${JSON.stringify(fact.options)} #${i}`, fact] as const))(
    '%s',
    (_name, fact) => {
      const crossover: Crossover = new crossovers[fact.name](fact.options);
      const random = scripted(fact.uniforms, fact.normals);
      const child = crossover.cross(
        fact.parents.map((parent) => Float64Array.from(parent)),
        { low: fact.bounds.map(([low]) => low!), high: fact.bounds.map(([, high]) => high!) },
        fact.objectives > 1,
        random,
      );
      expectClose(child, fact.child, 1e-9);
      expect(random.left).toBe(0);
    },
  );

  it('polynomial mutation', () => {
    for (const [eta, low, high, value, u, result] of facts.mutations)
      expectClose([polynomialMutation(value, low, high, eta, u)], [result]);
  });

  it.each(facts.populations)('ranks, crowding and survivors: $name', (fact) => {
    const population = fact.values.map((losses, i) => ({ losses, violation: fact.penalty?.[i] ?? 0 }));
    const fronts = constrainedFronts(population);
    const ranks = new Int32Array(population.length);
    for (const [rank, front] of fronts.entries()) for (const i of front) ranks[i] = rank;
    expect([...ranks]).toEqual(fact.ranks);
    expectClose(crowdingDistances(fact.values), fact.crowding);

    const elite: number[] = [];
    for (const front of fronts) {
      if (elite.length + front.length < 10) elite.push(...front);
      else {
        const order = byCrowding(front.map((i) => fact.values[i]!));
        elite.push(...order.slice(0, 10 - elite.length).map((k) => front[k]!));
        break;
      }
    }
    expect(elite).toEqual(fact.elite);
    if (fact.filtered === undefined) return;
    expectClose(withoutInfinities(fact.values).flat(), fact.filtered.flat());
    const normalized = normalizedLosses(fact.filtered);
    expectClose(normalized.flat(), fact.normalized!.flat(), 1e-8);
    const { closest, distance } = associate(fact.normalized!, referencePoints(fact.values[0]!.length, 3));
    expectClose(distance, fact.distance!, 1e-8);
    // Lines that are equally near within rounding may be told apart either way.
    const references = referencePoints(fact.values[0]!.length, 3);
    for (const [i, line] of fact.closest!.entries()) {
      if (line === closest[i]) continue;
      expect(associate([fact.normalized![i]!], [references[line]!]).distance[0]).toBeCloseTo(distance[i]!, 8);
    }
  });

  it.each(facts.referencePoints)('reference points: $objectives objectives, $divisions divisions', (fact) => {
    expect(referencePoints(fact.objectives, fact.divisions)).toEqual(fact.points);
  });

  it.each(facts.hypervolumes.map((fact) => [`${fact.values[0]!.length} objectives`, fact] as const))(
    'hypervolume: %s',
    (_name, fact) => {
      expectClose([hypervolume(fact.values, fact.reference)], [fact.volume], 1e-9);
      const subset = hypervolumeSubset(fact.values, 5, fact.reference);
      expectClose(
        [
          hypervolume(
            subset.map((i) => fact.values[i]!),
            fact.reference,
          ),
        ],
        [fact.subsetVolume],
        1e-9,
      );
    },
  );
});

describe('niches', () => {
  it('go first to lines that nobody serves, and there to the nearest point', () => {
    // Line 0 is served by one that is kept already; 1 and 2 by none.
    const closest = Int32Array.from([0, 0, 1, 1, 2, 0]);
    const distance = Float64Array.from([0, 0.5, 0.3, 0.1, 0.9, 0]);
    const chosen = fillNiches(closest, distance, 1, 2, createRandom(1));
    expect(chosen.sort()).toEqual([3, 4]);
    expect(fillNiches(closest, distance, 1, 5, createRandom(1)).sort()).toEqual([1, 2, 3, 4, 5]);
  });
});
