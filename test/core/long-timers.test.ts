import { expect, it } from 'vitest';

import { after, every } from '../../src/core/long-timers.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('a wait that is longer than the system knows does not end at once', async () => {
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', onWarning);
  const calls: string[] = [];
  const stops = [
    after(40 * 86_400_000, () => calls.push('after')),
    every(40 * 86_400_000, () => calls.push('every')),
    after(Infinity, () => calls.push('never')),
  ];
  await pause(60);
  for (const stop of stops) stop();
  process.off('warning', onWarning);
  expect([calls, warnings]).toEqual([[], []]);
});

it('a short one ends in its time, repeats where it should, and stops', async () => {
  const calls = { once: 0, often: 0, never: 0 };
  const stops = [after(10, () => calls.once++), every(10, () => calls.often++), after(40, () => calls.never++)];
  await pause(20);
  stops[2]?.();
  await pause(100);
  stops[1]?.();
  const { often } = calls;
  await pause(40);
  expect(calls).toEqual({ once: 1, often, never: 0 });
  expect(often).toBeGreaterThan(3);
});
