import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { parseDistribution } from '../../src/core/distributions.js';
import { attributeTexts, FrozenTrial } from '../../src/core/frozen-trial.js';
import { parseJson } from '../../src/core/json.js';
import type { StudyDirection } from '../../src/core/study-direction.js';
import type { TrialState } from '../../src/core/trial-state.js';
import { TPESampler } from '../../src/samplers/tpe-sampler.js';
import { TpeHistory } from '../../src/samplers/tpe-split.js';
import { studyView } from '../support/study-view.js';

interface Case {
  readonly name: string;
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
const facts = parseJson(text) as unknown as { optuna: string; cases: Case[] };

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
    const gamma = fact.directions.length > 1 ? Math.ceil(0.1 * n) : Math.min(Math.ceil(0.1 * n), 25);
    const below = history.best(gamma).map((index) => history.trials[index]?.number);
    expect(below.sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual(fact.below);

    const space = Object.fromEntries(Object.entries(fact.space).map(([name, json]) => [name, parseDistribution(json)]));
    const { below: good, above: bad } = new TPESampler().estimators(study, space, fact.trials.length);
    for (const [i, candidate] of fact.candidates.entries()) {
      expect(Math.abs(good.logPdf(candidate) - (fact.logBelow[i] ?? NaN))).toBeLessThan(1e-9);
      expect(Math.abs(bad.logPdf(candidate) - (fact.logAbove[i] ?? NaN))).toBeLessThan(1e-9);
    }
  });
});
