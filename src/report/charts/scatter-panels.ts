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
      ...numberAxis(theme, i % columns === 0 ? targetName : '', { nameGap: 54, axisLine: { show: false }, ...range }),
      gridIndex: i,
    })),
    visualMap: {
      show: false,
      type: 'continuous',
      min: 0,
      max: last,
      dimension: 2,
      inRange: { color: theme.ramp.slice(1) },
    },
    series: subplots.map((one, i) => ({
      type: 'scatter',
      xAxisIndex: i,
      yAxisIndex: i,
      symbolSize: one.y.length > 1_000 ? 4 : 7,
      data: one.y.map((y, k) => [one.x[k] ?? '', y, one.trialNumbers[k] ?? 0]),
      itemStyle: { opacity: 0.8 },
      cursor: 'pointer',
      tooltip: {
        formatter: ({ value }: { value: (number | string)[] }) =>
          tip(`Trial ${value[2] ?? ''}`, [
            [one.param, shown(value[0])],
            [targetName, shown(value[1])],
          ]),
      },
    })),
  } as EChartsOption;
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
  return {
    ...baseOption(settings),
    grid: panelGrid(pairs.length, settings, columns),
    xAxis: pairs.map((pair, i) => ({ ...pairAxis(pair.x, pair.xs, theme, {}), gridIndex: i })),
    yAxis: pairs.map((pair, i) => ({ ...pairAxis(pair.y, pair.ys, theme, { nameGap: 54 }), gridIndex: i })),
    series: pairs.map((pair, i) => rankSeries(pair, i, figure, theme)),
  };
}

function rankSeries(pair: RankSubplot, i: number, figure: RankFigure, theme: ChartTheme): object {
  const color = (k: number): string => {
    if (pair.isFeasible[k] === false) return theme.muted;
    const position = pair.positions[k] ?? 0.5;
    return rampColor(theme.ramp, figure.lowIsGood ? 1 - position : position);
  };
  return {
    type: 'scatter',
    xAxisIndex: i,
    yAxisIndex: i,
    symbolSize: pair.xs.length > 1_000 ? 5 : 9,
    cursor: 'pointer',
    data: pair.xs.map((x, k) => ({
      value: [x, pair.ys[k] ?? '', pair.trialNumbers[k] ?? 0, pair.zs[k] ?? NaN],
      itemStyle: { color: color(k), borderColor: theme.soft, borderWidth: 0.4 },
    })),
    tooltip: {
      formatter: ({ value }: { value: (number | string)[] }) =>
        tip(`Trial ${value[2] ?? ''}`, [
          [pair.x.name, shown(value[0])],
          [pair.y.name, shown(value[1])],
          [figure.targetName, shown(value[3])],
        ]),
    },
  };
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
