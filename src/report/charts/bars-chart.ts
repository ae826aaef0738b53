import type { EChartsOption } from 'echarts';

import type { EdfFigure } from '../../analysis/plots/edf.js';
import type { ParamImportancesFigure } from '../../analysis/plots/param-importances-figure.js';
import {
  baseOption,
  categoryAxis,
  emptyOption,
  GRID,
  legend,
  numberAxis,
  shortName,
  shortNumber,
  tip,
  valueAxis,
  type ChartSettings,
} from './chart-parts.js';

/** A bar for each parameter, the most important on top; one colour per objective. */
export function importancesChart(figure: ParamImportancesFigure, settings: ChartSettings): EChartsOption {
  const series = figure.series.filter(({ params }) => params.length > 0);
  const params = series[0]?.params ?? [];
  if (params.length === 0) return emptyOption(settings, 'Two complete trials with a parameter are needed to tell.');
  const { theme } = settings;
  return {
    ...baseOption(settings),
    grid: { ...GRID, right: 52, top: series.length > 1 ? 34 : 8, bottom: 8 },
    ...(series.length > 1
      ? {
          legend: legend(
            theme,
            series.map(({ name }) => name),
          ),
        }
      : {}),
    xAxis: numberAxis(theme, '', {
      min: 0,
      axisLabel: { show: false },
      splitLine: { show: false },
      axisLine: { show: false },
    }),
    yAxis: categoryAxis(theme, '', params, {
      axisLine: { show: false },
      axisLabel: { color: theme.ink, formatter: (param: string) => shortName(param, settings.width < 500 ? 16 : 24) },
    }),
    series: series.map((one, i) => ({
      name: one.name,
      type: 'bar',
      barMaxWidth: 18,
      barMinHeight: 2,
      itemStyle: { color: theme.series[i % theme.series.length], borderRadius: [0, 3, 3, 0] },
      data: params.map((param) => one.importances[one.params.indexOf(param)] ?? 0),
      label: {
        show: true,
        position: 'right',
        color: theme.soft,
        formatter: ({ value }: { value: number }) => (value >= 0.01 ? value.toFixed(2) : '<0.01'),
      },
      tooltip: {
        formatter: ({ name, value }: { name: string; value: number }) => tip(name, [[one.name, value.toFixed(4)]]),
      },
    })),
  } as EChartsOption;
}

export function edfChart(figure: EdfFigure, settings: ChartSettings): EChartsOption {
  if (figure.lines.length === 0) return emptyOption(settings, 'No trial is complete yet.');
  const { theme } = settings;
  return {
    ...baseOption(settings),
    tooltip: {
      ...(baseOption(settings).tooltip as object),
      trigger: 'axis',
      formatter: (items: { seriesName: string; value: number[] }[]) =>
        tip(
          `${figure.targetName} ≤ ${shortNumber(items[0]?.value[0] ?? NaN)}`,
          items.map((item) => [item.seriesName, `${((item.value[1] ?? 0) * 100).toFixed(1)} %`]),
        ),
    },
    grid: GRID,
    ...(figure.lines.length > 1
      ? {
          legend: legend(
            theme,
            figure.lines.map(({ name }) => name),
          ),
        }
      : {}),
    xAxis: numberAxis(theme, figure.targetName, { splitLine: { show: false } }),
    yAxis: valueAxis(theme, 'Share of trials', {
      min: 0,
      max: 1,
      axisLabel: { color: theme.soft, formatter: (value: number) => `${Math.round(value * 100)} %` },
    }),
    series: figure.lines.map(({ name, y }, i) => ({
      name,
      type: 'line',
      step: 'end',
      symbol: 'none',
      data: figure.x.map((x, k) => [x, y[k] ?? 0]),
      lineStyle: { color: theme.series[i % theme.series.length], width: 2 },
      itemStyle: { color: theme.series[i % theme.series.length] },
      areaStyle: figure.lines.length === 1 ? { color: theme.mark, opacity: 0.08 } : undefined,
    })),
  } as EChartsOption;
}
