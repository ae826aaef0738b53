import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Condition, DeclaredSpace } from '../../src/core/declared-space.js';
import { CategoricalDistribution, FloatDistribution, IntDistribution } from '../../src/core/distributions.js';
import type { Distribution, ParamValue } from '../../src/core/distributions.js';
import { UsageError } from '../../src/core/errors.js';
import type { SearchSpace } from '../../src/core/study-view.js';
import { NopPruner } from '../../src/pruners/nop-pruner.js';
import type { Sampler } from '../../src/samplers/sampler.js';
import { InMemoryStorage } from '../../src/storage/in-memory-storage.js';
import { createStudy, type CreateStudyOptions } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';
import {
  anySpace,
  isFiniteSpace,
  lossOf,
  MIXED,
  MIXED_FINITE,
  NUMERIC,
  NUMERIC_FINITE,
  SINGLE_SPACES,
  suggestAll,
  suggestChecked,
} from './sampler-spaces.js';

/** What a sampler does not promise. */
export interface SamplerTraits {
  /** Refused, with a clear error, where there are several objectives. */
  readonly isSingleObjective?: boolean;
  /** Goes through finite spaces one by one: the tests give it no others. */
  readonly isFinite?: boolean;
  /** A parameter may not change its range between trials: a clear error. */
  readonly isRangeFixed?: boolean;
  /** The order in which trials that ran at the same time are told shows in what comes next. */
  readonly dependsOnTellOrder?: boolean;
  /** Draws the same whatever the study's seed. */
  readonly ignoresStudySeed?: boolean;
  /** Trials of the longer tests, for a sampler whose suggestions take their time. @default 26 */
  readonly trials?: number;
}

type Params = Readonly<Record<string, ParamValue>>;

/** Every parameter in range, `inner` only where `kind` says so. */
function conditional(trial: Trial, inner: Distribution): number {
  const params = suggestAll(trial, {
    kind: new CategoricalDistribution(['plain', 'deep']),
    n: new IntDistribution(1, 3),
  });
  if (params['kind'] === 'deep') params['inner'] = suggestChecked(trial, 'inner', inner);
  for (let i = 0; i < Number(params['n']); i++)
    params[`units_${i}`] = suggestChecked(trial, `units_${i}`, new IntDistribution(1, 2));
  return lossOf(params);
}

/** What every sampler promises. `create` gives a fresh instance for objectives that ask for parameters of `space`. */
export function samplerContract(
  name: string,
  create: (space: SearchSpace) => Sampler,
  traits: SamplerTraits = {},
): void {
  const { isFinite = false, isSingleObjective = false, trials: many = 26 } = traits;
  const mixed = isFinite ? MIXED_FINITE : MIXED;
  const numeric = isFinite ? NUMERIC_FINITE : NUMERIC;
  const x = isFinite ? new FloatDistribution(0, 1, { step: 0.125 }) : new FloatDistribution(0, 1);
  const innerSpace: SearchSpace = {
    inner: x,
    kind: new CategoricalDistribution(['plain', 'deep']),
    n: new IntDistribution(1, 3),
    units_0: new IntDistribution(1, 2),
    units_1: new IntDistribution(1, 2),
    units_2: new IntDistribution(1, 2),
  };

  const open = (sampler: Sampler, options: CreateStudyOptions = {}): Promise<Study> =>
    createStudy({
      storage: new InMemoryStorage(),
      studyName: 'contract',
      pruner: new NopPruner(),
      loadIfExists: true,
      seed: 3,
      ...options,
      sampler,
    });
  const paramsOf = async (study: Study): Promise<Params[]> =>
    (await study.trials())
      .filter((trial) => !trial.isSuperseded)
      .sort((a, b) => a.logicalIndex - b.logicalIndex)
      .map((trial) => trial.params);
  const run = async (study: Study, space: SearchSpace, n: number): Promise<void> => {
    for (let i = 0; i < n; i++) {
      const trial = await study.ask();
      await study.tell(trial, lossOf(suggestAll(trial, space)));
    }
  };

  describe(`sampler ${name}`, () => {
    for (const [kind, distribution] of Object.entries(SINGLE_SPACES)) {
      if (isFinite && !isFiniteSpace(distribution)) continue;
      it(`stays inside of its range and on its step: ${kind}`, async () => {
        const space = { p: distribution };
        await run(await open(create(space)), space, 14);
      });
    }

    it('samples parameters of all kinds together', async () => {
      await run(await open(create(mixed)), mixed, many);
    });

    it('stays inside of any space', async () => {
      await fc.assert(
        fc.asyncProperty(anySpace(isFinite), fc.integer(), async (space, seed) => {
          await run(await open(create(space), { seed }), space, 9);
        }),
        { numRuns: 25 },
      );
    });

    it('samples parameters that are asked for under conditions', async () => {
      const study = await open(create(innerSpace));
      for (let i = 0; i < many; i++) {
        const trial = await study.ask();
        await study.tell(trial, conditional(trial, x));
      }
    });

    it('samples a declared space with conditions and rules', async () => {
      const conditions: Readonly<Record<string, readonly Condition[]>> = {
        inner: [{ parameter: 'kind', oneOf: ['deep'] }],
        units_2: [{ parameter: 'n', atLeast: 3 }],
      };
      const declaredSpace: DeclaredSpace = {
        parameters: ['kind', 'inner', 'n', 'units_0', 'units_1', 'units_2'].map((key) => ({
          name: key,
          distribution: innerSpace[key]!,
          conditions: conditions[key] ?? [],
        })),
        constants: { c: 2 },
        isFeasible: (params) => Number(params['n']) * Number(params['units_0']) <= 4,
      };
      const study = await open(create(innerSpace), { declaredSpace });
      for (let i = 0; i < many; i++) {
        const trial = await study.askDeclared();
        if (trial === undefined) throw new Error('No trial.');
        expect(declaredSpace.isFeasible(trial.params)).toBe(true);
        expect('inner' in trial.params).toBe(trial.params['kind'] === 'deep');
        await study.tell(trial, lossOf(trial.params));
      }
    });

    it('gives the same trials for the same seed, others for another', async () => {
      const studies = await Promise.all([3, 3, 4].map((seed) => open(create(mixed), { seed })));
      for (const study of studies) await run(study, mixed, many);
      const [first, same, other] = await Promise.all(studies.map(paramsOf));
      expect(same).toEqual(first);
      if (traits.ignoresStudySeed !== true) expect(other).not.toEqual(first);
    });

    it('goes on after a break as if there had been none', async () => {
      const whole = await open(create(numeric));
      await run(whole, numeric, many);
      const storage = new InMemoryStorage();
      for (const n of [1, 2, 9, many - 12]) await run(await open(create(numeric), { storage }), numeric, n);
      expect(await paramsOf(await open(create(numeric), { storage }))).toEqual(await paramsOf(whole));
    });

    it('gives an interrupted trial its parameters again, and goes on as if it had not been interrupted', async () => {
      const whole = await open(create(mixed));
      await run(whole, mixed, many);
      const storage = new InMemoryStorage();
      for (const n of [0, 5, many - 9]) {
        const study = await open(create(mixed), { storage });
        await run(study, mixed, n);
        const trial = await study.ask();
        for (const [key, distribution] of Object.entries(mixed).slice(0, 2)) trial.suggest(key, distribution);
        await trial.flush();
        await study.interruptTrials([{ trialId: trial.trialId, reason: 'gone' }]);
      }
      const rest = await open(create(mixed), { storage });
      await run(rest, mixed, 4);
      expect(await paramsOf(rest)).toEqual(await paramsOf(whole));
    });

    it('serves several workers at once, each with an instance of its own', async () => {
      const history = async (): Promise<Params[]> => {
        const storage = new InMemoryStorage();
        const workers = await Promise.all([0, 1, 2].map(() => open(create(mixed), { storage })));
        const running: [Study, Trial, Params][] = [];
        for (let i = 0; i < many; i++) {
          const study = workers[i % workers.length]!;
          const trial = await study.ask();
          running.push([study, trial, suggestAll(trial, mixed)]);
          if (running.length < 4) continue;
          const [owner, ended, params] = running.splice((i * 7) % 4, 1)[0]!;
          if (i % 6 === 5) await owner.tell(ended, undefined, { state: 'FAIL' });
          else await owner.tell(ended, lossOf(params));
        }
        for (const [owner, ended, params] of running) await owner.tell(ended, lossOf(params));
        return paramsOf(workers[0]!);
      };
      expect(await history()).toEqual(await history());
    });

    if (traits.dependsOnTellOrder !== true) {
      it('does not mind in which order trials that ran at the same time were told', async () => {
        const next: Params[] = [];
        for (const reversed of [false, true]) {
          const study = await open(create(numeric));
          for (let batch = 0; batch < 4; batch++) {
            const trials: [Trial, Params][] = [];
            for (let i = 0; i < 5; i++) {
              const trial = await study.ask();
              trials.push([trial, suggestAll(trial, numeric)]);
            }
            for (const [trial, params] of reversed ? trials.reverse() : trials) await study.tell(trial, lossOf(params));
          }
          next.push(suggestAll(await study.ask(), numeric));
        }
        expect(next[1]).toEqual(next[0]);
      });
    }

    it(
      isSingleObjective ? 'refuses several objectives' : 'samples for several objectives under constraints',
      async () => {
        const study = await open(create(numeric), { directions: ['minimize', 'maximize'] });
        const trialOf = async (): Promise<void> => {
          const trial = await study.ask();
          const params = suggestAll(trial, numeric);
          trial.setConstraint('c', Number(params['n']) - 3);
          await study.tell(trial, [lossOf(params), Number(params['n'])]);
        };
        if (isSingleObjective) await expect(trialOf()).rejects.toThrow(UsageError);
        else for (let i = 0; i < many; i++) await trialOf();
      },
    );

    it('samples under constraints that no trial keeps', async () => {
      const study = await open(create(numeric));
      for (let i = 0; i < 14; i++) {
        const trial = await study.ask();
        const params = suggestAll(trial, numeric);
        trial.setConstraint('c', 1 + i);
        trial.setConstraint('d', i % 2 === 0 ? Infinity : -1);
        await study.tell(trial, lossOf(params));
      }
    });

    for (const [kind, end] of [
      ['all values are equal', (study: Study, trial: Trial) => study.tell(trial, 1)],
      ['all fail', (study: Study, trial: Trial) => study.tell(trial, undefined, { state: 'FAIL' })],
      ['all objectives are NaN', (study: Study, trial: Trial) => study.tell(trial, NaN)],
      [
        'values are infinite',
        (study: Study, trial: Trial) => study.tell(trial, trial.number % 2 ? Infinity : -Infinity),
      ],
      [
        'all are pruned without a report',
        (study: Study, trial: Trial) => study.tell(trial, undefined, { state: 'PRUNED' }),
      ],
      [
        'all are pruned',
        async (study: Study, trial: Trial) => {
          await trial.report(trial.number % 3 ? trial.number : NaN, trial.number % 4);
          return study.tell(trial, undefined, { state: 'PRUNED' });
        },
      ],
    ] as const) {
      it(`goes on where ${kind}`, async () => {
        const study = await open(create(mixed));
        for (let i = 0; i < 16; i++) {
          const trial = await study.ask();
          suggestAll(trial, mixed);
          await end(study, trial);
        }
      });
    }

    it('goes on after trials that asked for nothing', async () => {
      const study = await open(create(numeric));
      for (let i = 0; i < 3; i++) await study.tell(await study.ask(), i);
      if (traits.isRangeFixed !== true) await run(study, numeric, 4);
    });

    it('takes a range that changes between trials', async () => {
      const range = (i: number): SearchSpace => ({
        ...numeric,
        n: new IntDistribution(1 + (i >> 3), isFinite ? 5 : 10 + i),
      });
      const study = await open(create({ ...numeric, n: new IntDistribution(2, 3) }));
      const work = async (): Promise<void> => {
        for (let i = 0; i < 16; i++) {
          const trial = await study.ask();
          await study.tell(trial, lossOf(suggestAll(trial, range(i))));
        }
      };
      if (traits.isRangeFixed === true) await expect(work()).rejects.toThrow(UsageError);
      else await work();
    });

    it('refuses ranges that cannot be, as a distribution does', async () => {
      const study = await open(create(numeric));
      const trial = await study.ask();
      expect(() => trial.suggestFloat('n', 1, 0)).toThrow(UsageError);
      expect(() => trial.suggestFloat('n', 0, 1, { log: true })).toThrow(UsageError);
      expect(() => trial.suggestInt('n', 0, 5, { log: true })).toThrow(UsageError);
      expect(() => trial.suggestFloat('n', 0, 1, { step: 0 })).toThrow(UsageError);
      expect(() => trial.suggestCategorical('n', [])).toThrow(UsageError);
    });

    it('takes enqueued parameters as they are, those that nobody asks for included', async () => {
      const study = await open(create(numeric));
      const given = { n: 2, unknown: 7 };
      await study.enqueueTrial(isFinite ? { ...given, share: 0.5, y: 2 } : given);
      await run(study, numeric, 6);
      const [first] = await study.trials();
      expect(first?.params['n']).toBe(2);
      expect(first?.params).not.toHaveProperty('unknown');
    });
  });
}
