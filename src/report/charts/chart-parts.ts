import type { EChartsOption } from 'echarts';

import type { ChartTheme } from './chart-theme.js';

/** What a chart may be told beside its figure. */
export interface ChartSettings {
  readonly theme: ChartTheme;
  /** Pixels that the drawing has. */
  readonly width: number;
  readonly height: number;
  /** Numbers of trials to bring out. */
  readonly highlight?: readonly number[] | undefined;
  /** Logarithmic value axis, where all values are above 0. */
  readonly logValues?: boolean | undefined;
  /** View of a three-dimensional front: degrees about the vertical axis, and above the floor. */
  readonly angles?: readonly [number, number] | undefined;
  /** No movement: for pictures. */
  readonly still?: boolean | undefined;
}

// No quotes: it goes into attributes of SVG as it is.
export const FONT = 'ui-sans-serif, system-ui, -apple-system, Roboto, DejaVu Sans, sans-serif';

/** Four significant digits, with an exponent only where it is shorter to read. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    return value
      .toExponential(2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e');
  }
  return String(Number(value.toPrecision(4)));
}

/** Text put into a tooltip, which is markup: names come from whoever made the study. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

/** A tooltip: a heading and lines of name and value. */
export function tip(heading: string, lines: readonly (readonly [string, string])[]): string {
  const body = lines.map(([name, value]) => `<br>${escaped(name)}: <b>${escaped(value)}</b>`).join('');
  return `<b>${escaped(heading)}</b>${body}`;
}

/** What every chart shares. */
export function baseOption({ theme, still }: ChartSettings): EChartsOption {
  return {
    // What changes is there at once: movement costs every frame of a long study, and shows nothing.
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: FONT, color: theme.ink, fontSize: 12 },
    tooltip: {
      show: still !== true,
      trigger: 'item',
      confine: true,
      transitionDuration: 0,
      backgroundColor: theme.card,
      borderColor: theme.line,
      borderWidth: 1,
      padding: [8, 10],
      extraCssText: 'box-shadow: 0 4px 16px rgba(0,0,0,.14)',
      textStyle: { color: theme.ink, fontSize: 12, fontFamily: FONT },
    },
  };
}

/** An axis of numbers with a quiet grid. `extra` wins. */
export function numberAxis(theme: ChartTheme, name: string, extra: Readonly<Record<string, unknown>> = {}): object {
  return {
    type: 'value',
    scale: true,
    name,
    nameLocation: 'middle',
    nameGap: 28,
    nameTextStyle: { color: theme.soft, fontSize: 12 },
    // At the edge, not on the other axis's 0 within the drawing.
    axisLine: { show: true, onZero: false, lineStyle: { color: theme.line } },
    axisTick: { show: false },
    axisLabel: { color: theme.soft, hideOverlap: true, formatter: shortNumber },
    splitLine: { lineStyle: { color: theme.line, opacity: 0.6 } },
    ...extra,
  };
}

/** The vertical axis: its name stands above it, upright, where it can be read. */
export function valueAxis(theme: ChartTheme, name: string, extra: Readonly<Record<string, unknown>> = {}): object {
  return numberAxis(theme, name, {
    nameLocation: 'end',
    nameGap: 12,
    nameTextStyle: { color: theme.soft, fontSize: 12, align: 'left' },
    axisLine: { show: false, onZero: false },
    ...extra,
  });
}

export function categoryAxis(
  theme: ChartTheme,
  name: string,
  data: readonly string[],
  extra: Readonly<Record<string, unknown>> = {},
): object {
  return numberAxis(theme, name, {
    type: 'category',
    data: [...data],
    scale: undefined,
    axisLabel: { color: theme.soft, hideOverlap: true, width: 90, overflow: 'truncate' },
    splitLine: { show: false },
    ...extra,
  });
}

/** Room around one panel. */
export const GRID = { left: 12, right: 20, top: 34, bottom: 30, containLabel: true } as const;

/** Pixels of a letter, of what stands around each name in a legend, and of a line of it. */
const [LETTER, ENTRY, LEGEND_LINE] = [6.6, 39, 18];

/** Room around a panel below a legend of these names, which takes several lines where the drawing is narrow. */
export function gridBelow(names: readonly string[], settings: ChartSettings): typeof GRID | { readonly top: number } {
  const width = names.reduce((sum, name) => sum + ENTRY + name.length * LETTER, 0);
  const lines = Math.max(1, Math.ceil(width / Math.max(1, settings.width - 40)));
  return { ...GRID, top: GRID.top + (lines - 1) * LEGEND_LINE };
}

/** A name in at most so many letters: of names that begin alike, the end tells them apart. */
export function shortName(name: string, most: number): string {
  if (name.length <= most) return name;
  const end = Math.floor((most - 1) / 2);
  return `${name.slice(0, most - 1 - end)}…${end === 0 ? '' : name.slice(-end)}`;
}

/** A legend above the chart, at the right. */
export function legend(theme: ChartTheme, names: readonly string[]): object {
  return {
    data: [...names],
    top: 0,
    right: 20,
    itemGap: 20,
    itemWidth: 14,
    itemHeight: 8,
    icon: 'roundRect',
    textStyle: { color: theme.soft, fontSize: 12 },
    inactiveColor: theme.line,
  };
}

/** Words in place of a chart that has nothing to show. */
export function emptyOption(settings: ChartSettings, text: string): EChartsOption {
  return {
    ...baseOption(settings),
    graphic: {
      type: 'text',
      left: 'center',
      top: 'middle',
      style: { text, fill: settings.theme.soft, font: `13px ${FONT}` },
    },
  };
}

/**
 * Bounds of an axis that a few extreme values would otherwise flatten: undefined where there are none. They are cut where the
 * middle 90 % would take less than a tenth of the height.
 */
export function calmRange(values: readonly number[], keep: readonly number[] = []): { min?: number; max?: number } {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length < 10) return {};
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] as number;
  const [low, high] = [sorted[0] as number, sorted.at(-1) as number];
  const core = at(0.95) - at(0.05);
  if (!(core > 0) || high - low < 10 * core) return {};
  const kept = keep.filter(Number.isFinite);
  const min = Math.min(at(0.05) - core, ...kept);
  const max = Math.max(at(0.95) + core, ...kept);
  return { ...(low < min ? { min } : {}), ...(high > max ? { max } : {}) };
}

/** Places of several panels in rows. */
export function panelGrid(
  count: number,
  settings: ChartSettings,
  columns: number,
): { readonly left: number; readonly top: number; readonly width: number; readonly height: number }[] {
  const rows = Math.max(1, Math.ceil(count / columns));
  const [gapX, gapY] = [78, 62];
  const width = (settings.width - 70 - 20 - gapX * (columns - 1)) / columns;
  const height = (settings.height - 34 - 48 - gapY * (rows - 1)) / rows;
  return Array.from({ length: count }, (_, i) => ({
    left: 70 + (i % columns) * (width + gapX),
    top: 34 + Math.floor(i / columns) * (height + gapY),
    width: Math.max(40, width),
    height: Math.max(40, height),
  }));
}
