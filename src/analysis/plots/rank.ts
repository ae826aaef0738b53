import type { FrozenTrial } from '../../core/frozen-trial.js';
import { completeTrials } from '../importance-evaluator.js';
import { axisValue, firstDistribution, isNumerical, paramAxis, type ParamAxis } from './param-axis.js';
import type { FigureTable } from './figure-table.js';
import { openTarget, plottedParams, type PlottedStudy } from './plot-target.js';
import type { ParamPlotOptions } from './slice.js';

/** Trials over two parameters. */
export interface RankSubplot {
  readonly x: ParamAxis;
  readonly y: ParamAxis;
  readonly trialNumbers: readonly number[];
  readonly xs: readonly (number | string)[];
  readonly ys: readonly (number | string)[];
  /** Plotted values. */
  readonly zs: readonly number[];
  /** Rank of the value among all complete trials: 0 the smallest, 1 the largest, equals averaged. */
  readonly positions: readonly number[];
  readonly isFeasible: readonly boolean[];
}

/** Trials over each pair of parameters, coloured by the rank of their value. */
export interface RankFigure {
  readonly kind: 'rank';
  readonly targetName: string;
  readonly lowIsGood: boolean;
  readonly params: readonly string[];
  /** `[row y][column x]`; of two parameters one subplot, x the first. */
  readonly subplots: readonly (readonly RankSubplot[])[];
}

export interface RankOptions extends ParamPlotOptions {
  /** Each pair once, below the diagonal; the other subplots stay empty. @default false */
  readonly onlyHalf?: boolean | undefined;
}

/**
 * Data of Optuna's `plot_rank`.
 * @throws UsageError for an unknown parameter, or with several objectives and neither `target` nor `objective`
 */
export async function plotRank(study: PlottedStudy, options: RankOptions = {}): Promise<RankFigure> {
  const target = await openTarget(study, options);
  const trials = completeTrials(study);
  const known = plottedParams(trials, options.params);
  // As asked for, not sorted: the first is the x axis.
  const params = options.params === undefined || trials.length === 0 ? known : [...options.params];
  const values = trials.map((trial) => target.valueOf(trial));
  const ranks = averagedRanks(values);
  const positions = ranks.map((rank) => (trials.length >= 2 ? rank / (trials.length - 1) : 0.5));
  const columns = new Map(params.map((name) => [name, columnOf(trials, name)]));
  const isFeasible = trials.map((trial) => trial.isFeasible);
  const subplot = (x: string, y: string, isWanted = true): RankSubplot => {
    const [xs, ys] = [columns.get(x) as Column, columns.get(y) as Column];
    const having = isWanted
      ? [...trials.keys()].filter((i) => xs.values[i] !== undefined && ys.values[i] !== undefined)
      : [];
    return {
      x: xs.axis,
      y: ys.axis,
      trialNumbers: having.map((i) => trials[i]?.number ?? 0),
      xs: having.map((i) => xs.values[i] ?? NaN),
      ys: having.map((i) => ys.values[i] ?? NaN),
      zs: having.map((i) => values[i] ?? NaN),
      positions: having.map((i) => positions[i] ?? NaN),
      isFeasible: having.map((i) => isFeasible[i] ?? true),
    };
  };
  const [first, second] = params;
  const subplots =
    params.length === 2 && first !== undefined && second !== undefined
      ? [[subplot(first, second)]]
      : params.map((y, row) => params.map((x, column) => subplot(x, y, options.onlyHalf !== true || column < row)));
  return { kind: 'rank', targetName: target.name, lowIsGood: target.lowIsGood, params, subplots };
}

interface Column {
  readonly axis: ParamAxis;
  /** By trial. */
  readonly values: readonly (number | string | undefined)[];
}

function columnOf(trials: readonly FrozenTrial[], name: string): Column {
  const numerical = isNumerical(firstDistribution(trials, name));
  return { axis: paramAxis(trials, name), values: trials.map((trial) => axisValue(trial, name, numerical)) };
}

/** Rank of each value from 0 on, equals sharing the mean of their places. */
function averagedRanks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end++;
    for (let k = start; k < end; k++) ranks[order[k] as number] = (start + end - 1) / 2;
    start = end;
  }
  return ranks;
}

export function rankTable(figure: RankFigure): FigureTable {
  return {
    columns: ['x parameter', 'y parameter', 'trial', 'x', 'y', figure.targetName, 'rank', 'feasible'],
    rows: figure.subplots
      .flat()
      .flatMap((one) =>
        one.x.name === one.y.name
          ? []
          : one.trialNumbers.map((number, i) => [
              one.x.name,
              one.y.name,
              number,
              one.xs[i],
              one.ys[i],
              one.zs[i],
              one.positions[i],
              one.isFeasible[i],
            ]),
      ),
  };
}
