import { expect } from 'vitest';

import type { FrozenTrial } from '../../src/core/frozen-trial.js';
import { openStorage } from '../../src/storage/open-storage.js';
import { loadStudy } from '../../src/study/create-study.js';

/** The trials of the one study at a URL. */
export async function trialsAt(url: string): Promise<FrozenTrial[]> {
  const storage = await openStorage(url);
  const study = await loadStudy({ storage });
  const trials = await study.trials();
  await study.close();
  return trials;
}

/** No trial lost, none twice: `total` have a result of their own, and each that was interrupted is stood for by exactly one other. */
export function expectWhole(trials: readonly FrozenTrial[], total: number): void {
  expect(trials.map((trial) => trial.number)).toEqual(trials.map((_, i) => i));
  expect(trials.filter((trial) => trial.state === 'COMPLETE').length).toBe(total);
  const interrupted = trials.filter((trial) => trial.isInterrupted).map((trial) => trial.number);
  expect(trials.length).toBe(total + interrupted.length);
  const retried = trials.flatMap((trial) => (trial.systemAttrs['retry_history'] as number[] | undefined)?.at(-1) ?? []);
  expect(retried.sort((a, b) => a - b)).toEqual(interrupted);
  const places = trials.filter((trial) => trial.state === 'COMPLETE').map((trial) => trial.logicalIndex);
  expect(places.sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, i) => i));
}
