import type { JSX } from 'preact';
import { useCallback, useContext, useRef, useState } from 'preact/hooks';

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
  const drawn = useRef<Intervals>(new Map());
  const watch = useCallback((chart: ECharts, answer: FigureAnswer) => {
    chart.off('axisareaselected');
    drawAgain(chart, answer, drawn.current);
    chart.on('axisareaselected', () => {
      drawn.current = selectedIntervals(chart, answer);
      setAxes(axesOf(drawn.current, answer));
    });
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
              drawn.current = new Map();
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

/** By the label of an axis the ranges drawn on it, in its own units. */
type Intervals = ReadonlyMap<string, readonly (readonly number[])[]>;

function dimensionsOf({ figure }: FigureAnswer): readonly ParallelDimension[] {
  return figure.kind === 'parallelCoordinate' ? [...figure.objectives, ...figure.params] : [];
}

function selectedIntervals(chart: ECharts, answer: FigureAnswer): Intervals {
  const model = (chart as unknown as { getModel(): AxisModels }).getModel();
  return new Map(
    dimensionsOf(answer).flatMap(({ label }, i) => {
      const intervals = model.getComponent('parallelAxis', i)?.activeIntervals ?? [];
      return intervals.length === 0 ? [] : [[label, intervals]];
    }),
  );
}

/** A chart drawn anew, with newer trials or in other colours, keeps its ranges. */
function drawAgain(chart: ECharts, answer: FigureAnswer, drawn: Intervals): void {
  if (drawn.size === 0) return;
  const labels = dimensionsOf(answer).map(({ label }) => label);
  const select = (parallelAxisIndex: number): void => {
    const intervals = drawn.get(labels[parallelAxisIndex] ?? '') ?? [];
    chart.dispatchAction({ type: 'axisAreaSelect', parallelAxisIndex, intervals });
  };
  const places = [...labels.keys()].filter((i) => drawn.has(labels[i] ?? ''));
  for (const place of places) select(place);
  // An axis shows its ranges only once another one was acted on.
  const other = labels.findIndex((_, i) => i !== places.at(-1));
  if (other >= 0) select(other);
}

/** The ranges drawn on the axes, in the units of the trials. */
function axesOf(drawn: Intervals, answer: FigureAnswer): AxisFilter[] {
  const objectives = answer.figure.kind === 'parallelCoordinate' ? answer.figure.objectives.length : 0;
  return dimensionsOf(answer).flatMap((dimension, i) => {
    const intervals = drawn.get(dimension.label) ?? [];
    if (intervals.length === 0) return [];
    const low = Math.min(...intervals.map(([from = 0]) => from));
    const high = Math.max(...intervals.map(([, to = 0]) => to));
    return [axisFilter(dimension, i < objectives ? 'value' : 'param', low, high)];
  });
}

interface AxisModels {
  getComponent(name: string, index: number): { readonly activeIntervals?: readonly (readonly number[])[] } | undefined;
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
