import { isCompatible, type Distribution, type ParamValue } from '../core/distributions.js';
import type { DeclaredSpace } from '../core/declared-space.js';
import { messageOf, UsageError } from '../core/errors.js';
import { attributeTexts, TRIAL_ATTRIBUTE, type FrozenTrial, type TrialTemplate } from '../core/frozen-trial.js';
import type { JsonValue } from '../core/json.js';
import { nearestName } from '../core/nearest-name.js';

type Params = Readonly<Record<string, ParamValue>>;

/** A trial that waits with these parameters fixed. */
export function waitingTemplate(params: Params, userAttrs: Readonly<Record<string, JsonValue>>): TrialTemplate {
  return {
    state: 'WAITING',
    userAttrTexts: attributeTexts(userAttrs),
    systemAttrTexts: attributeTexts({ [TRIAL_ATTRIBUTE.fixedParams]: params }),
  };
}

/** Whether a trial, waiting or not, has exactly these parameters (numbers equal within 1e-5 of their size, as Optuna compares). */
export function hasTrialWith(trials: readonly FrozenTrial[], params: Params): boolean {
  const names = Object.keys(params);
  return trials.some((trial) => {
    const fixed = trial.systemAttr(TRIAL_ATTRIBUTE.fixedParams);
    const tried = fixed === undefined ? trial.params : (fixed as Record<string, JsonValue>);
    return (
      Object.keys(tried).length === names.length &&
      names.every((name) => name in tried && isSameValue(params[name], tried[name]))
    );
  });
}

function isSameValue(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b;
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-5 * Math.abs(b);
}

/**
 * Parameters enqueued for a declared space. (Without one they are known only when the objective asks for them, and what it never
 * asks for is ignored, as in Optuna.)
 * @throws UsageError for an unknown name or a value of the wrong kind
 */
export function checkEnqueued(params: Params, space: DeclaredSpace): void {
  const names = space.parameters.map(({ name }) => name);
  for (const [name, value] of Object.entries(params)) {
    const distribution = space.parameters.find((parameter) => parameter.name === name)?.distribution;
    if (distribution !== undefined) {
      try {
        distribution.toInternal(value);
      } catch (error) {
        throw new UsageError(`Parameter "${name}": ${messageOf(error)}`, { cause: error });
      }
      continue;
    }
    if (name in space.constants) throw new UsageError(`Parameter "${name}" is constant in this study.`);
    const nearest = nearestName(name, names);
    throw new UsageError(`There is no parameter "${name}" in this study.`, {
      hint: nearest === undefined ? `Its parameters are ${names.join(', ')}.` : `Did you mean "${nearest}"?`,
    });
  }
}

/** Trials to be added, as templates. @throws UsageError where one has not as many values as the study objectives */
export function templatesOf(trials: readonly (TrialTemplate | FrozenTrial)[], objectives: number): TrialTemplate[] {
  return trials.map((trial) => {
    if (trial.values !== undefined && trial.values.length !== objectives) {
      throw new UsageError(`A trial of this study has ${objectives} values, but ${trial.values.length} came.`);
    }
    return 'toTemplate' in trial ? trial.toTemplate() : trial;
  });
}

/** @throws UsageError where a parameter is of another kind than in the study's trials, or than in a trial added with it */
export function requireCompatible(
  templates: readonly TrialTemplate[],
  firstDistribution: (name: string) => Distribution | undefined,
): void {
  const added = new Map<string, Distribution>();
  for (const { distributions = {} } of templates) {
    for (const [name, distribution] of Object.entries(distributions)) {
      const partner = firstDistribution(name) ?? added.get(name);
      if (partner === undefined) added.set(name, distribution);
      else if (!isCompatible(partner, distribution)) {
        throw new UsageError(
          `Parameter "${name}" is ${partner.json} in this study and cannot become ${distribution.json}: kind, log and choices must stay.`,
        );
      }
    }
  }
}
