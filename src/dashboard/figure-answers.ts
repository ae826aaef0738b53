import type { Figure } from '../analysis/plots/figure.js';
import { thinFigure } from '../analysis/plots/thin-figure.js';
import { UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import { FIGURE_KINDS, isApplicable, studyFigure } from '../app/study-figures.js';
import { bestNumbers } from '../app/write-report.js';
import type { FigureAnswer } from './api-types.js';
import { answerText } from './serialize.js';
import type { OpenedStudy } from './studies.js';

/** Trials that a figure shows one by one; of the others it has the best, the newest and an even choice. */
const MOST: Readonly<Partial<Record<Figure['kind'], number>>> = {
  intermediateValues: 250,
  parallelCoordinate: 1_200,
  timeline: 3_000,
  optimizationHistory: 4_000,
  // These draw every trial once in each of several panels.
  slice: 1_000,
  rank: 400,
  contour: 300,
};
const MOST_ELSEWHERE = 2_000;
const KEPT = 300;

/** Answers of figures, kept while their study does not change. */
export class FigureAnswers {
  readonly #kept = new Map<string, Promise<string>>();

  /** The answer as text. @throws UsageError for a kind that there is not, or that this study cannot have */
  async answer(
    opened: OpenedStudy,
    kind: string,
    request: { readonly objective: number; readonly params: readonly string[] | undefined },
  ): Promise<string> {
    const known = FIGURE_KINDS.find((one) => one === kind);
    if (known === undefined) {
      const nearest = nearestName(kind, FIGURE_KINDS);
      throw new UsageError(`There is no figure "${kind}".`, {
        hint: nearest === undefined ? `There are ${FIGURE_KINDS.join(', ')}.` : `Did you mean "${nearest}"?`,
      });
    }
    if (!isApplicable(known, opened.study.directions.length)) {
      throw new UsageError(`A study of ${opened.study.directions.length} objectives has no such figure.`);
    }
    const key = JSON.stringify([opened.entry.id, opened.revision, kind, request.objective, request.params]);
    let made = this.#kept.get(key);
    if (made === undefined) {
      made = this.#make(opened, known, request);
      made.catch(() => this.#kept.delete(key));
      this.#kept.set(key, made);
      for (const old of this.#kept.keys()) {
        if (this.#kept.size <= KEPT) break;
        this.#kept.delete(old);
      }
    }
    return await made;
  }

  async #make(
    opened: OpenedStudy,
    kind: Figure['kind'],
    request: { readonly objective: number; readonly params: readonly string[] | undefined },
  ): Promise<string> {
    // A view without `sync`: all figures of one answer show one state.
    const { studyName, directions, seed, history, userAttrs, systemAttrs, declaredSpace } = opened.study;
    const view = { studyName, directions, seed, history, userAttrs, systemAttrs, declaredSpace };
    const figure = await studyFigure(view, kind, request);
    const best = bestNumbers(opened.study);
    const thin = thinFigure(figure, MOST[kind] ?? MOST_ELSEWHERE, new Set(best));
    const answer: FigureAnswer = { ...thin, revision: opened.revision, best: best.slice(0, 5) };
    return answerText(answer);
  }
}
