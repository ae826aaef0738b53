import type { EChartsOption } from 'echarts';

import type { RankFigure, RankSubplot } from '../../analysis/plots/rank.js';
import type { SliceFigure } from '../../analysis/plots/slice.js';
import {
  baseOption,
  calmRange,
  categoryAxis,
  emptyOption,
  numberAxis,
  panelGrid,
  shortNumber,
  tip,
  type ChartSettings,
} from './chart-parts.js';
import { rampColor, type ChartTheme } from './chart-theme.js';

/** Values over each parameter; later trials are darker. */
export function sliceChart(figure: SliceFigure, settings: ChartSettings): EChartsOption {
  const { subplots, targetName } = figure;
  if (subplots.length === 0) return emptyOption(settings, 'No trial is complete yet.');
  const { theme } = settings;
  const columns = panelColumns(subplots.length, settings);
  const last = subplots.reduce((most, one) => Math.max(most, one.trialNumbers.at(-1) ?? 0), 1);
  const range = calmRange(subplots.flatMap(({ y }) => y));
  const count = subplots.reduce((sum, { y }) => sum + y.length, 0);
  return {
    ...baseOption(settings),
    grid: panelGrid(subplots.length, settings, columns),
    xAxis: subplots.map((one, i) => ({
      ...(one.choices === undefined
        ? numberAxis(theme, one.param, { type: one.isLog ? 'log' : 'value' })
        : categoryAxis(theme, one.param, one.choices)),
      gridIndex: i,
    })),
    yAxis: subplots.map((_, i) => ({
      ...numberAxis(theme, i % columns === 0 ? targetName : '', {
        nameGap: 54,
        axisLine: { show: false, onZero: false },
        ...range,
      }),
      gridIndex: i,
    })),
    series: subplots.flatMap((one, i) =>
      markSeries(
        one.y.map((y, k) => ({
          value: [one.x[k] ?? '', y, one.trialNumbers[k] ?? 0],
          place: (one.trialNumbers[k] ?? 0) / last,
        })),
        theme.ramp.slice(1),
        count,
        {
          xAxisIndex: i,
          yAxisIndex: i,
          symbolSize: one.y.length > 1_000 ? 4 : one.y.length > 200 ? 5 : 7,
          itemStyle: { opacity: 0.8 },
          tooltip: {
            formatter: ({ value }: { value: (number | string)[] }) =>
              tip(`Trial ${value[2] ?? ''}`, [
                [one.param, shown(value[0])],
                [targetName, shown(value[1])],
              ]),
          },
        },
      ),
    ),
  };
}

/** Above so many marks in a figure those of one colour are drawn as one shape, in a tenth of the time. */
const MANY = 400;
/** As many colours there are then. */
const SHADES = 5;

interface Mark {
  readonly value: readonly (number | string)[];
  /** On the ramp of colours; NaN for what has none. */
  readonly place: number;
}

/** Marks in the colours of a ramp, `count` of them in the whole figure; the darkest on top where they are many. */
function markSeries(marks: readonly Mark[], ramp: readonly string[], count: number, common: MarkOptions): object[] {
  const { border: borderColor, plain = '', ...options } = common;
  const series = { type: 'scatter', cursor: 'pointer', ...options };
  const colorOf = (place: number): string => (Number.isNaN(place) ? plain : rampColor(ramp, place));
  if (count <= MANY) {
    const border = borderColor === undefined ? {} : { borderColor, borderWidth: 0.4 };
    const data = marks.map(({ value, place }) => ({ value, itemStyle: { color: colorOf(place), ...border } }));
    return [{ ...series, data }];
  }
  const shades = new Map<number, (readonly (number | string)[])[]>();
  for (const { value, place } of marks) {
    const shade = Number.isNaN(place) ? -1 : Math.round(place * (SHADES - 1));
    const known = shades.get(shade);
    if (known === undefined) shades.set(shade, [value]);
    else known.push(value);
  }
  return [...shades]
    .sort(([a], [b]) => a - b)
    .map(([shade, data]) => ({
      ...series,
      data,
      large: true,
      largeThreshold: 0,
      itemStyle: { ...options.itemStyle, color: colorOf(shade < 0 ? NaN : shade / (SHADES - 1)) },
    }));
}

interface MarkOptions {
  readonly xAxisIndex: number;
  readonly yAxisIndex: number;
  readonly symbolSize: number;
  readonly itemStyle?: object;
  readonly tooltip: object;
  /** Colour of a line around a mark. */
  readonly border?: string;
  /** Colour of what has no place on the ramp. */
  readonly plain?: string;
}

/** How many panels fit beside each other. */
export function panelColumns(count: number, settings: { readonly width: number }): number {
  return Math.max(1, Math.min(count, Math.floor(settings.width / 230), 4));
}

function shown(value: number | string | undefined): string {
  return typeof value === 'number' ? shortNumber(value) : (value ?? '');
}

/** The pairs below the diagonal, or the one pair there is. */
export function pairsOf<T extends { readonly x: { readonly name: string }; readonly y: { readonly name: string } }>(
  subplots: readonly (readonly T[])[],
): T[] {
  if (subplots.length === 1) return subplots.flat();
  return subplots.flatMap((row, y) => row.slice(0, y));
}

/** Trials over pairs of parameters, the better the darker. */
export function rankChart(figure: RankFigure, settings: ChartSettings): EChartsOption {
  const pairs = pairsOf(figure.subplots).filter(({ xs }) => xs.length > 0);
  if (pairs.length === 0) return emptyOption(settings, 'Two parameters are needed that trials have together.');
  const { theme } = settings;
  const columns = pairs.length === 1 ? 1 : panelColumns(pairs.length, settings);
  const count = pairs.reduce((sum, { xs }) => sum + xs.length, 0);
  return {
    ...baseOption(settings),
    grid: panelGrid(pairs.length, settings, columns),
    xAxis: pairs.map((pair, i) => ({ ...pairAxis(pair.x, pair.xs, theme, {}), gridIndex: i })),
    yAxis: pairs.map((pair, i) => ({ ...pairAxis(pair.y, pair.ys, theme, { nameGap: 54 }), gridIndex: i })),
    series: pairs.flatMap((pair, i) => rankSeries(pair, i, count, figure, theme)),
  };
}

function rankSeries(pair: RankSubplot, i: number, count: number, figure: RankFigure, theme: ChartTheme): object[] {
  const placeOf = (k: number): number => {
    if (pair.isFeasible[k] === false) return NaN;
    const position = pair.positions[k] ?? 0.5;
    return figure.lowIsGood ? 1 - position : position;
  };
  return markSeries(
    pair.xs.map((x, k) => ({
      value: [x, pair.ys[k] ?? '', pair.trialNumbers[k] ?? 0, pair.zs[k] ?? NaN],
      place: placeOf(k),
    })),
    // Without a line around it the lightest would hardly be seen.
    count > MANY ? theme.ramp.slice(1) : theme.ramp,
    count,
    {
      xAxisIndex: i,
      yAxisIndex: i,
      symbolSize: pair.xs.length > 1_000 ? 5 : pair.xs.length > 200 ? 6 : 9,
      border: theme.soft,
      plain: theme.muted,
      tooltip: {
        formatter: ({ value }: { value: (number | string)[] }) =>
          tip(`Trial ${value[2] ?? ''}`, [
            [pair.x.name, shown(value[0])],
            [pair.y.name, shown(value[1])],
            [figure.targetName, shown(value[3])],
          ]),
      },
    },
  );
}

/** One parameter of a pair as an axis. */
export function pairAxis(
  axis: RankSubplot['x'],
  values: readonly (number | string)[],
  theme: ChartTheme,
  extra: Readonly<Record<string, unknown>>,
): object {
  if (axis.isCategorical) {
    const label = { color: theme.soft, hideOverlap: true, fontSize: 11, width: 48, overflow: 'truncate' };
    return categoryAxis(theme, axis.name, [...new Set(values.map(String))].sort(), { axisLabel: label, ...extra });
  }
  return numberAxis(theme, axis.name, {
    type: axis.isLog ? 'log' : 'value',
    min: axis.range[0],
    max: axis.range[1] > axis.range[0] ? axis.range[1] : axis.range[0] + 1,
    axisLabel: {
      color: theme.soft,
      hideOverlap: true,
      formatter: shortNumber,
      showMinLabel: false,
      showMaxLabel: false,
    },
    splitLine: { show: false },
    ...extra,
  });
}
