import type { Figure } from '../analysis/plots/figure.js';
import { loadOptional } from '../core/optional-package.js';
import { chartHeight, chartOption } from './charts/chart.js';
import { LIGHT, type ChartTheme } from './charts/chart-theme.js';

export interface RenderOptions {
  /** @default LIGHT */
  readonly theme?: ChartTheme | undefined;
  /** Pixels. @default 860 */
  readonly width?: number | undefined;
  /** @default what the figure needs */
  readonly height?: number | undefined;
  /** Numbers of trials to bring out. */
  readonly highlight?: readonly number[] | undefined;
}

/** A figure as SVG, drawn without a browser. */
export async function renderSvg(figure: Figure, options: RenderOptions = {}): Promise<string> {
  const { createSvgChart } = await import('./svg-engine.js');
  const { theme = LIGHT, width = 860, height = chartHeight(figure, width), highlight } = options;
  const chart = createSvgChart(width, height);
  try {
    chart.setOption(chartOption(figure, { theme, width, height, highlight, still: true }));
    return chart.renderToSVGString({ useViewBox: true });
  } finally {
    // Left open, it would keep this process alive.
    chart.dispose();
  }
}

/** The same as PNG on the theme's background, at twice the pixels. @throws UsageError where sharp is not installed */
export async function renderPng(figure: Figure, options: RenderOptions = {}): Promise<Buffer> {
  const { default: sharp } = await loadOptional('sharp', 'A picture as PNG', () => import('sharp'));
  const svg = await renderSvg(figure, options);
  const { card } = options.theme ?? LIGHT;
  return await sharp(Buffer.from(svg), { density: 144 })
    .flatten({ background: card })
    .png({ palette: true })
    .toBuffer();
}
