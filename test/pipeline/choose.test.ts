import { describe, expect, it } from 'vitest';

import { choose, type Candidate, type ChoiceRules } from '../../src/pipeline/select/choose.js';
import { parseExpression } from '../../src/config/expression.js';

const candidates: Candidate[] = [
  { label: 'a', numbers: { accuracy: 0.97, latency_p95: 4, memory: 10 } },
  { label: 'b', numbers: { accuracy: 0.965, latency_p95: 1, memory: 30 } },
  { label: 'c', numbers: { accuracy: 0.9, latency_p95: 0.5, memory: 5 } },
  { label: 'd', numbers: { accuracy: 0.96, latency_p95: 6, memory: 40 } },
  { label: 'e', numbers: { accuracy: 0.969 } },
];

function rules(
  select: Partial<ChoiceRules['select']>,
  goals: ChoiceRules['objectives'] = [{ name: 'accuracy', goal: 'maximize' }],
): ChoiceRules {
  return {
    select: { constraints: [], ...select },
    objectives: goals,
    directions: { latency_p95: 'minimize', memory: 'minimize' },
    namesIn: (rule) => parseExpression(rule).names,
    holds: (rule, numbers) => parseExpression(rule).evaluate(new Map(Object.entries(numbers))) === true,
  };
}

const labels = (rows: readonly Candidate[]): string[] => rows.map(({ label }) => label);

describe('choosing a configuration', () => {
  it('takes the best objective, the earlier of equals', () => {
    expect(choose(candidates, rules({})).chosen.label).toBe('a');
    const tie = [...candidates, { label: 'f', numbers: { accuracy: 0.97 } }];
    expect(choose(tie, rules({})).chosen.label).toBe('a');
  });

  it('takes the fastest within 1 % of the best', () => {
    const choice = choose(
      candidates,
      rules({ within: { share: 0.01 }, then: { goal: 'minimize', name: 'latency_p95' } }),
    );
    expect(choice.chosen.label).toBe('b');
    expect(choice.reason).toMatch(/^lowest latency_p95 \(1\) of 2 whose accuracy is within 0\.0097/);
    expect(labels(choice.pareto)).toEqual(['a', 'b', 'c']);
    expect(choice.leftOut).toEqual([{ label: 'e', reason: 'not measured: latency_p95' }]);
    const narrow = rules({ within: { absolute: 0.004 }, then: { goal: 'minimize', name: 'latency_p95' } });
    expect(choose(candidates, narrow).chosen.label).toBe('a');
  });

  it('keeps constraints', () => {
    const choice = choose(candidates, rules({ constraints: ['latency_p95 <= 3', 'memory < 20'] }));
    expect(choice.chosen.label).toBe('c');
    expect(choice.leftOut.map(({ label, reason }) => `${label}: ${reason}`)).toEqual([
      'a: breaks latency_p95 <= 3',
      'b: breaks memory < 20',
      'd: breaks latency_p95 <= 3, memory < 20',
      'e: not measured: latency_p95, memory',
    ]);
    expect(() => choose(candidates, rules({ constraints: ['latency_p95 < 0.1'] }))).toThrow(
      /No configuration can be chosen/,
    );
  });

  it('weighs numbers against each other, each by its range', () => {
    const choice = choose(candidates, rules({ weights: { accuracy: 1, latency_p95: 1 } }));
    // a: 1 + 2/5.5, b: 0.93 + 5/5.5, c: 0 + 1.
    expect(choice.chosen.label).toBe('b');
    expect(choose(candidates, rules({ weights: { accuracy: 1, latency_p95: 0.01 } })).chosen.label).toBe('a');
  });

  it('names a number that nobody has, with the nearest one', () => {
    expect(() => choose(candidates, rules({ then: { goal: 'minimize', name: 'latency_p59' } }))).toThrow(
      /latency_p59 is neither .* there are accuracy, latency_p95, memory\. Did you mean "latency_p95"\?/,
    );
  });

  it('of several objectives takes the best in their even sum', () => {
    const two: ChoiceRules['objectives'] = [
      { name: 'accuracy', goal: 'maximize' },
      { name: 'memory', goal: 'minimize' },
    ];
    expect(choose(candidates.slice(0, 4), rules({}, two)).chosen.label).toBe('a');
  });
});
