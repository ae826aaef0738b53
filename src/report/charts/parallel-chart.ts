import type { EChartsOption } from 'echarts';

import type { ParallelCoordinateFigure, ParallelDimension } from '../../analysis/plots/parallel-coordinate.js';
import { baseOption, emptyOption, shortName, shortNumber, type ChartSettings } from './chart-parts.js';
import type { ChartTheme } from './chart-theme.js';

/** Pixels beside the axes, and of a letter of their names. */
const [LEFT, RIGHT, LETTER] = [48, 64, 8.4];

/** Trials as lines over objectives and parameters, the good ones darkest and on top. */
export function parallelChart(figure: ParallelCoordinateFigure, settings: ChartSettings): EChartsOption {
  const dimensions = [...figure.objectives, ...figure.params];
  if (figure.trialNumbers.length === 0 || figure.params.length === 0) {
    return emptyOption(settings, 'No complete trial has a parameter.');
  }
  const { theme } = settings;
  const colors = figure.colorValues;
  const sorted = [...colors].sort((a, b) => a - b);
  // Up to a quantile on the bad side, so that one very bad trial does not make all others look alike.
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const worst = figure.lowIsGood ? { low: at(0), high: at(0.95) } : { low: at(0.05), high: at(1) };
  const order = [...figure.trialNumbers.keys()].sort((a, b) => {
    const difference = (colors[b] ?? 0) - (colors[a] ?? 0);
    return figure.lowIsGood ? difference : -difference;
  });
  const rows = order.map((i) => [
    ...dimensions.map(({ values }) => values[i] ?? NaN),
    colors[i] ?? NaN,
    figure.trialNumbers[i] ?? 0,
  ]);
  const many = rows.length > 150;
  // Names stand beside each other without touching.
  const space = (settings.width - LEFT - RIGHT) / Math.max(1, dimensions.length - 1);
  const letters = Math.min(18, Math.max(6, Math.floor((space - 6) / LETTER)));
  return {
    ...baseOption(settings),
    tooltip: { show: false },
    parallel: { left: LEFT, right: RIGHT, top: 44, bottom: 26 },
    // While a range is drawn over many lines they stay as they are: it moves with the pointer, they follow once it is let go.
    parallelAxis: dimensions.map((dimension, i) => ({ ...axisOf(dimension, i, theme, letters), realtime: !many })),
    visualMap: {
      show: false,
      type: 'continuous',
      dimension: dimensions.length,
      min: worst.low,
      max: worst.high > worst.low ? worst.high : worst.low + 1,
      inRange: { color: figure.lowIsGood ? [...theme.ramp].reverse() : [...theme.ramp] },
    },
    series: {
      type: 'parallel',
      // On a canvas of their own: what moves over the lines does not draw them again. A picture has no such layers.
      ...(settings.still === true ? {} : { zlevel: -1 }),
      silent: true,
      data: rows,
      lineStyle: { width: many ? 1 : 1.5, opacity: many ? 0.45 : 0.7 },
      inactiveOpacity: 0.04,
      activeOpacity: 0.8,
      progressive: 500,
      smooth: false,
    },
  };
}

function axisOf(dimension: ParallelDimension, dim: number, theme: ChartTheme, letters: number): object {
  const [low, high] = dimension.range;
  const texts = new Map(
    dimension.tickValues.map((value, i) => [Math.round(value * 1e6), dimension.tickTexts[i] ?? '']),
  );
  const label = (value: number): string => {
    if (dimension.isCategorical) return texts.get(Math.round(value * 1e6)) ?? '';
    if (dimension.hasMissing && Math.abs(value - low) < 1e-9) return 'None';
    return shortNumber(dimension.isLog ? 10 ** value : value);
  };
  const ticks = ticksOf(dimension);
  const name = shortName(dimension.label, letters);
  return {
    dim,
    name,
    min: low === high ? low - 0.5 : low,
    max: low === high ? high + 0.5 : high,
    // The first name would leave the card where it is long.
    nameTextStyle: {
      color: theme.ink,
      fontSize: 12,
      fontWeight: 600,
      align: dim === 0 && (name.length * LETTER) / 2 > LEFT ? 'left' : 'center',
    },
    nameGap: 16,
    axisLine: { lineStyle: { color: theme.soft, width: 1 } },
    axisTick: { lineStyle: { color: theme.line }, customValues: ticks },
    axisLabel: {
      customValues: ticks,
      color: theme.soft,
      fontSize: 11,
      formatter: label,
      // A halo, so that a label stays readable on the lines.
      textBorderColor: theme.card,
      textBorderWidth: 3,
    },
    areaSelectStyle: { width: 18, borderColor: theme.best, color: theme.best, opacity: 0.25 },
  };
}

/** Where an axis has labels: choices, whole powers of ten, or round numbers within its range. */
function ticksOf(dimension: ParallelDimension): number[] {
  const { isCategorical, isLog, hasMissing, tickValues, values } = dimension;
  const [low, high] = dimension.range;
  if (isCategorical || low === high) return isCategorical ? [...tickValues] : [low];
  const missing = hasMissing ? [low] : [];
  const least = hasMissing ? low + (high - low) * 0.12 : low;
  const isWhole = isLog || (!hasMissing && values.every(Number.isInteger));
  const rough = roundStep((high - least) / 6);
  const step = isWhole ? Math.max(1, Math.ceil(rough)) : rough;
  const first = Math.ceil(least / step - 1e-9);

  const count = Math.floor(high / step + 1e-9) - first + 1;
  // Less than a power of ten: only its ends can be named.
  if (count < 2) return [...missing, least, high];
  return [...missing, ...Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)))];
}

/** The next larger of 1, 2 and 5 times a power of ten. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10);
}
