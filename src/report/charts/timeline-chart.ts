import type { EChartsOption } from 'echarts';

import type { TimelineBar, TimelineFigure } from '../../analysis/plots/timeline.js';
import { baseOption, categoryAxis, emptyOption, GRID, numberAxis, tip, type ChartSettings } from './chart-parts.js';

interface RenderApi {
  value(dimension: number): number;
  coord(point: readonly number[]): number[];
  size(extent: readonly number[]): number[];
}

interface RenderParams {
  readonly coordSys: { readonly x: number; readonly width: number };
}

/** Each trial as a bar from its start to its end, in the lane of the worker place that it took. */
export function timelineChart(figure: TimelineFigure, settings: ChartSettings): EChartsOption {
  const bars = figure.bars.filter(({ state }) => state !== 'WAITING');
  if (bars.length === 0) return emptyOption(settings, 'No trial has started yet.');
  const { theme } = settings;
  const lanes = Math.max(...bars.map(({ lane }) => lane)) + 1;
  const start = bars.reduce((least, bar) => Math.min(least, bar.start), Infinity);
  const end = bars.reduce((most, bar) => Math.max(most, bar.end), -Infinity);
  const states = [...new Set(bars.map(({ state }) => state))].sort();
  return {
    ...baseOption(settings),
    grid: GRID,
    legend: {
      data: states.map((state) => ({ name: stateWord(state), itemStyle: { color: theme.states[state] } })),
      top: 0,
      right: 20,
      itemGap: 20,
      itemWidth: 14,
      itemHeight: 8,
      textStyle: { color: theme.soft, fontSize: 12 },
      selectedMode: false,
    },
    xAxis: numberAxis(theme, '', {
      type: 'time',
      min: start,
      max: end,
      axisLabel: { color: theme.soft, hideOverlap: true, alignMinLabel: 'left', alignMaxLabel: 'right' },
      splitLine: { lineStyle: { color: theme.line, opacity: 0.6 } },
    }),
    yAxis: categoryAxis(
      theme,
      '',
      Array.from({ length: lanes }, (_, i) => `worker ${i + 1}`),
      { inverse: true, axisLine: { show: false } },
    ),
    series: states.map((state) => ({
      name: stateWord(state),
      type: 'custom',
      clip: true,
      itemStyle: { color: theme.states[state] },
      encode: { x: [0, 1], y: 2 },
      data: bars
        .filter((bar) => bar.state === state)
        .map((bar) => [bar.start, bar.end, bar.lane, bar.number, bar.trials ?? 1]),
      renderItem: (params: RenderParams, api: RenderApi) => {
        const [left = 0, y = 0] = api.coord([api.value(0), api.value(2)]);
        const [right = 0] = api.coord([api.value(1), api.value(2)]);
        const height = Math.min(26, (api.size([0, 1])[1] ?? 20) * 0.7);
        const width = Math.max(1, right - left - (right - left > 4 ? 1 : 0));
        if (left > params.coordSys.x + params.coordSys.width || left + width < params.coordSys.x) return undefined;
        return {
          type: 'rect',
          shape: { x: left, y: y - height / 2, width, height, r: width > 6 ? 2 : 0 },
          style: { fill: theme.states[state] },
        };
      },
      tooltip: {
        formatter: ({ value }: { value: number[] }) =>
          tip(
            (value[4] ?? 1) > 1
              ? `${value[4] ?? ''} trials from trial ${value[3] ?? ''} on`
              : `Trial ${value[3] ?? ''}`,
            [
              ['State', stateWord(state)],
              ['Took', seconds((value[1] ?? 0) - (value[0] ?? 0))],
            ],
          ),
      },
    })),
  } as unknown as EChartsOption;
}

/** A state as people read it. */
export function stateWord(state: TimelineBar['state']): string {
  return state === 'FAIL' ? 'failed' : state.toLowerCase();
}

function seconds(milliseconds: number): string {
  if (milliseconds < 120_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return milliseconds < 7_200_000
    ? `${(milliseconds / 60_000).toFixed(1)} min`
    : `${(milliseconds / 3_600_000).toFixed(1)} h`;
}
