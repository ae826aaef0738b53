import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { TreeVariance } from '../../src/algorithms/functional-anova.js';
import { growRandomForest, impurityDecrease, predictTree } from '../../src/algorithms/random-forest.js';
import { FanovaImportanceEvaluator } from '../../src/analysis/fanova.js';
import type { ImportanceEvaluator } from '../../src/analysis/importance-evaluator.js';
import { MeanDecreaseImpurityImportanceEvaluator } from '../../src/analysis/mean-decrease-impurity.js';
import { getParamImportances } from '../../src/analysis/param-importances.js';
import { PedAnovaImportanceEvaluator } from '../../src/analysis/ped-anova.js';
import { parseDistribution } from '../../src/core/distributions.js';
import { FrozenTrial } from '../../src/core/frozen-trial.js';
import { parseJson } from '../../src/core/json.js';
import { createRandom } from '../../src/core/random.js';
import type { StudyDirection } from '../../src/core/study-direction.js';
import type { TrialState } from '../../src/core/trial-state.js';
import { RandomSampler } from '../../src/samplers/random-sampler.js';
import { createStudy } from '../../src/study/create-study.js';
import { studyView } from '../support/study-view.js';

interface RecordedStudy {
  readonly directions: readonly StudyDirection[];
  readonly distributions: readonly string[];
  readonly trials: readonly {
    readonly state: TrialState;
    readonly values: readonly number[] | null;
    readonly params: Readonly<Record<string, readonly [number, number]>>;
  }[];
}

type Importances = Readonly<Record<string, number>>;

interface Facts {
  readonly optuna: string;
  readonly cases: readonly {
    readonly name: string;
    readonly study: RecordedStudy;
    readonly ped: readonly {
      readonly options: Readonly<Record<string, number | boolean>>;
      readonly target: number | null;
      readonly importances: Importances;
    }[];
    readonly forests: Readonly<Record<'fanova' | 'mdi', Readonly<Record<string, readonly [number, number]>>>> | null;
  }[];
  readonly trees: readonly {
    readonly ranges: readonly (readonly [number, number])[];
    readonly feature: readonly number[];
    readonly threshold: readonly number[];
    readonly left: readonly number[];
    readonly right: readonly number[];
    readonly value: readonly number[];
    readonly weight: readonly number[];
    readonly impurity: readonly number[];
    readonly variance: number;
    readonly groups: readonly (readonly number[])[];
    readonly marginals: readonly number[];
    readonly decrease: readonly number[];
  }[];
  readonly grown: readonly {
    readonly rows: readonly (readonly number[])[];
    readonly targets: readonly number[];
    readonly depth: number;
    readonly feature: readonly number[];
    readonly threshold: readonly number[];
    readonly value: readonly number[];
  }[];
}

const text = readFileSync(new URL('../golden/importance-facts.json', import.meta.url), 'utf8');
const facts = parseJson(text) as unknown as Facts;

function viewOf(study: RecordedStudy): ReturnType<typeof studyView> {
  const distributions = study.distributions.map(parseDistribution);
  const trials = study.trials.map((trial, number) => {
    const params = Object.entries(trial.params);
    return new FrozenTrial(number + 1, number, {
      state: trial.state,
      values: trial.values ?? undefined,
      internalParams: Object.fromEntries(params.map(([name, [, value]]) => [name, value])),
      distributions: Object.fromEntries(
        params.flatMap(([name, [index]]) => {
          const distribution = distributions[index];
          return distribution === undefined ? [] : [[name, distribution]];
        }),
      ),
    });
  });
  return studyView(trials, { directions: study.directions });
}

/** Largest difference of two sets of importances of the same parameters. */
function distance(found: Importances, wanted: Importances): number {
  expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
  return Math.max(...Object.keys(wanted).map((name) => Math.abs((found[name] ?? NaN) - (wanted[name] ?? NaN))));
}

describe(`importances against Optuna ${facts.optuna}`, () => {
  it.each(facts.cases)('PED-ANOVA: $name', async ({ study, ped }) => {
    const view = viewOf(study);
    for (const { options, target, importances } of ped) {
      const evaluator = new PedAnovaImportanceEvaluator({
        ...('target_quantile' in options ? { targetQuantile: Number(options['target_quantile']) } : {}),
        ...('region_quantile' in options ? { regionQuantile: Number(options['region_quantile']) } : {}),
        ...('evaluate_on_local' in options ? { evaluateOnLocal: options['evaluate_on_local'] === true } : {}),
      });
      const found = await getParamImportances(view, {
        evaluator,
        target: target === null ? undefined : (trial) => trial.values?.[target] ?? NaN,
        normalize: false,
      });
      expect(distance(found, importances)).toBeLessThan(1e-9);
      expect(Object.values(found)).toEqual(Object.values(found).toSorted((a, b) => b - a));
    }
  });

  const forests = facts.cases.flatMap(({ name, study, forests: recorded }) =>
    recorded === null
      ? []
      : (['fanova', 'mdi'] as const).map((kind) => ({ name, study, kind, recorded: recorded[kind] })),
  );
  it.each(forests)('$kind: $name', async ({ study, kind, recorded }) => {
    const view = viewOf(study);
    const evaluatorOf = (seed: number): ImportanceEvaluator =>
      kind === 'fanova'
        ? new FanovaImportanceEvaluator({ seed })
        : new MeanDecreaseImpurityImportanceEvaluator({ seed });
    const seeds = [1, 2, 3, 4];
    const sums: Record<string, number> = {};
    for (const seed of seeds) {
      const found = await getParamImportances(view, { evaluator: evaluatorOf(seed), normalize: kind === 'mdi' });
      for (const [name, value] of Object.entries(found)) sums[name] = (sums[name] ?? 0) + value / seeds.length;
    }
    const means = Object.fromEntries(Object.entries(recorded).map(([name, [mean]]) => [name, mean]));
    const spread = Math.max(...Object.values(recorded).map(([, deviation]) => deviation));
    expect(distance(sums, means)).toBeLessThan(3 * spread);
  });

  it.each(facts.trees)('variances of a tree, %#', (fact) => {
    const tree = {
      feature: Int32Array.from(fact.feature),
      threshold: Float64Array.from(fact.threshold),
      left: Int32Array.from(fact.left),
      right: Int32Array.from(fact.right),
      value: Float64Array.from(fact.value),
      weight: Float64Array.from(fact.weight),
      impurity: Float64Array.from(fact.impurity),
    };
    const ranges = fact.ranges.map(([low, high]) => ({ low, high }));
    const variance = new TreeVariance(tree, ranges);
    expect(variance.total).toBeCloseTo(fact.variance, 10);
    for (const [i, columns] of fact.groups.entries()) {
      expect(variance.marginal(columns)).toBeCloseTo(fact.marginals[i] ?? NaN, 10);
    }
    const decrease = impurityDecrease(tree, ranges.length);
    for (const [i, share] of fact.decrease.entries()) expect(decrease[i]).toBeCloseTo(share, 10);
  });

  it.each(facts.grown)('a tree as scikit-learn grows it, %#', ({ rows, targets, depth, feature, threshold, value }) => {
    const columns = [0, 1, 2].map((j) => Float64Array.from(rows, (row) => row[j] ?? NaN));
    const [tree] = growRandomForest(columns, Float64Array.from(targets), createRandom(1), {
      trees: 1,
      maxDepth: depth,
      bootstrap: false,
    });
    expect([...(tree?.feature ?? [])]).toEqual(feature);
    for (const [i, cut] of threshold.entries()) expect(tree?.threshold[i]).toBeCloseTo(cut, 12);
    for (const [i, mean] of value.entries()) expect(tree?.value[i]).toBeCloseTo(mean, 12);
  });
});

describe('forests', () => {
  it('give each row its own value without bootstrap, and the same trees for the same seed', () => {
    const random = createRandom(3);
    const columns = [0, 1].map(() => Float64Array.from({ length: 50 }, () => random.uniform()));
    const targets = Float64Array.from({ length: 50 }, () => random.normal());
    const grow = (seed: number): ReturnType<typeof growRandomForest> =>
      growRandomForest(columns, targets, createRandom(seed), { trees: 2, bootstrap: false });
    for (const tree of grow(1)) {
      for (const [i, target] of targets.entries()) {
        expect(predictTree(tree, [columns[0]?.[i] ?? 0, columns[1]?.[i] ?? 0])).toBeCloseTo(target, 12);
      }
    }
    expect(grow(5)).toEqual(grow(5));
  });
});

describe('getParamImportances', () => {
  const evaluators: readonly (readonly [string, ImportanceEvaluator])[] = [
    ['PED-ANOVA', new PedAnovaImportanceEvaluator()],
    ['fANOVA', new FanovaImportanceEvaluator({ seed: 1 })],
    ['mean decrease of impurity', new MeanDecreaseImpurityImportanceEvaluator({ seed: 1 })],
  ];

  it.each(evaluators)('%s finds the parameter that matters, normalised', async (_, evaluator) => {
    const study = await createStudy({ sampler: new RandomSampler({ seed: 1 }) });
    await study.optimize(
      (trial) => {
        const much = trial.suggestFloat('much', -1, 1);
        const kind = trial.suggestCategorical('kind', ['a', 'b', 'c']);
        trial.suggestInt('nothing', 1, 10);
        return much ** 2 + (kind === 'a' ? 0 : 0.05);
      },
      { nTrials: 200 },
    );
    const found = await getParamImportances(study, { evaluator });
    expect(Object.keys(found)[0]).toBe('much');
    expect(Object.values(found).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
    expect(await getParamImportances(study, { evaluator })).toEqual(found);
    expect(Object.keys(await getParamImportances(study, { evaluator, params: ['nothing', 'kind'] })).sort()).toEqual([
      'kind',
      'nothing',
    ]);
    expect(await getParamImportances(study, { evaluator, params: [] })).toEqual({});
    await expect(getParamImportances(study, { evaluator, params: ['mucch'] })).rejects.toMatchObject({
      hint: 'Did you mean "much"?',
    });
  });

  it.each(evaluators)(
    '%s gives all the same where there are too few trials, nothing where there is none',
    async (_, evaluator) => {
      const study = await createStudy({ sampler: new RandomSampler({ seed: 1 }) });
      expect(await getParamImportances(study, { evaluator })).toEqual({});
      await study.optimize((trial) => trial.suggestFloat('x', 0, 1) + trial.suggestFloat('y', 0, 1), { nTrials: 1 });
      expect(await getParamImportances(study, { evaluator })).toEqual({ x: 0.5, y: 0.5 });
    },
  );

  it('refuses what cannot be told', async () => {
    const several = await createStudy({ directions: ['minimize', 'minimize'] });
    await several.optimize((trial) => [trial.suggestFloat('x', 0, 1), 1], { nTrials: 5 });
    const evaluator = new FanovaImportanceEvaluator();
    await expect(getParamImportances(several, { evaluator })).rejects.toThrow(/several objectives/i);
    expect(await getParamImportances(several, { evaluator, target: (trial) => trial.values?.[0] ?? NaN })).toEqual({
      x: 1,
    });
    const flat = await createStudy({ sampler: new RandomSampler({ seed: 1 }) });
    await flat.optimize((trial) => trial.suggestFloat('x', 0, 1) * 0, { nTrials: 5 });
    await expect(getParamImportances(flat, { evaluator })).rejects.toThrow(/same/);
    const moving = await createStudy({ sampler: new RandomSampler({ seed: 1 }) });
    await moving.optimize((trial) => trial.suggestFloat('x', 0, 1 + trial.number), { nTrials: 5 });
    await expect(getParamImportances(moving, { evaluator, params: ['x'] })).rejects.toThrow(/range/);
    expect(() => new PedAnovaImportanceEvaluator({ targetQuantile: 0.5, regionQuantile: 0.5 })).toThrow(
      /regionQuantile/,
    );
  });
});
