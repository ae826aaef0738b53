import type { JSX } from 'preact';
import { useContext, useEffect, useRef } from 'preact/hooks';

import { chartOption } from '../../report/charts/chart.js';
import { DARK, LIGHT } from '../../report/charts/chart-theme.js';
import type { ECharts } from '../../report/client/register-charts.js';
import type { IntermediateCurve, TrialDetail } from '../api-types.js';
import { whenChartCode } from './chart-code.js';
import { ThemeContext } from './contexts.js';
import { useWidth } from './hooks.js';

const HEIGHT = 240;

/** What one trial reported on its way. */
export function CurveChart({ trial }: { readonly trial: TrialDetail }): JSX.Element {
  const state = trial.state === 'RUNNING' || trial.state === 'PRUNED' ? trial.state : 'COMPLETE';
  const points = trial.curve.flatMap(([step, value]) => (value === null ? [] : [[step, value] as const]));
  return (
    <CurvesCard
      title="Learning curve"
      note={`${trial.curve.length} reports`}
      curves={[curveOf(trial.number, points, state)]}
      highlight={trial.number}
    />
  );
}

export function curveOf(
  number: number,
  points: readonly (readonly [number, number])[],
  state: IntermediateCurve['state'] = 'COMPLETE',
): IntermediateCurve {
  return {
    number,
    state,
    isFeasible: true,
    steps: points.map(([step]) => step),
    values: points.map(([, value]) => value),
  };
}

/** Curves of which one stands out. */
export function CurvesCard(props: {
  readonly title: string;
  readonly note: string;
  readonly curves: readonly IntermediateCurve[];
  readonly highlight: number;
}): JSX.Element {
  const { title, note, curves, highlight } = props;
  const theme = useContext(ThemeContext) === 'dark' ? DARK : LIGHT;
  const [place, width] = useWidth();
  const chart = useRef<ECharts | undefined>(undefined);
  const content = JSON.stringify(curves);
  useEffect(() => {
    const element = place.current;
    if (width === 0 || element === null) return undefined;
    return whenChartCode((createChart) => {
      chart.current ??= createChart(element, width, HEIGHT);
      chart.current.resize({ width, height: HEIGHT });
      const figure = { kind: 'intermediateValues' as const, curves };
      chart.current.setOption(chartOption(figure, { theme, width, height: HEIGHT, highlight: [highlight] }), true);
    });
  }, [content, highlight, theme, width]);
  useEffect(() => () => chart.current?.dispose(), []);
  return (
    <section class="card chart-card">
      <div class="card-head">
        <h3>{title}</h3>
        <span class="soft">{note}</span>
      </div>
      <div ref={place} class="chart" role="img" aria-label={title} />
    </section>
  );
}
