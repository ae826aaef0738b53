import type { Distribution, ParamValue } from './distributions.js';

/** How a configuration may call a parameter; also Hydra's `db/engine`, `+trainer.rate`. Nothing that would end a `${…}`. */
export const PARAMETER_NAME = /^[\p{L}_+~][\p{L}\p{M}\p{N}_.+~/@-]*$/u;

/** When a parameter takes part: another, earlier parameter is active and has one of these values, or at least this much. */
export type Condition =
  | { readonly parameter: string; readonly oneOf: readonly ParamValue[] }
  | { readonly parameter: string; readonly atLeast: number }
  | { readonly parameter: string; readonly atMost: number };

/** One parameter of a declared space. `repeat:` is already expanded: units_0, units_1, … each with its condition. */
export interface DeclaredParameter {
  readonly name: string;
  readonly distribution: Distribution;
  /** All must hold. Empty: always active. */
  readonly conditions: readonly Condition[];
}

/** A search space known before the first trial, in the order of declaration. */
export interface DeclaredSpace {
  readonly parameters: readonly DeclaredParameter[];
  /** Values that take part in every trial but are not searched. */
  readonly constants: Readonly<Record<string, ParamValue>>;
  /** Whether a whole set of parameters may be tried (`feasible:`); true where there is no rule. */
  readonly isFeasible: (params: Readonly<Record<string, ParamValue>>) => boolean;
}

/** Whether a parameter takes part, given the values of those before it. */
export function isActive(parameter: DeclaredParameter, params: Readonly<Record<string, ParamValue>>): boolean {
  return parameter.conditions.every((condition) => {
    const value = params[condition.parameter];
    if (value === undefined) return false;
    if ('oneOf' in condition) return condition.oneOf.includes(value);
    if (typeof value !== 'number') return false;
    return 'atLeast' in condition ? value >= condition.atLeast : value <= condition.atMost;
  });
}
