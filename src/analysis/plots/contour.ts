import type { FrozenTrial } from '../../core/frozen-trial.js';
import { isBetter } from '../../core/study-direction.js';
import { contourSurface, type ContourAxis, type ContourCell, type ContourSurface } from './contour-surface.js';
import { axisValue, firstDistribution, isNumerical, paramAxis } from './param-axis.js';
import type { FigureTable } from './figure-table.js';
import { finiteTrials, openTarget, plottedParams, type PlottedStudy, type PlotTarget } from './plot-target.js';
import type { ParamPlotOptions } from './slice.js';

export interface ContourSubplot {
  readonly x: ContourAxis;
  readonly y: ContourAxis;
  /** Empty where a parameter has fewer than two values, no trial has both, or both are the same. */
  readonly cells: readonly ContourCell[];
  /** The trials that have both parameters. */
  readonly trialNumbers: readonly number[];
  readonly xs: readonly (number | string)[];
  readonly ys: readonly (number | string)[];
  readonly isFeasible: readonly boolean[];
  /** Values between the cells, for drawing; undefined where there is nothing to draw. */
  readonly surface: ContourSurface | undefined;
}

/** Values over each pair of parameters. */
export interface ContourFigure {
  readonly kind: 'contour';
  readonly targetName: string;
  readonly lowIsGood: boolean;
  /** Sorted by name. */
  readonly params: readonly string[];
  /** `[row y][column x]`; of two parameters one subplot, x the first. */
  readonly subplots: readonly (readonly ContourSubplot[])[];
}

export interface ContourOptions extends ParamPlotOptions {
  /** Points of the drawn surface along each axis; 0: none. @default 40 */
  readonly surfaceSize?: number | undefined;
  /** Each pair once, below the diagonal; the other subplots stay empty. @default false */
  readonly onlyHalf?: boolean | undefined;
  /** Two parameters as they are given, the first for the x axis. @default false: by name, as Optuna has it */
  readonly keepOrder?: boolean | undefined;
}

/**
 * Data of Optuna's `plot_contour`.
 * @throws UsageError for an unknown parameter, or with several objectives and neither `target` nor `objective`
 */
export async function plotContour(study: PlottedStudy, options: ContourOptions = {}): Promise<ContourFigure> {
  const target = await openTarget(study, options);
  const trials = finiteTrials(study, target);
  const known = plottedParams(trials, options.params);
  const params = options.keepOrder === true && options.params?.length === known.length ? [...options.params] : known;
  const axes = new Map(params.map((name) => [name, contourAxis(trials, name)]));
  const size = options.surfaceSize ?? 40;
  const plotted: Plotted = {
    trials,
    zs: trials.map((trial) => target.valueOf(trial)),
    isFeasible: trials.map((trial) => trial.isFeasible),
    direction: target.direction,
  };
  const subplot = (x: string, y: string, isWanted = true): ContourSubplot =>
    contourSubplot(plotted, axes.get(x) as AxisWithValues, axes.get(y) as AxisWithValues, size, isWanted);
  const [first, second] = params;
  const subplots =
    params.length === 2 && first !== undefined && second !== undefined
      ? [[subplot(first, second)]]
      : params.map((y, row) => params.map((x, column) => subplot(x, y, options.onlyHalf !== true || column < row)));
  return { kind: 'contour', targetName: target.name, lowIsGood: target.lowIsGood, params, subplots };
}

interface AxisWithValues {
  readonly axis: ContourAxis;
  /** By trial. */
  readonly values: readonly (number | string | undefined)[];
  /** Of these in the axis' indices; -1 where a trial lacks the parameter. */
  readonly places: Int32Array;
}

function contourAxis(trials: readonly FrozenTrial[], name: string): AxisWithValues {
  const numerical = isNumerical(firstDistribution(trials, name));
  const values = trials.map((trial) => axisValue(trial, name, numerical));
  const axis = paramAxis(trials, name);
  const distinct = [...new Set(values)].filter((value) => value !== undefined);
  if (numerical) (distinct as number[]).sort((a, b) => a - b);
  else distinct.sort();
  const indices = numerical && distinct.length >= 2 ? [axis.range[0], ...distinct, axis.range[1]] : distinct;
  // A numeric axis begins with its padded end, so a value's place is found by looking from the left.
  const placeOf = new Map(indices.map((value, i) => [value, i]));
  const places = Int32Array.from(values, (value) => (value === undefined ? -1 : (placeOf.get(value) ?? 0)));
  return { axis: { ...axis, indices }, values, places };
}

/** What all subplots share, by trial. */
interface Plotted {
  readonly trials: readonly FrozenTrial[];
  readonly zs: readonly number[];
  readonly isFeasible: readonly boolean[];
  readonly direction: PlotTarget['direction'];
}

function contourSubplot(
  { trials, zs, isFeasible, direction }: Plotted,
  xs: AxisWithValues,
  ys: AxisWithValues,
  surfaceSize: number,
  isWanted: boolean,
): ContourSubplot {
  const nothing = { x: xs.axis, y: ys.axis, cells: [], trialNumbers: [], xs: [], ys: [], isFeasible: [] };
  if (!isWanted || xs.axis.name === ys.axis.name || xs.axis.indices.length < 2 || ys.axis.indices.length < 2) {
    return { ...nothing, surface: undefined };
  }
  const having = [...trials.keys()].filter((i) => (xs.places[i] as number) >= 0 && (ys.places[i] as number) >= 0);
  const cells = new Map<number, ContourCell>();
  for (const i of having) {
    const xIndex = xs.places[i] as number;
    const yIndex = ys.places[i] as number;
    const z = zs[i] as number;
    const key = xIndex * ys.axis.indices.length + yIndex;
    const known = cells.get(key);
    if (known === undefined || direction === undefined || isBetter(direction, z, known.z)) {
      cells.set(key, { xIndex, yIndex, z });
    }
  }
  const kept = [...cells.values()];
  return {
    x: xs.axis,
    y: ys.axis,
    cells: kept,
    trialNumbers: having.map((i) => trials[i]?.number ?? 0),
    xs: having.map((i) => xs.values[i] as number | string),
    ys: having.map((i) => ys.values[i] as number | string),
    isFeasible: having.map((i) => isFeasible[i] ?? true),
    surface: surfaceSize > 0 && kept.length > 0 ? contourSurface(xs.axis, ys.axis, kept, surfaceSize) : undefined,
  };
}

export function contourTable(figure: ContourFigure): FigureTable {
  return {
    columns: ['x parameter', 'y parameter', 'x', 'y', figure.targetName],
    rows: figure.subplots
      .flat()
      .flatMap(({ x, y, cells }) =>
        cells.map(({ xIndex, yIndex, z }) => [x.name, y.name, x.indices[xIndex], y.indices[yIndex], z]),
      ),
  };
}
