import type { JSX } from 'preact';
import { useContext, useEffect, useRef } from 'preact/hooks';

import { chartOption } from '../../report/charts/chart.js';
import { DARK, LIGHT } from '../../report/charts/chart-theme.js';
import { createChart, type ECharts } from '../../report/client/register-charts.js';
import type { IntermediateCurve, TrialDetail } from '../api-types.js';
import { ThemeContext } from './contexts.js';
import { useWidth } from './hooks.js';

const HEIGHT = 240;

/** What one trial reported on its way. */
export function CurveChart({ trial }: { readonly trial: TrialDetail }): JSX.Element {
  const theme = useContext(ThemeContext) === 'dark' ? DARK : LIGHT;
  const [place, width] = useWidth();
  const chart = useRef<ECharts | undefined>(undefined);
  useEffect(() => {
    if (width === 0 || place.current === null) return;
    chart.current ??= createChart(place.current, width, HEIGHT);
    chart.current.resize({ width, height: HEIGHT });
    const points = trial.curve.flatMap(([step, value]) => (value === null ? [] : [[step, value] as const]));
    const state = trial.state === 'RUNNING' || trial.state === 'PRUNED' ? trial.state : 'COMPLETE';
    const curve: IntermediateCurve = {
      number: trial.number,
      state,
      isFeasible: true,
      steps: points.map(([step]) => step),
      values: points.map(([, value]) => value),
    };
    const figure = { kind: 'intermediateValues' as const, curves: [curve] };
    chart.current.setOption(chartOption(figure, { theme, width, height: HEIGHT, highlight: [trial.number] }), true);
  }, [trial, theme, width]);
  useEffect(() => () => chart.current?.dispose(), []);
  return (
    <section class="card chart-card">
      <div class="card-head">
        <h3>Learning curve</h3>
        <span class="soft">{trial.curve.length} reports</span>
      </div>
      <div ref={place} class="chart" role="img" aria-label={`Learning curve of trial ${trial.number}`} />
    </section>
  );
}
