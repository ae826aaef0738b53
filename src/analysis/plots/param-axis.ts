import type { Distribution, ParamValue } from '../../core/distributions.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import { extentOf } from './plot-target.js';

/** A parameter as an axis. Numbers where it is numeric, texts of its choices where it is not. */
export interface ParamAxis {
  readonly name: string;
  /** A little wider than the values (on a category axis: in positions). */
  readonly range: readonly [number, number];
  readonly isLog: boolean;
  readonly isCategorical: boolean;
}

/** Share of the extent by which an axis is wider than its values, on each side. */
const PADDING = 0.05;

/** The distribution under which the first of the trials has it. */
export function firstDistribution(trials: readonly FrozenTrial[], name: string): Distribution | undefined {
  for (const trial of trials) {
    const distribution = trial.distributions[name];
    if (distribution !== undefined) return distribution;
  }
  return undefined;
}

export function isLogScale(distribution: Distribution | undefined): boolean {
  return distribution !== undefined && distribution.kind !== 'categorical' && distribution.log;
}

/** Numbers, also where it is a choice between numbers. */
export function isNumerical(distribution: Distribution | undefined): boolean {
  return (
    distribution?.kind !== 'categorical' ||
    distribution.choices.every((choice) => typeof choice === 'number' || typeof choice === 'bigint')
  );
}

/** A choice as text. */
export function choiceLabel(value: ParamValue): string {
  return String(value);
}

/** Value of a parameter on its axis; undefined where the trial lacks it. */
export function axisValue(trial: FrozenTrial, name: string, numerical: boolean): number | string | undefined {
  const internal = trial.internalParams[name];
  const distribution = trial.distributions[name];
  if (internal === undefined || distribution === undefined) return undefined;
  const value = distribution.toExternal(internal);
  return numerical ? Number(value) : choiceLabel(value);
}

export function paramAxis(trials: readonly FrozenTrial[], name: string): ParamAxis {
  const distribution = firstDistribution(trials, name);
  const numerical = isNumerical(distribution);
  const values = trials.flatMap((trial) => axisValue(trial, name, numerical) ?? []);
  if (!numerical) {
    const span = new Set(values).size - 1;
    return { name, range: [-span * PADDING, span + span * PADDING], isLog: false, isCategorical: true };
  }
  const [low, high] = extentOf(values as number[]);
  if (isLogScale(distribution)) {
    const padding = (Math.log10(high) - Math.log10(low)) * PADDING;
    const range = [10 ** (Math.log10(low) - padding), 10 ** (Math.log10(high) + padding)] as const;
    return { name, range, isLog: true, isCategorical: false };
  }
  const padding = (high - low) * PADDING;
  return { name, range: [low - padding, high + padding], isLog: false, isCategorical: false };
}
