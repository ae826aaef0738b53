import type { Figure } from '../../analysis/plots/figure.js';
import { plotContour } from '../../analysis/plots/contour.js';
import { plotEdf } from '../../analysis/plots/edf.js';
import { plotHypervolumeHistory } from '../../analysis/plots/hypervolume-history.js';
import { plotIntermediateValues } from '../../analysis/plots/intermediate-values.js';
import { plotOptimizationHistory } from '../../analysis/plots/optimization-history.js';
import { plotParallelCoordinate } from '../../analysis/plots/parallel-coordinate.js';
import { plotParamImportances, type ParamImportancesFigure } from '../../analysis/plots/param-importances-figure.js';
import { plotParetoFront } from '../../analysis/plots/pareto-front.js';
import type { PlottedStudy } from '../../analysis/plots/plot-target.js';
import { plotRank } from '../../analysis/plots/rank.js';
import { plotSlice } from '../../analysis/plots/slice.js';
import { plotTerminatorImprovement } from '../../analysis/plots/terminator-improvement.js';
import { plotTimeline } from '../../analysis/plots/timeline.js';
import type { ImprovementEvaluator } from '../../analysis/terminator/improvement-evaluator.js';
import { UsageError } from '../../core/errors.js';
import type { StudyView } from '../../core/study-view.js';

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

/** The figures of a study at one moment: what several of them need is found once. */
export class StudyFigures {
  readonly #study: PlottedStudy;
  readonly #improvement: ImprovementEvaluator | undefined;
  readonly #importanceOf = new Map<number, Promise<ParamImportancesFigure>>();
  #varying: readonly string[] | undefined;

  /** `improvement` keeps what it has judged, for a study that grows. @default judged anew */
  constructor(study: PlottedStudy, options: { readonly improvement?: ImprovementEvaluator } = {}) {
    this.#study = study;
    this.#improvement = options.improvement;
  }

  /** @throws UsageError where the study cannot have it, such as a front of one objective */
  async figure(kind: Figure['kind'], request: FigureRequest = {}): Promise<Figure> {
    const study = this.#study;
    const { params } = request;
    const several = study.directions.length > 1;
    const objective = request.objective ?? 0;
    const important = async (most: number): Promise<readonly string[]> =>
      params ?? (await this.#importantParams(objective)).slice(0, most);
    switch (kind) {
      case 'optimizationHistory':
        return await plotOptimizationHistory(study, { objective });
      case 'intermediateValues':
        return await plotIntermediateValues(study);
      case 'parallelCoordinate':
        return await plotParallelCoordinate(study, several ? { params } : { objective, params });
      case 'slice':
        return await plotSlice(study, { objective, params: await important(MOST_SLICED) });
      case 'contour':
        return await plotContour(study, {
          objective,
          params: await important(MOST_PAIRED),
          surfaceSize: params?.length === 2 ? 48 : 28,
          onlyHalf: true,
          keepOrder: params?.length === 2,
        });
      case 'rank':
        return await plotRank(study, { objective, params: await important(MOST_PAIRED), onlyHalf: true });
      case 'paramImportances':
        return several ? await plotParamImportances(study) : await this.#importances(objective);
      case 'edf':
        return await plotEdf(study, { objective });
      case 'paretoFront':
        return await plotParetoFront(study, study.directions.length > 3 ? { objectives: [0, 1, 2] } : {});
      case 'hypervolumeHistory':
        return await plotHypervolumeHistory(study);
      case 'timeline':
        return await plotTimeline(study);
      case 'terminatorImprovement':
        return await plotTerminatorImprovement(firstComplete(study, MOST_JUDGED), {
          maxPoints: JUDGED_POINTS,
          improvementEvaluator: this.#improvement,
        });
    }
  }

  async #importances(objective: number): Promise<ParamImportancesFigure> {
    let found = this.#importanceOf.get(objective);
    if (found === undefined) {
      found = plotParamImportances(this.#study, { objective });
      this.#importanceOf.set(objective, found);
    }
    return await found;
  }

  /** Names of parameters by their importance; all of them by name where it cannot be told yet. One value alone makes no axis. */
  async #importantParams(objective: number): Promise<readonly string[]> {
    const names = this.#varying ?? variedParams(this.#study);
    this.#varying = names;
    try {
      const figure = await this.#importances(objective);
      const order = [...(figure.series[0]?.params ?? [])].reverse().filter((name) => names.includes(name));
      if (order.length > 0) return order;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
    return names;
  }
}

/** Parameters with several values among the complete trials, by name. */
function variedParams(study: StudyView): string[] {
  const first = new Map<string, number>();
  const varied = new Set<string>();
  for (const trial of study.history.all.filter(Boolean)) {
    if (trial.state !== 'COMPLETE') continue;
    for (const name in trial.internalParams) {
      const value = trial.internalParams[name] as number;
      const known = first.get(name);
      if (known === undefined) first.set(name, value);
      else if (known !== value) varied.add(name);
    }
  }
  return [...varied].sort();
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
