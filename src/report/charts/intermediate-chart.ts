import type { EChartsOption } from 'echarts';

import type { IntermediateValuesFigure } from '../../analysis/plots/intermediate-values.js';
import {
  baseOption,
  calmRange,
  emptyOption,
  GRID,
  numberAxis,
  shortNumber,
  tip,
  valueAxis,
  type ChartSettings,
} from './chart-parts.js';

/** Learning curves: pruned ones grey, running ones in their own colour, those to bring out on top. */
export function intermediateChart(figure: IntermediateValuesFigure, settings: ChartSettings): EChartsOption {
  if (figure.curves.length === 0) return emptyOption(settings, 'No trial has reported a value on its way.');
  const { theme } = settings;
  const chosen = new Set(settings.highlight ?? []);
  const ys = figure.curves.flatMap(({ values }) => values.filter(Number.isFinite));
  const xs = figure.curves.flatMap(({ steps }) => [steps[0] ?? 0, steps.at(-1) ?? 0]);
  const range = calmRange(ys);
  const [minX, maxX] = [xs.reduce((a, b) => Math.min(a, b)), xs.reduce((a, b) => Math.max(a, b))];
  const low = range.min ?? ys.reduce((a, b) => Math.min(a, b), Infinity);
  const high = range.max ?? ys.reduce((a, b) => Math.max(a, b), -Infinity);
  // Rounding alone is no curve.
  const isFlat = high - low <= 1e-9 * Math.max(Math.abs(high), Math.abs(low));
  const padding = isFlat ? Math.abs(high) * 0.05 || 1 : (high - low) * 0.05;
  const many = figure.curves.length > 40;
  const data = figure.curves.map(({ number, state, steps, values }) => {
    const isChosen = chosen.has(number);
    return {
      name: String(number),
      coords: steps.flatMap((step, i) => (Number.isFinite(values[i]) ? [[step, values[i] as number]] : [])),
      value: values.at(-1) ?? NaN,
      lineStyle: {
        color: isChosen ? theme.best : theme.states[state],
        width: isChosen ? 2.5 : 1.2,
        opacity: isChosen ? 1 : many ? 0.45 : 0.75,
      },
    };
  });
  // The chosen ones last, so that they lie on top; one report alone is a point.
  const sorted = [...data].sort((a, b) => Number(chosen.has(Number(a.name))) - Number(chosen.has(Number(b.name))));
  const lines = sorted.filter(({ coords }) => coords.length > 1);
  const points = sorted.filter(({ coords }) => coords.length === 1);
  const formatter = (item: { name: string; value: number | readonly number[] }): string => {
    const last = typeof item.value === 'number' ? item.value : (item.value[1] ?? NaN);
    return tip(`Trial ${item.name}`, [['Last value', shortNumber(last)]]);
  };
  return {
    ...baseOption(settings),
    grid: GRID,
    xAxis: numberAxis(theme, 'Step', {
      min: minX,
      max: maxX === minX ? maxX + 1 : maxX,
      minInterval: 1,
      splitLine: { show: false },
    }),
    yAxis: valueAxis(theme, 'Value', {
      min: low - padding,
      max: high + padding,
      axisLabel: { color: theme.soft, formatter: shortNumber, showMinLabel: false, showMaxLabel: false },
    }),
    series: [
      {
        type: 'lines',
        coordinateSystem: 'cartesian2d',
        polyline: true,
        clip: true,
        data: lines,
        emphasis: { lineStyle: { width: 3, opacity: 1 } },
        cursor: 'pointer',
        tooltip: { formatter },
      },
      {
        type: 'scatter',
        symbolSize: 5,
        cursor: 'pointer',
        data: points.map(({ name, coords, lineStyle: { color, opacity } }) => ({
          name,
          value: coords[0] ?? [],
          itemStyle: { color, opacity },
        })),
        tooltip: { formatter },
      },
    ],
  } as unknown as EChartsOption;
}
