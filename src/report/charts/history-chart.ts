import type { EChartsOption } from 'echarts';

import type { HypervolumeHistoryFigure } from '../../analysis/plots/hypervolume-history.js';
import type { HistorySeries, OptimizationHistoryFigure } from '../../analysis/plots/optimization-history.js';
import type { TerminatorImprovementFigure } from '../../analysis/plots/terminator-improvement.js';
import {
  baseOption,
  calmRange,
  emptyOption,
  GRID,
  gridBelow,
  legend,
  numberAxis,
  shortNumber,
  tip,
  valueAxis,
  type ChartSettings,
} from './chart-parts.js';

/** Points above this are drawn as one shape, filled. */
const LARGE = 400;

export function historyChart(figure: OptimizationHistoryFigure, settings: ChartSettings): EChartsOption {
  if (figure.series.length === 0) return emptyOption(settings, 'No trial is complete yet.');
  const { theme } = settings;
  const several = figure.series.length > 1;
  const values = figure.series.flatMap((one) => one.values.filter((_, i) => one.states[i] === 'feasible'));
  const best = figure.series.flatMap((one) => one.best?.at(-1) ?? []);
  const isLog = settings.logValues === true && values.every((value) => !(value <= 0));
  const series = figure.series.flatMap((one, i) => {
    const color = several ? (theme.series[i % theme.series.length] ?? theme.mark) : theme.mark;
    const lineColor = several ? color : theme.best;
    return [...pointsOf(one, several, color, settings), ...bestOf(one, several, lineColor)];
  });
  const names = [...new Set(series.map(({ name }) => name))];
  return {
    ...baseOption(settings),
    grid: gridBelow(names, settings),
    legend: legend(theme, names),
    xAxis: numberAxis(theme, 'Trial', { minInterval: 1, min: 0, splitLine: { show: false } }),
    yAxis: valueAxis(theme, figure.targetName, isLog ? { type: 'log' } : calmRange(values, best)),
    series,
  };
}

interface NamedSeries {
  readonly name: string;
  readonly [option: string]: unknown;
}

function pointsOf(one: HistorySeries, several: boolean, color: string, settings: ChartSettings): NamedSeries[] {
  const { theme } = settings;
  const of = (state: string): number[][] =>
    one.trialNumbers.flatMap((number, i) =>
      one.states[i] === state && Number.isFinite(one.values[i]) ? [[number, one.values[i] as number, number]] : [],
    );
  const [feasible, infeasible] = [of('feasible'), of('infeasible')];
  const scatter = (name: string, data: number[][], itemStyle: object): NamedSeries => ({
    name,
    type: 'scatter',
    data,
    symbolSize: data.length > 1_000 ? 4 : data.length > 200 ? 6 : 8,
    large: data.length > LARGE,
    largeThreshold: LARGE,
    itemStyle,
    cursor: 'pointer',
    tooltip: {
      formatter: ({ value }: { value: number[] }) =>
        tip(`Trial ${value[0] ?? ''}`, [[several ? one.name : 'Value', shortNumber(value[1] ?? NaN)]]),
    },
  });
  return [
    scatter(several ? one.name : 'Trials', feasible, { color, opacity: 0.6 }),
    ...(infeasible.length === 0
      ? []
      : [
          scatter(
            'Violates a constraint',
            infeasible,
            infeasible.length > LARGE
              ? { color: theme.muted, opacity: 0.6 }
              : { color: 'transparent', borderColor: theme.muted, borderWidth: 1 },
          ),
        ]),
  ];
}

function bestOf(one: HistorySeries, several: boolean, color: string): NamedSeries[] {
  if (one.best === undefined) return [];
  // Only where it changes, and at the end: a line of steps needs no more.
  const { best, trialNumbers } = one;
  const steps = best.flatMap((value, i) => {
    const isChange = i === 0 || value !== best[i - 1] || i === best.length - 1;
    return isChange && Number.isFinite(value) ? [[trialNumbers[i] ?? 0, value]] : [];
  });
  const line: NamedSeries = {
    name: several ? `${one.name}, best` : 'Best so far',
    type: 'line',
    step: 'end',
    data: steps,
    symbol: 'none',
    lineStyle: { color, width: 2 },
    itemStyle: { color },
    z: 5,
  };
  return [line];
}

export function hypervolumeChart(figure: HypervolumeHistoryFigure, settings: ChartSettings): EChartsOption {
  if (figure.values.length === 0) return emptyOption(settings, 'No trial is complete yet.');
  const { theme } = settings;
  return {
    ...baseOption(settings),
    tooltip: { ...(baseOption(settings).tooltip as object), trigger: 'axis', formatter: axisTip('Hypervolume') },
    grid: GRID,
    xAxis: numberAxis(theme, 'Trial', { minInterval: 1, splitLine: { show: false } }),
    yAxis: valueAxis(theme, `Hypervolume (reference ${figure.referencePoint.map(shortNumber).join(', ')})`, {
      min: 0,
      nameTruncate: { maxWidth: settings.width - 90, ellipsis: '…' },
    }),
    series: {
      type: 'line',
      step: 'end',
      data: figure.trialNumbers.map((number, i) => [number, figure.values[i] ?? 0]),
      symbol: 'none',
      sampling: 'lttb',
      lineStyle: { color: theme.best, width: 2 },
      areaStyle: { color: theme.best, opacity: 0.1 },
    },
  };
}

function axisTip(name: string): (params: unknown) => string {
  return (params) => {
    const [first] = params as { value: number[] }[];
    return tip(`Trial ${first?.value[0] ?? ''}`, [[name, shortNumber(first?.value[1] ?? NaN)]]);
  };
}

export function terminatorChart(figure: TerminatorImprovementFigure, settings: ChartSettings): EChartsOption {
  if (figure.improvements.length === 0) return emptyOption(settings, 'Nothing can be told from these trials yet.');
  const { theme } = settings;
  const line = (name: string, values: readonly number[], color: string, extra: object = {}): object => ({
    name,
    type: 'line',
    data: figure.trialNumbers.map((number, i) => [number, values[i] ?? NaN]),
    showSymbol: figure.trialNumbers.length < 60,
    symbolSize: 5,
    lineStyle: { color, width: 2 },
    itemStyle: { color },
    ...extra,
  });
  // The words need room.
  const isWide = figure.minNTrials > (figure.trialNumbers.at(-1) ?? 0) / 4;
  const early = {
    markArea: {
      silent: true,
      itemStyle: { color: theme.muted, opacity: 0.14 },
      label: { color: theme.soft, fontSize: 11, position: 'insideTopLeft' },
      data: [[{ name: isWide ? 'too early to tell' : '', xAxis: 0 }, { xAxis: figure.minNTrials - 1 }]],
    },
  };
  return {
    ...baseOption(settings),
    tooltip: { ...(baseOption(settings).tooltip as object), trigger: 'axis', formatter: axisTip('May yet improve by') },
    grid: GRID,
    legend: legend(theme, ['May yet improve by', ...(figure.errors === undefined ? [] : ['Error'])]),
    xAxis: numberAxis(theme, 'Trial', { minInterval: 1, min: 0, splitLine: { show: false } }),
    yAxis: valueAxis(theme, 'Improvement', calmRange(figure.improvements)),
    series: [
      line('May yet improve by', figure.improvements, theme.mark, early),
      ...(figure.errors === undefined ? [] : [line('Error', figure.errors, theme.warn)]),
    ],
  };
}
