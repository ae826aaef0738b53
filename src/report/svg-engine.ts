import { init, use, type ECharts } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

import { ECHARTS_PARTS } from './charts/echarts-parts.js';

use([...ECHARTS_PARTS, SVGRenderer]);

/**
 * A chart without a browser. The build puts what it needs of ECharts into this one file, so that an installation does not carry the
 * whole package (62 MB).
 */
export function createSvgChart(width: number, height: number): ECharts {
  return init(null, null, { renderer: 'svg', ssr: true, width, height });
}
