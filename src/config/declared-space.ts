import type { Condition, DeclaredParameter, DeclaredSpace } from '../core/declared-space.js';
import {
  CategoricalDistribution,
  FloatDistribution,
  IntDistribution,
  type Distribution,
  type ParamValue,
} from '../core/distributions.js';
import { UsageError } from '../core/errors.js';
import type { ParameterConfig, SweepConfig } from '../core/sweep-config.js';
import { parseExpression, type Expression, type ExpressionValue } from './expression.js';

/** Distribution of one value of a parameter; undefined for a constant. @throws UsageError where its range is none. */
export function distributionOf(parameter: ParameterConfig): Distribution | undefined {
  switch (parameter.kind) {
    case 'constant':
      return undefined;
    case 'categorical':
      return new CategoricalDistribution(parameter.values);
    case 'float':
      return new FloatDistribution(parameter.min, parameter.max, { log: parameter.log, step: parameter.step });
    case 'int':
      return new IntDistribution(parameter.min, parameter.max, { log: parameter.log, step: parameter.step ?? 1 });
  }
}

/**
 * The search space of a checked configuration: repeats expanded (each member with the condition that there are so many), rules
 * parsed. A rule that mentions an inactive parameter does not apply; the name of a repeated parameter stands for the list of its
 * active members.
 */
export function declaredSpaceOf(config: Pick<SweepConfig, 'parameters' | 'feasible'>): DeclaredSpace {
  const constants: Record<string, ParamValue> = {};
  const parameters: DeclaredParameter[] = [];
  const lists = new Map<string, readonly string[]>();
  for (const parameter of config.parameters) {
    if (parameter.kind === 'constant') {
      constants[parameter.name] = parameter.value;
      continue;
    }
    const distribution = distributionOf(parameter);
    if (distribution === undefined) continue;
    if (parameter.repeat === undefined) {
      parameters.push({ name: parameter.name, distribution, conditions: parameter.when });
      continue;
    }
    const members = expand(parameter.name, parameter.repeat, parameter.when, distribution, config.parameters);
    lists.set(
      parameter.name,
      members.map((member) => member.name),
    );
    parameters.push(...members);
  }
  const rules = config.feasible.map((text) => parseExpression(text));
  return {
    parameters,
    constants,
    isFeasible: (params) => rules.every((rule) => holds(rule, { ...constants, ...params }, lists)),
  };
}

function expand(
  name: string,
  repeat: string,
  when: readonly Condition[],
  distribution: Distribution,
  all: readonly ParameterConfig[],
): readonly DeclaredParameter[] {
  const count = all.find((parameter) => parameter.name === repeat);
  if (count?.kind !== 'int') throw new UsageError(`${name} repeats by ${repeat}, which is no int parameter.`);
  return Array.from({ length: count.max }, (_, index) => ({
    name: `${name}_${index}`,
    distribution,
    // A member that every trial has stays free of conditions, so that samplers may draw it jointly with the others.
    conditions:
      index < count.min && count.when.length === 0 ? when : [...when, { parameter: repeat, atLeast: index + 1 }],
  }));
}

/** Whether a rule holds, or does not apply. @throws UsageError where it cannot be computed, naming the rule. */
function holds(
  rule: Expression,
  params: Readonly<Record<string, ParamValue>>,
  lists: ReadonlyMap<string, readonly string[]>,
): boolean {
  const scope = new Map<string, ExpressionValue>();
  for (const name of rule.names) {
    const value = params[name];
    if (value !== undefined) {
      scope.set(name, value);
      continue;
    }
    const members = lists.get(name);
    if (members === undefined) return true;
    const active = members.flatMap((member) => (params[member] === undefined ? [] : [params[member]]));
    if (active.length === 0) return true;
    scope.set(name, active);
  }
  let result: ExpressionValue;
  try {
    result = rule.evaluate(scope);
  } catch (error) {
    if (error instanceof UsageError)
      throw new UsageError(`The rule "${rule.text}" ${error.message}.`, { cause: error });
    throw error;
  }
  if (typeof result !== 'boolean')
    throw new UsageError(`The rule "${rule.text}" gives ${String(result)}; a rule is true or false.`);
  return result;
}
