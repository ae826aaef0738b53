import type { JSX } from 'preact';
import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { chartHeight, chartOption, chartTitle } from '../../report/charts/chart.js';
import { DARK, LIGHT } from '../../report/charts/chart-theme.js';
import type { ECharts } from '../../report/client/register-charts.js';
import type { FigureAnswer } from '../api-types.js';
import { api, figureCsvPath, figurePath, type FigureQuery } from './api.js';
import { whenChartCode, type CreateChart } from './chart-code.js';
import { ThemeContext, StudyContext } from './contexts.js';
import { drawSoon } from './draw-queue.js';
import { countText } from './format.js';
import { useCalm, useLoaded, useNear, useWidth } from './hooks.js';
import { Problem } from './parts.js';

/** A figure is asked for again only after so many times what it took. */
const CALM = 8;

export interface ChartProps {
  readonly kind: FigureAnswer['figure']['kind'];
  readonly query?: FigureQuery;
  readonly title?: string;
  readonly note?: string;
  readonly logValues?: boolean;
  /** Called with the chart once it is drawn, for what needs more than showing. */
  readonly onChart?: (chart: ECharts, answer: FigureAnswer) => void;
  readonly children?: JSX.Element | undefined;
}

/** A figure of the study in view, asked for and drawn once it comes near the screen, and kept up to date. */
export function Chart(props: ChartProps): JSX.Element {
  const { kind, query = {}, note } = props;
  const study = useContext(StudyContext);
  const { id } = study;
  const path = figurePath(id, kind, query);
  const [cost, setCost] = useState(0);
  const [drawn, setDrawn] = useState<FigureAnswer>();
  const card = useRef<HTMLElement>(null);
  const isNear = useNear(card);
  // What takes long is brought up to date less often.
  const revision = useCalm(study.revision, cost * CALM);
  const { value, error, loading } = useLoaded(
    async (signal) => {
      const begun = performance.now();
      const answer = await api.figure(path, signal);
      setCost(performance.now() - begun);
      return answer;
    },
    [path, revision],
    isNear,
  );
  const title = props.title ?? chartTitle(kind);
  const thinned = value !== undefined && value.shown < value.of;
  return (
    <section
      ref={card}
      class="card chart-card"
      aria-busy={isNear && (loading || (value !== undefined && drawn !== value))}
    >
      <div class="card-head">
        <h3>{title}</h3>
        {thinned && (
          <span class="soft">
            {countText(value.shown)} of {countText(value.of)} trials{' '}
            {kind === 'terminatorImprovement' ? 'judged' : 'drawn'}
          </span>
        )}
        {note !== undefined && <span class="soft">{note}</span>}
        <span class="grow" />
        {props.children}
        <a class="quiet" href={figureCsvPath(id, kind, query)} download aria-label={`${title} as CSV`}>
          CSV
        </a>
      </div>
      {error !== undefined && value === undefined ? (
        <Problem error={error} />
      ) : value === undefined ? (
        <div class={isNear ? 'placeholder' : 'unseen'} />
      ) : (
        <Drawing {...props} title={title} answer={value} onDrawn={setDrawn} />
      )}
    </section>
  );
}

function Drawing(
  props: ChartProps & { readonly answer: FigureAnswer; readonly onDrawn: (answer: FigureAnswer) => void },
): JSX.Element {
  const { answer, logValues, onChart, onDrawn } = props;
  const theme = useContext(ThemeContext) === 'dark' ? DARK : LIGHT;
  const { id } = useContext(StudyContext);
  const [place, seen] = useWidth();
  const width = seen === 0 ? 0 : Math.max(seen, narrowest(answer));
  const scrolls = width > seen;
  const chart = useRef<ECharts | undefined>(undefined);
  const [angles, setAngles] = useState<readonly [number, number]>([-32, 22]);
  const turns = answer.figure.kind === 'paretoFront' && answer.figure.targetNames.length === 3;
  const height = chartHeight(answer.figure, width);

  const chartOn = (element: HTMLElement, createChart: CreateChart): ECharts => {
    if (chart.current !== undefined) {
      chart.current.resize({ width, height });
      return chart.current;
    }
    const made = createChart(element, width, height);
    made.on('click', (event) => {
      const number = trialNumberOf(event);
      if (number !== undefined) location.hash = `/study/${id}/trial/${number}`;
    });
    chart.current = made;
    return made;
  };
  useLayoutEffect(() => {
    const element = place.current;
    if (width === 0 || element === null) return undefined;
    let takeBack: () => void;
    takeBack = whenChartCode((createChart) => {
      const highlight = answer.best.slice(0, 1);
      let option: ReturnType<typeof chartOption>;
      const prepare = (): void => {
        option = chartOption(answer.figure, { theme, width, height, highlight, logValues, angles });
      };
      const draw = (): void => {
        const drawn = chartOn(element, createChart);
        drawn.off('finished');
        drawn.on('finished', () => {
          drawn.off('finished');
          onChart?.(drawn, answer);
          onDrawn(answer);
        });
        // What takes longest, the shapes, follows with the next frame.
        drawn.setOption(option, { notMerge: true, lazyUpdate: true });
      };
      takeBack = drawSoon(element, prepare, draw);
    });
    return () => {
      takeBack();
    };
  }, [answer, theme, width, height, logValues, angles]);
  useEffect(
    () => () => {
      chart.current?.dispose();
      chart.current = undefined;
    },
    [],
  );
  const turn = (across: number, up: number): void =>
    setAngles(([a, b]) => [a + across, Math.min(85, Math.max(0, b + up))]);
  return (
    <div
      class={turns ? 'chart turns' : scrolls ? 'chart scrolls' : 'chart'}
      ref={place}
      role="img"
      aria-label={describe(answer, props.title)}
      {...(turns
        ? {
            tabIndex: 0,
            title: 'Drag, or use the arrow keys, to turn',
            onPointerMove: (event: PointerEvent) => {
              if (event.buttons === 1) turn(event.movementX * 0.5, event.movementY * 0.5);
            },
            onKeyDown: (event: KeyboardEvent) => {
              const step = { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, 6], ArrowDown: [0, -6] }[event.key];
              if (step === undefined) return;
              event.preventDefault();
              turn(step[0] ?? 0, step[1] ?? 0);
            },
          }
        : scrolls
          ? { tabIndex: 0 }
          : {})}
    />
  );
}

/** Pixels below which a figure would overlap itself: it scrolls instead. */
function narrowest({ figure }: FigureAnswer): number {
  return figure.kind === 'parallelCoordinate' ? 90 + 72 * (figure.objectives.length + figure.params.length - 1) : 0;
}

/** The number that a point carries: third of its values, fourth of a bar's, or a line's name. */
function trialNumberOf(event: { seriesType?: string; value?: unknown; name?: string }): number | undefined {
  const values = Array.isArray(event.value) ? (event.value as unknown[]) : [];
  const found =
    event.seriesType === 'custom'
      ? values[3]
      : event.seriesType === 'lines'
        ? Number(event.name)
        : event.seriesType === 'scatter'
          ? (values[2] ?? (event.name === '' ? undefined : Number(event.name)))
          : undefined;
  return typeof found === 'number' && Number.isInteger(found) ? found : undefined;
}

/** A figure in a sentence, for those who do not see it. */
function describe({ figure, of }: FigureAnswer, title: string | undefined): string {
  const name = title ?? chartTitle(figure.kind);
  if (figure.kind === 'optimizationHistory') {
    const best = figure.series[0]?.best?.at(-1);
    return `${name}: ${of} trials${typeof best === 'number' ? `, best ${best}` : ''}`;
  }
  if (figure.kind === 'paramImportances') {
    const [series] = figure.series;
    const top = series?.params.at(-1);
    return `${name}${top === undefined ? '' : `: ${top} matters most`}`;
  }
  return of > 0 ? `${name}: ${of} trials` : name;
}
