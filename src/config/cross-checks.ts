import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';

import type * as z from 'zod';

import { COMMAND_PLACEHOLDERS, placeholdersIn } from '../core/command-placeholders.js';
import { UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import type { ObjectiveConfig, ParameterConfig } from '../core/sweep-config.js';
import type { ConfigRegistry } from './component-schema.js';
import type { CheckedSections } from './config-schema.js';
import { parseExpression, type ExpressionValue } from './expression.js';
import { oneOf } from './explain-issue.js';
import { resolveInputPath } from './project-root.js';
import type { Complain } from './schema-readers.js';

/** Sections that passed on their own. */
export type ValidSections = Partial<CheckedSections>;

export interface CheckContext {
  readonly registry: ConfigRegistry;
  readonly projectRoot: string;
  readonly configFolder: string | undefined;
  readonly checkFiles: boolean;
  readonly complain: Complain;
  readonly warn: (text: string) => void;
}

/** Rules that join several sections. Each looks only at sections that are there and valid. */
export function checkAcross(
  valid: ValidSections,
  parameters: readonly ParameterConfig[] | undefined,
  context: CheckContext,
): void {
  checkMetrics(valid, context);
  checkSampler(valid, parameters, context);
  if (parameters !== undefined) checkFeasible(valid.feasible ?? [], parameters, context);
  if (valid.objective !== undefined) {
    checkPlaceholders(valid.objective, parameters, context.complain);
    if (parameters !== undefined) checkTrainerParameters(valid.objective, parameters, context);
    if (context.checkFiles) checkInputs(valid.objective, context);
  }
  checkConstraints(valid, context.complain);
  checkDestinations(valid, context.complain);
  warnings(valid, context);
}

/** What a sampler cannot do is said before anything begins. */
function checkSampler(
  { sampler, metrics = [] }: ValidSections,
  parameters: readonly ParameterConfig[] | undefined,
  { registry, complain }: CheckContext,
): void {
  const entry = registry.samplers.find(({ type }) => type === sampler?.type);
  if (entry === undefined || sampler === undefined) return;
  if (entry.isSingleObjective === true && metrics.length > 1) {
    complain({ text: `the sampler ${entry.type} is for a single metric, but there are ${metrics.length}.` }, [
      'sampler',
    ]);
  }
  if (entry.isFinite !== true || sampler.options['search_space'] !== undefined) return;
  for (const parameter of parameters ?? []) {
    if (parameter.kind !== 'float' || parameter.step !== undefined || parameter.min === parameter.max) continue;
    complain(
      {
        text: `the sampler ${entry.type} goes through every value: give ${parameter.name} a step, or list its values.`,
      },
      ['parameters', parameter.name],
    );
  }
}

function checkMetrics(valid: ValidSections, { registry, complain, warn }: CheckContext): void {
  const list = valid.metric === undefined ? (valid.metrics ?? []) : [valid.metric];
  const pathOf = (index: number): (string | number)[] =>
    valid.metric === undefined ? ['metrics', index, 'name'] : ['metric', 'name'];
  const { objective } = valid;
  const entry =
    objective?.type === 'tfjs' ? registry.trainers.find((trainer) => trainer.type === objective.trainer) : undefined;
  const known = entry?.metrics?.map((metric) => (typeof metric === 'string' ? { name: metric } : metric));
  const names = known?.map((metric) => metric.name) ?? [];
  list.forEach((metric, index) => {
    const description = known?.find((candidate) => candidate.name === metric.name);
    if (known !== undefined && description === undefined) {
      complain(
        { allowed: `a metric of ${entry?.type ?? ''}: ${names.join(', ')}`, nearest: nearestName(metric.name, names) },
        pathOf(index),
      );
    }
    if (description?.goal !== undefined && description.goal !== metric.goal) {
      warn(`metric ${metric.name} is usually to ${description.goal}, but its goal is ${metric.goal}.`);
    }
    if (list.findIndex((other) => other.name === metric.name) < index) {
      complain({ text: `the metric ${metric.name} stands twice in the list.` }, pathOf(index));
    }
  });
}

/** Names of everything that a trial may have, and a value of each: its lowest, or its first choice. */
function sampleScope(parameters: readonly ParameterConfig[]): Map<string, ExpressionValue> {
  const scope = new Map<string, ExpressionValue>();
  for (const parameter of parameters) {
    const value =
      parameter.kind === 'constant'
        ? parameter.value
        : parameter.kind === 'categorical'
          ? (parameter.values[0] ?? null)
          : parameter.min;
    const repeat = parameter.kind === 'constant' ? undefined : parameter.repeat;
    if (repeat === undefined) {
      scope.set(parameter.name, value);
      continue;
    }
    const count = parameters.find((other) => other.name === repeat);
    const members = Array.from({ length: count?.kind === 'int' ? count.max : 0 }, () => value);
    scope.set(parameter.name, members);
    members.forEach((member, index) => scope.set(`${parameter.name}_${index}`, member));
  }
  return scope;
}

function checkFeasible(
  rules: readonly string[],
  parameters: readonly ParameterConfig[],
  { complain }: CheckContext,
): void {
  const scope = sampleScope(parameters);
  rules.forEach((rule, index) => {
    const path = ['feasible', index];
    try {
      const expression = parseExpression(rule);
      const unknown = expression.names.filter((name) => !scope.has(name));
      for (const name of unknown) {
        complain(
          {
            text: `the rule names ${name}, which is no parameter; parameters are ${[...scope.keys()].join(', ')}.`,
            nearest: nearestName(name, scope.keys()),
          },
          path,
        );
      }
      if (unknown.length > 0) return;
      const result = expression.evaluate(scope);
      if (typeof result !== 'boolean')
        complain({ text: 'the rule gives a value, not true or false; write a comparison such as a * b <= 512.' }, path);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      complain({ text: `the rule ${error.message.replace(/[.?]?$/, (end) => (end === '' ? '.' : end))}` }, path);
    }
  });
}

function checkPlaceholders(
  objective: ObjectiveConfig,
  parameters: readonly ParameterConfig[] | undefined,
  complain: Complain,
): void {
  if (objective.type !== 'command' || parameters === undefined) return;
  const names = [
    ...Object.keys(COMMAND_PLACEHOLDERS),
    ...[...sampleScope(parameters)].flatMap(([name, value]) => (Array.isArray(value) ? [] : [name])),
  ];
  const check = (text: string, path: readonly (string | number)[]): void => {
    for (const name of placeholdersIn(text)) {
      if (names.includes(name) || /^envvar:[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue;
      const known = `${names.join(', ')} and envvar:NAME (a variable of the environment)`;
      complain(
        {
          text: `the placeholder \${${name}} is unknown; known are ${known}. Write $\${${name}} for the text itself.`,
          nearest: nearestName(name, names),
        },
        path,
      );
    }
  };
  const isShell = objective.command[0] === '/bin/sh' && objective.command[1] === '-c';
  objective.command.forEach((word, index) => {
    check(word, isShell ? ['objective', 'command'] : ['objective', 'command', index]);
  });
  for (const [name, value] of Object.entries(objective.env)) check(value, ['objective', 'env', name]);
}

/** Every parameter of a trainer must be one of its settings, with values that the setting takes. */
function checkTrainerParameters(
  objective: ObjectiveConfig,
  parameters: readonly ParameterConfig[],
  { registry, complain }: CheckContext,
): void {
  if (objective.type !== 'tfjs') return;
  const entry = registry.trainers.find((trainer) => trainer.type === objective.trainer);
  if (entry === undefined) return;
  const { shape } = entry.schema;
  const names = Object.keys(shape);
  for (const parameter of parameters) {
    const schema = shape[parameter.name] as z.ZodType | undefined;
    if (schema === undefined) {
      // A member written out (units_1) belongs to the setting that is repeated.
      if (Object.hasOwn(shape, parameter.name.replace(/_\d+$/, ''))) continue;
      complain(
        {
          aboutKey: true,
          text: `is no setting of the trainer ${entry.type}; it has ${names.join(', ')}.`,
          nearest: nearestName(parameter.name, names),
        },
        ['parameters', parameter.name],
      );
      continue;
    }
    const values: readonly (readonly [string | number, unknown])[] =
      parameter.kind === 'constant'
        ? [['value', parameter.value]]
        : parameter.kind === 'categorical'
          ? parameter.values.map((value, index) => [index, value] as const)
          : [
              ['min', parameter.min],
              ['max', parameter.max],
            ];
    for (const [key, value] of values) {
      if (schema.safeParse(value).success) continue;
      const path =
        parameter.kind === 'categorical'
          ? ['parameters', parameter.name, 'values', key]
          : ['parameters', parameter.name, key];
      complain({ text: `the trainer ${entry.type} takes no such value for ${parameter.name}.` }, path);
    }
  }
}

function checkInputs(objective: ObjectiveConfig, context: CheckContext): void {
  const inputs: (readonly [string, string | undefined])[] = [['data', objective.data?.path]];
  for (const [key, path] of inputs) {
    if (path !== undefined && objective.data?.version === undefined)
      checkFile(path, ['objective', key, 'path'], context);
  }
  if (objective.type === 'module') checkFile(objective.path, ['objective', 'path'], context);
}

function checkFile(path: string, key: readonly string[], { projectRoot, configFolder, complain }: CheckContext): void {
  const resolved = resolveInputPath(path, { projectRoot, configFolder });
  if (existsSync(resolved)) return;
  const folder = dirname(resolved);
  const near = existsSync(folder) ? nearestName(basename(resolved), readdirSync(folder)) : undefined;
  const places =
    configFolder === undefined ? 'under the project root' : 'under the project root or beside the configuration';
  complain({ text: `no such file or folder ${places}.`, nearest: near }, key);
}

function checkConstraints(valid: ValidSections, complain: Complain): void {
  valid.select?.constraints.forEach((rule, index) => {
    try {
      parseExpression(rule);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      complain({ text: `the rule ${error.message.replace(/[.?]?$/, (end) => (end === '' ? '.' : end))}` }, [
        'select',
        'constraints',
        index,
      ]);
    }
  });
}

function checkDestinations(valid: ValidSections, complain: Complain): void {
  const names = valid.backup?.destinations.map((destination) => destination.name) ?? [];
  names.forEach((name, index) => {
    if (name !== '' && names.indexOf(name) < index) {
      complain({ text: `another destination is called ${oneOf([name])} already.` }, [
        'backup',
        'destinations',
        index,
        'name',
      ]);
    }
  });
}

function warnings(valid: ValidSections, { warn }: CheckContext): void {
  const { trials, parallel, metrics, pruner, limits } = valid;
  if (trials !== undefined && parallel !== undefined && parallel > trials) {
    warn(`parallel (${parallel}) is above trials (${trials}); no more than ${trials} run at once.`);
  }
  if ((metrics?.length ?? 0) > 1 && pruner !== undefined && pruner.type !== 'nop') {
    warn(`pruner ${pruner.type} has no effect: trials of several objectives are never pruned.`);
  }
  if (limits?.session !== undefined && limits.trial !== undefined && limits.session < limits.trial) {
    warn('limits.session is shorter than limits.trial; a long trial may never finish within a session.');
  }
}
