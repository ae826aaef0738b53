import { describe, expect, it } from 'vitest';

import { UsageError } from '../../src/core/errors.js';
import { SBXCrossover, SPXCrossover } from '../../src/samplers/crossovers.js';
import { NSGAIISampler } from '../../src/samplers/nsga-ii-sampler.js';
import { NSGAIIISampler } from '../../src/samplers/nsga-iii-sampler.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import type { Sampler } from '../../src/samplers/sampler.js';
import { hypervolume } from '../../src/algorithms/hypervolume.js';
import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import { copyStudy, createStudy, loadStudy } from '../../src/study/create-study.js';
import type { Trial } from '../../src/study/trial.js';

/** ZDT1 with 6 parameters: the front lies where all but the first are 0. */
function zdt1(trial: Trial): number[] {
  const x = Array.from({ length: 6 }, (_, i) => trial.suggestFloat(`x${i}`, 0, 1));
  const g = 1 + (9 * x.slice(1).reduce((sum, value) => sum + value, 0)) / 5;
  return [x[0]!, g * (1 - Math.sqrt(x[0]! / g))];
}

async function volumeOf(sampler: Sampler, nTrials: number): Promise<number> {
  const study = await createStudy({ directions: ['minimize', 'minimize'], sampler, seed: 1 });
  await study.optimize(zdt1, { nTrials });
  return hypervolume(
    (await study.trials()).map((trial) => trial.values ?? []),
    [1.5, 6],
  );
}

describe.each([
  ['NSGAIISampler', NSGAIISampler],
  ['NSGAIIISampler', NSGAIIISampler],
] as const)('%s', (name, Genetic) => {
  it('keeps generations and parents where Optuna keeps them', async () => {
    const storage = new InMemoryStorage();
    const sampler = new Genetic({ populationSize: 6 });
    const study = await createStudy({
      storage,
      studyName: 's',
      directions: ['minimize', 'minimize'],
      sampler,
      seed: 2,
    });
    for (let i = 0; i < 20; i++) {
      const trial = await study.ask();
      const values = zdt1(trial);
      await (i % 5 === 4 ? study.tell(trial, undefined, { state: 'FAIL' }) : study.tell(trial, values));
    }
    const trials = await study.trials();
    // Six completed trials make a generation; one that failed counts for none.
    expect(trials.map((trial) => trial.systemAttrs[`${name}:generation`])).toEqual([
      ...new Array<number>(7).fill(0),
      ...new Array<number>(7).fill(1),
      ...new Array<number>(6).fill(2),
    ]);
    const ids = new Set(trials.filter(({ state }) => state === 'COMPLETE').map(({ trialId }) => trialId));
    for (const generation of [1, 2]) {
      const parents = study.systemAttrs[`${name}:parent:${generation}`] as number[];
      expect(parents).toHaveLength(6);
      expect(parents.every((id) => ids.has(id))).toBe(true);
    }

    // A copy has other ids: its parents are chosen anew.
    await copyStudy({ fromStudyName: 's', fromStorage: storage, toStorage: storage, toStudyName: 'copy' });
    const copy = await loadStudy({ storage, studyName: 'copy', sampler: new Genetic({ populationSize: 6 }) });
    await copy.optimize(zdt1, { nTrials: 1 });
    const own = new Set((await copy.trials()).map(({ trialId }) => trialId));
    expect((copy.systemAttrs[`${name}:parent:2`] as number[]).every((id) => own.has(id))).toBe(true);
  });

  it('comes nearer to the front than chance', async () => {
    const crossover = new SBXCrossover();
    const ours = await volumeOf(new Genetic({ populationSize: 16, crossover }), 300);
    expect(ours).toBeGreaterThan(await volumeOf(new RandomSampler(), 600));
  });

  it('goes for what keeps the constraints', async () => {
    const study = await createStudy({
      sampler: new Genetic({ populationSize: 10, crossover: new SBXCrossover(), mutationProb: 0.1 }),
      seed: 1,
    });
    await study.optimize(
      (trial) => {
        const x = trial.suggestFloat('x', 0, 1);
        const y = trial.suggestFloat('y', 0, 1);
        trial.setConstraint('c', 1.6 - x - y);
        return x + y;
      },
      { nTrials: 200 },
    );
    const feasible = (trials: readonly { isFeasible: boolean }[]): number => trials.filter((t) => t.isFeasible).length;
    const trials = await study.trials();
    expect(feasible(trials.slice(-30))).toBeGreaterThan(1.5 * feasible(trials.slice(0, 30)));
  });

  it('refuses options that cannot be', () => {
    for (const options of [
      { populationSize: 1 },
      { populationSize: 2.5 },
      { populationSize: 2, crossover: new SPXCrossover() },
      { mutationProb: 2 },
      { crossoverProb: -1 },
      { swappingProb: NaN },
    ]) {
      expect(() => new Genetic(options)).toThrow(UsageError);
    }
  });
});

describe('NSGAIIISampler', () => {
  it('refuses reference points of another number of objectives, and finer ones of less than one part', async () => {
    expect(() => new NSGAIIISampler({ dividingParameter: 0 })).toThrow(UsageError);
    const sampler = new NSGAIIISampler({ populationSize: 2, referencePoints: [[1, 0, 0]] });
    const study = await createStudy({ directions: ['minimize', 'minimize'], sampler });
    await expect(study.optimize(zdt1, { nTrials: 5 })).rejects.toThrow(/3 numbers, but the study 2 objectives/);
  });
});
