import fc from 'fast-check';
import { expect, it } from 'vitest';

import { SafeNumbers } from '../../src/app/sweep/safe-numbers.js';

/** The same, from its definition. */
function counted(finished: readonly { number: number }[], count: number): number {
  const saved = new Set(finished.slice(0, count).map(({ number }) => number));
  let number = -1;
  while (saved.has(number + 1)) number++;
  return number;
}

it('follows a copy that grows, and one that was replaced by a smaller', () => {
  const order = fc.uniqueArray(fc.nat(40), { maxLength: 40 });
  fc.assert(
    fc.property(order, fc.array(fc.nat(45), { maxLength: 20 }), (numbers, counts) => {
      const finished = numbers.map((number) => ({ number }));
      const safe = new SafeNumbers();
      for (const count of counts) expect(safe.upTo(finished, count)).toBe(counted(finished, count));
    }),
  );
});
