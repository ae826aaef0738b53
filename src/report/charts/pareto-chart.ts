import type { EChartsOption } from 'echarts';

import type { ParetoFrontFigure, ParetoPoint } from '../../analysis/plots/pareto-front.js';
import {
  baseOption,
  emptyOption,
  GRID,
  legend,
  numberAxis,
  shortNumber,
  tip,
  valueAxis,
  type ChartSettings,
} from './chart-parts.js';
import type { ChartTheme } from './chart-theme.js';

const ARROW = { minimize: '←', maximize: '→' } as const;

/** The front over what it dominates: in two dimensions, or in three as seen from an angle. */
export function paretoChart(figure: ParetoFrontFigure, settings: ChartSettings): EChartsOption {
  if (figure.best.length + figure.dominated.length + figure.infeasible.length === 0) {
    return emptyOption(settings, 'No trial is complete yet.');
  }
  return figure.targetNames.length === 3 ? spaceChart(figure, settings) : planeChart(figure, settings);
}

type Place = (point: ParetoPoint) => readonly number[];

function groupsOf(figure: ParetoFrontFigure, theme: ChartTheme, place: Place): object[] {
  const scatter = (
    name: string,
    points: readonly ParetoPoint[],
    size: number,
    itemStyle: object,
    z: number,
  ): object => ({
    name,
    type: 'scatter',
    z,
    symbolSize: size,
    itemStyle,
    cursor: 'pointer',
    data: points.map((point) => [...place(point).slice(0, 2), point.number, ...point.values]),
    tooltip: {
      formatter: ({ value }: { value: number[] }) =>
        tip(
          `Trial ${value[2] ?? ''}`,
          figure.targetNames.map((target, i) => [target, shortNumber(value[3 + i] ?? NaN)]),
        ),
    },
  });
  const many = figure.dominated.length > 1_000;
  return [
    ...(figure.infeasible.length === 0
      ? []
      : [
          scatter(
            'Violates a constraint',
            figure.infeasible,
            6,
            { color: 'transparent', borderColor: theme.muted, borderWidth: 1 },
            2,
          ),
        ]),
    ...(figure.dominated.length === 0
      ? []
      : [scatter('Dominated', figure.dominated, many ? 4 : 6, { color: theme.mark, opacity: 0.45 }, 3)]),
    scatter('Pareto front', figure.best, 9, { color: theme.best, borderColor: theme.card, borderWidth: 1 }, 5),
  ];
}

function planeChart(figure: ParetoFrontFigure, settings: ChartSettings): EChartsOption {
  const { theme } = settings;
  const name = (i: number): string => `${figure.targetNames[i] ?? ''} (${figure.directions[i] ?? ''})`;
  const front = [...figure.best].sort((a, b) => (a.values[0] ?? 0) - (b.values[0] ?? 0));
  return {
    ...baseOption(settings),
    grid: GRID,
    legend: legend(theme, ['Pareto front', 'Dominated', 'Violates a constraint']),
    xAxis: numberAxis(theme, name(0)),
    yAxis: valueAxis(theme, name(1)),
    series: [
      {
        type: 'line',
        // Steps through the corners of what is dominated.
        step: figure.directions[0] === 'minimize' ? 'end' : 'start',
        data: front.map(({ values }) => [values[0] ?? 0, values[1] ?? 0]),
        symbol: 'none',
        silent: true,
        lineStyle: { color: theme.best, width: 1, opacity: 0.6 },
        z: 4,
      },
      ...groupsOf(figure, theme, ({ values }) => values),
    ],
  };
}

type Vector = readonly [number, number, number];

/** An orthographic view of a unit cube. */
function spaceChart(figure: ParetoFrontFigure, settings: ChartSettings): EChartsOption {
  const { theme } = settings;
  const [turn, rise] = (settings.angles ?? [-32, 22]).map((degrees) => (degrees * Math.PI) / 180) as [number, number];
  const all = [...figure.best, ...figure.dominated, ...figure.infeasible];
  const bounds = [0, 1, 2].map((i) => {
    const values = all.map((point) => point.values[i] ?? NaN).filter(Number.isFinite);
    const low = values.reduce((a, b) => Math.min(a, b), Infinity);
    const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    return { low, high, span: high - low || 1 };
  });
  const view = ([x, y, z]: Vector): readonly [number, number] => {
    const across = x * Math.cos(turn) - y * Math.sin(turn);
    const depth = x * Math.sin(turn) + y * Math.cos(turn);
    return [across, z * Math.cos(rise) + depth * Math.sin(rise)];
  };
  const place: Place = ({ values }) =>
    view(bounds.map(({ low, span }, i) => ((values[i] ?? low) - low) / span - 0.5) as unknown as Vector);
  const edges = cubeEdges().map(([from, to]) => [view(from), view(to)]);
  const hidden = { show: false, min: -0.95, max: 0.95 };
  const size = Math.min(settings.width - 40, settings.height - 50);
  return {
    ...baseOption(settings),
    legend: legend(theme, ['Pareto front', 'Dominated', 'Violates a constraint']),
    grid: { left: (settings.width - size) / 2, top: 30 + (settings.height - 40 - size) / 2, width: size, height: size },
    xAxis: { type: 'value', ...hidden },
    yAxis: { type: 'value', ...hidden },
    series: [
      {
        type: 'lines',
        coordinateSystem: 'cartesian2d',
        silent: true,
        z: 1,
        lineStyle: { color: theme.line, width: 1, opacity: 1 },
        data: edges.map((coords) => ({ coords })),
      },
      ...axisNames(figure, bounds, view, theme),
      ...groupsOf(figure, theme, place),
    ],
  } as unknown as EChartsOption;
}

function axisNames(
  figure: ParetoFrontFigure,
  bounds: readonly { low: number; high: number }[],
  view: (point: Vector) => readonly [number, number],
  theme: ChartTheme,
): object[] {
  // Under the two floor edges in front, and above the upright edge at the left.
  const front = (across: Vector): number => (view(across)[1] < view([0, 0, 0])[1] ? 1 : -1);
  const nearX = front([1, 0, 0]);
  const nearY = front([0, 1, 0]);
  const corners: readonly Vector[] = [-0.5, 0.5].flatMap((x) => [-0.5, 0.5].map((y): Vector => [x, y, 0.56]));
  const leftmost = corners.reduce((a, b) => (view(b)[0] < view(a)[0] ? b : a));
  const ends: readonly Vector[] = [[0, 0.6 * nearY, -0.56], [0.6 * nearX, 0, -0.56], leftmost];
  return [
    {
      type: 'scatter',
      silent: true,
      symbolSize: 0.1,
      z: 6,
      tooltip: { show: false },
      data: ends.map((end, i) => ({
        value: [...view(end)],
        label: {
          show: true,
          color: theme.soft,
          fontSize: 11,
          lineHeight: 15,
          position: i === 2 ? 'top' : 'bottom',
          formatter: `${figure.targetNames[i] ?? ''} ${ARROW[figure.directions[i] ?? 'minimize']}\n${shortNumber(bounds[i]?.low ?? 0)} … ${shortNumber(bounds[i]?.high ?? 0)}`,
        },
      })),
    },
  ];
}

function cubeEdges(): [Vector, Vector][] {
  const corners = [-0.5, 0.5];
  const edges: [Vector, Vector][] = [];
  for (const a of corners) {
    for (const b of corners) {
      edges.push(
        [
          [-0.5, a, b],
          [0.5, a, b],
        ],
        [
          [a, -0.5, b],
          [a, 0.5, b],
        ],
        [
          [a, b, -0.5],
          [a, b, 0.5],
        ],
      );
    }
  }
  return edges;
}
