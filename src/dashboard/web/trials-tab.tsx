import type { JSX } from 'preact';
import { useCallback, useContext, useState } from 'preact/hooks';

import { shortNumber } from '../../report/charts/chart-parts.js';
import type { ECharts } from '../../report/client/register-charts.js';
import type { AxisFilter, FigureAnswer, ParallelDimension } from '../api-types.js';
import { Chart } from './chart-view.js';
import { StudyContext, type TabProps } from './contexts.js';
import { Empty } from './parts.js';
import { TrialTable } from './trial-table.js';

/** Parallel coordinates over the table of trials: a range drawn on an axis filters the table. */
export function TrialsTab({ study }: TabProps): JSX.Element {
  const { id } = useContext(StudyContext);
  const [axes, setAxes] = useState<readonly AxisFilter[]>([]);
  const [cleared, setCleared] = useState(0);
  const watch = useCallback((chart: ECharts, answer: FigureAnswer) => {
    chart.off('axisareaselected');
    chart.on('axisareaselected', () => setAxes(selectedAxes(chart, answer)));
    if (selectedAxes(chart, answer).length === 0) setAxes([]);
  }, []);
  if (study.counts?.total === 0) return <Empty title="No trial yet." />;
  return (
    <>
      {(study.counts?.complete ?? 0) > 0 && study.params.length > 0 && (
        <Chart
          key={`${id} ${cleared}`}
          kind="parallelCoordinate"
          note="draw along an axis to filter the table"
          onChart={watch}
        />
      )}
      {axes.length > 0 && (
        <div class="chips" role="status">
          {axes.map((axis) => (
            <span key={axis.name} class="chip">
              {axis.name}{' '}
              {axis.oneOf !== undefined
                ? axis.oneOf.join(', ')
                : `${shortNumber(axis.min ?? 0)} … ${shortNumber(axis.max ?? 0)}`}
            </span>
          ))}
          <button
            type="button"
            class="quiet"
            onClick={() => {
              setAxes([]);
              setCleared((before) => before + 1);
            }}
          >
            Clear ranges
          </button>
        </div>
      )}
      <TrialTable study={study} axes={axes} />
    </>
  );
}

/** The ranges drawn on the axes, in the units of the trials. */
function selectedAxes(chart: ECharts, { figure }: FigureAnswer): AxisFilter[] {
  if (figure.kind !== 'parallelCoordinate') return [];
  const option = chart.getOption() as { parallelAxis?: { activeIntervals?: number[][] }[] };
  const dimensions = [...figure.objectives, ...figure.params];
  const model = (chart as unknown as { getModel(): AxisModels }).getModel();
  return (option.parallelAxis ?? []).flatMap((_, i) => {
    const intervals = model.getComponent('parallelAxis', i)?.activeIntervals ?? [];
    const dimension = dimensions[i];
    if (dimension === undefined || intervals.length === 0) return [];
    const low = Math.min(...intervals.map(([from = 0]) => from));
    const high = Math.max(...intervals.map(([, to = 0]) => to));
    return [axisFilter(dimension, i < figure.objectives.length ? 'value' : 'param', low, high)];
  });
}

interface AxisModels {
  getComponent(name: string, index: number): { readonly activeIntervals?: number[][] } | undefined;
}

function axisFilter(dimension: ParallelDimension, kind: AxisFilter['kind'], low: number, high: number): AxisFilter {
  const name = dimension.label;
  if (dimension.isCategorical) {
    const oneOf = dimension.tickTexts.filter((_, i) => {
      const place = dimension.tickValues[i] ?? NaN;
      return place >= low - 1e-9 && place <= high + 1e-9;
    });
    return { kind, name, oneOf };
  }
  // A bound at the very end of the axis is that of the trials, whatever rounding made of it.
  const slack = (dimension.range[1] - dimension.range[0]) * 1e-6;
  const [min, max] = [low - slack, high + slack].map((value) => (dimension.isLog ? 10 ** value : value));
  return { kind, name, min: min ?? 0, max: max ?? 0 };
}
