import { expect, it } from 'vitest';

import { TrackerQueue } from '../../src/tracking/tracker-queue.js';
import type { TrackedStudy, TrackedTrial, Tracker } from '../../src/tracking/tracker.js';

const study: TrackedStudy = { name: 's', study8: '01234567', metrics: [], space: {}, startedAt: 0 };
const trial = (number: number, state: TrackedTrial['state'] = 'complete'): TrackedTrial => ({
  number,
  state,
  params: {},
  startedAt: 0,
  reports: [],
  values: {},
  numbers: {},
  words: {},
});

/** Remembers what it was told; fails as often as it is asked to. */
class Recorder implements Tracker {
  readonly name = 'recorder';
  readonly location = 'here';
  readonly writes: string[] = [];
  failures = 0;
  whole: readonly number[] = [];
  ended: boolean | undefined;

  begin(): Promise<ReadonlySet<number>> {
    return this.#answer(new Set(this.whole));
  }

  async write({ number, state }: TrackedTrial): Promise<void> {
    await this.#answer(undefined);
    this.writes.push(`${number} ${state}`);
  }

  end(isComplete: boolean): Promise<void> {
    this.ended = isComplete;
    return Promise.resolve();
  }

  #answer<T>(value: T): Promise<T> {
    return this.failures-- > 0 ? Promise.reject(new Error('no answer')) : Promise.resolve(value);
  }
}

it('writes what is not there yet, and no trial twice', async () => {
  const tracker = new Recorder();
  tracker.whole = [0, 1];
  const queue = new TrackerQueue(tracker, { intervalMs: 1 });
  queue.start(study, [trial(0), trial(1), trial(2)]);
  queue.push(trial(3, 'running'));
  await expect.poll(() => tracker.writes).toEqual(['2 complete', '3 running']);
  queue.push(trial(3, 'pruned'));
  await queue.close(true, 1000);
  expect(tracker.writes).toEqual(['2 complete', '3 running', '3 pruned']);
  expect(queue.state).toMatchObject({ written: 4, missing: 0, error: undefined });
  expect(tracker.ended).toBe(true);
});

it('tries again, says each failure once, and loses nothing', async () => {
  const tracker = new Recorder();
  tracker.failures = 5;
  const errors: string[] = [];
  const queue = new TrackerQueue(tracker, { retryMs: 1, onError: (message) => errors.push(message) });
  queue.start(study, []);
  for (let number = 0; number < 5; number++) queue.push(trial(number));
  await expect.poll(() => tracker.writes.length).toBe(5);
  await queue.close(true, 1000);
  expect(errors).toEqual(['no answer']);
  expect(queue.state).toMatchObject({ written: 5, missing: 0, error: undefined });
});

it('ends in time where nobody answers, and says what is missing', async () => {
  const tracker = new Recorder();
  tracker.failures = Infinity;
  const queue = new TrackerQueue(tracker, { retryMs: 60_000 });
  queue.start(study, [trial(0)]);
  queue.push(trial(1));
  queue.push(trial(2, 'running'));
  const start = performance.now();
  await queue.close(false, 5000);
  expect(performance.now() - start).toBeLessThan(4000);
  expect(queue.state).toMatchObject({ written: 0, missing: 2, error: 'no answer' });
  expect(tracker.ended).toBeUndefined();
});
