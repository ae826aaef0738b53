import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { StudyDirection } from '../../src/core/study-direction.js';
import type { Pruner } from '../../src/pruners/pruner.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { createStudy, loadStudy } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';
import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';

type Report = readonly [step: number, value: number];

/** Runs one trial; returns what the pruner said after each report. */
export async function runTrial(study: Study, reports: readonly Report[], isKept = false): Promise<boolean[]> {
  const trial = await study.ask();
  trial.suggestFloat('x', 0, 1);
  const said: boolean[] = [];
  for (const [step, value] of reports) {
    await trial.report(value, step);
    said.push(await trial.shouldPrune());
    if (said.at(-1) === true && !isKept) {
      await study.tell(trial, undefined, { state: 'PRUNED' });
      return said;
    }
  }
  const last = reports.at(-1)?.[1] ?? 0;
  await study.tell(trial, Number.isFinite(last) ? last : 0);
  return said;
}

/** A curve of `length` reports from 1 towards `floor`. */
export function curve(floor: number, length = 16): Report[] {
  return Array.from({ length }, (_, step) => [step, floor + (1 - floor) * 0.6 ** step]);
}

const mirrored = (reports: readonly Report[]): Report[] => reports.map(([step, value]) => [step, -value]);

const report = fc.tuple(
  fc.integer({ min: 0, max: 40 }),
  fc.oneof(
    fc.integer({ min: -4, max: 4 }),
    fc.double({ min: -2, max: 2, noNaN: true }),
    fc.constantFrom(NaN, Infinity, -Infinity),
  ),
);

/** What every pruner promises, however it decides. `create` gives a fresh instance with the same options. */
export function prunerContract(name: string, create: () => Pruner): void {
  const newStudy = (direction: StudyDirection = 'minimize', pruner = create()): Promise<Study> =>
    createStudy({ studyName: `contract ${name}`, direction, pruner, sampler: new RandomSampler(), seed: 1 });

  describe(`pruner ${name}`, () => {
    it('keeps a trial that has reported nothing, with any history', async () => {
      const study = await newStudy();
      for (let n = 0; n < 8; n++) {
        const trial = await study.ask();
        expect(await trial.shouldPrune()).toBe(false);
        await study.tell(trial, n);
      }
      await runTrial(study, curve(0));
      const trial = await study.ask();
      expect(await trial.shouldPrune()).toBe(false);
    });

    it('answers for the first trial of a study, for reports of every kind', async () => {
      for (const values of [[0.5], [NaN], [Infinity], [-Infinity], [NaN, NaN, NaN, NaN], [1, 2, 3, NaN, 5, 6]]) {
        const study = await newStudy();
        const said = await runTrial(
          study,
          values.map((value, step) => [step, value]),
          true,
        );
        expect(said).toHaveLength(values.length);
        expect(said.every((answer) => typeof answer === 'boolean')).toBe(true);
      }
    });

    it('does not judge a step by a second report at it', async () => {
      const single = await newStudy();
      const doubled = await newStudy();
      for (let n = 0; n < 12; n++) {
        const reports = curve(n % 3 === 0 ? 0 : 0.5, 9);
        await runTrial(single, reports);
        await runTrial(
          doubled,
          reports.flatMap(([step, value]): Report[] => [
            [step, value],
            [step, value - 5],
          ]),
        );
      }
      const seen = async (study: Study): Promise<unknown[]> =>
        (await study.trials()).map(({ state, intermediateValues }) => ({ state, intermediateValues }));
      expect(await seen(doubled)).toEqual(await seen(single));
    });

    it('decides the same way for mirrored values of a mirrored direction', async () => {
      const minimize = await newStudy('minimize');
      const maximize = await newStudy('maximize');
      for (let n = 0; n < 24; n++) {
        const reports = curve(((n * 7) % 24) / 24);
        expect(await runTrial(maximize, mirrored(reports))).toEqual(await runTrial(minimize, reports));
      }
    });

    it('never prunes a trial that improves all the time and is better than all others at every step', async () => {
      const study = await newStudy();
      for (let n = 0; n < 30; n++) {
        expect(await runTrial(study, curve(0.4 - n / 100))).not.toContain(true);
      }
    });

    it('is refused with several objectives, before it is asked', async () => {
      const study = await createStudy({
        directions: ['minimize', 'maximize'],
        pruner: create(),
        sampler: new RandomSampler(),
      });
      const trial = await study.ask();
      await expect(trial.shouldPrune()).rejects.toThrow(/single objective/);
      await expect(trial.report(1, 0)).rejects.toThrow(/several objectives/);
    });

    it('decides on histories of any make, and a fresh instance decides the same', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              reports: fc.array(report, { maxLength: 12 }),
              state: fc.constantFrom('COMPLETE', 'PRUNED', 'FAIL', 'RUNNING'),
            }),
            { maxLength: 14 },
          ),
          fc.constantFrom<StudyDirection>('minimize', 'maximize'),
          async (trials, direction) => {
            const storage = new InMemoryStorage();
            const common = { storage, studyName: `any ${name}`, sampler: new RandomSampler() };
            const study = await createStudy({ ...common, direction, pruner: create(), seed: 2 });
            for (const { reports, state } of trials) {
              const trial = await study.ask();
              for (const [step, value] of reports) {
                await trial.report(value, step);
                const again = await loadStudy({ ...common, pruner: create() });
                await again.sync();
                const fresh = again.pruner.prune(again, trial.frozen, { setSystemAttr: () => undefined });
                expect(await trial.shouldPrune()).toBe(fresh);
              }
              const value = Object.values(trial.frozen.intermediateValues).find(Number.isFinite) ?? 0;
              if (state === 'COMPLETE') await study.tell(trial, value);
              else if (state !== 'RUNNING') await study.tell(trial, undefined, { state });
            }
          },
        ),
        { numRuns: 40 },
      );
    });
  });
}
