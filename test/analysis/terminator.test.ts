import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { GaussianProcess } from '../../src/algorithms/gaussian-process.js';
import type { Column } from '../../src/algorithms/search-domain.js';
import { BestValueStagnationEvaluator } from '../../src/analysis/terminator/best-value-stagnation.js';
import { EMMREvaluator } from '../../src/analysis/terminator/emmr.js';
import {
  CrossValidationErrorEvaluator,
  MedianErrorEvaluator,
  reportCrossValidationScores,
  StaticErrorEvaluator,
} from '../../src/analysis/terminator/error-evaluators.js';
import { ModelSpace } from '../../src/analysis/terminator/model-space.js';
import { fitProcess, RegretBoundEvaluator } from '../../src/analysis/terminator/regret-bound.js';
import { Terminator, TerminatorCallback } from '../../src/analysis/terminator/terminator.js';
import { parseDistribution } from '../../src/core/distributions.js';
import { attributeTexts, FrozenTrial } from '../../src/core/frozen-trial.js';
import { parseJson } from '../../src/core/json.js';
import { createRandom } from '../../src/core/random.js';
import type { StudyDirection } from '../../src/core/study-direction.js';
import type { TrialState } from '../../src/core/trial-state.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { createStudy } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';

interface Case {
  readonly name: string;
  readonly direction: StudyDirection;
  readonly space: Readonly<Record<string, string>>;
  readonly trials: readonly {
    readonly state: TrialState;
    readonly value: number | null;
    readonly scores: readonly number[];
    readonly params: Readonly<Record<string, number>>;
  }[];
  readonly process: {
    readonly points: readonly (readonly number[])[];
    readonly targets: readonly number[];
    readonly inverseSquaredScales: readonly number[];
    readonly signalVariance: number;
    readonly noiseVariance: number;
    readonly at: readonly (readonly number[])[];
    readonly means: readonly number[];
    readonly variances: readonly number[];
    readonly covariance: number;
  };
  readonly regret: readonly [number, number];
  readonly emmr: readonly [number, number];
  readonly crossValidation: number;
  readonly stagnation: number;
  readonly median: number;
}

const text = readFileSync(new URL('../golden/terminator-facts.json', import.meta.url), 'utf8');
const facts = parseJson(text) as unknown as { readonly optuna: string; readonly cases: readonly Case[] };

function trialsOf(fact: Case): FrozenTrial[] {
  const distributions = Object.fromEntries(
    Object.entries(fact.space).map(([name, json]) => [name, parseDistribution(json)]),
  );
  return fact.trials.map(
    ({ state, value, scores, params }, number) =>
      new FrozenTrial(number + 1, number, {
        state,
        values: value === null ? undefined : [value],
        internalParams: params,
        distributions,
        systemAttrTexts: attributeTexts({ 'terminator:cv_scores': scores }),
      }),
  );
}

describe.each(facts.cases)(`terminators against Optuna ${facts.optuna}: $name`, (fact) => {
  const trials = trialsOf(fact);
  const complete = trials.filter(({ state }) => state === 'COMPLETE');
  const space = new ModelSpace(complete);
  const points = complete.map((trial) => space.pointOf(trial));
  const targets = Float64Array.from(fact.process.targets);

  it('scales parameters alike', () => {
    for (const [i, point] of points.entries()) {
      for (const [j, value] of point.entries()) expect(value).toBeCloseTo(fact.process.points[i]?.[j] ?? NaN, 12);
    }
  });

  it('has the same posterior under the same hyper-parameters', () => {
    const columns: readonly Column[] = space.columns;
    const process = new GaussianProcess(columns, points, targets, {
      inverseSquaredScales: Float64Array.from(fact.process.inverseSquaredScales),
      signalVariance: fact.process.signalVariance,
      noiseVariance: fact.process.noiseVariance,
    });
    const at = fact.process.at.map((point) => Float64Array.from(point));
    const means = new Float64Array(at.length);
    const variances = new Float64Array(at.length);
    process.predict(at, means, variances);
    for (const [i, mean] of fact.process.means.entries()) expect(means[i]).toBeCloseTo(mean, 9);
    for (const [i, variance] of fact.process.variances.entries()) expect(variances[i]).toBeCloseTo(variance, 9);
    const [a, b] = at;
    if (a === undefined || b === undefined) throw new Error('no points');
    expect(process.covarianceAt(a, b)).toBeCloseTo(fact.process.covariance, 9);
    expect(process.covarianceAt(a, a)).toBeCloseTo(variances[0] ?? NaN, 12);
  });

  it('fits the same hyper-parameters', () => {
    const fitted = fitProcess(space, points, targets);
    const wanted = [...fact.process.inverseSquaredScales, fact.process.signalVariance, fact.process.noiseVariance];
    const found = [...fitted.inverseSquaredScales, fitted.signalVariance, fitted.noiseVariance];
    for (const [i, value] of wanted.entries()) expect(Math.log((found[i] ?? NaN) / value)).toBeCloseTo(0, 1);
  });

  it('bounds the regret, and its fall, alike', () => {
    const mean = (evaluate: (seed: number) => number): number =>
      [1, 2, 3, 4].reduce((sum, seed) => sum + evaluate(seed) / 4, 0);
    const regret = mean((seed) => new RegretBoundEvaluator({ seed }).evaluate(trials, fact.direction));
    expect(Math.abs(regret / fact.regret[0] - 1)).toBeLessThan(0.1 + (2 * fact.regret[1]) / fact.regret[0]);
    const emmr = mean((seed) => new EMMREvaluator({ seed }).evaluate(trials, fact.direction));
    expect(Math.abs(emmr / fact.emmr[0] - 1)).toBeLessThan(0.1 + (2 * fact.emmr[1]) / fact.emmr[0]);
  });

  it('tells errors and stagnation alike', () => {
    expect(new CrossValidationErrorEvaluator().evaluate(trials, fact.direction)).toBeCloseTo(fact.crossValidation, 12);
    const stagnation = new BestValueStagnationEvaluator({ maxStagnationTrials: 10 });
    expect(stagnation.evaluate(trials, fact.direction)).toBe(fact.stagnation);
    const median = new MedianErrorEvaluator(new BestValueStagnationEvaluator(), { warmUpTrials: 3, nInitialTrials: 7 });
    expect(median.evaluate(trials, fact.direction)).toBeCloseTo(fact.median, 12);
  });

  it('samples points that trials could have', () => {
    const values = space.columns.map(() => new Set<number>());
    for (const point of space.sample(256, createRandom(1))) {
      for (const [j, value] of point.entries()) values[j]?.add(value);
    }
    for (const [j, name] of Object.keys(fact.space).sort().entries()) {
      const distribution = parseDistribution(fact.space[name] ?? '');
      if (distribution.kind === 'categorical') expect(values[j]?.size).toBe(distribution.choices.length);
      else if (distribution.step !== undefined) {
        expect(values[j]?.size).toBeLessThanOrEqual((distribution.high - distribution.low) / distribution.step + 1);
      }
      if (distribution.kind !== 'categorical') {
        for (const value of values[j] ?? []) expect(value >= 0 && value <= 1).toBe(true);
      }
    }
  });
});

describe('Terminator', () => {
  const makeStudy = (options: Parameters<typeof createStudy>[0] = {}): Promise<Study> =>
    createStudy({ sampler: new RandomSampler({ seed: 1 }), ...options });

  it('ends a study whose best value stagnates', async () => {
    const study = await makeStudy();
    const terminator = new Terminator({
      improvementEvaluator: new BestValueStagnationEvaluator({ maxStagnationTrials: 5 }),
      minNTrials: 3,
    });
    await study.optimize((trial) => Math.max(0, 4 - trial.number), { callbacks: [new TerminatorCallback(terminator)] });
    // The best is trial 4; the sixth trial after it is one too many.
    expect(await study.trials()).toHaveLength(11);
  });

  it('ends a study by default once what is left to gain is below the error of cross-validation', async () => {
    const run = async (spread: number): Promise<number> => {
      const study = await makeStudy();
      await study.optimize(
        (trial) => {
          const value = trial.suggestFloat('x', -1, 1) ** 2;
          reportCrossValidationScores(trial, [value - spread, value, value + spread]);
          return value;
        },
        { nTrials: 40, callbacks: [new TerminatorCallback()] },
      );
      return (await study.trials()).length;
    };
    expect(await run(1)).toBe(20);
    expect(await run(1e-9)).toBe(40);
  });

  it('says what is missing', async () => {
    const study = await makeStudy();
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 20 });
    await expect(new Terminator().shouldTerminate(study)).rejects.toThrow(/cross-validation scores/);
    expect(await new Terminator({ errorEvaluator: new StaticErrorEvaluator(10) }).shouldTerminate(study)).toBe(true);
    const bare = await makeStudy();
    await bare.optimize(() => 1, { nTrials: 20 });
    await expect(new Terminator().shouldTerminate(bare)).rejects.toThrow(/share no parameter/);
    const several = await makeStudy({ directions: ['minimize', 'minimize'] });
    await expect(new Terminator().shouldTerminate(several)).rejects.toThrow(/single objective/);
    expect(() => new Terminator({ minNTrials: 0 })).toThrow(/minNTrials/);
    expect(() => new EMMREvaluator({ minNTrials: 1 })).toThrow(/minNTrials/);
    expect(() => new BestValueStagnationEvaluator({ maxStagnationTrials: -1 })).toThrow(/0 or more/);
    expect(() => new MedianErrorEvaluator(new EMMREvaluator(), { thresholdRatio: 0 })).toThrow(/thresholdRatio/);
    const trial = await study.ask();
    expect(() => {
      reportCrossValidationScores(trial, [1]);
    }).toThrow(/two scores/);
    await study.tell(trial, 1);
  });

  it('copes with equal and infinite values', async () => {
    const equal = await makeStudy();
    await equal.optimize((trial) => trial.suggestFloat('x', 0, 1) * 0, { nTrials: 20 });
    expect(new RegretBoundEvaluator().evaluate(await equal.trials(), 'minimize')).toBeLessThan(1e-8);
    const infinite = await makeStudy();
    await infinite.optimize((trial) => (trial.number === 3 ? Infinity : trial.suggestFloat('x', 0, 1)), {
      nTrials: 30,
    });
    const trials = (await infinite.trials()).filter((trial) => 'x' in trial.params);
    expect(new RegretBoundEvaluator().evaluate(trials, 'minimize')).toBeGreaterThan(0);
    expect(new EMMREvaluator().evaluate(trials, 'minimize')).toBeGreaterThan(0);
    expect(new EMMREvaluator().evaluate(trials.slice(0, 1), 'minimize')).toBeGreaterThan(1e300);
  });
});
