import { nonDominationRanks } from '../../algorithms/non-dominated-sort.js';
import type { FrozenTrial } from '../../core/frozen-trial.js';
import type { StudyView } from '../../core/study-view.js';
import { completeTrials } from '../importance-evaluator.js';
import { axisValue, choiceLabel, firstDistribution, isLogScale, isNumerical } from './param-axis.js';
import type { FigureTable } from './figure-table.js';
import { lossesOf } from './pareto-front.js';
import {
  extentOf,
  finiteTrials,
  metricNamesOf,
  plottedParams,
  plotTargetOf,
  type PlottedStudy,
} from './plot-target.js';
import type { ParamPlotOptions } from './slice.js';

/** One axis: an objective or a parameter. */
export interface ParallelDimension {
  readonly label: string;
  /** By trial. Of a logarithmic parameter log10, of a categorical one the place of its choice. */
  readonly values: readonly number[];
  readonly range: readonly [number, number];
  readonly isLog: boolean;
  readonly isCategorical: boolean;
  /** Texts at the places of choices; where trials lack the parameter, the lowest place is "None". Empty for plain numbers. */
  readonly tickValues: readonly number[];
  readonly tickTexts: readonly string[];
  /** Some trials lack the parameter. */
  readonly hasMissing: boolean;
}

/** Complete trials as lines over their objectives and parameters. */
export interface ParallelCoordinateFigure {
  readonly kind: 'parallelCoordinate';
  readonly trialNumbers: readonly number[];
  readonly objectives: readonly ParallelDimension[];
  readonly params: readonly ParallelDimension[];
  /** What a line's colour shows: the value, or of several objectives the Pareto rank. */
  readonly colorName: string;
  readonly colorValues: readonly number[];
  readonly isRankColor: boolean;
  readonly lowIsGood: boolean;
  /** Undefined where no trial has constraints; a trial without then counts as infeasible. */
  readonly isFeasible: readonly boolean[] | undefined;
}

const MISSING = 'None';

/**
 * Data of Optuna's `plot_parallel_coordinate`. Of several objectives all are axes, unless `target` or `objective` chooses.
 * @throws UsageError for an unknown parameter
 */
export async function plotParallelCoordinate(
  study: PlottedStudy,
  options: ParamPlotOptions = {},
): Promise<ParallelCoordinateFigure> {
  await study.sync?.();
  const shown = shownObjectives(study, options);
  const params = plottedParams(shown.trials, options.params);
  const dimensions = params.map((name) => paramDimension(shown.trials, name));
  const constrained = shown.trials.some((trial) => trial.constraints !== undefined);
  const figure: ParallelCoordinateFigure = {
    kind: 'parallelCoordinate',
    trialNumbers: shown.trials.map(({ number }) => number),
    objectives: shown.dimensions,
    params: dimensions.map(({ dimension }) => dimension),
    colorName: shown.colorName,
    colorValues: shown.colorValues,
    isRankColor: shown.isRankColor,
    lowIsGood: shown.lowIsGood,
    isFeasible: constrained
      ? shown.trials.map((trial) => trial.constraints !== undefined && trial.isFeasible)
      : undefined,
  };
  const sortBy = dimensions.filter(({ isNumericChoice }) => isNumericChoice).map(({ dimension }) => dimension.values);
  return sortBy.length === 0 ? figure : reordered(figure, sortBy);
}

interface ShownObjectives {
  readonly trials: readonly FrozenTrial[];
  readonly dimensions: readonly ParallelDimension[];
  readonly colorName: string;
  readonly colorValues: readonly number[];
  readonly isRankColor: boolean;
  readonly lowIsGood: boolean;
}

function shownObjectives(study: StudyView, options: ParamPlotOptions): ShownObjectives {
  if (study.directions.length === 1 || options.target !== undefined || options.objective !== undefined) {
    const target = plotTargetOf(study, options);
    const trials = finiteTrials(study, target);
    const values = trials.map((trial) => target.valueOf(trial));
    const { name, lowIsGood } = target;
    const dimensions = [numberDimension(name, values)];
    return { trials, dimensions, colorName: name, colorValues: values, isRankColor: false, lowIsGood };
  }
  const trials = completeTrials(study).filter(
    ({ values }) => values?.length === study.directions.length && values.every(Number.isFinite),
  );
  const names = metricNamesOf(study) ?? study.directions.map((_, i) => `Objective ${i}`);
  return {
    trials,
    dimensions: names.map((name, i) =>
      numberDimension(
        name,
        trials.map((trial) => trial.values?.[i] ?? NaN),
      ),
    ),
    colorName: 'Pareto Rank',
    colorValues: [...nonDominationRanks(trials.map((trial) => lossesOf(study, trial)))],
    isRankColor: true,
    lowIsGood: true,
  };
}

function numberDimension(label: string, values: readonly number[]): ParallelDimension {
  return {
    label,
    values,
    range: extentOf(values),
    isLog: false,
    isCategorical: false,
    tickValues: [],
    tickTexts: [],
    hasMissing: false,
  };
}

function paramDimension(
  trials: readonly FrozenTrial[],
  name: string,
): { dimension: ParallelDimension; isNumericChoice: boolean } {
  const distribution = firstDistribution(trials, name);
  const numerical = isNumerical(distribution);
  const values = trials.map((trial) => axisValue(trial, name, numerical));
  const hasMissing = values.includes(undefined);
  if (distribution?.kind === 'categorical') {
    return { dimension: choiceDimension(name, values, numerical, hasMissing), isNumericChoice: numerical };
  }
  const isLog = isLogScale(distribution);
  const numbers = values.map((value) =>
    value === undefined ? undefined : isLog ? Math.log10(Number(value)) : Number(value),
  );
  const [low, high] = extentOf(numbers.filter((value) => value !== undefined));
  // A gap below the smallest value, in which the trials without it meet.
  const missing = low === high ? low - 1 : low - ((high - low) * 0.12) / 0.88;
  const ticks = isLog ? decades(low, high) : hasMissing ? fifths(low, high) : [];
  const texts = ticks.map((tick) => short(isLog ? 10 ** tick : tick));
  return {
    dimension: {
      label: name,
      values: numbers.map((value) => value ?? missing),
      range: [hasMissing ? missing : low, high],
      isLog,
      isCategorical: false,
      tickValues: hasMissing ? [missing, ...ticks] : ticks,
      tickTexts: hasMissing ? [MISSING, ...texts] : texts,
      hasMissing,
    },
    isNumericChoice: false,
  };
}

function choiceDimension(
  label: string,
  values: readonly (number | string | undefined)[],
  numerical: boolean,
  hasMissing: boolean,
): ParallelDimension {
  const distinct = [...new Set(values.filter((value) => value !== undefined))];
  if (numerical) distinct.sort((a, b) => Number(a) - Number(b));
  const offset = hasMissing ? 1 : 0;
  const place = new Map(distinct.map((value, i) => [value, i + offset]));
  const places = values.map((value) => (value === undefined ? 0 : (place.get(value) ?? 0)));
  const texts = distinct.map((value) => (hasMissing && value === MISSING ? `${MISSING} (value)` : choiceLabel(value)));
  return {
    label,
    values: places,
    range: extentOf(places),
    isLog: false,
    isCategorical: true,
    tickValues: Array.from({ length: distinct.length + offset }, (_, i) => i),
    tickTexts: hasMissing ? [MISSING, ...texts] : texts,
    hasMissing,
  };
}

/** Whole powers of ten between two exponents, with both ends. */
function decades(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let exponent = Math.ceil(low); exponent <= Math.floor(high); exponent++) ticks.push(exponent);
  if (!ticks.includes(low)) ticks.unshift(low);
  if (!ticks.includes(high)) ticks.push(high);
  return ticks;
}

function fifths(low: number, high: number): number[] {
  return low === high ? [low] : Array.from({ length: 5 }, (_, i) => (i === 4 ? high : low + ((high - low) / 4) * i));
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** Trials in the order of the choices between numbers, so that lines of a colour lie together; as Optuna draws them. */
function reordered(figure: ParallelCoordinateFigure, keys: readonly (readonly number[])[]): ParallelCoordinateFigure {
  const order = [...figure.trialNumbers.keys()].sort((a, b) => {
    for (const key of keys) {
      const difference = (key[a] ?? 0) - (key[b] ?? 0);
      if (difference !== 0) return difference;
    }
    return a - b;
  });
  const sorted = <T>(items: readonly T[]): T[] => order.map((i) => items[i] as T);
  const dimension = (one: ParallelDimension): ParallelDimension => ({ ...one, values: sorted(one.values) });
  return {
    ...figure,
    trialNumbers: sorted(figure.trialNumbers),
    objectives: figure.objectives.map(dimension),
    params: figure.params.map(dimension),
    colorValues: sorted(figure.colorValues),
    isFeasible: figure.isFeasible === undefined ? undefined : sorted(figure.isFeasible),
  };
}

export function parallelCoordinateTable(figure: ParallelCoordinateFigure): FigureTable {
  const shown = (dimension: ParallelDimension, i: number): number | string => {
    const value = dimension.values[i] ?? NaN;
    if (dimension.isCategorical) return dimension.tickTexts[dimension.tickValues.indexOf(value)] ?? '';
    if (dimension.hasMissing && value === dimension.tickValues[0]) return '';
    return dimension.isLog ? 10 ** value : value;
  };
  const dimensions = [...figure.objectives, ...figure.params];
  return {
    columns: ['trial', ...dimensions.map(({ label }) => label)],
    rows: figure.trialNumbers.map((number, i) => [number, ...dimensions.map((dimension) => shown(dimension, i))]),
  };
}
