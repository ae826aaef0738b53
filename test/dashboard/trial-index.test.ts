import { describe, expect, it } from 'vitest';

import { CategoricalDistribution, FloatDistribution } from '../../src/core/distributions.js';
import { FrozenTrial } from '../../src/core/frozen-trial.js';
import { createRandom } from '../../src/core/random.js';
import { TrialIndex } from '../../src/dashboard/trial-index.js';

const random = createRandom(3);
const pick = <T>(items: readonly T[]): T => items[Math.floor(random.uniform() * items.length)] as T;
const kind = new CategoricalDistribution(['relu', 'tanh', null]);
const size = new CategoricalDistribution([16, 8, 128]);

/** Trials with ties, with values at infinity, and without some of what they are sorted by. */
const trials = Array.from({ length: 400 }, (_, number) => {
  const state = pick(['COMPLETE', 'PRUNED', 'FAIL'] as const);
  const hasX = random.uniform() < 0.7;
  return new FrozenTrial(number + 1, number, {
    state,
    values: state === 'COMPLETE' ? [pick([1, 2, 2, 3, Infinity, -Infinity]), random.uniform()] : undefined,
    startedAt: '2026-01-01 00:00:00.000000',
    completedAt: pick([undefined, '2026-01-01 00:00:01.000000', '2026-01-01 00:01:00.000000']),
    internalParams: { kind: pick([0, 1, 2]), size: pick([0, 1, 2]), ...(hasX ? { x: pick([0.5, 0.25, 1]) } : {}) },
    distributions: { kind, size, ...(hasX ? { x: new FloatDistribution(0, 1) } : {}) },
  });
});

type Key = number | string | undefined;

/** What must come out, said plainly. */
function sortedPlainly(keyOf: (trial: FrozenTrial) => Key, descending: boolean): number[] {
  const sign = descending ? -1 : 1;
  const byNumber = (a: FrozenTrial, b: FrozenTrial): number => sign * (a.number - b.number);
  const having = trials.filter((trial) => keyOf(trial) !== undefined);
  having.sort((a, b) => {
    const [first, second] = [keyOf(a) as number, keyOf(b) as number];
    return first < second ? -sign : first > second ? sign : byNumber(a, b);
  });
  const lacking = trials.filter((trial) => keyOf(trial) === undefined).sort(byNumber);
  return [...having, ...lacking].map(({ number }) => number);
}

describe('the index of trials', () => {
  it.each<[string, (trial: FrozenTrial) => Key]>([
    ['number', ({ number }) => number],
    ['state', ({ state }) => state],
    ['seconds', ({ duration }) => duration],
    ['value:0', ({ values }) => values?.[0]],
    ['value:1', ({ values }) => values?.[1]],
    ['param:x', ({ params }) => params['x'] as Key],
    ['param:size', ({ params }) => params['size'] as Key],
    ['param:kind', ({ params }) => String(params['kind'])],
    ['param:nowhere', () => undefined],
  ])('sorts by %s, both ways, what lacks it last', (name, keyOf) => {
    const index = new TrialIndex(trials);
    for (const descending of [false, true]) {
      expect([...index.sorted(name, descending)]).toEqual(sortedPlainly(keyOf, descending));
    }
  });
});
