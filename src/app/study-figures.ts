import type { Figure } from '../analysis/plots/figure.js';
import { plotContour } from '../analysis/plots/contour.js';
import { plotEdf } from '../analysis/plots/edf.js';
import { plotHypervolumeHistory } from '../analysis/plots/hypervolume-history.js';
import { plotIntermediateValues } from '../analysis/plots/intermediate-values.js';
import { plotOptimizationHistory } from '../analysis/plots/optimization-history.js';
import { plotParallelCoordinate } from '../analysis/plots/parallel-coordinate.js';
import { plotParamImportances } from '../analysis/plots/param-importances-figure.js';
import { plotParetoFront } from '../analysis/plots/pareto-front.js';
import type { PlottedStudy } from '../analysis/plots/plot-target.js';
import { plotRank } from '../analysis/plots/rank.js';
import { plotSlice } from '../analysis/plots/slice.js';
import { plotTerminatorImprovement } from '../analysis/plots/terminator-improvement.js';
import { plotTimeline } from '../analysis/plots/timeline.js';
import { UsageError } from '../core/errors.js';
import type { StudyView } from '../core/study-view.js';

/** Kinds of figures, in the order in which they are shown. */
export const FIGURE_KINDS = [
  'optimizationHistory',
  'paretoFront',
  'hypervolumeHistory',
  'paramImportances',
  'parallelCoordinate',
  'slice',
  'contour',
  'rank',
  'intermediateValues',
  'edf',
  'timeline',
  'terminatorImprovement',
] as const satisfies readonly Figure['kind'][];

export interface FigureRequest {
  /** Which of several objectives. @default 0 */
  readonly objective?: number | undefined;
  /** Only these parameters. @default the most important ones that can be shown */
  readonly params?: readonly string[] | undefined;
}

/** Parameters that a grid of pairs shows, and that slices show, unless asked for. */
const MOST_PAIRED = 4;
const MOST_SLICED = 12;
/** A terminator's model grows with the cube of the trials. */
const MOST_JUDGED = 400;
const JUDGED_POINTS = 24;

/** A figure of a study. @throws UsageError where the study cannot have it, such as a front of one objective */
export async function studyFigure(
  study: PlottedStudy,
  kind: Figure['kind'],
  request: FigureRequest = {},
): Promise<Figure> {
  const { params } = request;
  const several = study.directions.length > 1;
  const objective = request.objective ?? 0;
  switch (kind) {
    case 'optimizationHistory':
      return await plotOptimizationHistory(study, { objective });
    case 'intermediateValues':
      return await plotIntermediateValues(study);
    case 'parallelCoordinate':
      return await plotParallelCoordinate(study, several ? { params } : { objective, params });
    case 'slice':
      return await plotSlice(study, {
        objective,
        params: params ?? (await importantParams(study, objective, MOST_SLICED)),
      });
    case 'contour':
      return await plotContour(study, {
        objective,
        params: params ?? (await importantParams(study, objective, MOST_PAIRED)),
        surfaceSize: params?.length === 2 ? 48 : 28,
      });
    case 'rank':
      return await plotRank(study, {
        objective,
        params: params ?? (await importantParams(study, objective, MOST_PAIRED)),
      });
    case 'paramImportances':
      return await plotParamImportances(study, several ? {} : { objective });
    case 'edf':
      return await plotEdf(study, { objective });
    case 'paretoFront':
      return await plotParetoFront(study, study.directions.length > 3 ? { objectives: [0, 1, 2] } : {});
    case 'hypervolumeHistory':
      return await plotHypervolumeHistory(study);
    case 'timeline':
      return await plotTimeline(study);
    case 'terminatorImprovement':
      return await plotTerminatorImprovement(firstComplete(study, MOST_JUDGED), { maxPoints: JUDGED_POINTS });
  }
}

/** Whether a study of so many objectives can have the figure. */
export function isApplicable(kind: Figure['kind'], objectives: number): boolean {
  switch (kind) {
    case 'paretoFront':
    case 'hypervolumeHistory':
      return objectives > 1;
    case 'intermediateValues':
    case 'terminatorImprovement':
      return objectives === 1;
    default:
      return true;
  }
}

/** Names of parameters by their importance; all of them by name where it cannot be told yet. */
export async function importantParams(study: PlottedStudy, objective: number, most: number): Promise<string[]> {
  const { subplots } = await plotSlice(study, { objective });
  // One value alone makes no axis.
  const names = subplots.filter(({ x }) => new Set(x).size > 1).map(({ param }) => param);
  try {
    const figure = await plotParamImportances(study, study.directions.length > 1 ? { objective } : {});
    const order = [...(figure.series[0]?.params ?? [])].reverse().filter((name) => names.includes(name));
    if (order.length > 0) return order.slice(0, most);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
  return names.slice(0, most);
}

/** The study as it was once it had so many complete trials. */
function firstComplete(study: PlottedStudy, most: number): StudyView {
  let complete = 0;
  const end = study.history.all.findIndex((trial) => {
    if (trial.state === 'COMPLETE') complete++;
    return complete > most;
  });
  if (end < 0) return study;
  const all = study.history.all.slice(0, end);
  const finished = all.filter((trial) => trial.isFinished);
  const { studyName, directions, seed, userAttrs, systemAttrs, declaredSpace } = study;
  return {
    studyName,
    directions,
    seed,
    userAttrs,
    systemAttrs,
    declaredSpace,
    history: { all, finished, unfinished: [] },
  };
}
