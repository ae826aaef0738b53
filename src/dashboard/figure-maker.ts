import { figureCsv, type Figure } from '../analysis/plots/figure.js';
import { thinFigure } from '../analysis/plots/thin-figure.js';
import { KeptImprovement } from '../analysis/terminator/kept-improvement.js';
import { RegretBoundEvaluator } from '../analysis/terminator/regret-bound.js';
import type { CatalogEntry } from '../app/studies/catalog-entry.js';
import { UsageError } from '../core/errors.js';
import { StudyFigures, type FigureRequest } from '../app/views/study-figures.js';
import { bestNumbers } from '../app/views/best-numbers.js';
import type { FigureAnswer } from './api-types.js';
import { OpenStudies, type OpenedStudy } from './open-studies.js';
import { answerText } from './serialize.js';

/** One figure of one study, for the page or as a table. */
export interface FigureOrder extends FigureRequest {
  readonly entry: CatalogEntry;
  readonly kind: Figure['kind'];
  readonly as: 'json' | 'csv';
}

/** Trials that a figure shows one by one; of the others it has the best, the newest and an even choice. */
function mostTrials(figure: Figure): number {
  switch (figure.kind) {
    case 'intermediateValues':
      return 200;
    case 'parallelCoordinate':
      return 500;
    case 'timeline':
      return 800;
    // These draw every trial once in each of several panels.
    case 'slice':
      return share(4_000, figure.subplots.length);
    case 'rank':
      return share(2_400, pairCount(figure.params.length));
    case 'contour':
      return share(1_200, pairCount(figure.params.length));
    default:
      return 2_000;
  }
}

function share(marks: number, panels: number): number {
  return Math.ceil(marks / Math.max(1, panels));
}

function pairCount(params: number): number {
  return (params * (params - 1)) / 2;
}

/** As many of the best are always shown; more would look as if trials were denser there. */
const KEPT_BEST = 10;

interface Moment {
  readonly revision: number;
  readonly figures: StudyFigures;
  readonly best: readonly number[];
}

/** Makes figures of studies, which it keeps open. */
export class FigureMaker {
  readonly #studies = new OpenStudies();
  readonly #moments = new Map<string, Moment>();
  readonly #improvements = new Map<string, KeptImprovement>();

  /** Opens a study before anybody asks for a figure of it. */
  async prepare(entry: CatalogEntry): Promise<void> {
    await this.#studies.open(entry);
  }

  /** The figure as text. @throws UsageError where this study cannot have it; StorageError where it cannot be read */
  async make({ entry, kind, as, objective, params }: FigureOrder): Promise<string> {
    const opened = await this.#studies.open(entry);
    const { figures, best, revision } = this.#momentOf(opened);
    const figure = await figureOf(figures, kind, { objective, params });
    if (as === 'csv') return figureCsv(figure);
    const thin = thinFigure(figure, mostTrials(figure), new Set(best.slice(0, KEPT_BEST)));
    const judged =
      figure.kind === 'terminatorImprovement' && figure.trialNumbers.length > 0
        ? (figure.trialNumbers.at(-1) ?? -1) + 1
        : undefined;
    const counts = judged === undefined ? {} : { shown: judged, of: opened.study.history.all.length };
    const answer: FigureAnswer = { ...thin, ...counts, revision, best: best.slice(0, 5) };
    return answerText(answer);
  }

  #momentOf({ entry, study, revision }: OpenedStudy): Moment {
    const known = this.#moments.get(entry.id);
    if (known?.revision === revision) return known;
    const improvement = this.#improvements.get(entry.id) ?? new KeptImprovement(new RegretBoundEvaluator());
    this.#improvements.set(entry.id, improvement);
    // A view without `sync`: all figures of one moment show one state.
    const { studyName, directions, seed, history, userAttrs, systemAttrs, declaredSpace } = study;
    const view = { studyName, directions, seed, history, userAttrs, systemAttrs, declaredSpace };
    const moment = { revision, figures: new StudyFigures(view, { improvement }), best: bestNumbers(study) };
    this.#moments.set(entry.id, moment);
    return moment;
  }

  async close(): Promise<void> {
    await this.#studies.closeAll();
  }
}

/** A study that a terminator cannot judge is no fault: its figure has no points. */
async function figureOf(figures: StudyFigures, kind: Figure['kind'], request: FigureRequest): Promise<Figure> {
  try {
    return await figures.figure(kind, request);
  } catch (error) {
    if (kind !== 'terminatorImprovement' || !(error instanceof UsageError)) throw error;
    return { kind, trialNumbers: [], improvements: [], errors: undefined, minNTrials: 0 };
  }
}
