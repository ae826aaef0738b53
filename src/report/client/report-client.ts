import type { ECharts } from 'echarts/core';

import type { Figure } from '../../analysis/plots/figure.js';
import { chartHeight, chartOption } from '../charts/chart.js';
import { DARK, LIGHT } from '../charts/chart-theme.js';
import { createChart } from './register-charts.js';

/** The figures of the page, by the id of their place. */
interface ReportData {
  readonly figures: readonly { readonly id: string; readonly figure: Figure }[];
  readonly highlight: readonly number[];
}

const data = JSON.parse(document.getElementById('report-data')?.textContent ?? '{"figures":[]}') as ReportData;
const dark = matchMedia('(prefers-color-scheme: dark)');
const charts = new Map<string, ECharts>();

function draw(): void {
  const theme = dark.matches ? DARK : LIGHT;
  for (const { id, figure } of data.figures) {
    const place = document.getElementById(id);
    if (place === null) continue;
    const width = place.clientWidth;
    const height = chartHeight(figure, width);
    let chart = charts.get(id);
    if (chart === undefined) {
      // The picture drawn beforehand gives way to one that can be pointed at.
      place.replaceChildren();
      place.classList.add('live');
      chart = createChart(place, width, height);
      charts.set(id, chart);
    }
    chart.resize({ width, height });
    chart.setOption(chartOption(figure, { theme, width, height, highlight: data.highlight }), true);
  }
}

let width = 0;
new ResizeObserver(() => {
  if (document.body.clientWidth === width) return;
  width = document.body.clientWidth;
  draw();
}).observe(document.body);
dark.addEventListener('change', draw);
// On paper the pictures must not be wider than the page.
addEventListener('beforeprint', draw);
