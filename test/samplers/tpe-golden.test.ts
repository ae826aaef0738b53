import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { FloatDistribution, parseDistribution } from '../../src/core/distributions.js';
import { attributeTexts, FrozenTrial } from '../../src/core/frozen-trial.js';
import { parseJson } from '../../src/core/json.js';
import type { StudyDirection } from '../../src/core/study-direction.js';
import type { TrialState } from '../../src/core/trial-state.js';
import { ObservationTable } from '../../src/algorithms/observation-table.js';
import { defaultWeights, ParzenEstimator } from '../../src/algorithms/parzen-estimator.js';
import { GroupDecomposedSearchSpace } from '../../src/samplers/intersection-search-space.js';
import {
  defaultGamma,
  defaultGammaOfSeveral,
  hyperoptDefaultGamma,
  tpeOptionsFrom,
} from '../../src/samplers/tpe-options.js';
import { createStudy } from '../../src/study/create-study.js';
import { TPESampler } from '../../src/samplers/tpe-sampler.js';
import { TpeHistory } from '../../src/samplers/tpe-split.js';
import { studyView } from '../support/study-view.js';

interface Case {
  readonly name: string;
  readonly options: object | null;
  readonly directions: readonly StudyDirection[];
  readonly space: Readonly<Record<string, string>>;
  readonly trials: readonly {
    readonly state: TrialState;
    readonly values: readonly number[] | null;
    readonly params: Readonly<Record<string, number>>;
    readonly reports: Readonly<Record<string, number>>;
    readonly constraints: readonly number[] | null;
  }[];
  readonly below: readonly number[];
  readonly candidates: readonly (readonly number[])[];
  readonly logBelow: readonly number[];
  readonly logAbove: readonly number[];
}

const text = readFileSync(new URL('../golden/tpe-facts.json', import.meta.url), 'utf8');
const facts = parseJson(text) as unknown as {
  optuna: string;
  cases: Case[];
  gammas: readonly (readonly [number, number, number, number])[];
  weights: readonly (readonly [number, readonly number[]])[];
  groups: readonly { trials: readonly string[]; groups: readonly string[] }[];
};

function viewOf(fact: Case): ReturnType<typeof studyView> {
  const distributions = Object.fromEntries(
    Object.entries(fact.space).map(([name, json]) => [name, parseDistribution(json)]),
  );
  const trials = fact.trials.map(
    (trial, number) =>
      new FrozenTrial(number + 1, number, {
        state: trial.state,
        values: trial.values ?? undefined,
        internalParams: trial.params,
        distributions,
        intermediateValues: trial.reports,
        systemAttrTexts: trial.constraints === null ? {} : attributeTexts({ constraints: trial.constraints }),
      }),
  );
  return studyView(trials, { directions: fact.directions });
}

describe(`TPE against Optuna ${facts.optuna}`, () => {
  it.each(facts.cases)('$name: split and log-ratios', (fact) => {
    const study = viewOf(fact);
    const history = new TpeHistory(fact.directions);
    history.update(study);
    const n = history.trials.length;
    const options = tpeOptionsFrom(fact.options ?? {});
    const gamma = options.gamma ?? (fact.directions.length > 1 ? defaultGammaOfSeveral : defaultGamma);
    const below = history.best(gamma(n)).map((index) => history.trials[index]?.number);
    expect(below.sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual(fact.below);

    const space = Object.fromEntries(Object.entries(fact.space).map(([name, json]) => [name, parseDistribution(json)]));
    const { below: good, above: bad } = new TPESampler(options).estimators(study, space, fact.trials.length);
    for (const [i, candidate] of fact.candidates.entries()) {
      expect(Math.abs(good.logPdf(candidate) - (fact.logBelow[i] ?? NaN))).toBeLessThan(1e-9);
      expect(Math.abs(bad.logPdf(candidate) - (fact.logAbove[i] ?? NaN))).toBeLessThan(1e-9);
    }
  });

  it('how many trials are good, and what old ones weigh', () => {
    for (const [n, single, several, hyperopt] of facts.gammas)
      expect([defaultGamma(n), defaultGammaOfSeveral(n), hyperoptDefaultGamma(n)]).toEqual([single, several, hyperopt]);
    for (const [n, weights] of facts.weights) {
      for (const [i, weight] of defaultWeights(n).entries()) expect(weight).toBeCloseTo(weights[i]!, 14);
    }
  });

  it.each(facts.groups)('groups of parameters that come together: $trials', ({ trials, groups }) => {
    const study = studyView(
      trials.map((letters, number) => {
        const distributions = Object.fromEntries(
          Array.from(letters).map((letter) => [letter, new FloatDistribution(0, 1)]),
        );
        const internalParams = Object.fromEntries(Array.from(letters).map((letter) => [letter, 0.5]));
        return new FrozenTrial(number + 1, number, { state: 'COMPLETE', values: [1], distributions, internalParams });
      }),
    );
    const divided = new GroupDecomposedSearchSpace().of(study).map((group) => Object.keys(group).join(''));
    expect(divided.sort()).toEqual(groups);
  });
});

interface Distances {
  readonly cases: readonly {
    readonly choices: readonly string[];
    readonly distances: readonly (readonly number[])[];
    readonly priorWeight: number;
    readonly observed: readonly number[];
    readonly logProbabilities: readonly number[];
  }[];
}

const distanceText = readFileSync(new URL('../golden/tpe-distance-facts.json', import.meta.url), 'utf8');

describe('categorical distance in TPE, against Optuna 4.9.0', () => {
  it.each((parseJson(distanceText) as unknown as Distances).cases.map((fact, i) => [i, fact] as const))(
    'case %i',
    (_i, fact) => {
      const table = new ObservationTable([
        { kind: 'categorical', choices: fact.choices.length, distances: fact.distances },
      ]);
      for (const [age, choice] of fact.observed.entries()) table.add([choice], age);
      const weights = (n: number): Float64Array => new Float64Array(n).fill(1);
      const options = { priorWeight: fact.priorWeight, considerMagicClip: true, considerEndpoints: false, weights };
      const estimator = new ParzenEstimator(table, options);
      for (const [choice, expected] of fact.logProbabilities.entries())
        expect(Math.abs(estimator.logPdf([choice]) - expected)).toBeLessThan(1e-9);
    },
  );

  it('makes near choices likelier than far ones, and refuses what is no distance', async () => {
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8];
    const near = (a: unknown, b: unknown): number => Math.abs(Number(a) - Number(b));
    const study = await createStudy({ sampler: new TPESampler({ categoricalDistanceFunc: { size: near } }), seed: 1 });
    await study.optimize((trial) => (trial.suggestCategorical('size', sizes) - 5) ** 2, { nTrials: 60 });
    const tried = (await study.trials()).slice(20).filter(({ value }) => (value ?? 9) <= 1);
    expect(tried.length).toBeGreaterThan(20);
    const odd = await createStudy({
      sampler: new TPESampler({ nStartupTrials: 0, categoricalDistanceFunc: { c: () => NaN } }),
    });
    const trial = await odd.ask();
    expect(() => trial.suggestCategorical('c', ['a', 'b'])).toThrow(/finite distances/);
  });
});
