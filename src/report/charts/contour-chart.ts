import type { EChartsOption } from 'echarts';

import type { ContourFigure, ContourSubplot } from '../../analysis/plots/contour.js';
import { baseOption, emptyOption, panelGrid, type ChartSettings } from './chart-parts.js';
import { rampColor, type ChartTheme } from './chart-theme.js';
import { contourRings } from './contour-bands.js';
import { pairAxis, pairsOf, panelColumns } from './scatter-panels.js';

const BANDS = 9;
/** Dots above this in a panel are drawn as one shape. */
const LARGE = 100;

/** Values over pairs of parameters as bands, the better the darker; a dot is a trial. */
export function contourChart(figure: ContourFigure, settings: ChartSettings): EChartsOption {
  const pairs = pairsOf(figure.subplots).filter(({ surface }) => surface !== undefined);
  if (pairs.length === 0) return emptyOption(settings, 'Two parameters with several values are needed.');
  const { theme } = settings;
  const columns = pairs.length === 1 ? 1 : panelColumns(pairs.length, settings);
  const series = pairs.flatMap((pair, i) => [bandsOf(pair, i, figure, theme), trialsOf(pair, i, theme)]);
  return {
    ...baseOption(settings),
    grid: panelGrid(pairs.length, settings, columns),
    xAxis: pairs.map((pair, i) => ({ ...pairAxis(pair.x, pair.xs, theme, {}), gridIndex: i })),
    yAxis: pairs.map((pair, i) => ({ ...pairAxis(pair.y, pair.ys, theme, { nameGap: 54 }), gridIndex: i })),
    series,
  };
}

interface RenderApi {
  coord(point: readonly number[]): number[];
}

interface RenderParams {
  readonly coordSys: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

function bandsOf(pair: ContourSubplot, i: number, figure: ContourFigure, theme: ChartTheme): object {
  const { xs, ys, z } = pair.surface ?? { xs: [], ys: [], z: [] };
  const levels = bandLevels(z.flat());
  const bands = levels.map((level, k) => ({
    rings: k === 0 ? [] : contourRings(z, level),
    color: rampColor(theme.ramp, (figure.lowIsGood ? levels.length - 1 - k : k) / Math.max(1, levels.length - 1)),
  }));
  const counts = [pair.x, pair.y].map(({ isCategorical, indices }) => (isCategorical ? indices.length : 0));
  return {
    type: 'custom',
    xAxisIndex: i,
    yAxisIndex: i,
    silent: true,
    clip: true,
    z: 1,
    data: [0],
    tooltip: { show: false },
    renderItem: (params: RenderParams, api: RenderApi) => ({
      type: 'group',
      children: bands.map(({ rings, color }, k) =>
        k === 0
          ? { type: 'rect', shape: { ...params.coordSys }, style: { fill: color } }
          : {
              type: 'path',
              shape: {
                pathData: pathOf(rings, (x, y) => placeOf(between(xs, x), between(ys, y), counts, params, api)),
              },
              style: { fill: color },
            },
      ),
    }),
  };
}

/** A grid coordinate as the axis' own number. */
function between(ticks: readonly number[], place: number): number {
  const low = Math.max(0, Math.min(ticks.length - 1, Math.floor(place)));
  const next = Math.min(ticks.length - 1, low + 1);
  return (ticks[low] ?? 0) + ((ticks[next] ?? 0) - (ticks[low] ?? 0)) * (place - low);
}

/** Pixels of a point. ECharts rounds on a category axis, so there the place is computed from the count of categories. */
function placeOf(
  x: number,
  y: number,
  counts: readonly number[],
  { coordSys }: RenderParams,
  api: RenderApi,
): number[] {
  const [columns = 0, rows = 0] = counts;
  const [px = 0, py = 0] = api.coord([columns > 0 ? 0 : x, rows > 0 ? 0 : y]);
  return [
    columns > 0 ? coordSys.x + ((x + 0.5) / columns) * coordSys.width : px,
    rows > 0 ? coordSys.y + coordSys.height - ((y + 0.5) / rows) * coordSys.height : py,
  ];
}

/** Levels that divide the values into parts of about the same count, so that one bad trial does not flatten the rest. */
function bandLevels(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const levels = Array.from({ length: BANDS }, (_, k) => sorted[Math.floor((k / BANDS) * sorted.length)] ?? 0);
  return [...new Set(levels)];
}

function pathOf(
  rings: readonly (readonly (readonly [number, number])[])[],
  place: (x: number, y: number) => number[],
): string {
  const text = rings
    .map((ring) => {
      const points = ring.map(([x, y]) =>
        place(x, y)
          .map((value) => value.toFixed(1))
          .join(' '),
      );
      return `M${points.join('L')}Z`;
    })
    .join('');
  return text === '' ? 'M0 0' : text;
}

function trialsOf(pair: ContourSubplot, i: number, theme: ChartTheme): object {
  return {
    type: 'scatter',
    xAxisIndex: i,
    yAxisIndex: i,
    z: 3,
    symbolSize: pair.xs.length > 1_000 ? 3 : 5,
    cursor: 'pointer',
    large: pair.xs.length > LARGE,
    largeThreshold: LARGE,
    itemStyle: { color: theme.ink, opacity: 0.75, borderColor: theme.card, borderWidth: 0.5 },
    data: pair.xs.map((x, k) => [x, pair.ys[k] ?? '', pair.trialNumbers[k] ?? 0]),
    tooltip: {
      formatter: ({ value }: { value: (number | string)[] }) => `<b>Trial ${Number(value[2])}</b>`,
    },
  };
}
