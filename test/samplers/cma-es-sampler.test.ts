import { describe, expect, it } from 'vitest';

import { UsageError } from '../../src/core/errors.js';
import type { FrozenTrial } from '../../src/core/frozen-trial.js';
import type { CmaEsSamplerOptions } from '../../src/samplers/cma-es-options.js';
import { CmaEsSampler } from '../../src/samplers/cma-es-sampler.js';
import { cmaMarkOf } from '../../src/samplers/cma-progress.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import { createStudy, loadStudy } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';

/** Parameters that interact, with the optimum off the middle. */
function rosenbrock(trial: Trial): number {
  const x = trial.suggestFloat('x', -2, 2);
  const y = trial.suggestFloat('y', -1, 3);
  return (1 - x) ** 2 + 100 * (y - x * x) ** 2;
}

/** Whole and stepped numbers. */
function grid(trial: Trial): number {
  const n = trial.suggestInt('n', 0, 40);
  const share = trial.suggestFloat('share', 0, 1, { step: 0.05 });
  const rate = trial.suggestFloat('rate', 1e-5, 1, { log: true });
  return (n - 31) ** 2 / 50 + (share - 0.15) ** 2 * 20 + (Math.log10(rate) + 2) ** 2;
}

const best = async (
  options: CmaEsSamplerOptions,
  objective: (trial: Trial) => number,
  nTrials: number,
): Promise<number> => {
  const values: number[] = [];
  for (let seed = 0; seed < 3; seed++) {
    const study = await createStudy({ sampler: new CmaEsSampler({ seed, ...options }), seed });
    await study.optimize(objective, { nTrials });
    values.push(await study.bestValue());
  }
  return values.sort((a, b) => a - b)[1]!;
};

async function sourcesFor(objective: (trial: Trial) => number): Promise<FrozenTrial[]> {
  const study = await createStudy({ sampler: new RandomSampler({ seed: 1 }) });
  await study.optimize(objective, { nTrials: 200 });
  return study.trials();
}

describe('CmaEsSampler', () => {
  it.each<[string, CmaEsSamplerOptions, (trial: Trial) => number, number, number]>([
    ['plain', {}, rosenbrock, 300, 1e-2],
    ['separable', { useSeparableCma: true }, grid, 250, 0.05],
    ['with margin', { withMargin: true }, grid, 250, 0.05],
    ['learning rate adapted', { lrAdapt: true }, grid, 400, 0.1],
    ['IPOP', { restartStrategy: 'ipop' }, rosenbrock, 300, 1e-2],
    ['BIPOP', { restartStrategy: 'bipop' }, rosenbrock, 300, 1e-2],
  ])('%s: comes near the optimum', async (_name, options, objective, nTrials, goal) => {
    expect(await best(options, objective, nTrials)).toBeLessThan(goal);
  });

  it('begins where it is told to: at x0, or where a similar task was solved', async () => {
    const sourceTrials = await sourcesFor(rosenbrock);
    expect(await best({ sourceTrials }, rosenbrock, 60)).toBeLessThan(await best({}, rosenbrock, 60));
    expect(await best({ x0: { x: 1, y: 1 }, sigma0: 0.01 }, rosenbrock, 40)).toBeLessThan(0.05);
  });

  it('begins anew where it has converged, with a larger population', async () => {
    const study = await createStudy({ sampler: new CmaEsSampler({ restartStrategy: 'ipop', popsize: 4 }), seed: 1 });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1) * 0 + trial.suggestFloat('y', 0, 1) * 0, {
      nTrials: 400,
    });
    const sizes = new Map<number, number>();
    for (const trial of await study.trials()) {
      const generation = cmaMarkOf(trial)?.generation;
      if (generation !== undefined) sizes.set(generation, (sizes.get(generation) ?? 0) + 1);
    }
    expect(new Set([...sizes.values()].slice(0, -1))).toEqual(new Set([4, 8, 16]));
  });

  it('stores nothing of its state, and comes to the same in every process, whatever failed or was pruned', async () => {
    const storage = new InMemoryStorage();
    const common = { storage, studyName: 's', loadIfExists: true, seed: 4 };
    const open = (): Promise<Study> =>
      createStudy({ ...common, sampler: new CmaEsSampler({ popsize: 4, considerPrunedTrials: true }) });
    const workers = [await open(), await open()];
    const running: [Study, Trial, number][] = [];
    for (let i = 0; i < 60; i++) {
      const study = workers[i % 2]!;
      const trial = await study.ask();
      running.push([study, trial, rosenbrock(trial)]);
      if (running.length < 3) continue;
      const [owner, ended, value] = running.splice(i % 3, 1)[0]!;
      if (i % 7 === 3) await owner.tell(ended, undefined, { state: 'FAIL' });
      else if (i % 7 === 5) {
        await ended.report(value, 1);
        await owner.tell(ended, undefined, { state: 'PRUNED' });
      } else await owner.tell(ended, value);
    }
    const keys = (await workers[0]!.trials()).flatMap((trial) => Object.keys(trial.systemAttrTexts));
    expect(keys.filter((key) => key.startsWith('cma:'))).toEqual([]);
    // A process that knows only what is stored, and one that was there all the time, go on alike.
    const ofOld = rosenbrock(await workers[0]!.ask());
    const snapshot = await workers[0]!.trials();
    const copy = await createStudy({
      studyName: 's',
      seed: 4,
      sampler: new CmaEsSampler({ popsize: 4, considerPrunedTrials: true }),
    });
    await copy.addTrials(snapshot.slice(0, -1));
    expect(rosenbrock(await copy.ask())).toBe(ofOld);
  });

  it('begins anew where the space changes', async () => {
    const storage = new InMemoryStorage();
    const common = { storage, studyName: 's' };
    const study = await createStudy({ ...common, sampler: new CmaEsSampler({ popsize: 3 }), seed: 1 });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 10 });
    const wider = await loadStudy({ ...common, sampler: new CmaEsSampler({ popsize: 3 }) });
    await wider.optimize((trial) => trial.suggestFloat('x', 0, 1) + trial.suggestFloat('y', 0, 1), { nTrials: 6 });
    expect((await wider.trials()).every(({ state }) => state === 'COMPLETE')).toBe(true);
  });

  it('refuses options that cannot be, and spaces that do not fit them', async () => {
    const sourceTrials = (await sourcesFor(rosenbrock)).slice(0, 9);
    for (const options of [
      { sigma0: 0 },
      { popsize: 1 },
      { nStartupTrials: -1 },
      { incPopsize: 0.5 },
      { restartStrategy: 'other' as 'ipop' },
      { sourceTrials, x0: { x: 1 } },
      { sourceTrials, useSeparableCma: true },
      { lrAdapt: true, withMargin: true },
      { useSeparableCma: true, withMargin: true },
    ]) {
      expect(() => new CmaEsSampler(options)).toThrow(UsageError);
    }
    const work = async (options: CmaEsSamplerOptions): Promise<void> => {
      const study = await createStudy({ sampler: new CmaEsSampler(options), seed: 1 });
      await study.optimize(rosenbrock, { nTrials: 3 });
    };
    await expect(work({ x0: { x: 1 } })).rejects.toThrow(/x0 lacks parameter "y"/);
    await expect(work({ x0: { x: 1, y: 9 } })).rejects.toThrow(/9 is outside of "y"/);
    await expect(work({ sourceTrials })).rejects.toThrow(/must have 10 completed trials/);
  });
});
