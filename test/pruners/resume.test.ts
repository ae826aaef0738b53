import { describe, expect, it } from 'vitest';

import { HyperbandPruner } from '../../src/pruners/hyperband-pruner.js';
import type { Pruner } from '../../src/pruners/pruner.js';
import { SuccessiveHalvingPruner } from '../../src/pruners/successive-halving-pruner.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import { createStudy } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';
import { curve, runTrial } from '../contracts/pruner-contract.js';

const curveOf = (n: number, length = 20): ReturnType<typeof curve> => curve(((n * 11) % 17) / 17, length);

/** Runs trials, each time with a new pruner where `isCut` says so. */
async function sweep(create: () => Pruner, n: number, isCut: (n: number) => boolean): Promise<string[]> {
  const options = {
    storage: new InMemoryStorage(),
    studyName: 'resumed',
    sampler: new RandomSampler(),
    loadIfExists: true,
    seed: 3,
  };
  let study = await createStudy({ ...options, pruner: create() });
  const said: string[] = [];
  for (let i = 0; i < n; i++) {
    if (isCut(i)) study = await createStudy({ ...options, pruner: create() });
    // Later trials are longer: what the pruner worked out from the first must hold.
    said.push((await runTrial(study, curveOf(i, i === 0 ? 9 : 9 + 20 * i))).join());
  }
  return said;
}

describe.each<[string, () => Pruner]>([
  ['Hyperband', () => new HyperbandPruner()],
  ['successive halving', () => new SuccessiveHalvingPruner()],
])('%s after an interruption', (_, create) => {
  it('goes on with the resources that it worked out before', async () => {
    const whole = await sweep(create, 16, () => false);
    expect(whole.some((said) => said.includes('true'))).toBe(true);
    expect(await sweep(create, 16, (n) => n === 7)).toEqual(whole);
    expect(await sweep(create, 16, () => true)).toEqual(whole);
  });

  it('judges a retried trial like its original, at the same rungs', async () => {
    const begin = async (): Promise<Study> => {
      const pruner =
        create() instanceof HyperbandPruner
          ? new HyperbandPruner({ maxResource: 16, reductionFactor: 2 })
          : new SuccessiveHalvingPruner({ minResource: 1, reductionFactor: 2 });
      const study = await createStudy({ studyName: 'retried', pruner, sampler: new RandomSampler(), seed: 4 });
      for (let n = 0; n < 10; n++) await runTrial(study, curveOf(n));
      return study;
    };
    const reports = curve(0, 20).map(([step, value]): [number, number] => [step, value - step / 100]);
    const through = await begin();
    const trial = await through.ask();
    for (const [step, value] of reports) {
      await trial.report(value, step);
      expect(await trial.shouldPrune()).toBe(false);
    }

    const cut = await begin();
    const lost = await cut.ask();
    for (const [step, value] of reports.slice(0, 11)) {
      await lost.report(value, step);
      expect(await lost.shouldPrune()).toBe(false);
    }
    await cut.interruptTrials([{ trialId: lost.trialId, reason: 'the machine went away' }]);
    const retry = await cut.ask();
    expect(retry.logicalIndex).toBe(lost.number);
    // From a checkpoint: what was reported before comes in one go.
    for (const [step, value] of reports.slice(0, 11)) await retry.report(value, step);
    for (const [step, value] of reports.slice(11)) {
      await retry.report(value, step);
      expect(await retry.shouldPrune()).toBe(false);
    }
    const rungs = ({ systemAttrs }: { systemAttrs: object }): unknown =>
      Object.entries(systemAttrs).filter(([key]) => key.startsWith('completed_rung_'));
    expect(rungs(retry.frozen)).toEqual(rungs(trial.frozen));
    expect(rungs(retry.frozen)).not.toEqual([]);
  });
});

describe('Hyperband and the sampler', () => {
  it('shows the sampler only trials of the bracket, once trials report', async () => {
    const pruner = new HyperbandPruner({ maxResource: 9 });
    const study = await createStudy({ studyName: 'brackets', pruner, sampler: new RandomSampler(), seed: 5 });
    for (let n = 0; n < 5; n++) await study.tell(await study.ask(), n);
    expect(pruner.viewFor(study, 5)).toBe(study);
    for (let n = 5; n < 30; n++) await runTrial(study, curveOf(n));
    const running = await study.ask();
    const seen = new Set<number>();
    for (let index = 0; index < 40; index++) {
      const view = pruner.viewFor(study, index);
      expect(view.whole).toBe(study);
      expect(pruner.viewFor(study, index)).toBe(view);
      for (const trial of view.history.finished) {
        seen.add(trial.number);
        expect(pruner.viewFor(study, trial.logicalIndex)).toBe(view);
        expect(view.history.all[trial.number]).toBe(trial);
      }
      const isOfBracket = pruner.viewFor(study, running.logicalIndex) === view;
      expect(view.history.unfinished.map(({ number }) => number)).toEqual(isOfBracket ? [running.number] : []);
    }
    expect(seen.size).toBe(30);
  });

  it('keeps a bracket up to date as trials finish', async () => {
    const pruner = new HyperbandPruner({ maxResource: 9 });
    const study = await createStudy({ studyName: 'live', pruner, sampler: new RandomSampler(), seed: 5 });
    await runTrial(study, curveOf(0));
    const view = pruner.viewFor(study, 0);
    const { finished } = view.history;
    expect(finished.map(({ number }) => number)).toEqual([0]);
    for (let n = 1; n < 20; n++) await runTrial(study, curveOf(n));
    expect(view.history.finished).toBe(finished);
    const expected = study.history.finished.filter(({ number }) => pruner.viewFor(study, number) === view);
    expect(finished).toEqual(expected);
    expect(finished.length).toBeGreaterThan(1);
    expect(finished.length).toBeLessThan(20);
  });
});
