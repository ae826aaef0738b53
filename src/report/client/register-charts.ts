import { init, use, type ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

import { ECHARTS_PARTS } from '../charts/echarts-parts.js';

use([...ECHARTS_PARTS, CanvasRenderer]);

export type { ECharts };

/** A chart on an element of a page: only the parts of ECharts that our figures need. */
export function createChart(element: HTMLElement, width: number, height: number): ECharts {
  return init(element, null, { renderer: 'canvas', width, height });
}
