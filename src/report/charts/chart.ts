import type { EChartsOption } from 'echarts';

import type { Figure } from '../../analysis/plots/figure.js';
import { edfChart, importancesChart } from './bars-chart.js';
import type { ChartSettings } from './chart-parts.js';
import { contourChart } from './contour-chart.js';
import { historyChart, hypervolumeChart, terminatorChart } from './history-chart.js';
import { intermediateChart } from './intermediate-chart.js';
import { parallelChart } from './parallel-chart.js';
import { paretoChart } from './pareto-chart.js';
import { pairsOf, panelColumns, rankChart, sliceChart } from './scatter-panels.js';
import { timelineChart } from './timeline-chart.js';

/** What ECharts draws for a figure: the same in the page, in a report and as a picture. */
export function chartOption(figure: Figure, settings: ChartSettings): EChartsOption {
  switch (figure.kind) {
    case 'optimizationHistory':
      return historyChart(figure, settings);
    case 'intermediateValues':
      return intermediateChart(figure, settings);
    case 'parallelCoordinate':
      return parallelChart(figure, settings);
    case 'slice':
      return sliceChart(figure, settings);
    case 'contour':
      return contourChart(figure, settings);
    case 'rank':
      return rankChart(figure, settings);
    case 'paramImportances':
      return importancesChart(figure, settings);
    case 'edf':
      return edfChart(figure, settings);
    case 'paretoFront':
      return paretoChart(figure, settings);
    case 'hypervolumeHistory':
      return hypervolumeChart(figure, settings);
    case 'timeline':
      return timelineChart(figure, settings);
    case 'terminatorImprovement':
      return terminatorChart(figure, settings);
  }
}

/** Pixels of height that a figure needs at a width. */
export function chartHeight(figure: Figure, width: number): number {
  const rows = (count: number): number => 60 + 222 * Math.ceil(count / panelColumns(count, { width }));
  switch (figure.kind) {
    case 'slice':
      return rows(Math.max(1, figure.subplots.length));
    case 'contour':
    case 'rank': {
      const pairs = pairsOf<{ readonly x: { name: string }; readonly y: { name: string } }>(figure.subplots).length;
      return pairs <= 1 ? Math.min(420, Math.max(300, width * 0.6)) : rows(pairs);
    }
    case 'paramImportances': {
      const bars = (figure.series[0]?.params.length ?? 1) * Math.max(1, figure.series.length);
      return Math.max(120, 48 + 30 * bars);
    }
    case 'timeline': {
      const lanes = new Set(figure.bars.map(({ lane }) => lane)).size;
      return Math.min(560, Math.max(150, 96 + 30 * lanes));
    }
    case 'paretoFront':
      return figure.targetNames.length === 3 ? 420 : 340;
    default:
      return 300;
  }
}

const TITLES: Readonly<Record<Figure['kind'], string>> = {
  optimizationHistory: 'History',
  intermediateValues: 'Learning curves',
  parallelCoordinate: 'Parallel coordinates',
  slice: 'Slices',
  contour: 'Contours',
  rank: 'Ranks',
  paramImportances: 'Parameter importance',
  edf: 'Distribution of values',
  paretoFront: 'Pareto front',
  hypervolumeHistory: 'Hypervolume',
  timeline: 'Timeline',
  terminatorImprovement: 'Room for improvement',
};

export function chartTitle(kind: Figure['kind']): string {
  return TITLES[kind];
}
