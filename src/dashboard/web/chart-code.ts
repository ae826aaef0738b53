import type { ECharts } from '../../report/client/register-charts.js';

/** ECharts is most of the page's code: it is fetched and compiled while the server works on the first answers. */
const code = import('../../report/client/register-charts.js');

export type CreateChart = (element: HTMLElement, width: number, height: number) => ECharts;

/** Calls back with what makes a chart, as soon as it is there. Returns what takes the wish back. */
export function whenChartCode(use: (createChart: CreateChart) => void): () => void {
  let isWanted = true;
  void code.then(({ createChart }) => {
    if (isWanted) use(createChart);
  });
  return () => {
    isWanted = false;
  };
}
